//! Credentials of users that are not stored: what is said, and that nothing is made.

use http::Method;
use serde_json::json;

use crate::common::{TestApp, canary};
use crate::stories::instance;
use crate::user_auth::{SET_AUTH, answered, own, saved, set, status};

#[tokio::test]
async fn where_nothing_is_stored_nothing_is_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let fields = json!([{"slug": "key", "label": "Key", "type": "PASSWORD", "required": true},
        {"slug": "port", "label": "Port", "type": "NUMBER", "required": true}]);
    own(
        &alice,
        "Strict",
        json!({"authType": "API_KEY", "authFields": fields}),
    )
    .await;
    own(&alice, "Open", json!({"authType": "NONE"})).await;
    own(&alice, "Off", json!({"authType": "API_KEY"})).await;
    app.execute(
        "UPDATE auth_configs SET enabled = false WHERE integration_id =
            (SELECT integration_id FROM integrations WHERE slug = 'off')",
    )
    .await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let data = ["body", "authData", "GeneralAuth", "data"];
    let missing = |slug: &str| {
        let loc = [&data[..], &[slug]].concat();
        json!({"type": "missing", "loc": loc, "msg": "Field required"})
    };
    for (service, auth_data, code) in [
        ("Slack", json!({}), 200),
        ("Slack", json!({"token": ""}), 200),
        ("Slack", json!({"data": {"a": null}}), 200),
        ("Hacker News", json!({"token": "t"}), 200),
        ("Open", json!({"token": "t"}), 200),
        ("Strict", json!({}), 200),
        ("Strict", json!({"token": "t"}), 422),
        ("Off", json!({"token": "t"}), 403),
        ("Nowhere", json!({"token": "t"}), 422),
    ] {
        let reply = set(&alice, "u1", service, auth_data).await;
        assert_eq!(reply.status, code, "{service}: {}", reply.text);
        match code {
            200 => assert_eq!(reply.json["success"], false, "{service}"),
            403 => assert_eq!(reply.json, json!({"detail": "Auth config is disabled"})),
            _ => assert!(reply.json["detail"].is_array()),
        }
    }
    let reply = set(&alice, "u1", "Strict", json!({"data": {"port": "x"}})).await;
    let no_number = json!({
        "type": "float_parsing", "loc": [data[0], data[1], data[2], data[3], "port"],
        "msg": "Input should be a valid number, unable to parse string as a number",
    });
    assert_eq!(
        status(reply),
        (422, json!({"detail": [missing("key"), no_number]}))
    );
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );

    // On a connection that is there, the same rules hold, but for the disabled config.
    app.execute("UPDATE auth_configs SET enabled = true").await;
    for service in ["Strict", "Open", "Off", "Slack"] {
        instance(&alice, service, "u1").await;
    }
    app.execute("UPDATE auth_configs SET enabled = false").await;
    assert_eq!(
        status(set(&alice, "u1", "Off", json!({"token": "t"})).await),
        saved()
    );
    let before = app.fingerprint().await;
    let reply = set(&alice, "u1", "Strict", json!({"data": {"port": 1}})).await;
    assert_eq!(status(reply), (422, json!({"detail": [missing("key")]})));
    for (service, auth_data) in [
        ("Open", json!({"token": "t"})),
        ("Off", json!({})),
        ("Slack", json!({})),
    ] {
        let reply = set(&alice, "u1", service, auth_data).await;
        assert_eq!((reply.status, &reply.json["success"]), (200, &json!(false)));
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_in_declared_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let secret = canary();
    let body = json!({
        "authData": {"data": secret, "z": 1}, "more": 1, "serverName": "Nowhere", "userId": "\u{0}",
    });
    let before = app.fingerprint().await;

    let reply = alice.klavis().post(SET_AUTH, body).await;

    let found: Vec<_> = reply.json["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["type"].as_str().unwrap(), item["loc"].to_string()))
        .collect();
    assert_eq!(reply.status, 422);
    let expected = [
        ("value_error", json!(["body", "userId"])),
        ("enum", json!(["body", "serverName"])),
        (
            "extra_forbidden",
            json!(["body", "authData", "ApiKeyAuth", "data"]),
        ),
        (
            "extra_forbidden",
            json!(["body", "authData", "ApiKeyAuth", "z"]),
        ),
        (
            "dict_type",
            json!(["body", "authData", "GeneralAuth", "data"]),
        ),
        (
            "extra_forbidden",
            json!(["body", "authData", "GeneralAuth", "z"]),
        ),
    ];
    assert_eq!(found, expected.map(|(kind, loc)| (kind, loc.to_string())));
    for (body, kind) in [
        (
            json!({"userId": null, "serverName": "Slack", "authData": {}}),
            "string_type",
        ),
        (
            json!({"userId": "", "serverName": "Slack", "authData": {}}),
            "string_too_short",
        ),
        (
            json!({"userId": "u", "serverName": 1, "authData": {}}),
            "enum",
        ),
        (
            json!({"userId": "u", "serverName": "Sl\u{0}ack", "authData": {}}),
            "enum",
        ),
        (json!([]), "model_attributes_type"),
    ] {
        let reply = alice.klavis().post(SET_AUTH, body).await;
        assert_eq!(
            (reply.status, &reply.json["detail"][0]["type"]),
            (422, &json!(kind))
        );
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_user_or_server_that_is_not_known_is_said_so() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    instance(&alice, "Slack", "u1").await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for method in [Method::GET, Method::DELETE] {
        let unknown = answered(&alice, method.clone(), "/user/u2/auth/Slack").await;
        assert_eq!(unknown, (404, json!({"detail": "User not found"})));
        for name in ["Nowhere", "%00", "Sl%00ack", "%20", "%FF"] {
            for user in ["u1", "u2"] {
                let reply =
                    answered(&alice, method.clone(), &format!("/user/{user}/auth/{name}")).await;
                let item = &reply.1["detail"][0];
                assert_eq!(
                    (reply.0, &item["type"], &item["loc"]),
                    (422, &json!("enum"), &json!(["path", "serverName"])),
                    "{name}"
                );
            }
        }
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
}

#[tokio::test]
async fn a_limited_key_sets_what_it_is_limited_to_and_no_more() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let acme = own(&alice, "Acme", json!({"authType": "API_KEY"})).await;
    own(&alice, "Other", json!({"authType": "API_KEY"})).await;
    let limited = alice.limited_to(&[&acme]).await;

    assert_eq!(
        status(set(&limited, "u1", "Acme", json!({"token": "t"})).await),
        saved()
    );

    let before = app.fingerprint().await;
    for service in ["Other", "Slack", "Nowhere"] {
        let reply = set(&limited, "u1", service, json!({"token": "t"})).await;
        assert_eq!(
            (reply.status, &reply.json["detail"][0]["type"]),
            (422, &json!("enum")),
            "{service}"
        );
        let reply = answered(&limited, Method::GET, &format!("/user/u1/auth/{service}")).await;
        assert_eq!(reply.0, 422, "{service}");
    }
    assert_eq!(app.fingerprint().await, before);
    let reply = answered(&limited, Method::DELETE, "/user/u1/auth/Acme").await;
    assert_eq!(reply.0, 200);
}
