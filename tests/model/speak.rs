//! The three dialects in a few words.

use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;

fn ok(reply: Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text);
    reply.json
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Langdock: makes an integration and gives its id.
pub async fn integration(tenant: &Tenant, name: &str) -> String {
    let reply = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
    text(&ok(reply, 201)["integration"]["id"])
}

/// Langdock: an integration as it is read.
pub async fn read(tenant: &Tenant, integration: &str) -> Value {
    let path = format!("/integrations/v1/{integration}");
    ok(tenant.langdock().get(&path).await, 200)["integration"].clone()
}

/// Langdock: changes the auth setting and gives it as it is answered.
pub async fn set_auth(tenant: &Tenant, integration: &str, body: Value) -> Value {
    let path = format!("/integrations/v1/{integration}/auth");
    ok(tenant.langdock().patch(&path, body).await, 200)["integration"].clone()
}

/// Klavis: the reply to making an instance.
pub async fn create(tenant: &Tenant, service: &str, user: &str) -> Reply {
    let body = json!({"serverName": service, "userId": user});
    tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await
}

/// Klavis: an instance's id, made where absent.
pub async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    text(&ok(create(tenant, service, user).await, 200)["instanceId"])
}

/// Klavis: the reply to reading an instance.
pub async fn shown(tenant: &Tenant, instance: &str) -> Reply {
    tenant
        .klavis()
        .get(&format!("/mcp-server/instance/{instance}"))
        .await
}

/// Klavis: the reply to set-auth.
pub async fn store(tenant: &Tenant, instance: &str, auth_data: Value) -> Reply {
    let body = json!({"instanceId": instance, "authData": auth_data});
    tenant
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await
}

/// Klavis: stores a credential.
pub async fn stored(tenant: &Tenant, instance: &str, auth_data: Value) {
    let json = ok(store(tenant, instance, auth_data).await, 200);
    assert_eq!(json["success"], true, "{json}");
}

/// Klavis: the reply to get-auth.
pub async fn credential(tenant: &Tenant, instance: &str) -> Reply {
    tenant
        .klavis()
        .get(&format!("/mcp-server/instance/{instance}/auth"))
        .await
}

/// Composio: the reply to making an auth config with these members beside scheme and toolkit.
pub async fn make_config(tenant: &Tenant, toolkit: &str, scheme: &str, more: Value) -> Reply {
    let mut config = json!({"type": "use_custom_auth", "authScheme": scheme});
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    let body = json!({"toolkit": {"slug": toolkit}, "auth_config": config});
    tenant.composio().post("/api/v3/auth_configs", body).await
}

/// Composio: makes an auth config and gives its id.
pub async fn config(tenant: &Tenant, toolkit: &str, scheme: &str) -> String {
    let client = json!({"credentials": {"client_id": "id", "client_secret": "secret"}});
    let more = if scheme == "OAUTH2" {
        client
    } else {
        json!({})
    };
    let reply = make_config(tenant, toolkit, scheme, more).await;
    text(&ok(reply, 201)["auth_config"]["id"])
}

/// Composio: an auth config as it is read.
pub async fn config_shown(tenant: &Tenant, id: &str) -> Value {
    let path = format!("/api/v3/auth_configs/{id}");
    ok(tenant.composio().get(&path).await, 200)
}

/// Composio: all auth configs of a toolkit, the newest first.
pub async fn configs(tenant: &Tenant, toolkit: &str) -> Vec<Value> {
    let path = format!("/api/v3.1/auth_configs?show_disabled=true&toolkit_slug={toolkit}");
    let page = ok(tenant.composio().get(&path).await, 200);
    page["items"].as_array().unwrap().clone()
}

/// A declared field with the least that it needs.
pub fn field(slug: &str, kind: &str, required: bool) -> Value {
    json!({"slug": slug, "label": slug, "type": kind, "required": required})
}
