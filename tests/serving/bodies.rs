//! Bodies that are too large or too slow.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;

const LIMIT: usize = 256 * 1024;

/// Method, path and what a body that is too large is answered with, in each dialect.
fn too_large() -> [(Method, &'static str, &'static str, Value); 3] {
    [
        (
            Method::POST,
            "/mcp-server/instance/set-auth",
            "/detail",
            json!("Request body too large"),
        ),
        (
            Method::POST,
            "/api/v3/auth_configs",
            "/error/code",
            json!(10413),
        ),
        (
            Method::POST,
            "/integrations/v1/create",
            "/message",
            json!("The request body is larger than 262144 bytes"),
        ),
    ]
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_by_its_length_and_in_chunks() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;

    for (method, path, pointer, expected) in too_large() {
        let client = if path.starts_with("/api/v3") {
            alice.composio()
        } else {
            alice.klavis()
        };
        for chunked in [false, true] {
            let bytes = vec![b' '; LIMIT + 1];
            let body = if chunked {
                let frames: Vec<_> = bytes
                    .chunks(60_000)
                    .map(frame)
                    .map(Ok::<_, Infallible>)
                    .collect();
                reqwest::Body::wrap(StreamBody::new(futures_util::stream::iter(frames)))
            } else {
                bytes.into()
            };
            let request = client
                .request(method.clone(), path)
                .header("content-type", "application/json");
            let reply = request.body(body).send().await;
            assert_eq!(reply.status, 413, "{path}: {}", reply.text);
            assert_eq!(
                reply.json.pointer(pointer),
                Some(&expected),
                "{path}: {}",
                reply.text
            );
        }
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

fn frame(bytes: &[u8]) -> Frame<Bytes> {
    Frame::data(Bytes::copy_from_slice(bytes))
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let mut body = json!({ "name": "Exactly as large as it may be" }).to_string();
    body.push_str(&" ".repeat(LIMIT - body.len()));
    let request = alice
        .langdock()
        .request(Method::POST, "/integrations/v1/create");
    let reply = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;

    assert_eq!(reply.status, 201, "{}", reply.text);
    app.finish().await;
}

/// 15 s, the promised bound, in each dialect at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_does_not_arrive_is_answered_in_time() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let slow = too_large().map(|(method, path, _, _)| {
        let (address, key) = (app.address(), alice.key.clone());
        tokio::task::spawn_blocking(move || {
            let auth = if path.starts_with("/api/v3") {
                format!("x-api-key: {key}")
            } else {
                format!("authorization: Bearer {key}")
            };
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: a\r\n{auth}\r\ncontent-type: application/json\r\n\
                 connection: close\r\ncontent-length: 100\r\n\r\n{{"
            );
            let mut stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(25))).unwrap();
            let begun = Instant::now();
            stream.write_all(head.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            (path, begun.elapsed(), answer)
        })
    });
    for slow in slow {
        let (path, took, answer) = slow.await.unwrap();
        assert!(
            took > Duration::from_secs(14) && took < Duration::from_secs(19),
            "{path}: {took:?}"
        );
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        assert!(answer.contains("x-request-id: "), "{path}: {answer}");
    }
    app.finish().await;
}
