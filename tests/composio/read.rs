//! `GET /auth_configs/{nanoid}`

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::story::{V3_1, assert_envelope, changed, custom, made, made_key_config, path, shown};

#[tokio::test]
async fn an_auth_config_is_shown_with_every_member() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let mut body = custom(
        "openai",
        "API_KEY",
        json!({ "generic_api_key": canary(), "region": "eu" }),
    );
    body["auth_config"]["name"] = json!("Production");
    body["auth_config"]["proxy_config"] =
        json!({ "proxy_url": "http://proxy.example:3128", "proxy_auth_key": canary() });
    body["auth_config"]["tool_access_config"] = json!({ "tools_for_connected_account_creation": ["A"], "tools_available_for_execution": ["B", "C"] });
    body["auth_config"]["is_enabled_for_tool_router"] = json!(true);
    let id = made(&alice.composio(), body).await;

    let reply = alice.composio().get(&format!("{V3_1}/{id}")).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    let told = &reply.json;
    let created_at = told["created_at"].as_str().unwrap();
    assert!(
        created_at.len() == 24 && created_at.ends_with('Z'),
        "{created_at}"
    );
    assert_eq!(told["uuid"].as_str().unwrap().len(), 36);
    assert_eq!(
        *told,
        json!({
            "id": id,
            "uuid": told["uuid"],
            "type": "custom",
            "toolkit": {
                "slug": "openai",
                "logo": told["toolkit"]["logo"].as_str().unwrap(),
                "auth_guide_url": "https://platform.openai.com/docs/api-reference/authentication",
                "auth_hint_url": null,
            },
            "name": "Production",
            "auth_scheme": "API_KEY",
            "is_composio_managed": false,
            "credentials": { "generic_api_key": "CANA...", "region": "..." },
            "proxy_config": { "proxy_url": "http://proxy.example:3128", "proxy_auth_key": "CANA..." },
            "status": "ENABLED",
            "created_by": alice.key_id,
            "created_at": created_at,
            "last_updated_at": created_at,
            "no_of_connections": 0,
            "expected_input_fields": [{
                "name": "generic_api_key",
                "displayName": "API key",
                "type": "string",
                "description": "Made at platform.openai.com under API keys.",
                "required": true,
                "user_visible": true,
                "default": null,
                "is_secret": true,
                "is_available_as_shared_credentials": false,
            }],
            "restrict_to_following_tools": ["B", "C"],
            "tool_access_config": {
                "tools_for_connected_account_creation": ["A"],
                "tools_available_for_execution": ["B", "C"],
            },
            "shared_credentials": {},
            "is_enabled_for_tool_router": true,
        })
    );
    app.finish().await;
}

#[tokio::test]
async fn secrets_are_masked_and_open_members_are_not() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let credentials = json!({
        "client_id": "Iv1.8a61f9b3a7aba766",
        "client_secret": "0123456789ab",
        "scopes": ["repo", "read:org"],
        "user_scopes": "a b",
        "consumer_key": "ck",
        "token_url": "https://token.example/oauth",
        "eleven": "0123456789a",
        "number": 1_234_567_890_123_i64,
        "nothing_long": {},
    });
    let id = made(&alice, custom("github", "OAUTH2", credentials)).await;
    let told = shown(&alice, &id).await["credentials"].clone();
    assert_eq!(told["client_id"], "Iv1.8a61f9b3a7aba766");
    assert_eq!(told["client_secret"], "0123...");
    assert_eq!(told["scopes"], json!(["repo", "read:org"]));
    assert_eq!(told["user_scopes"], "a b");
    assert_eq!(told["consumer_key"], "ck");
    assert_eq!(told["token_url"], "https://token.example/oauth");
    assert_eq!(told["eleven"], "...");
    assert!(!told["number"].to_string().contains("567890"), "{told}");
}

#[tokio::test]
async fn without_a_catalogue_scheme_the_schemes_own_members_are_expected() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom("openai", "BASIC", json!({}));
    body["auth_config"]["shared_credentials"] = json!({ "username": "robot" });
    let id = made(&alice, body).await;
    let told = shown(&alice, &id).await;
    let fields: Vec<_> = told["expected_input_fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            (
                field["name"].as_str().unwrap(),
                field["required"] == true,
                field["is_available_as_shared_credentials"] == true,
            )
        })
        .collect();
    assert_eq!(
        fields,
        [("username", false, true), ("password", false, false)]
    );
}

#[tokio::test]
async fn the_etag_changes_with_every_change() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let before = alice.get(&path(&id)).await.header("etag").to_owned();
    assert_eq!(alice.get(&path(&id)).await.header("etag"), before);
    changed(&alice, &id, json!({ "type": "custom", "name": "Other" })).await;
    assert_ne!(alice.get(&path(&id)).await.header("etag"), before);
}

#[tokio::test]
async fn reading_writes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "k": canary() })).await;
    let (rows, audited) = (app.fingerprint().await, app.count("audit_log").await);
    shown(&alice, &id).await;
    alice.get("/api/v3/auth_configs").await;
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        (rows, audited)
    );
    app.finish().await;
}

#[tokio::test]
async fn ill_formed_is_refused_before_unknown_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    for id in [
        "ac_short",
        "ca_abcdefghijkl",
        "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21",
        "%FF",
    ] {
        let message = "Validation error while processing request";
        let fix = "Send the id as it was given: ac_ and 12 characters.";
        let expected = (400, 10400, "HTTP_BadRequest", message, fix);
        assert_envelope(
            &alice.get(&path(id)).await,
            expected,
            &["Error in params.nanoid: Invalid auth config id"],
        );
    }
    let expected = (
        404,
        302,
        "Auth_Config_NotFound",
        "Auth config not found",
        "Check the auth config id.",
    );
    assert_envelope(&alice.get(&path("ac_abcdefghijkl")).await, expected, &[]);
}
