//! `PATCH /auth_configs/{nanoid}`: what is named changes, what is not stays.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::story::{
    V3_1, assert_envelope, changed, custom, made, made_key_config, path, sealed, shown, updated,
};

#[tokio::test]
async fn the_published_example_is_accepted_to_the_letter() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "api_key": "before", "region": "eu" })).await;
    let example = r#"{
    "auth_config": {
      "credentials": {
        "api_key": "YOUR_NEW_API_KEY",
        "client_secret": "YOUR_NEW_CLIENT_SECRET"
      },
      "restrict_to_following_tools": [
        "tool1",
        "tool2"
      ]
    }
  }"#;
    for prefix in ["/api/v3", "/api/v3.1"] {
        let path = format!("{prefix}/auth_configs/{id}");
        let request = alice
            .request(reqwest::Method::PATCH, &path)
            .header("content-type", "application/json");
        let reply = request.body(example).send().await;
        assert_eq!(
            (reply.status, &reply.json),
            (200, &updated()),
            "{}",
            reply.text
        );
    }
    let told = shown(&alice, &id).await;
    assert_eq!(
        told["credentials"],
        json!({ "api_key": "YOUR...", "client_secret": "YOUR...", "region": "..." })
    );
    assert_eq!(
        told["restrict_to_following_tools"],
        json!(["tool1", "tool2"])
    );
    assert_eq!(
        told["tool_access_config"]["tools_available_for_execution"],
        json!(["tool1", "tool2"])
    );
}

#[tokio::test]
async fn what_is_not_named_is_kept() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom("openai", "API_KEY", json!({ "generic_api_key": canary() }));
    body["auth_config"]["proxy_config"] =
        json!({ "proxy_url": "https://proxy.example", "proxy_auth_key": canary() });
    body["auth_config"]["tool_access_config"] = json!({ "tools_for_connected_account_creation": ["A"], "tools_available_for_execution": ["B"] });
    body["auth_config"]["shared_credentials"] = json!({ "team": canary() });
    body["auth_config"]["is_enabled_for_tool_router"] = json!(true);
    let id = made(&alice, body).await;
    let (before, cells) = (shown(&alice, &id).await, sealed(&app, &id).await);

    changed(&alice, &id, json!({ "type": "custom", "name": "Renamed" })).await;

    let mut expected = before;
    expected["name"] = json!("Renamed");
    let mut after = shown(&alice, &id).await;
    after["last_updated_at"] = expected["last_updated_at"].clone();
    assert_eq!(after, expected);
    assert_eq!(sealed(&app, &id).await, cells);
    app.finish().await;
}

#[tokio::test]
async fn an_empty_tool_access_config_changes_nothing_and_an_empty_list_clears() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom("openai", "API_KEY", json!({}));
    body["auth_config"]["tool_access_config"] = json!({ "tools_for_connected_account_creation": ["A"], "tools_available_for_execution": ["B"] });
    let id = made(&alice, body).await;
    let tools = |creation: Value, execution: Value| json!({ "tools_for_connected_account_creation": creation, "tools_available_for_execution": execution });
    for (change, expected) in [
        (
            json!({ "tool_access_config": {} }),
            tools(json!(["A"]), json!(["B"])),
        ),
        (
            json!({ "restrict_to_following_tools": ["C"] }),
            tools(json!(["A"]), json!(["C"])),
        ),
        (
            json!({ "restrict_to_following_tools": ["D"], "tool_access_config": tools(json!(["E"]), json!(["F"])) }),
            tools(json!(["E"]), json!(["F"])),
        ),
        (
            json!({ "tool_access_config": { "tools_available_for_execution": [] } }),
            tools(json!(["E"]), json!([])),
        ),
        (
            json!({ "tool_access_config": { "tools_for_connected_account_creation": [] } }),
            tools(json!([]), json!([])),
        ),
    ] {
        let mut body = change;
        body["type"] = json!("custom");
        changed(&alice, &id, body).await;
        assert_eq!(shown(&alice, &id).await["tool_access_config"], expected);
    }
}

#[tokio::test]
async fn a_proxy_is_replaced_whole_and_cleared_by_null() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    for (change, expected) in [
        (
            json!({ "proxy_url": "https://one.example", "proxy_auth_key": "0123456789abcdef" }),
            json!({ "proxy_url": "https://one.example", "proxy_auth_key": "0123..." }),
        ),
        (
            json!({ "proxy_url": "https://two.example" }),
            json!({ "proxy_url": "https://two.example" }),
        ),
        (Value::Null, Value::Null),
    ] {
        changed(
            &alice,
            &id,
            json!({ "type": "custom", "proxy_config": change }),
        )
        .await;
        assert_eq!(shown(&alice, &id).await["proxy_config"], expected);
    }
    let rows = app
        .sql("SELECT proxy_url, sealed_proxy_auth_key FROM auth_configs")
        .await;
    assert_eq!(
        rows,
        [json!({ "proxy_url": null, "sealed_proxy_auth_key": null })]
    );
}

#[tokio::test]
async fn a_type_that_is_not_the_stored_one_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let before = app.fingerprint().await;
    for body in [
        json!({ "type": "default", "scopes": "a" }),
        json!({ "type": "default", "credentials": { "client_id": "z" } }),
        json!({ "auth_config": { "type": "default", "name": "n" } }),
    ] {
        let reply = alice.patch(&path(&id), body).await;
        let message = "The type of this auth config is \"custom\"";
        let expected = (
            400,
            301,
            "Auth_Config_ValidationError",
            message,
            "Send \"type\": \"custom\".",
        );
        assert_envelope(&reply, expected, &[]);
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn an_update_is_audited_without_its_values() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = made_key_config(&alice.composio(), json!({})).await;
    let before = app.count("audit_log").await;
    let body = json!({ "type": "custom", "credentials": { "api_key": canary() } });
    let reply = alice.composio().patch(&format!("{V3_1}/{id}"), body).await;
    assert_eq!(reply.status, 200);
    assert_eq!(app.count("audit_log").await, before + 1);
    let newest = app
        .sql("SELECT key_id, request_id FROM audit_log ORDER BY audit_id DESC LIMIT 1")
        .await;
    assert_eq!(newest[0]["key_id"], json!(alice.key_id));
    assert_eq!(newest[0]["request_id"], json!(reply.header("x-request-id")));
    app.finish().await;
}
