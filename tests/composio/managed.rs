//! Managed auth configs: the operator shares an OAuth app, and no tenant ever sees anything of it.

use keyway::crypto::Secret;
use keyway::domain::managed_apps::{ManagedApp, ManagedApps};
use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::story::{
    V3, V3_1, assert_envelope, assert_invalid, changed, custom, made, path, sealed, shown, told,
};

/// An id of the operator's that a test may ask for by name; its other members are planted.
pub const CLIENT_ID: &str = "the-operators-client";

/// The operator shares an app for each of these services.
pub fn shared(services: &[&str]) -> ManagedApps {
    let mut apps = ManagedApps::default();
    for service in services {
        let app = ManagedApp {
            client_id: CLIENT_ID.to_owned(),
            client_secret: Secret::from(format!("\"{}\"", canary())),
            scopes: vec![canary()],
        };
        apps.add(service, app).unwrap();
    }
    apps
}

/// The body that makes a managed auth config.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the stories read better with a literal in its place"
)]
pub fn managed(toolkit: &str, credentials: Value) -> Value {
    json!({
        "toolkit": { "slug": toolkit },
        "auth_config": { "type": "use_composio_managed_auth", "credentials": credentials },
    })
}

fn redacted() -> Value {
    json!({ "client_id": "REDACTED", "client_secret": "REDACTED", "scopes": "REDACTED" })
}

fn no_app(toolkit: &str) -> (u16, u32, &'static str, String) {
    let message = format!("No managed auth config is available for toolkit \"{toolkit}\"");
    (400, 306, "Auth_Config_DefaultAuthConfigNotFound", message)
}

#[tokio::test]
async fn a_config_with_the_operators_app_is_made_by_default_and_shows_nothing_of_it() {
    let app = TestApp::start_managing(shared(&["github", "google-calendar"])).await;
    let alice = app.tenant("alice").await.composio();

    for (prefix, slug) in [(V3, "github"), (V3_1, "googlecalendar")] {
        let body = json!({ "toolkit": { "slug": slug.to_uppercase() } });
        let reply = alice.post(prefix, body).await;

        let id = reply.json["auth_config"]["id"].as_str().unwrap().to_owned();
        let expected = json!({
            "toolkit": { "slug": slug },
            "auth_config": {
                "id": id, "auth_scheme": "OAUTH2", "is_composio_managed": true, "restrict_to_following_tools": [],
            },
        });
        assert_eq!((reply.status, &reply.json), (201, &expected));
        let one = shown(&alice, &id).await;
        assert_eq!(one["type"], "default");
        assert_eq!(one["is_composio_managed"], true);
        assert_eq!(one["auth_scheme"], "OAUTH2");
        assert_eq!(one["status"], "ENABLED");
        assert_eq!(one["credentials"], redacted());
        assert_eq!(sealed(&app, &id).await, Vec::<Value>::new());
        let list = format!("{prefix}?is_composio_managed=true&toolkit_slug={slug}");
        assert_eq!(alice.get(&list).await.json["items"], json!([one]));
    }
    assert_eq!(
        app.count("auth_configs WHERE oauth_client IS NOT NULL")
            .await,
        0
    );
    let stored = format!(
        "{:?}",
        app.sql("SELECT t::text FROM auth_configs t UNION ALL SELECT t::text FROM audit_log t")
            .await
    );
    assert!(!stored.contains(CLIENT_ID), "{stored}");
    app.finish().await;
}

#[tokio::test]
async fn without_an_app_for_the_service_there_is_none() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await.composio();
    let before = app.fingerprint().await;
    for (slug, shown) in [
        ("gmail", "gmail"),
        ("Google Calendar", "googlecalendar"),
        ("openai", "openai"),
    ] {
        let (status, code, slug_of_error, message) = no_app(shown);
        let fix = "Use \"type\": \"use_custom_auth\" with credentials of your own app.";
        let reply = alice.post(V3, managed(slug, json!({}))).await;
        assert_envelope(&reply, (status, code, slug_of_error, &message, fix), &[]);
    }
    let reply = alice.post(V3, managed("hackernews", json!({}))).await;
    assert_eq!(told(&reply), (400, 303, "Auth_Config_NoAuthApp"));
    let reply = alice.post(V3, managed("nowhere", json!({}))).await;
    assert_eq!(told(&reply), (404, 401, "Toolkit_NotFound"));
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn the_scopes_are_the_tenants_own_sealed_and_merged() {
    let app = TestApp::start_managing(shared(&["slack"])).await;
    let alice = app.tenant("alice").await.composio();
    let scopes = json!({ "scopes": [canary(), "chat:write"], "user_scopes": canary() });
    let id = made(&alice, managed("slack", scopes)).await;
    let mut expected = redacted();
    expected["user_scopes"] = json!("REDACTED");
    assert_eq!(shown(&alice, &id).await["credentials"], expected);
    let before = sealed(&app, &id).await;
    let names: Vec<_> = before
        .iter()
        .map(|cell| cell["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["scopes", "user_scopes"]);

    let masked = json!({ "type": "default", "scopes": "REDACTED", "user_scopes": "REDACTED", "name": "Ours" });
    changed(&alice, &id, masked).await;
    assert_eq!(sealed(&app, &id).await, before);
    assert_eq!(shown(&alice, &id).await["name"], "Ours");

    changed(
        &alice,
        &id,
        json!({ "type": "default", "scopes": [canary()] }),
    )
    .await;
    let after = sealed(&app, &id).await;
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);
    assert_eq!(shown(&alice, &id).await["credentials"], expected);
    app.finish().await;
}

#[tokio::test]
async fn nothing_else_of_the_operators_app_can_be_replaced() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await.composio();
    let own = || {
        json!({
            "client_id": canary(), "client_secret": canary(), "token_url": "https://mallory.example", "subdomain": "x",
            "scopes": [1],
        })
    };
    let mut body = managed("github", own());
    body["auth_config"]["name"] = json!("");
    let before = app.fingerprint().await;
    let line = |key: &str| {
        let said = "Does not go with the operator's app: only scopes and user_scopes are yours";
        format!("Error in payload.auth_config.credentials.{key}: {said}")
    };
    let scopes =
        "Error in payload.auth_config.credentials.scopes.0: Expected string, received number";
    let refused = ["client_id", "client_secret", "token_url", "subdomain"].map(line);
    let name = "Error in payload.auth_config.name: String must contain at least 1 character(s)";
    let reply = alice.post(V3, body).await;
    let mut told: Vec<_> = reply.json["error"]["errors"].as_array().unwrap().clone();
    let mut expected: Vec<Value> = refused.iter().map(|line| json!(line)).collect();
    expected.extend([json!(scopes), json!(name)]);
    told.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!((reply.status, told), (400, expected));
    assert_eq!(app.fingerprint().await, before);

    // A copy of what is shown sets nothing.
    let id = made(&alice, managed("github", redacted())).await;
    assert_eq!(sealed(&app, &id).await, Vec::<Value>::new());
    let before = app.fingerprint().await;
    let change = json!({ "type": "default", "credentials": { "client_id": "mine" } });
    let reply = alice.patch(&path(&id), change).await;
    assert_invalid(&reply, &["Error in payload.credentials: Unrecognized key"]);
    let reply = alice
        .patch(
            &path(&id),
            json!({ "type": "custom", "credentials": own() }),
        )
        .await;
    assert_eq!(
        crate::story::told(&reply),
        (400, 301, "Auth_Config_ValidationError")
    );
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_config_stays_readable_when_the_operator_takes_the_app_away() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let client = json!({ "client_id": "id", "client_secret": canary() });
    let id = made(&alice, custom("github", "OAUTH2", client)).await;
    // As it would be after a restart without the app.
    app.execute("DELETE FROM auth_config_secrets").await;
    app.execute("UPDATE auth_configs SET managed = true, oauth_client = NULL")
        .await;

    let one = shown(&alice, &id).await;
    assert_eq!(
        (&one["type"], &one["credentials"]),
        (&json!("default"), &redacted())
    );
    changed(&alice, &id, json!({ "type": "default", "scopes": "repo" })).await;
    let reply = alice.post(V3, managed("github", json!({}))).await;
    assert_eq!(
        told(&reply),
        (400, 306, "Auth_Config_DefaultAuthConfigNotFound")
    );
}
