//! `GET /connected_accounts/{id}`: its whole shape, and whom it shows the credential.

use serde_json::{Value, json};

use crate::account_changing::{at, connected, connected_under};
use crate::account_making::{ACCOUNTS, ACCOUNTS_3_1, audited, config, create, set_config};
use crate::common::TestApp;
use crate::common::client::Client;
use crate::story::{assert_envelope, integration_of, told};

/// An account as GET shows it, which must be there.
pub async fn shown(client: &Client, id: &str) -> Value {
    let reply = client.get(&at(id)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

/// The hand-outs of a connection that were audited.
async fn hand_outs(app: &TestApp, uuid: &Value) -> usize {
    let audited = audited(app, uuid).await;
    let hand_outs = audited
        .iter()
        .filter(|(action, _)| action == "connection.hand_out");
    hand_outs.count()
}

#[tokio::test]
async fn the_whole_of_it_is_shown_in_the_clear_to_a_key_that_reads_credentials() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let config = config(&alice, "API_KEY").await;
    let body = json!({
        "auth_config": { "id": config },
        "connection": { "user_id": "u-1", "alias": "work",
            "state": { "authScheme": "API_KEY", "val": { "generic_api_key": "sk-long-enough" } } },
    });
    let made = create(&alice, body).await;
    let id = made["id"].as_str().unwrap();

    for prefix in [ACCOUNTS, ACCOUNTS_3_1] {
        let reply = alice.get(&format!("{prefix}/{id}")).await;

        assert_eq!(reply.status, 200, "{}", reply.text);
        let (created, updated) = (
            reply.json["created_at"].clone(),
            reply.json["updated_at"].clone(),
        );
        for time in [&created, &updated] {
            let text = time.as_str().unwrap();
            assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
        }
        let expected = json!({
            "toolkit": { "slug": "slack" },
            "auth_config": {
                "id": config,
                "auth_scheme": "API_KEY",
                "is_composio_managed": false,
                "is_disabled": false,
                "deprecated": { "uuid": made["deprecated"]["authConfigUuid"] },
            },
            "id": id,
            "user_id": "u-1",
            "alias": "work",
            "word_id": null,
            "status": "ACTIVE",
            "status_reason": null,
            "created_at": created,
            "updated_at": updated,
            "state": { "authScheme": "API_KEY", "val": { "status": "ACTIVE", "generic_api_key": "sk-long-enough" } },
            "data": { "generic_api_key": "sk-long-enough" },
            "params": {},
            "is_disabled": false,
            "test_request_endpoint": "",
            "requested_scopes": null,
            "deprecated": { "labels": [], "uuid": made["deprecated"]["uuid"] },
        });
        assert_eq!(reply.json, expected);
    }
    assert_eq!(hand_outs(&app, &made["deprecated"]["uuid"]).await, 2);
}

#[tokio::test]
async fn a_key_that_does_not_read_credentials_sees_it_masked_and_nothing_is_written() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let val = json!({ "username": "a-long-user-name", "password": "short" });
    let made = connected(&alice.composio(), "BASIC", val).await;
    let reader = alice.with_scopes(&["connections:read"]).await;
    let before = app.fingerprint().await;

    let shown = shown(&reader.composio(), &made.id).await;

    let val = json!({ "status": "ACTIVE", "username": "a-lo...", "password": "..." });
    assert_eq!(shown["state"], json!({ "authScheme": "BASIC", "val": val }));
    assert_eq!(
        shown["data"],
        json!({ "username": "a-lo...", "password": "..." })
    );
    assert_eq!(shown["params"], json!({}));
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(hand_outs(&app, &made.uuid).await, 0);
}

#[tokio::test]
async fn without_a_credential_there_is_nothing_to_hand_out_and_nothing_is_written() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "BEARER_TOKEN").await;
    let link = json!({ "auth_config_id": config, "user_id": "u-1" });
    let linked = alice
        .composio()
        .post(&format!("{ACCOUNTS}/link"), link)
        .await;
    let id = linked.json["connected_account_id"].as_str().unwrap();
    let before = app.fingerprint().await;

    let shown = shown(&alice.composio(), id).await;

    assert_eq!(
        shown["state"],
        json!({ "authScheme": "BEARER_TOKEN", "val": { "status": "INITIALIZING" } })
    );
    assert_eq!(
        (&shown["data"], &shown["status"]),
        (&json!({}), &json!("INITIALIZING"))
    );
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn what_another_dialect_stored_is_shown_as_an_api_key_with_texts() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "OAUTH2").await;
    let body = json!({ "serverName": "slack", "userId": "u-2", "platformName": "p" });
    let instance = alice
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    let uuid = instance.json["instanceId"].as_str().unwrap();
    let data = json!({ "token": "a-long-enough-token", "port": 5432, "more": { "n": [1] } });
    let set = json!({ "instanceId": uuid, "authData": { "data": data } });
    let stored = alice
        .klavis()
        .post("/mcp-server/instance/set-auth", set)
        .await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    let query = format!("SELECT public_id FROM connections WHERE connection_id = '{uuid}'");
    let id = app.sql(&query).await[0]["public_id"]
        .as_str()
        .unwrap()
        .to_owned();

    let account = shown(&alice.composio(), &id).await;

    assert_eq!(account["auth_config"]["id"], json!(config));
    assert_eq!(account["auth_config"]["auth_scheme"], "OAUTH2");
    let val = json!({ "status": "ACTIVE", "token": "a-long-enough-token", "port": "5432", "more": "{\"n\":[1]}" });
    assert_eq!(
        account["state"],
        json!({ "authScheme": "API_KEY", "val": val })
    );
    assert_eq!(account["data"], data);
}

#[tokio::test]
async fn an_explicit_config_without_authentication_shows_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let made = connected(&alice, "NO_AUTH", json!({})).await;

    let account = shown(&alice, &made.id).await;

    let val = json!({ "status": "ACTIVE" });
    assert_eq!(
        account["state"],
        json!({ "authScheme": "NO_AUTH", "val": val })
    );
    assert_eq!(hand_outs(&app, &made.uuid).await, 0);
}

#[tokio::test]
async fn what_stands_in_the_row_is_told() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let made = connected(&alice, "API_KEY", json!({ "api_key": "k" })).await;
    let account = shown(&alice, &made.id).await;
    let of = account["auth_config"]["id"].as_str().unwrap();
    set_config(&app, of, "enabled = false").await;
    app.execute(&format!(
        "UPDATE connections SET status = 'INACTIVE', status_reason = 'because' WHERE public_id = '{}'",
        made.id
    ))
    .await;

    let account = shown(&alice, &made.id).await;

    assert_eq!(
        (
            &account["status"],
            &account["status_reason"],
            &account["is_disabled"]
        ),
        (&json!("INACTIVE"), &json!("because"), &json!(true))
    );
    assert_eq!(account["auth_config"]["is_disabled"], true);
    assert_eq!(account["state"]["val"]["status"], "INACTIVE");
}

#[tokio::test]
async fn unknown_foreign_limited_and_deleted_accounts_are_one() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let config = config(&alice.composio(), "API_KEY").await;
    let val = json!({ "api_key": "k" });
    let made = connected_under(&alice.composio(), &config, "API_KEY", val.clone()).await;
    let gone = connected_under(&alice.composio(), &config, "API_KEY", val).await;
    assert_eq!(alice.composio().delete(&at(&gone.id)).await.status, 200);
    let other = integration_of(
        &app,
        &crate::account_making::config(&bob.composio(), "API_KEY").await,
    )
    .await;
    let own = integration_of(&app, &config).await;
    let limited = alice.limited_to(&[&other]).await;

    for (client, id) in [
        (bob.composio(), made.id.as_str()),
        (limited.composio(), &made.id),
        (alice.composio(), &gone.id),
        (alice.composio(), "ca_AAAAAAAAAAAA"),
    ] {
        let reply = client.get(&at(id)).await;
        let message = format!("Connected account \"{id}\" not found");
        assert_eq!(
            told(&reply),
            (404, 606, "ConnectedAccount_ResourceNotFound")
        );
        assert_eq!(reply.json["error"]["message"], json!(message));
    }
    let seen = alice
        .limited_to(&[&own])
        .await
        .composio()
        .get(&at(&made.id))
        .await;
    assert_eq!(seen.status, 200, "{}", seen.text);
    assert_eq!(hand_outs(&app, &made.uuid).await, 1);
}

#[tokio::test]
async fn an_id_of_another_form_is_refused_and_the_scope_comes_first() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let reply = alice.composio().get(&at("nope")).await;
    assert_eq!(told(&reply), (400, 10400, "HTTP_BadRequest"));

    let blind = alice.with_scopes(&["credentials:read"]).await.composio();
    let refused = blind.get(&at("nope")).await;
    let fix = refused.json["error"]["suggested_fix"]
        .as_str()
        .unwrap()
        .to_owned();
    let message = refused.json["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_envelope(
        &refused,
        (403, 812, "APIKey_InsufficientPermissions", &message, &fix),
        &[],
    );
    assert!(message.contains("connections:read"), "{message}");
}
