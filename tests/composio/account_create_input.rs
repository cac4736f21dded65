//! What is wrong with the bodies that make connected accounts: named all at once, at its place, never a value.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::account_making::{ACCOUNTS, ACCOUNTS_3_1, LINK, account, config, create};
use crate::common::{TestApp, canary};
use crate::story::{assert_invalid, told};

const WORDS: &str = "Invalid enum value. Expected 'INITIALIZING' | 'INITIATED' | 'ACTIVE'";

#[tokio::test]
async fn every_fault_of_a_new_account_is_named_at_once() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let before = app.fingerprint().await;
    let body = json!({
        "auth_config": { "id": canary() },
        "connection": {
            "state": { "authScheme": "API", "val": { "status": "REVOKED", "k": canary() } },
            "data": { "status": true },
            "user_id": "",
            "callback_url": format!("http://app.example/{}", canary()),
            "redirect_uri": 5,
            "alias": format!("{}\u{0}", canary()),
        },
        "validate_credentials": "yes",
    });
    let schemes = "'OAUTH2' | 'OAUTH1' | 'API_KEY' | 'BASIC' | 'BILLCOM_AUTH' | 'BEARER_TOKEN' | \
        'GOOGLE_SERVICE_ACCOUNT' | 'NO_AUTH' | 'BASIC_WITH_JWT' | 'CALCOM_AUTH' | 'SERVICE_ACCOUNT' | 'SAML' | \
        'DCR_OAUTH' | 'S2S_OAUTH2' | 'CIMD_OAUTH'";
    for path in [ACCOUNTS, ACCOUNTS_3_1] {
        let reply = client.post(path, body.clone()).await;
        assert_invalid(
            &reply,
            &[
                "Error in payload.auth_config.id: Invalid auth config id",
                &format!(
                    "Error in payload.connection.state.authScheme: Invalid enum value. Expected {schemes}"
                ),
                &format!("Error in payload.connection.state.val.status: {WORDS}"),
                "Error in payload.connection.data.status: Expected string, received boolean",
                "Error in payload.connection.user_id: String must contain at least 1 character(s)",
                "Error in payload.connection.callback_url: Invalid url",
                "Error in payload.connection.redirect_uri: Expected string, received number",
                "Error in payload.connection.alias: The text must not contain the character U+0000",
                "Error in payload.validate_credentials: Expected boolean, received string",
            ],
        );
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn every_fault_of_a_new_link_is_named_at_once() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let body = json!({
        "auth_config_id": null, "user_id": "a\u{0}b", "callback_url": "javascript:alert(1)",
        "connection_data": { "k".repeat(501): canary() }, "alias": "x".repeat(256),
    });
    assert_invalid(
        &client.post(LINK, body).await,
        &[
            "Error in payload.auth_config_id: Expected string, received null",
            "Error in payload.user_id: The text must not contain the character U+0000",
            "Error in payload.callback_url: Invalid url",
            &format!(
                "Error in payload.connection_data.{}: String must contain at most 500 character(s)",
                "k".repeat(501)
            ),
            "Error in payload.alias: String must contain at most 255 character(s)",
        ],
    );
    assert_invalid(
        &client.post(LINK, json!({})).await,
        &[
            "Error in payload.auth_config_id: Required",
            "Error in payload.user_id: Required",
        ],
    );
    let body = json!({ "auth_config_id": "ac_abcdefghijkl", "user_id": "u", "connection_data": { "\u{0}": canary() } });
    let line =
        "Error in payload.connection_data.\u{0}: The text must not contain the character U+0000";
    assert_invalid(&client.post(LINK, body).await, &[line]);
    let faults = ["Error in payload.connection_data: Expected object, received array"];
    let body =
        json!({ "auth_config_id": "ac_abcdefghijkl", "user_id": "u", "connection_data": [] });
    assert_invalid(&client.post(LINK, body).await, &faults);
    app.finish().await;
}

#[tokio::test]
async fn what_is_missing_or_of_another_type_is_named_at_its_place() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let id = config(&client, "API_KEY").await;
    let of = |connection: Value| json!({ "auth_config": { "id": id }, "connection": connection });
    for (body, errors) in [
        (
            json!({}),
            vec![
                "Error in payload.auth_config: Required",
                "Error in payload.connection: Required",
            ],
        ),
        (
            json!({ "auth_config": {}, "connection": 1 }),
            vec![
                "Error in payload.auth_config.id: Required",
                "Error in payload.connection: Expected object, received number",
            ],
        ),
        (
            json!([]),
            vec!["Error in payload: Expected object, received array"],
        ),
        (
            of(json!({ "state": null, "data": [] })),
            vec![
                "Error in payload.connection.state: Expected object, received null",
                "Error in payload.connection.data: Expected object, received array",
            ],
        ),
        (
            of(json!({ "state": { "authScheme": null, "val": "x" } })),
            vec![
                "Error in payload.connection.state.authScheme: Expected string, received null",
                "Error in payload.connection.state.val: Expected object, received string",
            ],
        ),
        (
            of(
                json!({ "user_id": "u".repeat(2049), "alias": "", "callback_url": "u".repeat(2049) }),
            ),
            vec![
                "Error in payload.connection.user_id: String must contain at most 2048 character(s)",
                "Error in payload.connection.callback_url: String must contain at most 2048 character(s)",
                "Error in payload.connection.alias: String must contain at least 1 character(s)",
            ],
        ),
        (
            of(
                json!({ "user_id": null, "alias": null, "callback_url": null, "redirect_uri": null }),
            ),
            vec![
                "Error in payload.connection.user_id: Expected string, received null",
                "Error in payload.connection.callback_url: Expected string, received null",
                "Error in payload.connection.redirect_uri: Expected string, received null",
                "Error in payload.connection.alias: Expected string, received null",
            ],
        ),
    ] {
        assert_invalid(&client.post(ACCOUNTS, body).await, &errors);
    }
    assert_eq!(app.count("connections").await, 0);
}

#[tokio::test]
async fn a_connection_that_has_ended_is_not_made() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    for status in ["FAILED", "EXPIRED", "INACTIVE", "REVOKED", "active", ""] {
        let val = json!({ "status": status, "access_token": canary() });
        let line = format!("Error in payload.connection.state.val.status: {WORDS}");
        assert_invalid(
            &client.post(ACCOUNTS, account(&config, "OAUTH2", val)).await,
            &[&line],
        );
    }
    assert_eq!(app.count("connections").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_credential_has_at_most_200_members_of_32_kib() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let many = |from: usize, to: usize| -> Value {
        (from..to)
            .map(|n| (format!("k{n}"), json!("v")))
            .collect::<Map<_, _>>()
            .into()
    };
    let of = |val: Value, data: Value| json!({ "auth_config": { "id": config }, "connection": { "state": { "val": val }, "data": data } });
    let long = json!({ "long": "x".repeat(32 * 1024 - 1) });
    for (body, error) in [
        (
            of(many(0, 201), json!({})),
            "state.val: Array must contain at most 200 element(s)",
        ),
        (
            of(json!({}), many(0, 201)),
            "data: Array must contain at most 200 element(s)",
        ),
        (
            of(many(0, 150), many(100, 201)),
            "state: Array must contain at most 200 element(s)",
        ),
        (
            of(long.clone(), json!({})),
            "state.val.long: String must contain at most 32768 character(s)",
        ),
        (
            of(json!({}), long),
            "data.long: String must contain at most 32768 character(s)",
        ),
    ] {
        let line = format!("Error in payload.connection.{error}");
        assert_invalid(&client.post(ACCOUNTS, body).await, &[&line]);
    }
    assert_eq!(app.count("connections").await, 0);
    let mut most = many(0, 100);
    most["k0"] = json!("x".repeat(32 * 1024 - 2));
    most["api_key"] = json!("k");
    create(&client, of(most, many(50, 199))).await;
}

#[tokio::test]
async fn an_unreadable_body_is_refused_in_this_dialect() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for path in [ACCOUNTS, LINK] {
        for (kind, body, expected) in [
            ("application/json", "", (400, 10400, "HTTP_BadRequest")),
            ("application/json", "{", (400, 10400, "HTTP_BadRequest")),
            (
                "application/json",
                "{\"connection\":{\"data\":{\"a\":1,\"a\":2}}}",
                (400, 10400, "HTTP_BadRequest"),
            ),
            (
                "text/plain",
                "{}",
                (415, 10415, "HTTP_UnsupportedMediaType"),
            ),
        ] {
            let request = client
                .request(Method::POST, path)
                .header("content-type", kind);
            assert_eq!(
                told(&request.body(body).send().await),
                expected,
                "{path} {body}"
            );
        }
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024));
        let request = client
            .request(Method::POST, path)
            .header("content-type", "application/json");
        assert_eq!(
            told(&request.body(long).send().await),
            (413, 10413, "HTTP_PayloadTooLarge")
        );
    }
}
