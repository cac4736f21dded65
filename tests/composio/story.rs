//! What the stories of this dialect share: paths, arrangements, exact envelopes.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::{Client, Reply};

/// Where auth configs live under the older prefix.
pub const V3: &str = "/api/v3/auth_configs";
/// Where auth configs live under the newer prefix.
pub const V3_1: &str = "/api/v3.1/auth_configs";

/// The path of one auth config.
pub fn path(id: &str) -> String {
    format!("{V3}/{id}")
}

/// The body that makes a custom auth config.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the stories read better with a literal in its place"
)]
pub fn custom(toolkit: &str, scheme: &str, credentials: Value) -> Value {
    json!({
        "toolkit": { "slug": toolkit },
        "auth_config": { "type": "use_custom_auth", "authScheme": scheme, "credentials": credentials },
    })
}

/// Makes an auth config and gives its id.
pub async fn made(client: &Client, body: Value) -> String {
    let reply = client.post(V3, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["auth_config"]["id"].as_str().unwrap().to_owned()
}

/// Makes an API-key config of `openai` with these credentials.
pub async fn made_key_config(client: &Client, credentials: Value) -> String {
    made(client, custom("openai", "API_KEY", credentials)).await
}

/// An auth config as GET shows it.
pub async fn shown(client: &Client, id: &str) -> Value {
    let reply = client.get(&path(id)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

/// Changes an auth config, which must succeed.
pub async fn changed(client: &Client, id: &str, body: Value) {
    let reply = client.patch(&path(id), body).await;
    assert_eq!(
        (reply.status, &reply.json),
        (200, &updated()),
        "{}",
        reply.text
    );
}

/// What a change answers.
pub fn updated() -> Value {
    json!({ "success": true, "message": "Auth config updated successfully" })
}

/// The sealed cells of an auth config as they lie in the table, by kind and name.
pub async fn sealed(app: &TestApp, id: &str) -> Vec<Value> {
    app.sql(&format!(
        "SELECT kind, s.name, sealed_value FROM auth_config_secrets s JOIN auth_configs USING (tenant_id, auth_config_id) \
         WHERE public_id = '{id}' ORDER BY kind, s.name"
    ))
    .await
}

/// The integration of an auth config.
pub async fn integration_of(app: &TestApp, id: &str) -> String {
    let rows = app
        .sql(&format!(
            "SELECT integration_id FROM auth_configs WHERE public_id = '{id}'"
        ))
        .await;
    rows[0]["integration_id"].as_str().unwrap().to_owned()
}

/// Asserts the whole envelope; `expected` is status, code, slug, message, suggested fix.
pub fn assert_envelope(reply: &Reply, expected: (u16, u32, &str, &str, &str), errors: &[&str]) {
    let (status, code, slug, message, fix) = expected;
    assert_eq!(reply.status, status, "{}", reply.text);
    assert_eq!(
        reply.json,
        json!({ "error": {
            "message": message,
            "code": code,
            "slug": slug,
            "status": status,
            "request_id": reply.header("x-request-id"),
            "suggested_fix": fix,
            "errors": errors,
        }})
    );
    assert!(!reply.header("x-request-id").is_empty());
}

/// Asserts a 400 of validation with exactly these lines.
pub fn assert_invalid(reply: &Reply, errors: &[&str]) {
    let message = "Validation error while processing request";
    assert_envelope(
        reply,
        (
            400,
            10400,
            "HTTP_BadRequest",
            message,
            "Please check the payload.",
        ),
        errors,
    );
}

/// Status, code and slug of a failure.
pub fn told(reply: &Reply) -> (u16, u64, &str) {
    let error = &reply.json["error"];
    (
        reply.status,
        error["code"].as_u64().unwrap_or_default(),
        error["slug"].as_str().unwrap_or_default(),
    )
}
