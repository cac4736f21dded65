//! White labels: who sees and sets whose.

use serde_json::json;

use crate::common::TestApp;
use crate::white_label::{assert_not_found, found, label, labelled, shown};

#[tokio::test]
async fn another_tenants_client_of_the_same_id_is_apart() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    labelled(&alice, "shared", "Gmail", json!({"account_id": "alice's"})).await;

    let foreign = found(&bob, "shared").await;
    assert_not_found(&foreign);
    assert_eq!(foreign.text, found(&bob, "nobody's").await.text);
    labelled(&bob, "shared", "Slack", json!({"account_id": "bob's"})).await;

    assert_eq!(shown(&alice, "shared").await["account_id"], "alice's");
    assert_eq!(shown(&bob, "shared").await["server_name"], "Slack");
    let indexes = app
        .sql("SELECT DISTINCT value_index FROM auth_config_secrets WHERE name = 'client_id'")
        .await;
    assert_eq!(indexes.len(), 2, "one id has no common index");
    app.finish().await;
}

#[tokio::test]
async fn a_limited_key_sees_its_integrations_only_and_makes_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "google", "Gmail", json!({})).await;
    labelled(&alice, "slack", "Slack", json!({})).await;
    let gmail = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'gmail'")
        .await;
    let limited = alice
        .limited_to(&[gmail[0]["integration_id"].as_str().unwrap()])
        .await;
    // Changed last for a service that the key may not use.
    labelled(&alice, "google", "Google Calendar", json!({})).await;
    let before = app.fingerprint().await;

    assert_eq!(shown(&limited, "google").await["server_name"], "Gmail");
    assert_not_found(&found(&limited, "slack").await);
    for server in ["Slack", "Asana"] {
        let reply = label(&limited, "google", server, json!({})).await;
        assert_eq!(
            (reply.status, &reply.json["detail"][0]["type"]),
            (422, &json!("enum"))
        );
    }
    assert_eq!(app.fingerprint().await, before);
    labelled(
        &limited,
        "google",
        "Gmail",
        json!({"account_id": "limited"}),
    )
    .await;
    assert_eq!(shown(&alice, "google").await["account_id"], "limited");
    app.finish().await;
}

#[tokio::test]
async fn each_operation_needs_its_scope() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "app", "Gmail", json!({})).await;
    let reader = alice.with_scopes(&["auth_configs:read"]).await;
    let writer = alice.with_scopes(&["auth_configs:write"]).await;
    let before = app.fingerprint().await;

    shown(&reader, "app").await;
    let refused = label(&reader, "app", "Gmail", json!({})).await;
    let detail = json!({"detail": "The API key lacks the scope auth_configs:write"});
    assert_eq!((refused.status, refused.json), (403, detail));
    let refused = found(&writer, "app").await;
    let detail = json!({"detail": "The API key lacks the scope auth_configs:read"});
    assert_eq!((refused.status, refused.json), (403, detail));
    assert_eq!(app.fingerprint().await, before);
    labelled(&writer, "app", "Gmail", json!({})).await;
    app.finish().await;
}
