//! What the stories of this dialect begin with.

use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;

/// Both places at which the dialect is mounted.
pub const PREFIXES: [&str; 2] = ["/integrations/v1", "/api/public/integrations/v1"];

/// An id that no integration has.
pub const UNKNOWN: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The path of making an integration.
pub const CREATE: &str = "/integrations/v1/create";

/// The path of an integration.
pub fn path(id: &str) -> String {
    format!("/integrations/v1/{id}")
}

/// The path of an integration's auth setting.
pub fn auth_path(id: &str) -> String {
    format!("/integrations/v1/{id}/auth")
}

/// A new integration's id.
pub async fn integration(tenant: &Tenant, name: &str) -> String {
    let reply = tenant.langdock().post(CREATE, json!({"name": name})).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["integration"]["id"].as_str().unwrap().to_owned()
}

/// The reply to a change of the auth setting.
pub async fn patch_auth(tenant: &Tenant, id: &str, body: Value) -> Reply {
    tenant.langdock().patch(&auth_path(id), body).await
}

/// Changes the auth setting and gives it as it is answered.
pub async fn set_auth(tenant: &Tenant, id: &str, body: Value) -> Value {
    let reply = patch_auth(tenant, id, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["integration"].clone()
}

/// The integration as it is read.
pub async fn read(tenant: &Tenant, id: &str) -> Value {
    let reply = tenant.langdock().get(&path(id)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["integration"].clone()
}

/// A field with the least that it needs.
pub fn field(slug: &str) -> Value {
    json!({"slug": slug, "label": "Label", "type": "TEXT"})
}

/// A 400 for the body with these problems.
pub fn invalid(problems: &[(Value, &str)]) -> Value {
    let errors: Vec<_> = problems
        .iter()
        .map(|(path, message)| json!({"path": path, "message": message}))
        .collect();
    json!({"message": "Invalid request body", "errors": errors})
}

/// The paths of a 400's problems.
pub fn places(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 400, "{}", reply.text);
    reply.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["path"].clone())
        .collect()
}

/// The id of `user`'s connection to the integration of this name, made through Klavis.
pub async fn klavis_instance(tenant: &Tenant, name: &str, user: &str) -> String {
    let body = json!({"serverName": name, "userId": user});
    let reply = tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["instanceId"].as_str().unwrap().to_owned()
}

/// Stores a credential through Klavis.
pub async fn klavis_store(tenant: &Tenant, instance: &str, auth_data: Value) {
    let body = json!({"instanceId": instance, "authData": auth_data});
    let reply = tenant
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await;
    assert_eq!(
        (reply.status, &reply.json["success"]),
        (200, &json!(true)),
        "{}",
        reply.text
    );
}

/// The status of Klavis' read of an instance.
pub async fn klavis_status(tenant: &Tenant, instance: &str) -> u16 {
    tenant
        .klavis()
        .get(&format!("/mcp-server/instance/{instance}"))
        .await
        .status
}

/// The id of a Composio auth config of the integration with this slug.
pub async fn composio_config(tenant: &Tenant, slug: &str, scheme: &str) -> String {
    let body = json!({
        "toolkit": {"slug": slug},
        "auth_config": {"type": "use_custom_auth", "authScheme": scheme, "credentials": {}},
    });
    let reply = tenant.composio().post("/api/v3/auth_configs", body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["auth_config"]["id"].as_str().unwrap().to_owned()
}

/// The scheme of a Composio auth config.
pub async fn composio_scheme(tenant: &Tenant, config: &str) -> Value {
    let reply = tenant
        .composio()
        .get(&format!("/api/v3/auth_configs/{config}"))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["auth_scheme"].clone()
}
