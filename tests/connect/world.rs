//! Connections that wait for their user, with links to their pages.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::tenant::Tenant;

/// A link as the platform got it.
pub struct Link {
    /// `/connect/lk_…`
    pub path: String,
    pub token: String,
    /// `ca_…`
    pub account: String,
}

/// A name for an integration of the tenant's own.
pub const SERVICE: &str = "Acme CRM";

/// An integration of scheme `API_KEY` with these fields: the id of its auth config.
pub async fn declared(tenant: &Tenant, fields: Value) -> String {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({"name": SERVICE}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = text(&made.json["integration"]["id"]);
    let auth = json!({"authType": "API_KEY", "authFields": fields});
    let path = format!("/integrations/v1/{id}/auth");
    let set = tenant.langdock().patch(&path, auth).await;
    assert_eq!(set.status, 200, "{}", set.text);
    let configs = tenant
        .composio()
        .get("/api/v3.1/auth_configs?toolkit_slug=acme-crm")
        .await;
    text(&configs.json["items"][0]["id"])
}

/// One text field that is no secret, and a password; both required.
pub fn shop_and_key() -> Value {
    json!([
        {"slug": "shop", "label": "Shop", "type": "TEXT", "required": true, "description": "As in shop.example.com"},
        {"slug": "key", "label": "API key", "type": "PASSWORD", "required": true},
    ])
}

/// A config of this scheme of a catalogue's toolkit.
pub async fn config(tenant: &Tenant, toolkit: &str, scheme: &str, shared: Value) -> String {
    let config = json!({"toolkit": {"slug": toolkit}, "auth_config": {
        "type": "use_custom_auth", "authScheme": scheme, "shared_credentials": shared,
        "credentials": {"client_id": "id", "client_secret": "not-a-real-secret"},
    }});
    let made = tenant
        .composio()
        .post("/api/v3.1/auth_configs", config)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.json["auth_config"]["id"])
}

/// A link under this config, with what else the platform says.
pub async fn link_with(tenant: &Tenant, config: &str, more: Value) -> Link {
    let mut body = json!({"auth_config_id": config, "user_id": "u1"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let made = tenant
        .composio()
        .post("/api/v3.1/connected_accounts/link", body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let token = text(&made.json["link_token"]);
    Link {
        path: format!("/connect/{token}"),
        account: text(&made.json["connected_account_id"]),
        token,
    }
}

/// A link under this config.
pub async fn link(tenant: &Tenant, config: &str) -> Link {
    link_with(tenant, config, json!({})).await
}

/// A link to the page that asks for a shop and a key.
pub async fn shop_link(tenant: &Tenant) -> Link {
    let config = declared(tenant, shop_and_key()).await;
    link(tenant, &config).await
}

/// The credential of the connection of an account, as Klavis hands it out.
pub async fn credential(app: &TestApp, tenant: &Tenant, account: &str) -> Value {
    let query = format!("SELECT connection_id FROM connections WHERE public_id = '{account}'");
    let rows = app.sql(&query).await;
    let id = rows[0]["connection_id"].as_str().unwrap();
    let shown = tenant
        .klavis()
        .get(&format!("/mcp-server/instance/{id}/auth"))
        .await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    shown.json["authData"].clone()
}

/// The status of the connection of an account.
pub async fn status(app: &TestApp, account: &str) -> String {
    let query = format!("SELECT status FROM connections WHERE public_id = '{account}'");
    text(&app.sql(&query).await[0]["status"])
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
