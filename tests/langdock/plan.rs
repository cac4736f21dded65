//! `x-dry-run` (line 11): exact, and without effect.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::stories::{
    UNKNOWN, auth_path, field, integration, invalid, klavis_instance, klavis_status, patch_auth,
    path, set_auth,
};

async fn plan(tenant: &Tenant, id: &str, body: Value) -> Reply {
    tenant
        .langdock()
        .request(Method::PATCH, &auth_path(id))
        .header("x-dry-run", "true")
        .json(body)
        .send()
        .await
}

#[tokio::test]
async fn the_plan_says_what_the_change_then_does() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let fields = [field("a"), field("b"), field("c")];
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "authFields": fields, "oauthClient": {"clientId": "c"}}),
    )
    .await;
    for number in 0..12 {
        klavis_instance(&alice, "Acme CRM", &format!("user-{number:02}")).await;
    }
    let change = json!({"authType": "API_KEY", "authFields": [field("b")]});
    let before = app.fingerprint().await;

    let planned = plan(&alice, &id, change.clone()).await;

    let users: Vec<_> = (0..10).map(|number| format!("user-{number:02}")).collect();
    let expected = json!({"plan": {
        "connectionsDeleted": 12, "oauthClientDeleted": true, "fieldsRemoved": ["a", "c"], "users": users,
    }});
    assert_eq!((planned.status, planned.json), (200, expected));
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(
        app.count("audit_log WHERE action = 'integration.set_auth'")
            .await,
        1
    );

    set_auth(&alice, &id, change).await;
    assert_eq!(app.count("connections").await, 0);
    assert_eq!(app.count("retired_connections").await, 12);
    assert_eq!(app.count("auth_config_secrets").await, 0);
}

#[tokio::test]
async fn the_same_type_breaks_no_connection() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "authFields": [field("a")], "oauthClient": {"label": "L"}}),
    )
    .await;
    let instance = klavis_instance(&alice, "Acme CRM", "u1").await;
    let before = app.fingerprint().await;
    let answer = |client_deleted: bool, removed: &[&str]| {
        json!({"plan": {
            "connectionsDeleted": 0, "oauthClientDeleted": client_deleted, "fieldsRemoved": removed, "users": [],
        }})
    };

    let kept = plan(
        &alice,
        &id,
        json!({"authType": "OAUTH", "authFields": [field("a")]}),
    )
    .await;
    let deleted = plan(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": null}),
    )
    .await;

    assert_eq!((kept.status, kept.json), (200, answer(false, &[])));
    assert_eq!((deleted.status, deleted.json), (200, answer(true, &["a"])));
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(klavis_status(&alice, &instance).await, 200);
}

#[tokio::test]
async fn a_plan_refuses_what_the_change_refuses() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let tag = alice
        .langdock()
        .get(&path(&id))
        .await
        .header("etag")
        .to_owned();
    let wrong = json!({"authType": "NONE", "authFields": [field("a")]});

    let planned = plan(&alice, &id, wrong.clone()).await;
    assert_eq!(
        (planned.status, planned.json),
        (400, patch_auth(&alice, &id, wrong).await.json)
    );
    assert_eq!(
        plan(&alice, UNKNOWN, json!({"authType": "NONE"}))
            .await
            .status,
        404
    );
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let request = alice
        .langdock()
        .request(Method::PATCH, &auth_path(&id))
        .header("x-dry-run", "true");
    let stale = request
        .header("if-match", &tag)
        .json(json!({"authType": "NONE"}))
        .send()
        .await;
    assert_eq!(stale.status, 412);
}

#[tokio::test]
async fn a_word_that_is_neither_true_nor_false_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let ask = |word: &'static str| {
        let request = alice
            .langdock()
            .request(Method::PATCH, &auth_path(&id))
            .header("x-dry-run", word);
        request.json(json!({"authType": "API_KEY"})).send()
    };
    let before = app.fingerprint().await;

    for word in ["1", "yes", "truthy"] {
        let reply = ask(word).await;
        let problem = (json!(["x-dry-run"]), "must be one of true, false");
        assert_eq!(
            (reply.status, reply.json),
            (400, invalid(&[problem])),
            "{word}"
        );
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(
        ask("false").await.json["integration"]["authType"],
        "API_KEY"
    );
}
