//! Who may do what, and in which order the checks speak.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Client;
use crate::stories::{CREATE, PREFIXES, UNKNOWN, auth_path, integration, invalid, path};

fn message(text: &str) -> Value {
    json!({"message": text})
}

const BROWSER: &str = "Requests from browsers are blocked to protect your API key";

fn insufficient() -> Value {
    json!({
        "error": "INSUFFICIENT_SCOPES",
        "message": "This API key lacks the scope INTEGRATION_API",
        "details": {"missing": ["INTEGRATION_API"]},
    })
}

/// Each check is reached only when the one before it is passed: every request is wrong in all the later ways too.
#[tokio::test]
async fn the_checks_speak_in_their_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let scopeless = alice.with_scopes(&["connections:read"]).await;
    let limited = alice.limited_to(&[UNKNOWN]).await;
    let before = app.fingerprint().await;
    let ask = |client: Client, id: &'static str, header: &'static str| {
        let request = client
            .request(Method::PATCH, &auth_path(id))
            .json(json!({"authType": 7}));
        if header.is_empty() {
            request
        } else {
            request.header(header, "https://a.example")
        }
    };
    let id: &'static str = Box::leak(id.into_boxed_str());

    for (request, status, body) in [
        (ask(app.anonymous(), "x", "origin"), 403, message(BROWSER)),
        (
            ask(app.anonymous(), "x", ""),
            401,
            message("Invalid or missing API key"),
        ),
        (ask(scopeless.langdock(), "x", ""), 403, insufficient()),
        (
            ask(limited.langdock(), "x", ""),
            400,
            message("Invalid integration ID format"),
        ),
        (
            ask(limited.langdock(), UNKNOWN, ""),
            404,
            message("Integration not found"),
        ),
        (
            ask(limited.langdock(), id, ""),
            403,
            message("No access to this integration"),
        ),
    ] {
        let reply = request.send().await;
        assert_eq!((reply.status, reply.json), (status, body));
    }
    let reply = ask(alice.langdock(), id, "").send().await;
    let problem = (json!(["authType"]), "must be a string, not number");
    assert_eq!((reply.status, reply.json), (400, invalid(&[problem])));
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn browsers_are_refused_and_node_is_not() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    for prefix in PREFIXES {
        let ask = || {
            alice
                .langdock()
                .request(Method::GET, &format!("{prefix}/{id}"))
        };
        for (name, value) in [
            ("origin", "https://app.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-origin"),
        ] {
            let reply = ask().header(name, value).send().await;
            assert_eq!(
                (reply.status, reply.json),
                (403, message(BROWSER)),
                "{name}: {value}"
            );
        }
        assert_eq!(
            ask().header("sec-fetch-mode", "cors").send().await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_preflight_gets_no_permission() {
    let app = TestApp::start().await;
    for path in [
        CREATE,
        "/api/public/integrations/v1/create",
        &auth_path(UNKNOWN),
    ] {
        let preflight = app
            .anonymous()
            .request(Method::OPTIONS, path)
            .header("origin", "https://app.example");
        let reply = preflight
            .header("access-control-request-method", "PATCH")
            .send()
            .await;
        assert_eq!((reply.status, &reply.json), (403, &message(BROWSER)));
        let allows = reply
            .headers
            .keys()
            .filter(|name| name.as_str().starts_with("access-control-"))
            .count();
        assert_eq!(allows, 0, "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn another_tenants_integration_is_as_unknown_as_none() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let id = integration(&alice, "Acme CRM").await;
    let before = app.fingerprint().await;
    for id in [id.as_str(), UNKNOWN] {
        let read = mallory.langdock().get(&path(id)).await;
        let change = mallory
            .langdock()
            .patch(&auth_path(id), json!({"authType": "API_KEY"}))
            .await;
        for reply in [read, change] {
            assert_eq!(
                (reply.status, reply.json),
                (404, message("Integration not found"))
            );
        }
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_limited_key_uses_its_integrations_and_makes_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (own, other) = (
        integration(&alice, "Own").await,
        integration(&alice, "Other").await,
    );
    let limited = alice.limited_to(&[&own]).await;

    assert_eq!(limited.langdock().get(&path(&own)).await.status, 200);
    assert_eq!(
        limited
            .langdock()
            .patch(&auth_path(&own), json!({"authType": "API_KEY"}))
            .await
            .status,
        200
    );
    for reply in [
        limited.langdock().get(&path(&other)).await,
        limited
            .langdock()
            .patch(&auth_path(&other), json!({"authType": "API_KEY"}))
            .await,
    ] {
        assert_eq!(
            (reply.status, reply.json),
            (403, message("No access to this integration"))
        );
    }
    let made = limited.langdock().post(CREATE, json!({})).await;
    assert_eq!(made.status, 403, "{}", made.text);
    assert_eq!(app.count("integrations").await, 2);
}

#[tokio::test]
async fn a_key_that_is_none_any_more_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let expired = alice.with_expiry_passed().await;
    let ask = |value: &str| {
        app.anonymous()
            .request(Method::GET, &path(&id))
            .header("authorization", value)
            .send()
    };
    for reply in [
        expired.langdock().get(&path(&id)).await,
        app.anonymous().get(&path(&id)).await,
        ask("Bearer nonsense").await,
        ask("Basic nonsense").await,
        app.anonymous()
            .request(Method::GET, &path(&id))
            .header("x-api-key", &alice.key)
            .send()
            .await,
    ] {
        assert_eq!(
            (reply.status, &reply.json),
            (401, &message("Invalid or missing API key"))
        );
        assert_eq!(reply.header("www-authenticate"), "Bearer");
    }
}

#[tokio::test]
async fn every_endpoint_needs_the_scope() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let other = alice
        .with_scopes(&["ASSISTANT_API", "auth_configs:write", "credentials:read"])
        .await;
    let only = alice.with_scopes(&["INTEGRATION_API"]).await;
    for (method, path) in [
        (Method::POST, CREATE),
        (Method::GET, &path(&id)),
        (Method::PATCH, &auth_path(&id)),
    ] {
        let body = json!({"name": "Another", "authType": "NONE"});
        let reply = other
            .langdock()
            .request(method.clone(), path)
            .json(body.clone())
            .send()
            .await;
        assert_eq!((reply.status, reply.json), (403, insufficient()));
        let reply = only
            .langdock()
            .request(method, path)
            .json(body)
            .send()
            .await;
        assert!(matches!(reply.status, 200 | 201), "{}", reply.text);
    }
}

#[tokio::test]
async fn what_is_not_there_speaks_the_dialect() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for prefix in PREFIXES {
        let reply = alice.langdock().get(&format!("{prefix}/a/b/c/d")).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, message("No such endpoint"))
        );
        let reply = alice
            .langdock()
            .delete(&format!("{prefix}/{UNKNOWN}/auth"))
            .await;
        assert_eq!(
            (reply.status, &reply.json),
            (405, &message("Method not allowed"))
        );
        assert_eq!(reply.header("allow"), "PATCH");
    }
    for id in [
        "x",
        "550e8400",
        "550e8400-e29b-41d4-a716-44665544000g",
        "%ff",
        "urn:uuid:550e8400-e29b-41d4-a716-446655440000",
    ] {
        let reply = alice.langdock().get(&path(id)).await;
        assert_eq!(
            (reply.status, reply.json),
            (400, message("Invalid integration ID format")),
            "{id}"
        );
    }
}
