//! Shared credentials of a config: every connection under it inherits them, in every dialect.

use serde_json::{Value, json};

use crate::account_changing::{Account, connected_under};
use crate::account_making::{declared, handed_out, set_config};
use crate::account_read::shown;
use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::story::{changed, custom, made};

/// Two secret fields, both needed.
fn fields() -> Value {
    let field = |slug: &str| json!({ "slug": slug, "label": slug.to_uppercase(), "type": "PASSWORD", "required": true });
    json!([field("team_key"), field("user_key")])
}

/// A config of `slack` that shares these credentials, and a connection of `u-1` with these of its own.
async fn sharing(tenant: &Tenant, shared: Value, own: Value) -> (String, Account) {
    let client = tenant.composio();
    let mut body = custom("slack", "API_KEY", json!({}));
    body["auth_config"]["shared_credentials"] = shared;
    let config = made(&client, body).await;
    let account = connected_under(&client, &config, "API_KEY", own).await;
    (config, account)
}

/// What Klavis hands out of the user's connection with `slack`, by the user.
async fn of_user(tenant: &Tenant) -> Value {
    let reply = tenant.klavis().get("/user/u-1/auth/Slack").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["authData"].clone()
}

/// The same, through a strata.
async fn of_strata(tenant: &Tenant) -> Value {
    let body = json!({ "userId": "u-1", "servers": ["Slack"] });
    let strata = tenant
        .klavis()
        .post("/mcp-server/strata/create", body)
        .await;
    let id = strata.json["strataId"].as_str().unwrap();
    let path = format!("/mcp-server/strata/{id}/auth/Slack");
    let reply = tenant.klavis().get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["authData"].clone()
}

async fn set_auth(tenant: &Tenant, uuid: &Value, data: Value) -> Reply {
    let body = json!({ "instanceId": uuid, "authData": { "data": data } });
    tenant
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await
}

#[tokio::test]
async fn every_hand_out_has_them_under_the_connections_own_members() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let shared = json!({ "region": "eu", "api_key": "the-shared-one", "scopes": ["a"] });
    let (config, account) = sharing(&alice, shared, json!({ "api_key": "own", "note": "n" })).await;
    let whole = json!({ "api_key": "own", "region": "eu", "scopes": ["a"], "note": "n" });

    assert_eq!(handed_out(&alice, &account.uuid).await, whole);
    assert_eq!(of_user(&alice).await, whole);
    assert_eq!(of_strata(&alice).await, whole);
    let plain = shown(&alice.composio(), &account.id).await;
    assert_eq!(plain["data"], whole);
    let val = json!({ "status": "ACTIVE", "api_key": "own", "region": "eu", "scopes": "[\"a\"]", "note": "n" });
    assert_eq!(
        plain["state"],
        json!({ "authScheme": "API_KEY", "val": val })
    );

    // What the config shares now counts, and nothing was copied.
    let change =
        json!({ "type": "custom", "shared_credentials": { "region": "us", "scopes": null } });
    changed(&alice.composio(), &config, change).await;
    let whole = json!({ "api_key": "own", "region": "us", "note": "n" });
    assert_eq!(handed_out(&alice, &account.uuid).await, whole);
    let none =
        json!({ "type": "custom", "shared_credentials": { "region": null, "api_key": null } });
    changed(&alice.composio(), &config, none).await;
    assert_eq!(
        handed_out(&alice, &account.uuid).await,
        json!({ "api_key": "own", "note": "n" })
    );
}

#[tokio::test]
async fn they_are_masked_like_own_members_and_redacted_where_the_operators_app_is_used() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let shared = json!({ "team": "a-long-enough-one", "region": "eu" });
    let (config, account) = sharing(&alice, shared, json!({ "api_key": "own" })).await;
    let reader = alice.with_scopes(&["connections:read"]).await.composio();

    let masked = shown(&reader, &account.id).await;
    let data = json!({ "api_key": "...", "region": "...", "team": "a-lo..." });
    assert_eq!(masked["data"], data);

    set_config(&app, &config, "managed = true").await;
    let masked = shown(&reader, &account.id).await;
    let data = json!({ "api_key": "...", "region": "REDACTED", "team": "REDACTED" });
    assert_eq!(masked["data"], data);
    assert_eq!(masked["state"]["val"]["team"], "REDACTED");
}

#[tokio::test]
async fn an_empty_own_member_does_not_hide_a_shared_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (_, account) = sharing(
        &alice,
        json!({ "team": "shared" }),
        json!({ "api_key": "own" }),
    )
    .await;
    let data = json!({ "api_key": "own", "team": "" });
    assert_eq!(set_auth(&alice, &account.uuid, data).await.status, 200);

    let whole = json!({ "team": "shared", "api_key": "own" });
    assert_eq!(handed_out(&alice, &account.uuid).await, whole);
}

#[tokio::test]
async fn without_a_credential_nothing_shared_is_handed_out_or_shown() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (_, account) = sharing(
        &alice,
        json!({ "team": "shared" }),
        json!({ "api_key": "own" }),
    )
    .await;
    let uuid = account.uuid.as_str().unwrap();
    let path = format!("/mcp-server/instance/{uuid}/auth");
    let cleared = alice.klavis().delete(&path).await;
    assert_eq!(cleared.status, 200, "{}", cleared.text);
    let before = app.fingerprint().await;

    assert_eq!(handed_out(&alice, &account.uuid).await, Value::Null);
    let account = shown(&alice.composio(), &account.id).await;
    assert_eq!(
        (&account["data"], &account["state"]["val"]),
        (&json!({}), &json!({ "status": "INITIALIZING" }))
    );
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_shared_field_is_not_required_in_any_set_auth() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, "Weather", "API_KEY", fields()).await;
    let create = json!({ "serverName": "Weather", "userId": "u-1", "platformName": "p" });
    let made = alice
        .klavis()
        .post("/mcp-server/instance/create", create)
        .await;
    let uuid = &made.json["instanceId"];
    let own = json!({ "user_key": "own" });
    let refused = set_auth(&alice, uuid, own.clone()).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(
        refused.json["detail"].as_array().unwrap().len(),
        1,
        "{}",
        refused.text
    );
    let share = json!({ "type": "custom", "shared_credentials": { "team_key": "shared" } });
    changed(&alice.composio(), &config, share).await;
    let whole = json!({ "team_key": "shared", "user_key": "own" });

    assert_eq!(set_auth(&alice, uuid, own.clone()).await.status, 200);
    assert_eq!(handed_out(&alice, uuid).await, whole);
    // Of another user, whose connection is made.
    let set = json!({ "authData": { "data": own } });
    let path = "/user/u-2/auth/Weather";
    let reply = alice
        .klavis()
        .request(reqwest::Method::POST, "/user/set-auth");
    let body = json!({ "userId": "u-2", "serverName": "Weather", "authData": set["authData"] });
    let reply = reply.json(body).send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(alice.klavis().get(path).await.json["authData"], whole);
    // What is not shared is required still.
    let refused = set_auth(&alice, uuid, json!({ "team_key": "other" })).await;
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert_eq!(handed_out(&alice, uuid).await, whole);
}
