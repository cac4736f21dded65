//! Leaving in order.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::place::Place;
use crate::program::keyway;

#[tokio::test]
async fn a_request_that_runs_at_sigterm_is_finished() {
    let place = Place::new();
    let mut server = keyway("").on(&place).serve(&place).await;
    let body = json!({ "serverName": "Stripe", "userId": "late" }).to_string();
    let (first, rest) = body.split_at(10);
    let head = format!(
        "POST /mcp-server/instance/create HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{first}",
        server.shown_key(),
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(200)).await;

    server.signal(Signal::TERM);
    sleep(Duration::from_millis(300)).await;
    let refused = TcpStream::connect(server.address).await;
    assert!(refused.is_err(), "it takes no more connections");
    stream.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("instanceId"), "{answer}");
    assert_eq!(server.ended().await, 0);
    assert!(!place.has_postgres());
    let postgres = place.postgres().await;
    let kept = place.stored().count("connections").await;
    assert_eq!(kept, 1);
    postgres.stop().await.unwrap();
}

#[tokio::test]
async fn idle_and_silent_connections_do_not_hold_it_up() {
    let place = Place::new();
    let mut server = keyway("").on(&place).serve(&place).await;
    let silent = TcpStream::connect(server.address).await.unwrap();
    let client = server.client("");
    assert_eq!(client.get("/livez").await.status, 200);
    let begun = Instant::now();
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await, 0);
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    drop(silent);
}

#[tokio::test]
async fn a_database_that_dies_for_good_ends_the_server_with_a_failure() {
    let place = Place::new();
    let mut server = keyway("").on(&place).serve(&place).await;
    let guard = children_of(server.pid().as_raw_nonzero().get());
    let [guard] = guard.as_slice() else {
        panic!("one guard: {guard:?}");
    };
    let guard = rustix::process::Pid::from_raw(*guard).unwrap();
    rustix::process::kill_process(guard, Signal::KILL).unwrap();
    assert_eq!(server.ended().await, 1);
    let said = server.logs();
    assert!(
        said.contains("the guard process of the embedded Postgres ended unexpectedly"),
        "{said}"
    );
}

/// The processes that this one has started.
pub fn children_of(parent: i32) -> Vec<i32> {
    let mut children = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{parent}/task")).unwrap() {
        let listed = std::fs::read_to_string(task.unwrap().path().join("children")).unwrap();
        children.extend(
            listed
                .split_whitespace()
                .map(|pid| pid.parse::<i32>().unwrap()),
        );
    }
    children
}
