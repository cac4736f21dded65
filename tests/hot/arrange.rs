//! What these stories begin with.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use uuid::Uuid;

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

pub const SET_AUTH: &str = "/mcp-server/instance/set-auth";

/// A Langdock integration with this auth setting: its id.
pub async fn integration(tenant: &Tenant, name: &str, auth: Value) -> String {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json["integration"]["id"].as_str().unwrap().to_owned();
    let reply = patch_auth(tenant, &id, auth).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    id
}

/// The reply to a change of an integration's auth setting.
pub async fn patch_auth(tenant: &Tenant, integration: &str, auth: Value) -> Reply {
    let path = format!("/integrations/v1/{integration}/auth");
    tenant.langdock().patch(&path, auth).await
}

/// An auth setting of kind `API_KEY` that requires these fields.
pub fn requires(slugs: &[&str]) -> Value {
    let fields: Vec<_> = slugs
        .iter()
        .map(|slug| json!({"slug": slug, "label": slug, "type": "TEXT", "required": true}))
        .collect();
    json!({"authType": "API_KEY", "authFields": fields})
}

/// A Klavis instance: its id.
pub async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    let body = json!({"serverName": service, "userId": user});
    let made = tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["instanceId"].as_str().unwrap().to_owned()
}

/// The reply to set-auth under a request id.
pub async fn set_auth(tenant: &Tenant, instance: &str, data: Value, request: &str) -> Reply {
    let body = json!({"instanceId": instance, "authData": {"data": data}});
    let request = tenant
        .klavis()
        .request(Method::POST, SET_AUTH)
        .header("x-request-id", request);
    request.json(body).send().await
}

/// The reply to a hand-out under a request id.
pub async fn hand_out(tenant: &Tenant, instance: &str, request: &str) -> Reply {
    let path = format!("/mcp-server/instance/{instance}/auth");
    let klavis = tenant.klavis();
    let request = klavis
        .request(Method::GET, &path)
        .header("x-request-id", request);
    request.send().await
}

/// What is handed out.
pub async fn held(tenant: &Tenant, instance: &str) -> Value {
    let reply = hand_out(tenant, instance, &request_id()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json["authData"].clone()
}

/// A Composio auth config of a catalogue service, scheme `API_KEY`: its id.
pub async fn auth_config(tenant: &Tenant, credentials: Value) -> String {
    let body = json!({
        "toolkit": {"slug": "openai"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "API_KEY", "credentials": credentials},
    });
    let made = tenant.composio().post("/api/v3/auth_configs", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json["auth_config"]["id"].as_str().unwrap().to_owned()
}

/// The reply to a change of an auth config under a request id.
pub async fn change(tenant: &Tenant, config: &str, mut body: Value, request: &str) -> Reply {
    body["type"] = json!("custom");
    let path = format!("/api/v3/auth_configs/{config}");
    let composio = tenant.composio();
    let request = composio
        .request(Method::PATCH, &path)
        .header("x-request-id", request);
    request.json(body).send().await
}

pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// How many audit rows a request has left.
pub async fn audited(app: &TestApp, request: &str) -> i64 {
    app.count(&format!("audit_log WHERE request_id = '{request}'"))
        .await
}

/// Says later, try again, in a number of seconds.
pub fn is_later(reply: &Reply) -> bool {
    reply.status == 503
        && reply
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|after| after >= 1)
}

/// A lock that is held from outside until it is dropped or released.
pub struct Lock(PgConnection);

impl Lock {
    /// Takes it by a statement in a transaction.
    pub async fn take(app: &TestApp, statement: &str) -> Self {
        let mut connection = PgConnection::connect_with(&app.superuser()).await.unwrap();
        connection.execute("BEGIN").await.unwrap();
        connection
            .execute(AssertSqlSafe(statement.to_owned()))
            .await
            .unwrap();
        Self(connection)
    }

    /// Holds the row of an instance.
    pub async fn of_instance(app: &TestApp, id: &str) -> Self {
        let statement = format!("SELECT FROM connections WHERE connection_id = '{id}' FOR UPDATE");
        Self::take(app, &statement).await
    }

    /// No row is added to the audit log meanwhile.
    pub async fn of_audit_log(app: &TestApp) -> Self {
        Self::take(app, "LOCK TABLE audit_log IN EXCLUSIVE MODE").await
    }

    pub async fn release(self) {
        self.0.close().await.unwrap();
    }
}

/// Waits until a session of the server's waits for a lock.
pub async fn until_one_waits(app: &TestApp) {
    until_waiting(app, 1).await;
}

/// Waits until so many of them do.
pub async fn until_waiting(app: &TestApp, count: i64) {
    let waiting = "pg_stat_activity WHERE datname = current_database() AND usename = 'keyway' \
         AND wait_event_type = 'Lock'";
    for _ in 0..300 {
        if app.count(waiting).await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("there are not {count} that wait for a lock");
}

/// Ends every session of the server.
pub async fn end_sessions(app: &TestApp) {
    app.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE datname = current_database() AND usename = 'keyway'",
    )
    .await;
}
