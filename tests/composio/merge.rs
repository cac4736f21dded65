//! Credentials merge key by key, and a read-modify-write destroys no secret.

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::story::{changed, custom, made, made_key_config, sealed, shown};

#[tokio::test]
async fn a_value_sets_null_removes_and_the_rest_stays() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(
        &alice,
        json!({ "kept": "kept-value-1", "gone": "gone-value-1", "new": "old-value-1" }),
    )
    .await;
    let before = sealed(&app, &id).await;

    let credentials = json!({ "new": "next-value-2", "added": { "nested": [1, null] }, "gone": null, "never": null });
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "credentials": credentials }),
    )
    .await;

    let after = sealed(&app, &id).await;
    let names: Vec<_> = after
        .iter()
        .map(|cell| cell["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["added", "kept", "new"]);
    assert_eq!(
        after[1], before[1],
        "the cell of a key that was not named is not written anew"
    );
    assert_ne!(after[2], before[2]);
    let told = shown(&alice, &id).await["credentials"].clone();
    assert_eq!(
        (&told["kept"], &told["new"]),
        (&json!("kept..."), &json!("next..."))
    );
}

#[tokio::test]
async fn a_masked_value_leaves_the_secret_as_it_is() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom(
        "github",
        "OAUTH2",
        json!({
            "client_id": "Iv1.8a61f9b3a7aba766", "client_secret": canary(), "short": "abc", "scopes": ["repo"], "pin": 123_456,
        }),
    );
    body["auth_config"]["shared_credentials"] = json!({ "team": canary() });
    body["auth_config"]["proxy_config"] =
        json!({ "proxy_url": "https://proxy.example", "proxy_auth_key": canary() });
    let id = made(&alice, body).await;
    let proxy_key = "SELECT sealed_proxy_auth_key FROM auth_configs";
    let (cells, proxy) = (sealed(&app, &id).await, app.sql(proxy_key).await);
    let told = shown(&alice, &id).await;

    let edited = json!({
        "type": "custom",
        "name": "Edited",
        "credentials": told["credentials"],
        "shared_credentials": told["shared_credentials"],
        "proxy_config": told["proxy_config"],
        "tool_access_config": told["tool_access_config"],
        "restrict_to_following_tools": told["restrict_to_following_tools"],
        "is_enabled_for_tool_router": told["is_enabled_for_tool_router"],
    });
    changed(&alice, &id, edited).await;

    assert_eq!(shown(&alice, &id).await["name"], "Edited");
    assert_eq!(shown(&alice, &id).await["credentials"], told["credentials"]);
    assert_eq!(sealed(&app, &id).await, cells, "no sealed byte has changed");
    assert_eq!(app.sql(proxy_key).await, proxy);
    app.finish().await;
}

#[tokio::test]
async fn the_word_redacted_keeps_any_secret() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "generic_api_key": canary() })).await;
    let before = sealed(&app, &id).await;
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "credentials": { "generic_api_key": "REDACTED" } }),
    )
    .await;
    assert_eq!(sealed(&app, &id).await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_mask_of_another_secret_is_a_value_like_any_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "generic_api_key": "sk-one-0123456789" })).await;
    let before = sealed(&app, &id).await;
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "credentials": { "generic_api_key": "abcd..." } }),
    )
    .await;
    assert_ne!(sealed(&app, &id).await, before);
    assert_eq!(
        shown(&alice, &id).await["credentials"],
        json!({ "generic_api_key": "..." })
    );
}

#[tokio::test]
async fn shared_credentials_merge_like_credentials() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "team": "credential-not-shared" })).await;
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "shared_credentials": { "team": "team-value-1", "gone": 1 } }),
    )
    .await;
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "shared_credentials": { "gone": null, "more": "x" } }),
    )
    .await;
    let told = shown(&alice, &id).await;
    assert_eq!(
        told["shared_credentials"],
        json!({ "more": "...", "team": "team..." })
    );
    assert_eq!(told["credentials"], json!({ "team": "cred..." }));
}

#[tokio::test]
async fn a_sealed_value_may_hold_what_text_columns_cannot() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let credentials = json!({ "nul": "a\u{0}b", "deep": { "k\u{0}": ["\u{0}"] }, "": "empty key", "🙂": "emoji" });
    changed(
        &alice,
        &id,
        json!({ "type": "custom", "credentials": credentials }),
    )
    .await;
    assert_eq!(sealed(&app, &id).await.len(), 4);
}

#[tokio::test]
async fn the_word_redacted_is_never_stored() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "kept": "kept-value-1" })).await;

    let redacted = json!({ "kept": "REDACTED", "never": "REDACTED" });
    let body = json!({ "type": "custom", "credentials": redacted, "shared_credentials": redacted });
    changed(&alice, &id, body).await;

    let told = shown(&alice, &id).await;
    assert_eq!(told["credentials"], json!({ "kept": "kept..." }));
    assert_eq!(told["shared_credentials"], json!({}));
    let oauth = json!({ "client_id": "REDACTED", "client_secret": "REDACTED" });
    let refused = alice
        .post("/api/v3/auth_configs", custom("github", "OAUTH2", oauth))
        .await;
    assert_eq!(
        (refused.status, &refused.json["error"]["code"]),
        (400, &json!(301))
    );
}

#[tokio::test]
async fn a_config_has_at_most_two_hundred_credentials() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let numbered = |from: usize, to: usize| -> serde_json::Value {
        (from..to)
            .map(|number| (format!("key{number}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let id = made_key_config(&alice, numbered(0, 200)).await;
    let before = app.fingerprint().await;

    for credentials in [numbered(200, 201), numbered(0, 201)] {
        let body = json!({ "type": "custom", "credentials": credentials });
        let reply = alice
            .patch(&format!("/api/v3/auth_configs/{id}"), body)
            .await;
        assert_eq!(
            (reply.status, &reply.json["error"]["errors"]),
            (
                400,
                &json!(["Error in payload.credentials: Array must contain at most 200 element(s)"])
            )
        );
    }

    assert_eq!(app.fingerprint().await, before);
    let swapped = json!({ "type": "custom", "credentials": { "key0": null, "key200": "v" } });
    changed(&alice, &id, swapped).await;
}

/// Every hand-out under a config reads what it shares, so that has a limit of its own.
#[tokio::test]
async fn shared_credentials_have_64_kib_altogether() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let path = format!("/api/v3/auth_configs/{id}");
    // Sealed, a value has 46 bytes more than its JSON text.
    let value = |bytes: usize| json!("x".repeat(bytes - 48));
    let halves = json!({ "type": "custom", "shared_credentials": {
        "one": value(32 * 1024), "other": value(32 * 1024) } });
    assert_eq!(alice.patch(&path, halves).await.status, 200);
    let before = app.fingerprint().await;

    let more = json!({ "type": "custom", "shared_credentials": { "third": "" } });
    let refused = alice.patch(&path, more).await;

    assert_eq!(refused.status, 400, "{}", refused.text);
    assert_eq!(
        refused.json["error"]["errors"],
        json!([
            "Error in payload.shared_credentials: Values must have at most 65536 byte(s) altogether"
        ])
    );
    assert_eq!(app.fingerprint().await, before);
    let instead =
        json!({ "type": "custom", "shared_credentials": { "third": "x", "other": null } });
    assert_eq!(alice.patch(&path, instead).await.status, 200);
    app.finish().await;
}
