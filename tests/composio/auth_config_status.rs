//! `PATCH /auth_configs/{nanoid}/{status}`: whether new connections may be made.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary};
use crate::story::{
    V3, V3_1, assert_envelope, changed, custom, integration_of, made, made_key_config, path, shown,
    told,
};

const FIX: &str = "Please check the payload.";

fn switched(word: &str) -> Value {
    json!({ "success": true, "message": format!("Auth config {word} successfully") })
}

async fn switch(client: &Client, id: &str, word: &str) -> Reply {
    client
        .request(Method::PATCH, &format!("{V3_1}/{id}/{word}"))
        .send()
        .await
}

#[tokio::test]
async fn the_two_words_switch_under_both_prefixes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let id = made_key_config(&client, json!({ "generic_api_key": canary() })).await;
    let before = shown(&client, &id).await;
    for prefix in [V3, V3_1] {
        for (word, message) in [("DISABLED", "disabled"), ("ENABLED", "enabled")] {
            let etag = client.get(&path(&id)).await.header("etag").to_owned();

            let place = format!("{prefix}/{id}/{word}");
            let reply = client.request(Method::PATCH, &place).send().await;

            assert_eq!((reply.status, &reply.json), (200, &switched(message)));
            let now = client.get(&path(&id)).await;
            assert_eq!(now.json["status"], word);
            assert_ne!(now.header("etag"), etag);
            let listed = client.get(prefix).await.json["total_items"].clone();
            assert_eq!(listed, i32::from(word == "ENABLED"));
            let all = client.get(&format!("{prefix}?show_disabled=true")).await;
            assert_eq!(all.json["items"][0]["status"], word);
            let newest = "SELECT action, object_kind, object_id, key_id, request_id, detail FROM audit_log \
                          ORDER BY audit_id DESC LIMIT 1";
            let action = format!("auth_config.{}", &message[..message.len() - 1]);
            let expected = json!({
                "action": action, "object_kind": "auth_config", "object_id": id, "key_id": alice.key_id,
                "request_id": reply.header("x-request-id"), "detail": null,
            });
            assert_eq!(app.sql(newest).await, [expected]);
        }
    }
    let mut after = shown(&client, &id).await;
    after["last_updated_at"] = before["last_updated_at"].clone();
    assert_eq!(after, before, "nothing else has changed");
    app.finish().await;
}

#[tokio::test]
async fn the_same_state_again_writes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    for (word, message) in [("ENABLED", "enabled"), ("DISABLED", "disabled")] {
        switch(&alice, &id, word).await;
        let before = (app.fingerprint().await, app.count("audit_log").await);
        let reply = switch(&alice, &id, word).await;
        assert_eq!((reply.status, &reply.json), (200, &switched(message)));
        assert_eq!(
            (app.fingerprint().await, app.count("audit_log").await),
            before
        );
    }
}

/// The SDKs say that JSON follows and send none.
#[tokio::test]
async fn no_body_is_looked_at() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let bodies: [(&str, Vec<u8>); 6] = [
        ("application/json", Vec::new()),
        ("application/json", b"{".to_vec()),
        ("application/json", b"{\"status\":\"ENABLED\"}".to_vec()),
        ("application/json", b"\xff\x00".to_vec()),
        ("text/plain", b"DISABLED".to_vec()),
        ("application/json", vec![b' '; 300 * 1024]),
    ];
    for (index, (content_type, body)) in bodies.into_iter().enumerate() {
        let word = ["DISABLED", "ENABLED"][index % 2];
        let place = format!("{V3}/{id}/{word}");
        let request = alice.request(Method::PATCH, &place);
        let reply = request
            .header("content-type", content_type)
            .body(body)
            .send()
            .await;
        assert_eq!(reply.status, 200, "{index}: {}", reply.text);
        assert_eq!(shown(&alice, &id).await["status"], word);
    }
}

#[tokio::test]
async fn any_other_word_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for word in [
        "enabled",
        "Disabled",
        "ENABLE",
        "ENABLED%20",
        "%20DISABLED",
        "ENABLED%2F",
        "ENABLED,DISABLED",
        "status",
        "true",
        "%00",
    ] {
        let message = "Validation error while processing request";
        let expected = (400, 10400, "HTTP_BadRequest", message, FIX);
        let fault = "Error in params.status: Invalid enum value. Expected 'ENABLED' | 'DISABLED'";
        assert_envelope(&switch(&alice, &id, word).await, expected, &[fault]);
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    assert_eq!(told(&switch(&alice, &id, "%FF").await).1, 10400);
    assert_eq!(told(&switch(&alice, &id, "").await).1, 10404);
    let other = alice.get(&format!("{V3}/{id}/ENABLED")).await;
    assert_eq!(told(&other), (405, 10405, "HTTP_MethodNotAllowed"));
}

/// The word stands in the path, as the id does: both are looked at before the config is.
#[tokio::test]
async fn checks_come_in_their_order() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let id = made_key_config(&alice.composio(), json!({})).await;
    let reader = alice
        .with_scopes(&["auth_configs:read", "connections:write"])
        .await
        .composio();
    let nobody = alice.composio().request(Method::PATCH, &path("x/y"));
    assert_eq!(told(&nobody.no_auth().send().await).1, 906);
    assert_eq!(told(&switch(&reader, "x", "y").await).1, 812);
    let ill_formed = switch(&alice.composio(), "x", "y").await;
    let faults = json!(["Error in params.nanoid: Invalid auth config id"]);
    assert_eq!(ill_formed.json["error"]["errors"], faults);
    let unknown = "ac_abcdefghijkl";
    assert_eq!(
        told(&switch(&alice.composio(), unknown, "y").await).1,
        10400
    );
    for (client, id) in [(alice.composio(), unknown), (mallory.composio(), &id)] {
        let reply = switch(&client, id, "DISABLED").await;
        assert_eq!(told(&reply), (404, 302, "Auth_Config_NotFound"));
    }
    let hidden = made(&alice.composio(), custom("github", "API_KEY", json!({}))).await;
    let limited = alice
        .limited_to(&[integration_of(&app, &id).await])
        .await
        .composio();
    assert_eq!(told(&switch(&limited, &hidden, "DISABLED").await).1, 302);
    assert_eq!(switch(&limited, &id, "DISABLED").await.status, 200);
    assert_eq!(shown(&alice.composio(), &hidden).await["status"], "ENABLED");
}

#[tokio::test]
async fn a_disabled_config_keeps_its_connections_and_takes_no_new_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = made_key_config(&alice.composio(), json!({})).await;
    let create = async |user: &str| {
        let body = json!({ "serverName": "OpenAI", "userId": user });
        let klavis = alice.klavis();
        klavis.post("/mcp-server/instance/create", body).await
    };
    let instance = create("u-1").await.json["instanceId"].clone();
    let set = json!({ "instanceId": instance, "authData": { "token": "t" } });
    let klavis = alice.klavis();
    klavis.post("/mcp-server/instance/set-auth", set).await;

    switch(&alice.composio(), &id, "DISABLED").await;

    let rows = app.fingerprint().await;
    let refused = create("u-2").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(app.fingerprint().await, rows);
    assert_eq!(create("u-1").await.json["instanceId"], instance);
    let place = format!("/mcp-server/instance/{}/auth", instance.as_str().unwrap());
    let handed_out = klavis.get(&place).await;
    assert_eq!(handed_out.json["authData"], json!({ "token": "t" }));
    assert_eq!(shown(&alice.composio(), &id).await["no_of_connections"], 1);
    switch(&alice.composio(), &id, "ENABLED").await;
    assert_eq!(create("u-2").await.status, 200);
}

/// Somebody has spoken of it, so that the next config does not take its row over.
#[tokio::test]
async fn a_config_that_was_made_in_passing_is_explicit_once_it_is_switched() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let body = json!({ "serverName": "GitHub", "userId": "u-1" });
    alice
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    let client = alice.composio();
    let id = client.get(V3).await.json["items"][0]["id"].clone();
    let id = id.as_str().unwrap();

    assert_eq!(switch(&client, id, "ENABLED").await.status, 200);
    assert_eq!(app.count("auth_configs WHERE is_implicit").await, 1);
    assert_eq!(switch(&client, id, "DISABLED").await.status, 200);

    assert_eq!(app.count("auth_configs WHERE is_implicit").await, 0);
    assert_ne!(
        made(&client, custom("github", "API_KEY", json!({}))).await,
        id
    );
}

#[tokio::test]
async fn a_switch_can_name_the_state_that_it_saw() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let etag = alice.get(&path(&id)).await.header("etag").to_owned();
    changed(&alice, &id, json!({ "type": "custom", "name": "Other" })).await;
    let place = format!("{V3}/{id}/DISABLED");
    for (seen, status) in [(etag.as_str(), 412), ("*", 200)] {
        let request = alice.request(Method::PATCH, &place);
        let reply = request.header("if-match", seen).send().await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
}

/// The same for the accounts of this dialect: neither a credential nor a link makes one.
#[tokio::test]
async fn a_disabled_config_takes_no_account_and_no_link() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let account = |user: &str| {
        json!({
            "auth_config": { "id": id },
            "connection":
                { "user_id": user, "state": { "authScheme": "API_KEY", "val": { "generic_api_key": canary() } } },
        })
    };
    let accounts = "/api/v3.1/connected_accounts";
    let made = alice.post(accounts, account("u-1")).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let one = format!("{accounts}/{}", made.json["id"].as_str().unwrap());

    switch(&alice, &id, "DISABLED").await;

    let before = (app.fingerprint().await, app.count("audit_log").await);
    let link = json!({ "auth_config_id": id, "user_id": "u-2" });
    for reply in [
        alice.post(accounts, account("u-2")).await,
        alice.post(&format!("{accounts}/link"), link).await,
    ] {
        let message = "Auth config is disabled";
        let fix = "Enable the auth config first.";
        let expected = (400, 600, "ConnectedAccount_BadRequest", message, fix);
        assert_envelope(&reply, expected, &[]);
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    let listed = alice.get(accounts).await.json;
    let told = &listed["items"][0];
    assert_eq!(
        (&told["status"], &told["auth_config"]["is_disabled"]),
        (&json!("ACTIVE"), &json!(true))
    );
    assert_eq!(alice.delete(&one).await.status, 200);
    switch(&alice, &id, "ENABLED").await;
    assert_eq!(alice.post(accounts, account("u-2")).await.status, 201);
    app.finish().await;
}
