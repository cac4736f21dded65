//! Request ids, headers, spans; panics and time-outs as failures in each dialect's words.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;
use keyway::http::{layers, serve};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::common::client::{Client, Line, Reply};
use crate::common::{TestApp, logs};

const PREFIXES: [&str; 3] = ["", "/api/v3", "/integrations/v1"];

/// A server of handlers that fail, with the layers of the real one. It ends with the test's runtime.
async fn failing(request_timeout: Duration) -> Client {
    logs::capture();
    let router = PREFIXES.iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/panic"), get(panics))
            .route(&format!("{prefix}/slow"), get(sleeps))
            .route(&format!("{prefix}/patient"), get(sleeps_with_leave))
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = Line::new(listener.local_addr().unwrap());
    let service = layers::all(router, request_timeout);
    let forever = std::future::pending();
    tokio::spawn(serve::serve(
        listener,
        service,
        forever,
        serve::Limits::default(),
    ));
    Client::new(line.into(), None)
}

async fn panics() {
    panic!("a secret that must not be shown: {}", "hunter2");
}

async fn sleeps() {
    tokio::time::sleep(Duration::from_secs(20)).await;
}

async fn sleeps_with_leave(_: layers::Within<5>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(600)).await;
    "done"
}

fn message(reply: &Reply) -> &Value {
    let pointers = ["/detail", "/error/message", "/message"];
    pointers
        .iter()
        .find_map(|pointer| reply.json.pointer(pointer))
        .unwrap()
}

#[tokio::test]
async fn a_panic_is_an_internal_error_of_its_dialect_and_its_message_stays_inside() {
    let client = failing(Duration::from_secs(5)).await;

    for (prefix, expected) in PREFIXES.iter().zip([
        "Internal Server Error",
        "Internal server error",
        "Internal server error",
    ]) {
        let reply = client.get(&format!("{prefix}/panic")).await;
        assert_eq!(
            (reply.status, message(&reply)),
            (500, &json!(expected)),
            "{prefix}"
        );
        assert!(!reply.text.contains("hunter2"));
        let events = logs::of_request(reply.header("x-request-id"));
        let error = events
            .iter()
            .find(|event| event["level"] == "ERROR")
            .unwrap();
        assert_eq!(
            (&error["message"], &error["cause"]),
            (&json!("internal error"), &json!("a handler panicked"))
        );
    }
    assert!(!logs::since(0).contains("hunter2"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_in_its_dialect() {
    let client = failing(Duration::from_millis(300)).await;

    for (prefix, status) in PREFIXES.iter().zip([504, 503, 503]) {
        let begun = Instant::now();
        let reply = client.get(&format!("{prefix}/slow")).await;
        assert_eq!(reply.status, status, "{prefix}: {}", reply.text);
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(message(&reply).is_string());
    }
}

#[tokio::test]
async fn a_handler_may_take_longer_when_it_says_so() {
    let client = failing(Duration::from_millis(300)).await;

    assert_eq!(client.get("/patient").await.text, "done");
}

#[tokio::test]
async fn the_callers_request_id_is_taken_where_it_is_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let paths = [
        "/livez",
        "/docs/",
        "/openapi/klavis.json",
        "/nothing",
        "/api/v3/auth_configs",
        "/integrations/v1/x",
    ];

    for path in paths {
        for id in [
            "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        ] {
            let reply = alice
                .composio()
                .request(Method::GET, path)
                .header("x-request-id", id)
                .send()
                .await;
            assert_eq!(reply.header("x-request-id"), id, "{path}");
        }
        for other in [
            "",
            "1",
            "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}",
            "0f1e2d3c4b5a69788796a5b4c3d2e1fg",
        ] {
            let reply = alice
                .composio()
                .request(Method::GET, path)
                .header("x-request-id", other)
                .send()
                .await;
            let made = reply.header("x-request-id");
            assert!(
                made != other && uuid::Uuid::try_parse(made).is_ok(),
                "{path} {other}: {made}"
            );
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn the_request_id_is_in_the_audit_log() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({ "name": "Audited" }))
        .await;

    let id = made.header("x-request-id");
    // The integration, and the auth config that it begins with.
    assert_eq!(
        app.count(&format!("audit_log WHERE request_id = '{id}'"))
            .await,
        2
    );
    app.finish().await;
}

#[tokio::test]
async fn answers_are_neither_stored_nor_guessed_at() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    for path in ["/livez", "/readyz", "/nothing", "/api/v3/auth_configs"] {
        let reply = alice.composio().get(path).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_request_is_one_line_of_log_with_its_route_and_tenant_and_nothing_it_carried() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (word, id) = ("Sesame4711", "ac_abcdefghijkl");

    let path = format!("/api/v3.1/auth_configs/{id}?show={word}");
    let request = alice
        .composio()
        .request(Method::PATCH, &path)
        .header("x-note", word);
    let reply = request.json(json!({ "note": word })).send().await;

    assert_eq!(reply.status, 404, "{}", reply.text);
    let events = logs::of_request(reply.header("x-request-id"));
    let answered: Vec<_> = events
        .iter()
        .filter(|event| event["message"] == "answered")
        .collect();
    assert_eq!(answered.len(), 1, "{events:#?}");
    let span = &answered[0]["span"];
    assert_eq!(span["dialect"], "composio");
    assert_eq!(span["method"], "PATCH");
    assert_eq!(span["route"], "/api/v3.1/auth_configs/{nanoid}");
    assert_eq!(span["status"], 404);
    assert_eq!(span["tenant"], alice.id.to_string());
    assert!(span["duration_ms"].as_f64().unwrap() > 0.0);
    let log = app.logs();
    assert!(!log.contains(word) && !log.contains(id), "{log}");
    app.finish().await;
}
