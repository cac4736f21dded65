//! `POST /connected_accounts/link`: what it makes, and what it answers.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::account_making::{LINK, audited, config, row};
use crate::common::client::Client;
use crate::common::{TestApp, canary};
use crate::story::made;

async fn link(client: &Client, body: Value) -> Value {
    let reply = client.post(LINK, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json
}

#[tokio::test]
async fn a_link_leads_to_a_page_of_a_connection_that_waits() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "API_KEY").await;
    for path in [LINK, "/api/v3.1/connected_accounts/link"] {
        app.execute("DELETE FROM connections").await;
        let body = json!({
            "auth_config_id": config, "user_id": "u-1", "alias": "work", "callback_url": "https://app.example/done",
            "connection_data": { "subdomain": canary() },
        });

        let reply = alice.composio().post(path, body).await;

        assert_eq!(reply.status, 201, "{}", reply.text);
        let token = reply.json["link_token"].as_str().unwrap();
        let expires_at = reply.json["expires_at"].as_str().unwrap();
        let account = reply.json["connected_account_id"].as_str().unwrap();
        assert_eq!(
            reply.json,
            json!({
                "link_token": token,
                "redirect_url": format!("{}/connect/{token}", app.url()),
                "expires_at": expires_at,
                "connected_account_id": account,
            })
        );
        assert!(token.starts_with("lk_") && token.len() == 35, "{token}");
        let expected = json!({
            "user_id": "u-1", "is_primary": true, "status": "INITIALIZING", "status_reason": null, "alias": "work",
            "sealed": false, "config": config,
        });
        assert_eq!(row(&app, account).await, expected);

        let rows = app
            .sql(
                "SELECT token_hash = sha256(convert_to('TOKEN', 'UTF8')) AS hashed, callback_url, used_at, key_id, \
                 sealed_data IS NOT NULL AS sealed, extract(epoch FROM expires_at - l.created_at)::int AS seconds, \
                 floor(extract(epoch FROM expires_at) * 1000)::bigint AS ends, connection_id \
                 FROM link_tokens l"
                    .replace("TOKEN", token)
                    .as_str(),
            )
            .await;
        let ends = OffsetDateTime::parse(expires_at, &Rfc3339).unwrap();
        let expected = json!({
            "hashed": true, "callback_url": "https://app.example/done", "used_at": null, "key_id": alice.key_id,
            "sealed": true, "seconds": 600, "ends": i64::try_from(ends.unix_timestamp_nanos() / 1_000_000).unwrap(),
            "connection_id": rows[0]["connection_id"],
        });
        assert_eq!(rows, [expected]);
        let audit = vec![("connection.create".to_owned(), json!({ "link": true }))];
        assert_eq!(audited(&app, &rows[0]["connection_id"]).await, audit);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_token_is_not_stored_nor_logged() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let link = link(
        &client,
        json!({ "auth_config_id": config, "user_id": "u-1" }),
    )
    .await;
    let token = link["link_token"].as_str().unwrap();
    let hash: Vec<_> = Sha256::digest(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let hash = hash.concat();
    let rows = app.sql("SELECT l::text AS whole FROM link_tokens l").await;
    assert_eq!(rows.len(), 1);
    let whole = rows[0]["whole"].as_str().unwrap();
    assert!(
        whole.contains(&hash) && !whole.contains(&token[3..]),
        "{whole}"
    );
    assert!(!app.logs().contains(&token[3..]));
}

#[tokio::test]
async fn every_link_makes_a_connection_of_its_own() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let body = json!({ "auth_config_id": config, "user_id": "u-1" });
    let (one, other) = (link(&client, body.clone()).await, link(&client, body).await);
    for member in ["link_token", "redirect_url", "connected_account_id"] {
        assert_ne!(one[member], other[member], "{member}");
    }
    let primary = |link: &Value| {
        let id = link["connected_account_id"].as_str().unwrap().to_owned();
        let app = &app;
        async move { row(app, &id).await["is_primary"].clone() }
    };
    assert_eq!(
        (primary(&one).await, primary(&other).await),
        (json!(true), json!(false))
    );
    assert_eq!(app.count("link_tokens WHERE sealed_data IS NULL").await, 2);
}

#[tokio::test]
async fn every_scheme_has_links_but_those_that_are_not_run_here() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for scheme in ["NO_AUTH", "OAUTH2", "BASIC", "S2S_OAUTH2", "CIMD_OAUTH"] {
        let config = config(&client, scheme).await;
        let link = link(
            &client,
            json!({ "auth_config_id": config, "user_id": "u-1" }),
        )
        .await;
        let row = row(&app, link["connected_account_id"].as_str().unwrap()).await;
        assert_eq!(
            (&row["status"], &row["config"]),
            (&json!("INITIALIZING"), &json!(config))
        );
    }
    for scheme in ["OAUTH1", "BILLCOM_AUTH", "CALCOM_AUTH", "SAML"] {
        let config = config(&client, scheme).await;
        let before = app.fingerprint().await;
        let refused = client
            .post(LINK, json!({ "auth_config_id": config, "user_id": "u-1" }))
            .await;
        assert_eq!(refused.status, 501, "{scheme}: {}", refused.text);
        assert_eq!(app.fingerprint().await, before);
    }
}

#[tokio::test]
async fn what_the_platform_gives_is_sealed_at_the_links_own_place() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let body = crate::story::custom("slack", "API_KEY", json!({}));
    let config = made(&client, body).await;
    let nothing = json!({ "status": "INITIALIZING", "redirectUrl": "https://x.example", "a": null, "b": "REDACTED" });
    for (given, sealed) in [
        (json!({}), false),
        (nothing, false),
        (json!({ "a": canary() }), true),
    ] {
        app.execute("DELETE FROM connections").await;
        let body = json!({ "auth_config_id": config, "user_id": "u-1", "connection_data": given });
        link(&client, body).await;
        let rows = app
            .sql("SELECT sealed_data IS NOT NULL AS sealed FROM link_tokens")
            .await;
        assert_eq!(rows, [json!({ "sealed": sealed })], "{given}");
    }
    app.finish().await;
}
