//! What Composio's endpoints make of a connection, as the other dialects show it, and the other way round.

use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::speak::{config, credential, instance, integration, set_auth, shown, stored};

const SWITCHED_OFF: &str = "Connection status updated by user";

/// The id on Composio's wire of a Klavis instance.
async fn account(app: &TestApp, instance: &str) -> String {
    let query = format!("SELECT public_id FROM connections WHERE connection_id = '{instance}'");
    let row = app.sql(&query).await.remove(0);
    row["public_id"].as_str().unwrap().to_owned()
}

async fn patch(tenant: &Tenant, account: &str, what: &str, body: Value) -> Reply {
    let path = format!("/api/v3/connected_accounts/{account}{what}");
    tenant.composio().patch(&path, body).await
}

async fn switched(tenant: &Tenant, account: &str, enabled: bool) {
    let reply = patch(tenant, account, "/status", json!({ "enabled": enabled })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn named(tenant: &Tenant, account: &str, alias: &str) {
    let reply = patch(tenant, account, "", json!({ "alias": alias })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

async fn revoked(tenant: &Tenant, account: &str) {
    let path = format!("/api/v3.1/connected_accounts/{account}/revoke");
    let reply = tenant.composio().post(&path, json!({})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// Makes a further connection of a user, and gives its id on both wires.
async fn beside(tenant: &Tenant, config: &str, user: &str, alias: &str) -> (String, String) {
    let body = json!({
        "auth_config": { "id": config },
        "connection": { "user_id": user, "alias": alias, "state": { "authScheme": "API_KEY", "val": { "api_key": "k" } } },
    });
    let made = tenant
        .composio()
        .post("/api/v3/connected_accounts", body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (
        text(&made.json["id"]),
        text(&made.json["deprecated"]["uuid"]),
    )
}

async fn state(app: &TestApp, instance: &str) -> (Value, Value, Value) {
    let query = format!(
        "SELECT status, status_reason, alias FROM connections WHERE connection_id = '{instance}'"
    );
    let row = app.sql(&query).await.remove(0);
    (
        row["status"].clone(),
        row["status_reason"].clone(),
        row["alias"].clone(),
    )
}

/// Whether Klavis shows an instance, and its user, as authenticated.
async fn authenticated(tenant: &Tenant, instance: &str) -> (Value, Value) {
    let one = shown(tenant, instance).await.json["isAuthenticated"].clone();
    let user = tenant.klavis().get("/user/u1/auth/OpenAI").await.json;
    (one, user["isAuthenticated"].clone())
}

#[tokio::test]
async fn what_is_switched_off_or_revoked_is_not_authenticated_until_it_gets_a_credential() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    let account = account(&app, &id).await;
    stored(&alice, &id, json!({ "api_key": canary() })).await;
    assert_eq!(authenticated(&alice, &id).await, (json!(true), json!(true)));

    switched(&alice, &account, false).await;
    assert_eq!(
        authenticated(&alice, &id).await,
        (json!(false), json!(false))
    );
    assert_eq!(
        state(&app, &id).await,
        (json!("INACTIVE"), json!(SWITCHED_OFF), Value::Null)
    );
    switched(&alice, &account, true).await;
    assert_eq!(authenticated(&alice, &id).await, (json!(true), json!(true)));

    revoked(&alice, &account).await;
    assert_eq!(
        authenticated(&alice, &id).await,
        (json!(false), json!(false))
    );
    assert_eq!(credential(&alice, &id).await.json["authData"], Value::Null);
    let gone = patch(&alice, &account, "/status", json!({ "enabled": true })).await;
    assert_eq!(
        gone.json["error"]["message"],
        "The connected account is REVOKED"
    );

    for end in [false, true] {
        if end {
            revoked(&alice, &account).await;
        } else {
            stored(&alice, &id, json!({ "api_key": canary() })).await;
            switched(&alice, &account, false).await;
        }
        stored(&alice, &id, json!({ "api_key": canary() })).await;
        assert_eq!(authenticated(&alice, &id).await, (json!(true), json!(true)));
        assert_eq!(
            state(&app, &id).await,
            (json!("ACTIVE"), Value::Null, Value::Null)
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_credential_that_klavis_clears_leaves_no_reason_and_keeps_the_alias() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    let account = account(&app, &id).await;
    stored(&alice, &id, json!({ "api_key": "k" })).await;
    named(&alice, &account, "work").await;
    for revoke in [false, true] {
        if revoke {
            revoked(&alice, &account).await;
        } else {
            switched(&alice, &account, false).await;
        }
        let path = format!("/mcp-server/instance/{id}/auth");
        let cleared = alice.klavis().delete(&path).await;
        assert_eq!(cleared.json["success"], true, "{}", cleared.text);
        assert_eq!(
            state(&app, &id).await,
            (json!("INITIALIZING"), Value::Null, json!("work"))
        );
    }
}

/// What is retired takes alias and reason along, and leaves the alias free.
#[tokio::test]
async fn a_retired_connection_takes_its_alias_and_reason_along() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let integration = integration(&alice, "Acme").await;
    set_auth(&alice, &integration, json!({ "authType": "API_KEY" })).await;
    let second = config(&alice, "acme", "API_KEY").await;
    let id = instance(&alice, "Acme", "u1").await;
    let retiring = account(&app, &id).await;
    stored(&alice, &id, json!({ "api_key": "k" })).await;
    named(&alice, &retiring, "work").await;
    switched(&alice, &retiring, false).await;
    let (_, heir) = beside(&alice, &second, "u1", "home").await;

    set_auth(&alice, &integration, json!({ "authType": "NONE" })).await;

    let retired = "SELECT connection_id AS id, status, status_reason, alias, is_primary FROM retired_connections";
    assert_eq!(
        app.sql(retired).await,
        [
            json!({ "id": id, "status": "INACTIVE", "status_reason": SWITCHED_OFF, "alias": "work", "is_primary": true })
        ]
    );
    let gone = patch(&alice, &retiring, "", json!({ "alias": "x" })).await;
    assert_eq!(gone.status, 404, "{}", gone.text);
    let primary = "connections WHERE is_primary AND alias = 'home'";
    assert_eq!(app.count(primary).await, 1);
    assert_eq!(instance(&alice, "Acme", "u1").await, heir);
    let (_, third) = beside(&alice, &second, "u1", "work").await;
    assert_eq!(state(&app, &third).await.2, "work");
}

/// An alias belongs to user and integration, whatever becomes of the config under it.
#[tokio::test]
async fn an_alias_outlives_the_takeover_of_its_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "GitHub", "u1").await;
    named(&alice, &account(&app, &id).await, "work").await;

    let explicit = config(&alice, "github", "API_KEY").await;

    let configs = app.sql("SELECT public_id FROM auth_configs").await;
    assert_eq!(configs, [json!({ "public_id": explicit })], "the same row");
    assert_eq!(
        state(&app, &id).await,
        (json!("INITIALIZING"), Value::Null, json!("work"))
    );
    let body = json!({
        "auth_config": { "id": explicit },
        "connection": { "user_id": "u1", "alias": "work", "state": { "authScheme": "API_KEY", "val": { "api_key": "k" } } },
    });
    let path = "/api/v3/connected_accounts";
    let taken = alice.composio().post(path, body.clone()).await;
    assert_eq!(
        (taken.status, &taken.json["error"]["code"]),
        (409, &json!(10409))
    );
    assert_eq!(app.count("connections").await, 1);

    let deleted = alice.klavis().delete("/user/u1").await;
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    let free = alice.composio().post(path, body).await;
    assert_eq!(free.status, 201, "{}", free.text);
}

/// Under a config that needs nothing an account can be switched on; the explicit one that takes over needs a credential.
#[tokio::test]
async fn what_was_ready_without_a_credential_begins_anew_where_one_is_needed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Acme").await;
    let mut instances = Vec::new();
    for (user, enabled) in [("u1", true), ("u2", false)] {
        let id = instance(&alice, "Acme", user).await;
        let account = account(&app, &id).await;
        switched(&alice, &account, enabled).await;
        let status = if enabled { "ACTIVE" } else { "INACTIVE" };
        assert_eq!(state(&app, &id).await.0, status);
        instances.push((id, account));
    }

    let explicit = config(&alice, "acme", "BEARER_TOKEN").await;

    for (id, account) in instances {
        assert_eq!(
            state(&app, &id).await,
            (json!("INITIALIZING"), Value::Null, Value::Null)
        );
        let refused = patch(&alice, &account, "/status", json!({ "enabled": true })).await;
        assert_eq!(
            refused.json["error"]["message"],
            "The connected account has no credential"
        );
        let state = json!({ "authScheme": "BEARER_TOKEN", "val": { "token": "t" } });
        let change = json!({ "connection": { "state": state } });
        let done = patch(&alice, &account, "", change).await;
        assert_eq!(done.json["status"], "ACTIVE", "{}", done.text);
        assert_eq!(
            credential(&alice, &id).await.json["authData"],
            json!({ "token": "t" })
        );
        assert_eq!(shown(&alice, &id).await.json["isAuthenticated"], true);
    }
    let listed = format!("/api/v3/auth_configs/{explicit}");
    let config = alice.composio().get(&listed).await.json;
    assert_eq!(config["no_of_connections"], 2);
}

/// A change in Composio's words of what Klavis stored, whatever it is, keeps the rest of it.
#[tokio::test]
async fn members_that_klavis_stored_stay_as_they_are() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    config(&alice, "openai", "API_KEY").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    let account = account(&app, &id).await;
    let data = json!({ "api_key": "k", "n": 1.50, "deep": { "a": [null, "\u{0}"] }, "status": "mine", "none": null });
    stored(&alice, &id, json!({ "data": data })).await;
    let state = json!({ "authScheme": "API_KEY", "val": { "status": "ACTIVE", "n": "...", "deep": "...", "api_key": "new" } });

    let change = json!({ "connection": { "state": state } });
    let done = patch(&alice, &account, "", change).await;

    assert_eq!(done.json["status"], "ACTIVE", "{}", done.text);
    let mut expected = data;
    expected["api_key"] = json!("new");
    assert_eq!(credential(&alice, &id).await.json["authData"], expected);
}
