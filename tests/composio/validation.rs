//! What is wrong with a body is named all at once, in order with the other checks, and never repeats a value.

use reqwest::Method;
use serde_json::json;

use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary};
use crate::story::{V3, assert_invalid, changed, made_key_config, path, told};

async fn raw(client: &Client, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    client
        .request(Method::PATCH, path)
        .header("content-type", content_type)
        .body(body.into())
        .send()
        .await
}

#[tokio::test]
async fn a_flat_body_needs_its_type_and_known_keys() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let before = app.fingerprint().await;
    for (body, errors) in [
        (json!({}), ["Error in payload.type: Required"].as_slice()),
        (json!({ "name": "n" }), &["Error in payload.type: Required"]),
        (
            json!([]),
            &["Error in payload: Expected object, received array"],
        ),
        (
            json!({ "type": "custom", "colour": 1, "scopes": "a" }),
            &[
                "Error in payload.colour: Unrecognized key",
                "Error in payload.scopes: Unrecognized key",
            ],
        ),
        (
            json!({ "type": "custom", "auth_config": {} }),
            &["Error in payload.auth_config: Unrecognized key"],
        ),
        (
            json!({ "auth_config": { "name": 5, "colour": 1 } }),
            &[
                "Error in payload.auth_config.name: Expected string, received number",
                "Error in payload.auth_config.colour: Unrecognized key",
            ],
        ),
        (
            json!({ "type": "other" }),
            &["Error in payload.type: Invalid discriminator value. Expected 'custom' | 'default'"],
        ),
    ] {
        assert_invalid(&alice.patch(&path(&id), body).await, errors);
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn many_faults_are_named_at_once_without_a_value() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let secret = canary();
    let body = json!({
        "type": "custom",
        "name": [secret],
        "credentials": secret,
        "proxy_config": { "proxy_url": secret },
        "tool_access_config": { "tools_available_for_execution": [1, secret, {}] },
        "shared_credentials": [secret],
        "is_enabled_for_tool_router": secret,
    });
    assert_invalid(
        &alice.patch(&path(&id), body).await,
        &[
            "Error in payload.name: Expected string, received array",
            "Error in payload.tool_access_config.tools_available_for_execution.0: Expected string, received number",
            "Error in payload.tool_access_config.tools_available_for_execution.2: Expected string, received object",
            "Error in payload.shared_credentials: Expected object, received array",
            "Error in payload.is_enabled_for_tool_router: Expected boolean, received string",
            "Error in payload.credentials: Expected object, received string",
            "Error in payload.proxy_config.proxy_url: Invalid url",
        ],
    );
    app.finish().await;
}

#[tokio::test]
async fn nul_is_refused_where_it_would_be_stored_as_text() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let body = json!({ "type": "custom", "name": "a\u{0}", "credentials": { "k\u{0}": 1 } });
    assert_invalid(
        &alice.patch(&path(&id), body).await,
        &[
            "Error in payload.name: The text must not contain the character U+0000",
            "Error in payload.credentials.k\u{0}: The text must not contain the character U+0000",
        ],
    );
}

#[tokio::test]
async fn a_key_that_is_too_long_for_its_row_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let with_key = |key: &str| json!({ "auth_config": { "shared_credentials": { key: 1 } } });
    let long = "k".repeat(501);
    let fault = format!(
        "Error in payload.auth_config.shared_credentials.{long}: String must contain at most 500 character(s)"
    );
    assert_invalid(&alice.patch(&path(&id), with_key(&long)).await, &[&fault]);
    changed(&alice, &id, with_key(&"k".repeat(500))).await;
}

#[tokio::test]
async fn a_body_that_is_no_json_of_ours_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = path(&made_key_config(&alice, json!({})).await);
    let json = "application/json";
    let deep = format!(
        "{{\"type\":\"custom\",\"credentials\":{}1{}}}",
        "{\"a\":".repeat(140),
        "}".repeat(140)
    );
    for body in [
        "",
        "{",
        "{\"type\":\"custom\",\"type\":\"custom\"}",
        "{\"name\":\"\\ud800\"}",
        "NaN",
        &deep,
    ] {
        let reply = raw(&alice, &id, json, body).await;
        assert_eq!(
            told(&reply),
            (400, 10400, "HTTP_BadRequest"),
            "{}",
            reply.text
        );
        assert_eq!(reply.json["error"]["errors"].as_array().unwrap().len(), 1);
    }
    assert_eq!(
        told(&raw(&alice, &id, json, b"{\"name\":\"\xff\"}".to_vec()).await).0,
        400
    );
    assert_eq!(
        told(&raw(&alice, &id, "text/plain", "{}").await),
        (415, 10415, "HTTP_UnsupportedMediaType")
    );
    let large = format!(
        "{{\"type\":\"custom\",\"name\":\"{}\"}}",
        "x".repeat(256 * 1024)
    );
    assert_eq!(
        told(&raw(&alice, &id, json, large).await),
        (413, 10413, "HTTP_PayloadTooLarge")
    );
    assert_invalid(
        &raw(&alice, &id, json, "").await,
        &["Error in payload: Required"],
    );
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let reader = alice.with_scopes(&["auth_configs:read"]).await;
    let id = made_key_config(&alice.composio(), json!({})).await;
    let (bad_id, unknown, known) = (path("nonsense"), path("ac_abcdefghijkl"), path(&id));
    let bad_body = json!({ "colour": 1 });

    let nobody = alice
        .composio()
        .request(Method::PATCH, &bad_id)
        .json(&bad_body)
        .no_auth()
        .send()
        .await;
    assert_eq!(told(&nobody), (401, 906, "Auth_NoAuthProvided"));
    assert_eq!(
        told(&reader.composio().patch(&bad_id, bad_body.clone()).await),
        (403, 812, "APIKey_InsufficientPermissions")
    );
    assert_eq!(
        alice.composio().patch(&bad_id, bad_body.clone()).await.json["error"]["errors"][0],
        "Error in params.nanoid: Invalid auth config id"
    );
    assert_eq!(
        told(&alice.composio().patch(&unknown, bad_body.clone()).await),
        (404, 302, "Auth_Config_NotFound")
    );
    assert_eq!(
        told(&raw(&alice.composio(), &unknown, "text/plain", "x").await).0,
        404
    );
    assert_eq!(
        told(&alice.composio().patch(&known, bad_body).await),
        (400, 10400, "HTTP_BadRequest")
    );
}

#[tokio::test]
async fn unknown_urls_and_methods_have_the_envelope_too() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    assert_eq!(
        told(&alice.get("/api/v3/no_such_thing").await),
        (404, 10404, "HTTP_NotFound")
    );
    assert_eq!(
        told(&alice.get("/api/v3.1/no_such_thing").await),
        (404, 10404, "HTTP_NotFound")
    );
    assert_eq!(
        told(&alice.request(Method::PUT, V3).send().await),
        (405, 10405, "HTTP_MethodNotAllowed")
    );
}
