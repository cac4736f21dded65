//! The 429 of each dialect: its exact words and headers, sent before the body is read and without being lost.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use keyway::domain::RateLimits;
use keyway::http::{DIALECTS, openapi_json};
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

/// A server that takes one request of a key; the next one comes a minute later.
async fn one_a_minute() -> TestApp {
    let key = Some("1/m".parse().unwrap());
    TestApp::start_limited(RateLimits { key, tenant: None }).await
}

/// The headers of an answer that speak of the limit.
fn of_the_limit(reply: &Reply) -> Vec<(&str, &str)> {
    let told = |name: &str| name.contains("ratelimit") || name == "x-should-retry";
    let names = reply
        .headers
        .keys()
        .map(reqwest::header::HeaderName::as_str);
    let mut headers: Vec<_> = names
        .filter(|name| told(name))
        .map(|name| (name, reply.header(name)))
        .collect();
    headers.sort_unstable();
    headers
}

/// Seconds until the next request, which is somewhat less than a minute after the first.
fn retry_after(reply: &Reply) -> &str {
    assert_eq!(reply.status, 429, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    let text = reply.header("retry-after");
    assert!((1..=60).contains(&text.parse::<u32>().unwrap()), "{text}");
    text
}

#[tokio::test]
async fn klavis_says_detail_and_when_to_come_again() {
    let app = one_a_minute().await;
    let client = app.tenant("alice").await.klavis();
    let path = "/mcp-server/instance/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
    let first = client.get(path).await;
    assert_eq!((first.status, first.header("retry-after")), (404, ""));

    let refused = client.get(path).await;
    retry_after(&refused);
    assert_eq!(refused.text, r#"{"detail":"Rate limit exceeded"}"#);
    assert_eq!(of_the_limit(&refused), []);
    app.finish().await;
}

#[tokio::test]
async fn composio_says_the_limit_without_its_envelope() {
    let app = one_a_minute().await;
    let client = app.tenant("alice").await.composio();
    let first = client.get("/api/v3/auth_configs").await;
    assert_eq!((first.status, first.header("retry-after")), (200, ""));
    assert_eq!(of_the_limit(&first), []);

    for prefix in ["/api/v3", "/api/v3.1"] {
        let refused = client.get(&format!("{prefix}/auth_configs")).await;
        retry_after(&refused);
        assert_eq!(
            refused.text,
            r#"{"message":"Rate limit exceeded. Limit: 1 requests per 1 minutes"}"#
        );
        assert_eq!(
            of_the_limit(&refused),
            [
                ("x-ratelimit", "1"),
                ("x-ratelimit-remaining", "0"),
                ("x-ratelimit-window-size", "60s"),
            ]
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn langdock_says_a_message_and_the_policy() {
    let app = one_a_minute().await;
    let client = app.tenant("alice").await.langdock();
    let path = "/integrations/v1/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
    let first = client.get(path).await;
    assert_eq!((first.status, first.header("retry-after")), (404, ""));
    assert_eq!(of_the_limit(&first), []);

    for prefix in ["", "/api/public"] {
        let refused = client.get(&format!("{prefix}{path}")).await;
        let wait = retry_after(&refused);
        assert_eq!(refused.text, r#"{"message":"Rate limit exceeded"}"#);
        let standing = format!("\"key\";r=0;t={wait}");
        assert_eq!(
            of_the_limit(&refused),
            [
                ("ratelimit", standing.as_str()),
                ("ratelimit-policy", "\"key\";q=1;w=60"),
            ]
        );
    }
    app.finish().await;
}

/// A change in each dialect: path, and the header that carries the key.
fn changes(tenant: &Tenant) -> [(&'static str, String); 3] {
    let bearer = format!("authorization: Bearer {}", tenant.key);
    [
        ("/mcp-server/instance/set-auth", bearer.clone()),
        ("/api/v3/auth_configs", format!("x-api-key: {}", tenant.key)),
        ("/integrations/v1/create", bearer),
    ]
}

/// Sends the head of a request whose body has `length` bytes, and as much of the body; what is answered.
fn exchange(address: SocketAddr, path: &str, key: &str, length: usize, body: &[u8]) -> String {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\n{key}\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(address).unwrap();
    // A server that waited for the body would answer after 15 s, and not with this.
    stream
        .set_read_timeout(Some(Duration::from_secs(12)))
        .unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_waits_for_no_body_and_is_not_lost_to_one() {
    let app = one_a_minute().await;
    let alice = app.tenant("alice").await;
    let path = "/mcp-server/instance/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
    assert_eq!(alice.klavis().get(path).await.status, 404);
    let before = app.fingerprint().await;

    for (path, key) in changes(&alice) {
        // None of the body, then as much as a server takes, then more than it would ever take.
        for (length, sent) in [(100, 0), (200_000, 200_000), (900_000, 900_000)] {
            let (address, key) = (app.address(), key.clone());
            let asked = tokio::task::spawn_blocking(move || {
                exchange(address, path, &key, length, &vec![b' '; sent])
            });
            let answer = asked.await.unwrap();
            assert!(
                answer.starts_with("HTTP/1.1 429 "),
                "{path} {length}: {answer}"
            );
            assert!(answer.contains("\r\nretry-after: "), "{answer}");
            assert!(answer.contains("Rate limit exceeded"), "{answer}");
        }
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[test]
fn every_operation_documents_its_429() {
    for dialect in DIALECTS {
        let document: Value = serde_json::from_str(&openapi_json(dialect.name).unwrap()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().iter();
            methods
                .filter(|(method, _)| {
                    ["get", "post", "put", "patch", "delete"].contains(&method.as_str())
                })
                .map(move |(method, operation)| (path, method, operation))
        });
        for (path, method, operation) in operations {
            // Without a key nobody is counted.
            if operation["security"] == json!([]) || operation["security"] == json!([{}]) {
                continue;
            }
            let headers = &operation["responses"]["429"]["headers"];
            let named = headers.as_object().is_some_and(|headers| {
                headers
                    .keys()
                    .any(|name| name.eq_ignore_ascii_case("retry-after"))
            });
            assert!(named, "{} {method} {path}", dialect.name);
        }
    }
}
