//! kill −9 in the middle of writes: what was acknowledged is there, with its audit row, whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::common::client::{Client, Reply};
use crate::place::Place;
use crate::program::{Server, keyway};

const KILLS: u64 = 5;
const WRITERS: usize = 8;

/// What one writer knows of its instance. Values grow: 1, 2, 3 …
struct Ledger {
    instance: String,
    sent: AtomicU64,
    acknowledged: AtomicU64,
    acknowledgements: AtomicU64,
}

async fn make(client: &Client, user: usize) -> Ledger {
    let body = json!({ "serverName": "Stripe", "userId": format!("user {user}") });
    let made = client.post("/mcp-server/instance/create", body).await;
    Ledger {
        instance: made.json["instanceId"].as_str().unwrap().to_owned(),
        sent: AtomicU64::new(0),
        acknowledged: AtomicU64::new(0),
        acknowledgements: AtomicU64::new(0),
    }
}

/// Two members that must always agree.
fn credential(value: u64) -> Value {
    json!({ "api_key": value.to_string(), "token": value.to_string() })
}

/// Writes until the connection breaks.
async fn write(
    http: reqwest::Client,
    url: String,
    key: String,
    ledger: Arc<Ledger>,
    end: Arc<AtomicBool>,
) {
    while !end.load(Ordering::Relaxed) {
        let value = ledger.sent.fetch_add(1, Ordering::Relaxed) + 1;
        let body = json!({ "instanceId": ledger.instance, "authData": credential(value) });
        let request = http
            .post(format!("{url}/mcp-server/instance/set-auth"))
            .bearer_auth(&key)
            .header("content-type", "application/json")
            .body(body.to_string());
        let Ok(answer) = request.send().await else {
            return;
        };
        let status = answer.status().as_u16();
        if answer.text().await.is_err() {
            return;
        }
        if status == 200 {
            ledger.acknowledged.store(value, Ordering::Relaxed);
            ledger.acknowledgements.fetch_add(1, Ordering::Relaxed);
        } else {
            assert_eq!(status, 503);
        }
    }
}

async fn read(server: &Server, key: &str, ledger: &Ledger) -> Reply {
    let path = format!("/mcp-server/instance/{}/auth", ledger.instance);
    server.client(key).get(&path).await
}

/// The stored credential: not older than the last acknowledged one, not torn.
async fn check(server: &Server, key: &str, ledger: &Ledger) {
    let found = read(server, key, ledger).await;
    assert_eq!(found.status, 200, "{found:?}");
    let auth = &found.json["authData"];
    let (acknowledged, sent) = (
        ledger.acknowledged.load(Ordering::Relaxed),
        ledger.sent.load(Ordering::Relaxed),
    );
    let value: u64 = match auth["api_key"].as_str() {
        Some(text) => text.parse().unwrap(),
        None => 0,
    };
    assert!(
        (acknowledged..=sent).contains(&value),
        "lost: {value} of {acknowledged}..={sent}"
    );
    if value > 0 {
        assert_eq!(*auth, credential(value), "torn");
    }
}

#[tokio::test]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let place = Place::new();
    let mut server = keyway("").on(&place).serve(&place).await;
    let key = server.shown_key();
    let mut ledgers = Vec::new();
    for user in 0..WRITERS {
        ledgers.push(Arc::new(make(&server.client(&key), user).await));
    }
    for kill in 0..KILLS {
        let end = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for ledger in &ledgers {
            let url = format!("http://{}", server.address);
            writers.spawn(write(
                http.clone(),
                url,
                key.clone(),
                Arc::clone(ledger),
                Arc::clone(&end),
            ));
        }
        let random = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
        sleep(Duration::from_millis(200 + random * 2)).await;
        server.signal(Signal::KILL);
        assert_eq!(server.ended().await, -9, "kill {kill}");
        end.store(true, Ordering::Relaxed);
        while let Some(done) = writers.join_next().await {
            done.unwrap();
        }
        server = keyway("").on(&place).serve(&place).await;
        for ledger in &ledgers {
            check(&server, &key, ledger).await;
        }
    }
    let mut all = 0;
    for ledger in &ledgers {
        let (acknowledgements, sent) = (
            ledger.acknowledgements.load(Ordering::Relaxed),
            ledger.sent.load(Ordering::Relaxed),
        );
        let rows = format!(
            "audit_log WHERE object_id = '{}' AND action = 'connection.set_credential'",
            ledger.instance
        );
        let rows = u64::try_from(place.stored().count(&rows).await).unwrap();
        // One audit row for each write that happened; at most one a kill is unknown.
        assert!(
            (acknowledgements..=sent).contains(&rows),
            "{rows} of {acknowledgements}..={sent}"
        );
        assert!(
            rows <= acknowledgements + KILLS,
            "{rows} of {acknowledgements}"
        );
        all += acknowledgements;
    }
    eprintln!("{all} acknowledged writes, {KILLS} kills, none lost, none torn");
    assert!(all > 50, "too few writes to mean anything: {all}");
    server.stop(&place).await;
}
