//! NUMBER fields, whoever describes them, wherever members of a credential come in.

use serde_json::{Value, json};

use crate::account_changing::{at, changed, members};
use crate::account_making::{ACCOUNTS, LINK, account, create, declared};
use crate::common::client::Client;
use crate::common::{TestApp, canary};
use crate::story::{assert_invalid, custom, made};

/// Both tell of a `port`, one in the catalogue's words, one in the tenant's own.
async fn configs(app: &TestApp) -> (Client, [(String, &'static str); 2]) {
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let of_catalogue = made(&client, custom("postgres", "BASIC", json!({}))).await;
    let fields = json!([{ "slug": "port", "label": "The port", "type": "NUMBER" }]);
    let own = declared(&alice, "our-wiki", "API_KEY", fields).await;
    (client, [(of_catalogue, "BASIC"), (own, "API_KEY")])
}

fn whole(scheme: &str, port: &Value) -> Value {
    let mut val = json!({ "port": port });
    let needed: &[&str] = if scheme == "BASIC" {
        &["host", "database", "username", "password"]
    } else {
        &["generic_api_key"]
    };
    for name in needed {
        val[name] = json!("value-of-it");
    }
    val
}

const WRONG: &str = "Expected number, received nan";

#[tokio::test]
async fn a_new_credential_holds_numbers_where_numbers_are_expected() {
    let app = TestApp::start().await;
    let (client, configs) = configs(&app).await;
    for (config, scheme) in configs {
        let before = app.fingerprint().await;
        let body = account(&config, scheme, whole(scheme, &canary().into()));
        let line = format!("Error in payload.connection.state.val.port: {WRONG}");
        assert_invalid(&client.post(ACCOUNTS, body).await, &[&line]);
        assert_eq!(app.fingerprint().await, before);
        for port in [json!(5432), json!("5433"), json!("")] {
            create(&client, account(&config, scheme, whole(scheme, &port))).await;
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_change_brings_numbers_where_numbers_are_expected() {
    let app = TestApp::start().await;
    let (client, configs) = configs(&app).await;
    for (config, scheme) in configs {
        let made = create(&client, account(&config, scheme, whole(scheme, &json!(1)))).await;
        let id = made["id"].as_str().unwrap();
        let before = app.fingerprint().await;
        let change = members(scheme, json!({ "port": canary() }));
        let line = format!("Error in payload.connection.state.val.port: {WRONG}");
        assert_invalid(&client.patch(&at(id), change).await, &[&line]);
        assert_eq!(app.fingerprint().await, before);
        let change = members(scheme, json!({ "port": "5433" }));
        assert_eq!(changed(&client, id, change).await, "ACTIVE");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_link_carries_numbers_where_numbers_are_expected() {
    let app = TestApp::start().await;
    let (client, configs) = configs(&app).await;
    for (config, _) in configs {
        let body = |port: Value| json!({ "auth_config_id": config, "user_id": "u-1", "connection_data": { "port": port } });
        let before = (app.fingerprint().await, app.count("audit_log").await);
        let line = format!("Error in payload.connection_data.port: {WRONG}");
        assert_invalid(&client.post(LINK, body(canary().into())).await, &[&line]);
        let after = (app.fingerprint().await, app.count("audit_log").await);
        assert_eq!(after, before);
        assert_eq!(client.post(LINK, body(json!("5432"))).await.status, 201);
    }
    app.finish().await;
}
