//! `POST /connected_accounts` where only the provider can give a credential: the connection waits, with a link.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::account_making::{account, audited, config, create, row};
use crate::common::{TestApp, canary};

/// The rows of the links.
async fn links(app: &TestApp) -> Vec<Value> {
    app.sql(
        "SELECT encode(token_hash, 'hex') AS hash, c.public_id AS account, callback_url, used_at, key_id, \
         sealed_data IS NOT NULL AS sealed, extract(epoch FROM expires_at - l.created_at)::int AS seconds \
         FROM link_tokens l JOIN connections c USING (tenant_id, connection_id) ORDER BY l.created_at",
    )
    .await
}

fn hash_of(url: &str) -> String {
    let token = url.rsplit('/').next().unwrap();
    assert!(token.starts_with("lk_") && token.len() == 35, "{token}");
    let hash: Vec<String> = Sha256::digest(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hash.concat()
}

#[tokio::test]
async fn without_an_access_token_the_connection_waits_with_a_link_of_its_own() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    for scheme in ["OAUTH2", "DCR_OAUTH", "CIMD_OAUTH"] {
        app.execute("DELETE FROM connections").await;
        let config = config(&client, scheme).await;
        let mut body = account(
            &config,
            scheme,
            json!({ "status": "INITIALIZING", "subdomain": canary() }),
        );
        body["connection"]["callback_url"] = json!("https://app.example/done?x=1");

        let made = create(&client, body).await;

        let url = made["redirect_url"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("{}/connect/lk_", app.url())),
            "{url}"
        );
        // Whatever the scheme, the SDKs find the link in this arm of their state only.
        assert_eq!(
            made,
            json!({
                "id": made["id"],
                "connectionData": { "authScheme": "OAUTH2", "val": { "status": "INITIATED", "redirectUrl": url } },
                "status": "INITIATED",
                "redirect_url": url,
                "redirect_uri": url,
                "deprecated": made["deprecated"],
            })
        );
        let row = row(&app, made["id"].as_str().unwrap()).await;
        assert_eq!(
            (&row["status"], &row["sealed"]),
            (&json!("INITIALIZING"), &json!(false))
        );
        let link = json!({
            "hash": hash_of(url), "account": made["id"], "callback_url": "https://app.example/done?x=1",
            "used_at": null, "key_id": alice.key_id, "sealed": true, "seconds": 600,
        });
        assert_eq!(links(&app).await, [link]);
        let audit = vec![("connection.create".to_owned(), json!({ "link": true }))];
        assert_eq!(audited(&app, &made["deprecated"]["uuid"]).await, audit);
    }
    app.finish().await;
}

#[tokio::test]
async fn a_redirect_can_be_asked_for_in_each_way() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    let of =
        |connection: Value| json!({ "auth_config": { "id": config }, "connection": connection });
    for connection in [
        json!({}),
        json!({ "redirect_uri": "http://localhost:3000/done" }),
        json!({ "state": {} }),
        json!({ "state": { "authScheme": "OAUTH2" } }),
        json!({ "state": { "authScheme": "OAUTH2", "val": {} } }),
        json!({ "state": { "authScheme": "OAUTH2", "val": { "status": "INITIATED", "redirectUrl": "https://x.example" } } }),
        json!({ "data": { "status": "INITIALIZING" } }),
        json!({ "data": { "access_token": null } }),
        json!({ "data": { "access_token": "REDACTED" } }),
    ] {
        let made = create(&client, of(connection.clone())).await;
        let url = &made["redirect_url"];
        assert_eq!(made["status"], "INITIATED", "{connection}");
        assert_eq!(
            (
                &made["connectionData"]["val"]["redirectUrl"],
                &made["redirect_uri"]
            ),
            (url, url)
        );
    }
    let links = links(&app).await;
    assert_eq!(links.len(), 9);
    let hashes: std::collections::HashSet<_> =
        links.iter().map(|link| link["hash"].as_str()).collect();
    assert_eq!(hashes.len(), 9);
    assert!(links.iter().all(|link| link["sealed"] == false));
    let callbacks: Vec<_> = links.iter().map(|link| &link["callback_url"]).collect();
    assert_eq!(
        callbacks[..3],
        [
            &Value::Null,
            &json!("http://localhost:3000/done"),
            &Value::Null
        ]
    );
}

#[tokio::test]
async fn a_token_that_comes_with_a_redirect_is_no_credential_yet() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    let val = json!({ "status": "INITIALIZING", "access_token": canary() });

    let made = create(&client, account(&config, "OAUTH2", val)).await;

    assert_eq!(made["status"], "INITIATED");
    assert!(links(&app).await[0]["sealed"] == true);
    app.finish().await;
}

#[tokio::test]
async fn callback_url_wins_over_the_deprecated_redirect_uri() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    let connection =
        json!({ "callback_url": "https://new.example/", "redirect_uri": "https://old.example/" });
    create(
        &client,
        json!({ "auth_config": { "id": config }, "connection": connection }),
    )
    .await;
    assert_eq!(links(&app).await[0]["callback_url"], "https://new.example/");
}
