//! Credentials of users by the service's name: the same ones that instances have.

use http::Method;
use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{audited, handed_out, instance, path, store};

pub const SET_AUTH: &str = "/user/set-auth";

pub async fn set(tenant: &Tenant, user: &str, service: &str, auth_data: Value) -> Reply {
    let body = json!({"userId": user, "serverName": service, "authData": auth_data});
    tenant.klavis().post(SET_AUTH, body).await
}

pub async fn answered(tenant: &Tenant, method: Method, path: &str) -> (u16, Value) {
    let reply = tenant.klavis().request(method, path).send().await;
    (reply.status, reply.json)
}

pub fn saved() -> (u16, Value) {
    let message = "Authentication data saved";
    (200, json!({"success": true, "message": message}))
}

pub fn status(reply: Reply) -> (u16, Value) {
    (reply.status, reply.json)
}

/// Langdock: makes an integration with this auth setting and gives its id.
pub async fn own(tenant: &Tenant, name: &str, setting: Value) -> String {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({"name": name}))
        .await;
    let id = made.json["integration"]["id"].as_str().unwrap().to_owned();
    let path = format!("/integrations/v1/{id}/auth");
    let reply = tenant.langdock().patch(&path, setting).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    id
}

#[tokio::test]
async fn set_auth_makes_user_integration_config_and_connection_in_one_go() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let reply = set(
        &alice,
        "u1",
        "google calendar",
        json!({"data": {"key": "k", "n": 1}}),
    )
    .await;

    assert_eq!(status(reply), saved());
    for table in ["users", "integrations", "auth_configs", "connections"] {
        assert_eq!(app.count(table).await, 1, "{table}");
    }
    let id = instance(&alice, "Google Calendar", "u1").await;
    assert_eq!(
        app.count("connections").await,
        1,
        "the instance is that connection"
    );
    assert_eq!(handed_out(&alice, &id).await, json!({"key": "k", "n": 1}));
    let shown = answered(&alice, Method::GET, &path(&id)).await.1;
    assert_eq!(
        (&shown["isAuthenticated"], &shown["externalUserId"]),
        (&json!(true), &json!("u1"))
    );
    assert_eq!(
        audited(&app, &id).await,
        [
            "connection.create",
            "connection.set_credential",
            "connection.hand_out"
        ]
    );
    let configs = alice
        .composio()
        .get("/api/v3/auth_configs?toolkit_slug=googlecalendar")
        .await;
    assert_eq!(
        configs.json["items"][0]["no_of_connections"], 1,
        "{}",
        configs.text
    );
}

#[tokio::test]
async fn user_and_instance_reach_the_same_credential_with_each_form() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    for (sent, stored) in [
        (json!({"token": "t"}), json!({"token": "t"})),
        (
            json!({"api_key": "k", "token": null}),
            json!({"api_key": "k"}),
        ),
        (
            json!({"data": {"bot": {"x": [1, null]}}}),
            json!({"bot": {"x": [1, null]}}),
        ),
    ] {
        assert_eq!(status(set(&alice, "u1", "SLACK", sent).await), saved());
        assert_eq!(handed_out(&alice, &id).await, stored);
        let expected = json!({
            "success": true, "userId": "u1", "serverName": "Slack", "authData": stored, "isAuthenticated": true,
            "message": null,
        });
        let reply = answered(&alice, Method::GET, "/user/u1/auth/sLaCk").await;
        assert_eq!(reply, (200, expected));
    }
    store(&alice, &id, json!({"token": "by the instance"})).await;
    let reply = answered(&alice, Method::GET, "/user/u1/auth/Slack").await;
    assert_eq!(reply.1["authData"], json!({"token": "by the instance"}));
    assert_eq!(app.count("connections").await, 1);
}

#[tokio::test]
async fn a_server_comes_back_as_klavis_spells_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    own(&alice, "Acme Cloud", json!({"authType": "API_KEY"})).await;
    instance(&alice, "Linear", "u1").await;
    for (asked, spelled) in [
        ("onedrive", "OneDrive"),
        ("Outlook", "Outlook Mail"),
        ("google%20calendar", "Google Calendar"),
        ("acme-cloud", "Acme Cloud"),
        ("anthropic", "Anthropic"),
        ("LINEAR", "Linear"),
    ] {
        let expected = json!({
            "success": false, "userId": "u1", "serverName": spelled, "authData": null, "isAuthenticated": false,
            "message": "No authentication data is stored for this user and server",
        });
        let reply = answered(&alice, Method::GET, &format!("/user/u1/auth/{asked}")).await;
        assert_eq!(reply, (200, expected));
    }
    assert_eq!(app.count("integrations").await, 2, "asking makes none");
}

#[tokio::test]
async fn a_hand_out_leaves_one_audit_row_and_needs_its_scope() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let (get, nothing) = ("/user/u1/auth/Slack", app.count("audit_log").await);
    assert_eq!(answered(&alice, Method::GET, get).await.1["success"], false);
    assert_eq!(app.count("audit_log").await, nothing);
    let secret = canary();
    assert_eq!(
        status(set(&alice, "u1", "Slack", json!({"token": secret})).await),
        saved()
    );
    let before = (app.fingerprint().await, audited(&app, &id).await.len());

    let reply = answered(&alice, Method::GET, get).await;

    assert_eq!(
        (reply.0, &reply.1["authData"]["token"]),
        (200, &json!(secret))
    );
    assert_eq!(
        (app.fingerprint().await, audited(&app, &id).await.len()),
        (before.0, before.1 + 1)
    );
    let reader = alice
        .with_scopes(&["connections:read", "connections:write"])
        .await;
    let refused = json!({"detail": "The API key lacks the scope credentials:read"});
    assert_eq!(answered(&reader, Method::GET, get).await, (403, refused));
    app.finish().await;
}

#[tokio::test]
async fn deleting_a_credential_keeps_connection_and_user() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": canary()})).await;

    let reply = answered(&alice, Method::DELETE, "/user/u1/auth/SLACK").await;

    let deleted = json!({"success": true, "message": "Authentication data deleted"});
    assert_eq!(reply, (200, deleted));
    assert_eq!(
        app.count("connections WHERE sealed_credential IS NOT NULL")
            .await,
        0
    );
    assert_eq!(
        answered(&alice, Method::GET, "/user/u1/auth/Slack").await.1["success"],
        false
    );
    // What is not there is not deleted again: no audit row, nothing that counts as use.
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let none = json!({"success": true, "message": "There was no authentication data to delete"});
    let of_instance = format!("{}/auth", path(&id));
    for path in ["/user/u1/auth/Slack", "/user/u1/auth/Gmail", &of_instance] {
        let reply = answered(&alice, Method::DELETE, path).await;
        assert_eq!(reply, (200, none.clone()), "{path}");
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    assert_eq!(app.count("connections").await, 1);
    assert_eq!(
        status(set(&alice, "u1", "Slack", json!({"token": "next"})).await),
        saved()
    );
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "next"}));
    app.finish().await;
}

#[tokio::test]
async fn the_primary_connection_is_the_one_that_is_meant() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let first = instance(&alice, "Slack", "u1").await;
    assert_eq!(
        status(set(&alice, "u1", "Slack", json!({"token": "first"})).await),
        saved()
    );
    // What other dialects can make: a second connection of the pair.
    app.execute(&format!(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
                user_hash, is_primary, status)
            SELECT tenant_id, gen_random_uuid(), 'ca_aaaaaaaaaaaa', auth_config_id, integration_id, user_id, user_hash,
                false, 'INITIALIZING' FROM connections WHERE connection_id = '{first}'"
    ))
    .await;
    assert_eq!(
        answered(&alice, Method::GET, "/user/u1/auth/Slack").await.1["authData"]["token"],
        "first"
    );

    assert_eq!(alice.klavis().delete(&path(&first)).await.status, 200);

    assert_eq!(
        answered(&alice, Method::GET, "/user/u1/auth/Slack").await.1["authData"],
        Value::Null
    );
    assert_eq!(
        status(set(&alice, "u1", "Slack", json!({"token": "second"})).await),
        saved()
    );
    assert_eq!(app.count("connections").await, 1);
    let all = answered(&alice, Method::GET, "/user/u1/integrations")
        .await
        .1;
    assert_eq!(
        all["integrations"],
        json!([{"name": "Slack", "is_authenticated": true}])
    );
}
