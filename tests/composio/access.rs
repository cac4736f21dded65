//! Who may: credentials of the request, scopes, limited keys, tenants.

use reqwest::Method;
use serde_json::json;

use crate::common::{TestApp, canary};
use crate::story::{
    V3, V3_1, assert_envelope, custom, integration_of, made, made_key_config, path, told,
};

const ONE_KEY: &str = "Send your API key in the header x-api-key and no other credential header.";

#[tokio::test]
async fn either_key_header_is_enough_and_two_are_too_many() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let as_user = alice
        .composio()
        .request(Method::GET, V3)
        .no_auth()
        .header("x-user-api-key", &alice.key);
    assert_eq!(as_user.send().await.status, 200);
    for (name, value) in [
        ("x-user-api-key", alice.key.as_str()),
        ("authorization", "Bearer other"),
    ] {
        let reply = alice
            .composio()
            .request(Method::GET, V3)
            .header(name, value)
            .send()
            .await;
        let message = "Multiple authentication modes were provided. Provide exactly one authentication mode per request.";
        assert_envelope(
            &reply,
            (401, 10401, "HTTP_Unauthorized", message, ONE_KEY),
            &[],
        );
    }
}

#[tokio::test]
async fn a_missing_unknown_or_expired_key_is_told_apart() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let bare = || alice.composio().request(Method::GET, V3_1).no_auth();

    let missing = bare().send().await;
    assert_envelope(
        &missing,
        (
            401,
            906,
            "Auth_NoAuthProvided",
            "No API key provided",
            ONE_KEY,
        ),
        &[],
    );
    let unknown = bare()
        .header("x-api-key", "ak_0123456789abcdefWXYZ")
        .send()
        .await;
    let message = "Invalid API key: ak_...WXYZ";
    assert_envelope(
        &unknown,
        (401, 801, "APIKey_InvalidAPIKey", message, ONE_KEY),
        &[],
    );
    let expired = alice.with_expiry_passed().await.composio().get(V3).await;
    assert_envelope(
        &expired,
        (
            401,
            811,
            "APIKey_APIKeyExpired",
            "The API key has expired",
            ONE_KEY,
        ),
        &[],
    );
}

#[tokio::test]
async fn a_scope_that_is_lacking_is_named() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = made_key_config(&alice.composio(), json!({})).await;
    let writer = alice.with_scopes(&["auth_configs:write"]).await.composio();
    let reader = alice.with_scopes(&["auth_configs:read"]).await.composio();
    let fix = "Use an API key that has the scope, or ask the operator for one.";
    for (reply, scope) in [
        (writer.get(V3).await, "auth_configs:read"),
        (writer.get(&path(&id)).await, "auth_configs:read"),
        (
            reader
                .post(V3, custom("openai", "API_KEY", json!({})))
                .await,
            "auth_configs:write",
        ),
        (
            reader.patch(&path(&id), json!({ "type": "custom" })).await,
            "auth_configs:write",
        ),
    ] {
        let message = format!("The API key lacks the scope {scope}");
        assert_envelope(
            &reply,
            (403, 812, "APIKey_InsufficientPermissions", &message, fix),
            &[],
        );
    }
    assert_eq!(
        writer
            .patch(&path(&id), json!({ "type": "custom", "name": "w" }))
            .await
            .status,
        200
    );
    assert_eq!(reader.get(&path(&id)).await.status, 200);
}

#[tokio::test]
async fn another_tenants_config_is_as_unknown_as_one_that_never_was() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let id = made_key_config(&alice.composio(), json!({ "generic_api_key": canary() })).await;
    let before = app.fingerprint().await;
    let change = json!({ "type": "custom", "name": "mine now" });
    let id_of_request = "0123456789abcdef0123456789abcdef";
    for method in [Method::GET, Method::PATCH] {
        let ask = async |id: &str| {
            let request = mallory
                .composio()
                .request(method.clone(), &path(id))
                .header("x-request-id", id_of_request);
            request.json(&change).send().await
        };
        let (foreign, unknown) = (ask(&id).await, ask("ac_abcdefghijkl").await);
        assert_eq!(told(&foreign), (404, 302, "Auth_Config_NotFound"));
        assert_eq!(foreign.text, unknown.text);
        assert_eq!(
            foreign.headers.keys().collect::<Vec<_>>(),
            unknown.headers.keys().collect::<Vec<_>>()
        );
    }
    assert_eq!(mallory.composio().get(V3).await.json["items"], json!([]));
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_limited_key_sees_its_integrations_only_and_makes_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let seen = made_key_config(&alice.composio(), json!({})).await;
    let hidden = made(&alice.composio(), custom("github", "API_KEY", json!({}))).await;
    let limited = alice
        .limited_to(&[integration_of(&app, &seen).await])
        .await
        .composio();

    let listed = limited.get(V3).await.json;
    assert_eq!(
        (&listed["total_items"], &listed["items"][0]["id"]),
        (&json!(1), &json!(seen))
    );
    assert_eq!(limited.get(&path(&seen)).await.status, 200);
    assert_eq!(
        limited
            .patch(&path(&seen), json!({ "type": "custom", "name": "n" }))
            .await
            .status,
        200
    );
    for reply in [
        limited.get(&path(&hidden)).await,
        limited
            .patch(&path(&hidden), json!({ "type": "custom" }))
            .await,
    ] {
        assert_eq!(told(&reply), (404, 302, "Auth_Config_NotFound"));
    }
    let before = app.fingerprint().await;
    let hidden = limited
        .post(V3, custom("github", "API_KEY", json!({})))
        .await;
    assert_eq!(told(&hidden), (404, 401, "Toolkit_NotFound"));
    let reply = limited
        .post(V3, custom("stripe", "API_KEY", json!({})))
        .await;
    assert_eq!(
        told(&reply),
        (403, 812, "APIKey_InsufficientPermissions"),
        "{}",
        reply.text
    );
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(
        limited
            .post(V3, custom("openai", "BASIC", json!({})))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_clients_request_id_is_taken_over() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for id in [
        "0123456789abcdef0123456789abcdef",
        "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21",
    ] {
        let reply = alice
            .composio()
            .request(Method::GET, &path("ac_x"))
            .header("x-request-id", id)
            .send()
            .await;
        assert_eq!(
            (
                reply.header("x-request-id"),
                &reply.json["error"]["request_id"]
            ),
            (id, &json!(id))
        );
    }
}
