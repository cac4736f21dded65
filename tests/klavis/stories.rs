//! What the stories of this dialect begin with.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

pub const SET_AUTH: &str = "/mcp-server/instance/set-auth";
pub const CREATE: &str = "/mcp-server/instance/create";

/// The id of `user`'s instance of `service`, made where absent.
pub async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    let reply = tenant
        .klavis()
        .post(CREATE, json!({"serverName": service, "userId": user}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["instanceId"].as_str().unwrap().to_owned()
}

/// The reply to set-auth.
pub async fn set_auth(tenant: &Tenant, instance: &str, auth_data: Value) -> Reply {
    tenant
        .klavis()
        .post(
            SET_AUTH,
            json!({"instanceId": instance, "authData": auth_data}),
        )
        .await
}

/// Stores a credential.
pub async fn store(tenant: &Tenant, instance: &str, auth_data: Value) {
    let reply = set_auth(tenant, instance, auth_data).await;
    assert_eq!(
        (reply.status, &reply.json["success"]),
        (200, &json!(true)),
        "{}",
        reply.text
    );
}

/// The path of an instance.
pub fn path(instance: &str) -> String {
    format!("/mcp-server/instance/{instance}")
}

/// The path of an instance's credential.
pub fn auth_path(instance: &str) -> String {
    format!("/mcp-server/instance/{instance}/auth")
}

/// What get-auth hands out.
pub async fn handed_out(tenant: &Tenant, instance: &str) -> Value {
    let reply = tenant.klavis().get(&auth_path(instance)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["authData"].clone()
}

/// The audit log's actions on an instance, the oldest first.
pub async fn audited(app: &TestApp, instance: &str) -> Vec<String> {
    let rows = app
        .sql(&format!(
            "SELECT action FROM audit_log WHERE object_id = '{instance}' ORDER BY audit_id"
        ))
        .await;
    rows.iter()
        .map(|row| row["action"].as_str().unwrap().to_owned())
        .collect()
}

/// A 422 with this one item.
pub fn refused(kind: &str, loc: &[&str], msg: &str) -> Value {
    json!({"detail": [{"type": kind, "loc": loc, "msg": msg}]})
}
