//! `DELETE /connected_accounts/{nanoid}`: what it answers, what takes its place, and that nothing is left of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::account_changing::{
    Account, assert_unknown, at, at_3_1, changed, connected, connected_under, members, revoke,
    switch,
};
use crate::account_making::{ACCOUNTS, audited, config, declared, row};
use crate::common::client::Client;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::story::{assert_invalid, told};

/// The sealed credential of an account.
async fn sealed(app: &TestApp, id: &str) -> Vec<u8> {
    let query = format!(
        "SELECT encode(sealed_credential, 'hex') AS hex FROM connections WHERE public_id = '{id}'"
    );
    let row = app.sql(&query).await.remove(0);
    let hex = row["hex"].as_str().unwrap();
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

/// An account that waits for its user, with a link that carries a planted secret.
async fn linked(client: &Client, config: &str) -> String {
    let body = json!({ "auth_config_id": config, "user_id": "u-1", "connection_data": { "token": canary() } });
    let link = client.post(&format!("{ACCOUNTS}/link"), body).await;
    assert_eq!(link.status, 201, "{}", link.text);
    link.json["connected_account_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn assert_gone(app: &TestApp, tenant: &Tenant, account: &Account) {
    let (client, id) = (tenant.composio(), &account.id);
    let change = members("BEARER_TOKEN", json!({ "token": "t" }));
    for reply in [
        client.delete(&at(id)).await,
        client.delete(&at_3_1(id, "?revoke_on_delete=true")).await,
        client.patch(&at(id), change).await,
        client.patch(&at(id), json!({})).await,
        switch(&client, id, true).await,
        revoke(&client, id).await,
        client.post(&at_3_1(id, "/refresh"), json!({})).await,
    ] {
        assert_unknown(&reply, id);
    }
    let path = format!("/mcp-server/instance/{}", account.uuid.as_str().unwrap());
    assert_eq!(tenant.klavis().get(&path).await.status, 404);
    let left = format!("connections WHERE public_id = '{id}'");
    assert_eq!(app.count(&left).await, 0);
}

#[tokio::test]
async fn a_deleted_account_is_unknown_and_its_sealed_bytes_are_in_no_row() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    for prefix in ["/api/v3", "/api/v3.1"] {
        let account = connected(&client, "BEARER_TOKEN", json!({ "token": canary() })).await;
        let first = sealed(&app, &account.id).await;
        let change = members("BEARER_TOKEN", json!({ "note": canary() }));
        changed(&client, &account.id, change).await;
        let second = sealed(&app, &account.id).await;
        assert_eq!(
            app.tables_holding(&first).await,
            [""; 0],
            "replaced bytes are gone"
        );
        assert_eq!(app.tables_holding(&second).await, ["connections"]);

        let path = format!("{prefix}/connected_accounts/{}", account.id);
        let reply = client.delete(&path).await;

        assert_eq!(
            (reply.status, &reply.json),
            (200, &json!({ "success": true }))
        );
        assert_gone(&app, &alice, &account).await;
        assert_eq!(app.tables_holding(&second).await, [""; 0]);
        let last = audited(&app, &account.uuid).await.pop();
        assert_eq!(last, Some(("connection.delete".to_owned(), Value::Null)));
    }
    app.finish().await;
}

#[tokio::test]
async fn revoked_bytes_are_in_no_row_either() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let account = connected(&client, "BEARER_TOKEN", json!({ "token": canary() })).await;
    let bytes = sealed(&app, &account.id).await;
    assert_eq!(app.tables_holding(&bytes).await, ["connections"]);
    assert_eq!(revoke(&client, &account.id).await.status, 200);
    assert_eq!(app.tables_holding(&bytes).await, [""; 0]);
    app.finish().await;
}

#[tokio::test]
async fn revocation_is_answered_with_its_id_and_written_down() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for (query, asked) in [
        ("?revoke_on_delete=true", true),
        ("?revoke_on_delete=True", true),
        ("?revoke_on_delete=1", true),
        ("?revoke_on_delete=false", false),
        ("?revoke_on_delete=", false),
        ("?other=1", false),
        ("", false),
    ] {
        let Account { id, uuid } =
            connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
        let reply = client.delete(&at_3_1(&id, query)).await;
        let job = reply.json["revoke_job_id"].as_str();
        assert_eq!(job.is_some(), asked, "{query}");
        let answer = match job {
            Some(job) => json!({ "success": true, "revoke_job_id": job }),
            None => json!({ "success": true }),
        };
        assert_eq!((reply.status, &reply.json), (200, &answer), "{query}");
        let detail = audited(&app, &uuid).await.pop().unwrap().1;
        if let Some(job) = job {
            let rest = job.strip_prefix("pj_").unwrap_or_default();
            let is_nanoid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            assert!(rest.len() == 12 && rest.chars().all(is_nanoid), "{job}");
            assert_eq!(detail["revoke_job_id"], *job);
        } else {
            assert!(!detail.to_string().contains("revoke_job_id"), "{detail}");
        }
    }
}

#[tokio::test]
async fn the_query_is_judged_once_the_account_is_known() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let reader = alice.with_scopes(&["connections:read"]).await.composio();
    let Account { id, .. } = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for (query, error) in [
        ("perhaps", "Expected boolean, received string"),
        (
            "true&revoke_on_delete=false",
            "Expected boolean, received array",
        ),
    ] {
        let path = format!("{}?revoke_on_delete={query}", at(&id));
        let error = format!("Error in query.revoke_on_delete: {error}");
        assert_invalid(&client.delete(&path).await, &[&error]);
    }
    let unknown = "ca_abcdefghijkl";
    let bad = |id: &str| format!("{}?revoke_on_delete=perhaps", at(id));
    assert_unknown(&client.delete(&bad(unknown)).await, unknown);
    let ill_formed = client.delete(&bad("nonsense")).await;
    assert_eq!(
        (ill_formed.status, &ill_formed.json["error"]["errors"]),
        (
            400,
            &json!(["Error in params.nanoid: Invalid connected account id"])
        )
    );
    let lesser = reader.delete(&bad("nonsense")).await;
    assert_eq!(told(&lesser), (403, 812, "APIKey_InsufficientPermissions"));
    let nobody = client.request(Method::DELETE, &bad("nonsense")).no_auth();
    assert_eq!(
        told(&nobody.send().await),
        (401, 906, "Auth_NoAuthProvided")
    );
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
}

/// The SDKs say that JSON follows and send none.
#[tokio::test]
async fn no_body_is_looked_at() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for (content_type, body) in [
        ("application/json", Vec::new()),
        ("application/json", b"{\"revoke_on_delete\":5".to_vec()),
        ("text/plain", b"\xff".to_vec()),
        ("application/json", vec![b' '; 300 * 1024]),
    ] {
        let Account { id, .. } = connected(&client, "BEARER_TOKEN", json!({ "token": "t" })).await;
        let request = client
            .request(Method::DELETE, &at(&id))
            .header("content-type", content_type);
        let reply = request.body(body).send().await;
        assert_eq!(
            (reply.status, reply.json),
            (200, json!({ "success": true }))
        );
    }
}

#[tokio::test]
async fn the_oldest_that_is_left_becomes_the_primary_one_and_keeps_its_alias() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let config = config(&client, "BEARER_TOKEN").await;
    let mut accounts = Vec::new();
    for number in 0..3 {
        let token = json!({ "token": format!("t-{number}") });
        let made = connected_under(&client, &config, "BEARER_TOKEN", token).await;
        changed(&client, &made.id, json!({ "alias": format!("a-{number}") })).await;
        accounts.push(made);
    }
    let [first, second, third] = &accounts[..] else {
        panic!("three were made");
    };
    assert_eq!(switch(&client, &second.id, false).await.status, 200);

    assert_eq!(client.delete(&at(&first.id)).await.status, 200);

    let last = audited(&app, &first.uuid).await.pop().unwrap();
    assert_eq!(
        last,
        (
            "connection.delete".to_owned(),
            json!({ "promoted": second.uuid })
        )
    );
    let heir = row(&app, &second.id).await;
    assert_eq!(
        (
            &heir["is_primary"],
            &heir["alias"],
            &heir["status"],
            &heir["status_reason"]
        ),
        (
            &json!(true),
            &json!("a-1"),
            &json!("INACTIVE"),
            &json!("Connection status updated by user")
        )
    );
    assert_eq!(row(&app, &third.id).await["is_primary"], false);
    // What was taken is free again.
    changed(&client, &third.id, json!({ "alias": "a-0" })).await;
    let body = json!({ "serverName": "slack", "userId": "u-1" });
    let path = "/mcp-server/instance/create";
    let instance = alice.klavis().post(path, body).await;
    assert_eq!(instance.json["instanceId"], second.uuid);
}

/// Whoever ends a connection ends the links to its page, with what they carry.
#[tokio::test]
async fn links_end_with_their_account_however_it_ends() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (client, klavis, langdock) = (alice.composio(), alice.klavis(), alice.langdock());
    let acme = declared(&alice, "acme", "API_KEY", json!([])).await;
    let langdocks = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'acme'")
        .await;
    let path = format!(
        "/integrations/v1/{}/auth",
        langdocks[0]["integration_id"].as_str().unwrap()
    );
    for end in ["delete", "klavis", "user", "retire", "config"] {
        let own = config(&client, "BEARER_TOKEN").await;
        let id = linked(&client, if end == "retire" { &acme } else { &own }).await;
        assert_eq!(
            app.count("link_tokens WHERE sealed_data IS NOT NULL").await,
            1,
            "{end}"
        );
        let instance = app
            .sql(&format!(
                "SELECT connection_id FROM connections WHERE public_id = '{id}'"
            ))
            .await;
        let instance = instance[0]["connection_id"].as_str().unwrap();
        let reply = match end {
            "delete" => client.delete(&at(&id)).await,
            "klavis" => {
                klavis
                    .delete(&format!("/mcp-server/instance/{instance}"))
                    .await
            }
            "user" => klavis.delete("/user/u-1").await,
            "config" => client.delete(&format!("/api/v3/auth_configs/{own}")).await,
            _ => langdock.patch(&path, json!({ "authType": "OAUTH" })).await,
        };
        assert_eq!(reply.status, 200, "{end}: {}", reply.text);
        assert_eq!(app.count("link_tokens").await, 0, "{end}");
    }
    app.finish().await;
}
