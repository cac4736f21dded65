//! HTTP/1.1 and HTTP/2 with prior knowledge on one port.

use keyway::http::serve;
use reqwest::Version;
use serde_json::{Value, json};

use crate::common::TestApp;

#[tokio::test]
async fn http_2_with_prior_knowledge_and_http_1_are_answered_alike() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let http2 = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();

    let over_1 = alice.composio().get("/api/v3/auth_configs").await;
    let request = http2
        .get(format!("{}/api/v3/auth_configs", app.url()))
        .header("x-api-key", &alice.key);
    let over_2 = request.send().await.unwrap();

    assert_eq!(
        (over_2.version(), over_2.status().as_u16()),
        (Version::HTTP_2, 200)
    );
    assert_eq!(over_2.json::<Value>().await.unwrap(), over_1.json);
    app.finish().await;
}

#[tokio::test]
async fn http_2_paths_know_their_dialect() {
    let app = TestApp::start().await;
    let http2 = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge()
        .build()
        .unwrap();

    let reply = http2
        .get(format!("{}/integrations/v1/nothing/at/all", app.url()))
        .send()
        .await
        .unwrap();

    assert_eq!(reply.status().as_u16(), 404);
    assert_eq!(
        reply.json::<Value>().await.unwrap(),
        json!({ "message": "No such endpoint" })
    );
    app.finish().await;
}

/// More than a head may have: refused by the server itself, before any dialect.
#[tokio::test]
async fn a_head_beyond_the_bound_is_refused() {
    let app = TestApp::start().await;
    let large = "x".repeat(serve::Limits::default().head_bytes as usize + 1);

    let request = app
        .anonymous()
        .request(reqwest::Method::GET, "/livez")
        .header("x-large", &large);

    assert_eq!(request.send().await.status, 431);
    app.finish().await;
}
