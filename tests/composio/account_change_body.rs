//! What is wrong with the body of a change of a connected account is named all at once, in order with the other checks,
//! and never repeats a value.

use reqwest::Method;
use serde_json::{Value, json};

use crate::account_changing::{
    Account, assert_unknown, at, at_3_1, changed, connected, connected_under, members, switch,
};
use crate::account_making::config;
use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary};
use crate::story::{assert_invalid, integration_of, told};

const SCHEMES: &str = "'OAUTH2' | 'OAUTH1' | 'API_KEY' | 'BASIC' | 'BILLCOM_AUTH' | 'BEARER_TOKEN' | \
    'GOOGLE_SERVICE_ACCOUNT' | 'NO_AUTH' | 'BASIC_WITH_JWT' | 'CALCOM_AUTH' | 'SERVICE_ACCOUNT' | 'SAML' | 'DCR_OAUTH' | \
    'S2S_OAUTH2' | 'CIMD_OAUTH'";

async fn token_account(client: &Client) -> Account {
    connected(client, "BEARER_TOKEN", json!({ "token": "t" })).await
}

async fn raw(client: &Client, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
    client
        .request(Method::PATCH, path)
        .header("content-type", content_type)
        .body(body.into())
        .send()
        .await
}

#[tokio::test]
async fn each_fault_is_named_at_its_path() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = token_account(&client).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let scheme = format!(
        "Error in payload.connection.state.authScheme: Invalid enum value. Expected {SCHEMES}"
    );
    let long = "a".repeat(256);
    for (body, errors) in [
        (
            json!([]),
            vec!["Error in payload: Expected object, received array"],
        ),
        (
            json!({ "alias": null }),
            vec!["Error in payload.alias: Expected string, received null"],
        ),
        (
            json!({ "alias": "a\u{0}" }),
            vec!["Error in payload.alias: The text must not contain the character U+0000"],
        ),
        (
            json!({ "alias": long }),
            vec!["Error in payload.alias: String must contain at most 255 character(s)"],
        ),
        (
            json!({ "colour": 1, "user_id": "u" }),
            vec![
                "Error in payload.colour: Unrecognized key",
                "Error in payload.user_id: Unrecognized key",
            ],
        ),
        (
            json!({ "connection": null }),
            vec!["Error in payload.connection: Expected object, received null"],
        ),
        (
            json!({ "connection": {} }),
            vec!["Error in payload.connection.state: Required"],
        ),
        (
            json!({ "connection": { "state": {}, "data": {} } }),
            vec![
                "Error in payload.connection.state.authScheme: Required",
                "Error in payload.connection.state.val: Required",
                "Error in payload.connection.data: Unrecognized key",
            ],
        ),
        (
            json!({ "connection": { "state": { "authScheme": "bearer", "val": [], "x": 1 } } }),
            vec![
                &scheme,
                "Error in payload.connection.state.val: Expected object, received array",
                "Error in payload.connection.state.x: Unrecognized key",
            ],
        ),
        (
            members(
                "BEARER_TOKEN",
                json!({ "token": 1, "note": ["n"], "gone": null }),
            ),
            vec![
                "Error in payload.connection.state.val.token: Expected string, received number",
                "Error in payload.connection.state.val.note: Expected string, received array",
            ],
        ),
    ] {
        assert_invalid(&client.patch(&at(&id), body).await, &errors);
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
}

#[tokio::test]
async fn faults_of_all_parts_are_named_together_without_a_value() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = token_account(&client).await;
    let secret = canary();
    let state = json!({ "authScheme": [secret], "val": {
        "token": { "in": secret }, "note": secret, "flag": true, "nul\u{0}": "x", "long": "x".repeat(40_000),
    } });
    let body = json!({ "alias": 5, "connection": { "state": state, "user_id": secret }, "colour": secret });
    assert_invalid(
        &client.patch(&at(&id), body).await,
        &[
            "Error in payload.alias: Expected string, received number",
            "Error in payload.connection.state.authScheme: Expected string, received array",
            "Error in payload.connection.user_id: Unrecognized key",
            "Error in payload.colour: Unrecognized key",
            "Error in payload.connection.state.val.token: Expected string, received object",
            "Error in payload.connection.state.val.flag: Expected string, received boolean",
            "Error in payload.connection.state.val.nul\u{0}: The text must not contain the character U+0000",
            "Error in payload.connection.state.val.long: String must contain at most 32768 character(s)",
        ],
    );
    app.finish().await;
}

#[tokio::test]
async fn a_credential_has_bounds() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = token_account(&client).await;
    let many = |from: usize, to: usize, value: &str| -> Value {
        let members = (from..to).map(|number| (format!("key{number}"), json!(value)));
        members.collect::<serde_json::Map<_, _>>().into()
    };
    let place = "Error in payload.connection.state.val";
    let before = app.fingerprint().await;
    for (val, errors) in [
        (
            many(0, 201, "v"),
            vec![format!(
                "{place}: Array must contain at most 200 element(s)"
            )],
        ),
        (
            many(0, 200, "v"),
            vec![format!(
                "{place}: Array must contain at most 200 element(s)"
            )],
        ),
        (
            json!({ "a": "x".repeat(32_767), "b": "\u{0}", "c\u{0}": "x", "k".repeat(501): "x" }),
            vec![
                format!("{place}.a: String must contain at most 32768 character(s)"),
                format!("{place}.c\u{0}: The text must not contain the character U+0000"),
                format!(
                    "{place}.{}: String must contain at most 500 character(s)",
                    "k".repeat(501)
                ),
            ],
        ),
    ] {
        let errors: Vec<_> = errors.iter().map(String::as_str).collect();
        let reply = client.patch(&at(&id), members("BEARER_TOKEN", val)).await;
        assert_invalid(&reply, &errors);
    }
    assert_eq!(app.fingerprint().await, before);
    changed(&client, &id, members("BEARER_TOKEN", many(0, 199, "v"))).await;
    let over = client
        .patch(&at(&id), members("BEARER_TOKEN", many(199, 200, "v")))
        .await;
    assert_invalid(
        &over,
        &[&format!(
            "{place}: Array must contain at most 200 element(s)"
        )],
    );
    let large = "x".repeat(30_000);
    changed(&client, &id, members("BEARER_TOKEN", many(0, 8, &large))).await;
    let over = client
        .patch(&at(&id), members("BEARER_TOKEN", many(8, 9, &large)))
        .await;
    assert_invalid(
        &over,
        &[&format!(
            "{place}: String must contain at most 262144 character(s)"
        )],
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_of_ours_is_refused() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let Account { id, .. } = token_account(&client).await;
    let before = app.fingerprint().await;
    let deep = format!("{{\"alias\":{}1{}}}", "[".repeat(140), "]".repeat(140));
    for path in [at(&id), format!("{}/status", at(&id))] {
        for body in ["", "{", "{\"alias\":\"a\",\"alias\":\"b\"}", "NaN", &deep] {
            let reply = raw(&client, &path, "application/json", body).await;
            assert_eq!(
                told(&reply),
                (400, 10400, "HTTP_BadRequest"),
                "{}",
                reply.text
            );
            assert_eq!(reply.json["error"]["errors"].as_array().unwrap().len(), 1);
        }
        let bytes = b"{\"alias\":\"\xff\"}".to_vec();
        assert_eq!(
            told(&raw(&client, &path, "application/json", bytes).await).0,
            400
        );
        let plain = raw(&client, &path, "text/plain", "{}").await;
        assert_eq!(told(&plain), (415, 10415, "HTTP_UnsupportedMediaType"));
        let large = format!("{{\"alias\":\"{}\"}}", "x".repeat(256 * 1024));
        let large = raw(&client, &path, "application/json", large).await;
        assert_eq!(told(&large), (413, 10413, "HTTP_PayloadTooLarge"));
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn checks_come_in_their_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let reader = alice.with_scopes(&["connections:read"]).await.composio();
    let Account { id, .. } = token_account(&client).await;
    let bad = json!({ "colour": 1 });
    for what in ["", "/status"] {
        let path = |id: &str| format!("{}{what}", at(id));
        let nobody = client.request(Method::PATCH, &path("nonsense")).json(&bad);
        assert_eq!(
            told(&nobody.no_auth().send().await),
            (401, 906, "Auth_NoAuthProvided")
        );
        assert_eq!(
            told(&reader.patch(&path("nonsense"), bad.clone()).await),
            (403, 812, "APIKey_InsufficientPermissions")
        );
        let ill_formed = client.patch(&path("nonsense"), bad.clone()).await;
        assert_eq!(
            (ill_formed.status, &ill_formed.json["error"]["errors"]),
            (
                400,
                &json!(["Error in params.nanoid: Invalid connected account id"])
            )
        );
        let unknown = "ca_abcdefghijkl";
        assert_unknown(&client.patch(&path(unknown), bad.clone()).await, unknown);
        let reply = raw(&client, &path(unknown), "text/plain", "x").await;
        assert_unknown(&reply, unknown);
        assert_eq!(told(&client.patch(&path(&id), json!([])).await).0, 400);
    }
}

#[tokio::test]
async fn a_limited_key_changes_accounts_of_its_integrations_only() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (client, mallory) = (alice.composio(), app.tenant("mallory").await.composio());
    let config = config(&client, "BEARER_TOKEN").await;
    let val = json!({ "token": canary() });
    let Account { id, .. } = connected_under(&client, &config, "BEARER_TOKEN", val).await;
    let mine = alice
        .limited_to(&[integration_of(&app, &config).await])
        .await;
    let none: [String; 0] = [];
    let limited = alice.limited_to(&none).await.composio();
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for stranger in [&mallory, &limited] {
        let change = members("BEARER_TOKEN", json!({ "token": "mine" }));
        let replies = [
            stranger.patch(&at(&id), change).await,
            stranger.patch(&at(&id), json!({ "colour": 1 })).await,
            switch(stranger, &id, false).await,
            stranger.delete(&at(&id)).await,
            stranger.post(&at_3_1(&id, "/revoke"), json!({})).await,
            stranger.post(&at_3_1(&id, "/refresh"), json!({})).await,
        ];
        for reply in replies {
            assert_unknown(&reply, &id);
        }
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    changed(&mine.composio(), &id, json!({ "alias": "mine" })).await;
    app.finish().await;
}
