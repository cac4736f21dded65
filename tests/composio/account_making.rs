//! What the stories of making connected accounts share: paths, bodies, a look behind them.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;
use crate::story::{custom, made};

/// Where connected accounts live under the older prefix.
pub const ACCOUNTS: &str = "/api/v3/connected_accounts";
/// Where connected accounts live under the newer prefix.
pub const ACCOUNTS_3_1: &str = "/api/v3.1/connected_accounts";
/// Where links are made.
pub const LINK: &str = "/api/v3/connected_accounts/link";

/// Makes a custom config of `slack`, which has no fields of its own, with this scheme.
pub async fn config(client: &Client, scheme: &str) -> String {
    let app = json!({ "client_id": "app", "client_secret": "app-secret" });
    let credentials = if scheme == "OAUTH2" { app } else { json!({}) };
    made(client, custom("slack", scheme, credentials)).await
}

/// The body that makes a connection of the user `u-1` with a credential.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the stories read better with a literal in its place"
)]
pub fn account(config: &str, scheme: &str, val: Value) -> Value {
    json!({
        "auth_config": { "id": config },
        "connection": { "user_id": "u-1", "state": { "authScheme": scheme, "val": val } },
    })
}

/// Makes a connection, which must succeed.
pub async fn create(client: &Client, body: Value) -> Value {
    let reply = client.post(ACCOUNTS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json
}

/// The row of a connection, by its public id.
pub async fn row(app: &TestApp, id: &str) -> Value {
    let query = format!(
        "SELECT user_id, is_primary, status, status_reason, alias, sealed_credential IS NOT NULL AS sealed, \
         a.public_id AS config FROM connections JOIN auth_configs a USING (tenant_id, auth_config_id) \
         WHERE connections.public_id = '{id}'"
    );
    app.sql(&query).await.remove(0)
}

/// What was audited of a connection: actions with their details, in order.
pub async fn audited(app: &TestApp, uuid: &Value) -> Vec<(String, Value)> {
    let query = format!(
        "SELECT action, detail FROM audit_log WHERE object_kind = 'connection' AND object_id = '{}' ORDER BY audit_id",
        uuid.as_str().unwrap()
    );
    let rows = app.sql(&query).await.into_iter();
    rows.map(|row| {
        (
            row["action"].as_str().unwrap().to_owned(),
            row["detail"].clone(),
        )
    })
    .collect()
}

/// The credential of a connection as Klavis hands it out, by the connection's UUID.
pub async fn handed_out(tenant: &Tenant, uuid: &Value) -> Value {
    let path = format!("/mcp-server/instance/{}/auth", uuid.as_str().unwrap());
    let reply = tenant.klavis().get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["authData"].clone()
}

/// Makes an integration of this name with these declared fields through Langdock, and gives the id of its config.
pub async fn declared(tenant: &Tenant, name: &str, kind: &str, fields: Value) -> String {
    let langdock = tenant.langdock();
    let body = json!({ "name": name, "description": "" });
    let new = langdock.post("/integrations/v1/create", body).await;
    let id = new.json["integration"]["id"].as_str().unwrap_or_default();
    let setting = json!({ "authType": kind, "authFields": fields });
    let path = format!("/integrations/v1/{id}/auth");
    let set = langdock.patch(&path, setting).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let query = format!("/api/v3/auth_configs?toolkit_slug={name}");
    let listed = tenant.composio().get(&query).await.json;
    listed["items"][0]["id"].as_str().unwrap().to_owned()
}

/// Changes a config's row behind the product's back.
pub async fn set_config(app: &TestApp, id: &str, assignment: &str) {
    app.execute(&format!(
        "UPDATE auth_configs SET {assignment} WHERE public_id = '{id}'"
    ))
    .await;
}

/// Asserts a 400 for required members that are missing.
pub fn assert_missing(reply: &Reply, names: &str) {
    let message = format!("Missing required fields: {names}");
    let slug = "ConnectedAccount_MissingRequiredFields";
    let fix = "Put the fields into connection.state.val.";
    crate::story::assert_envelope(reply, (400, 612, slug, &message, fix), &[]);
}

/// Asserts that no auth config was found.
pub fn assert_no_config(reply: &Reply) {
    let expected = (
        404,
        302,
        "Auth_Config_NotFound",
        "Auth config not found",
        "Check the auth config id.",
    );
    crate::story::assert_envelope(reply, expected, &[]);
}
