//! Rotation with the real program: under load without a failed request, killed in the middle, in the wrong order.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyway::crypto::RootKey;
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::common::client::Client;
use crate::external::External;
use crate::place::Place;
use crate::program::{Run, keyway};

pub fn new_key(place: &Place, name: &str) -> (String, PathBuf) {
    let (key, file) = (RootKey::generate(), place.file(name));
    key.create_file(&file).unwrap();
    (key.root_id().to_string(), file)
}

fn id_of(file: &Path) -> String {
    RootKey::from_file(file).unwrap().root_id().to_string()
}

/// The program with a new root key and the old one, which decrypts only.
pub fn with_both(external: &External, new: &Path, command: &str) -> Run {
    external
        .run(command)
        .env("KEYWAY_ROOT_KEY_FILE", new)
        .env("KEYWAY_OLD_ROOT_KEY_FILES", &external.key_file)
}

pub async fn instance(client: &Client, user: &str) -> String {
    let body = json!({ "serverName": "Stripe", "userId": user });
    let made = client.post("/mcp-server/instance/create", body).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["instanceId"].as_str().unwrap().to_owned()
}

pub async fn store(client: &Client, instance: &str, value: u64) {
    let body = json!({ "instanceId": instance, "authData": { "api_key": value.to_string() } });
    let done = client.post("/mcp-server/instance/set-auth", body).await;
    assert_eq!(
        (done.status, &done.json["success"]),
        (200, &json!(true)),
        "{}",
        done.text
    );
}

pub async fn read(client: &Client, instance: &str) -> Value {
    let path = format!("/mcp-server/instance/{instance}/auth");
    let found = client.get(&path).await;
    assert_eq!(found.status, 200, "{}", found.text);
    found.json["authData"]["api_key"].clone()
}

async fn auth_config(client: &Client) -> String {
    let body = json!({
        "toolkit": {"slug": "github"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "OAUTH2",
            "credentials": {"client_id": "app-0", "client_secret": "secret-number-0"}},
    });
    let made = client.post("/api/v3/auth_configs", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    format!(
        "/api/v3/auth_configs/{}",
        made.json["auth_config"]["id"].as_str().unwrap()
    )
}

/// Writes and reads one instance and one auth config until the end, each value what was last acknowledged.
async fn work(
    bearer: Client,
    composio: Client,
    user: String,
    end: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
) {
    let (instance, config) = (instance(&bearer, &user).await, auth_config(&composio).await);
    let mut value = 0;
    while !end.load(Ordering::Relaxed) {
        value += 1;
        store(&bearer, &instance, value).await;
        assert_eq!(read(&bearer, &instance).await, json!(value.to_string()));
        let change =
            json!({"type": "custom", "credentials": {"client_id": format!("app-{value}")}});
        let changed = composio.patch(&config, change).await;
        assert_eq!(changed.status, 200, "{}", changed.text);
        let told = composio.get(&config).await;
        assert_eq!(told.status, 200, "{}", told.text);
        assert_eq!(
            told.json["credentials"]["client_id"],
            format!("app-{value}")
        );
        done.fetch_add(4, Ordering::Relaxed);
    }
    assert_eq!(read(&bearer, &instance).await, json!(value.to_string()));
}

/// As if the newest data key had been made a quarter of an hour ago.
const AGE: &str =
    "UPDATE tenant_data_keys SET created_at = created_at - interval '15 minutes', looked_at = NULL";

#[tokio::test]
async fn both_rotations_under_load_fail_no_request_and_the_old_root_key_can_go_after_and_not_before()
 {
    let external = External::new().await;
    let first = external.run("").serve(&external.place).await;
    let key = first.shown_key();
    first.signal(Signal::TERM);
    let mut first = first;
    assert_eq!(first.ended().await, 0, "{}", first.logs());
    let (new_id, new) = new_key(&external.place, "new.key");
    let old_id = id_of(&external.key_file);
    let server = with_both(&external, &new, "").serve(&external.place).await;
    let without_old = |command: &str| external.run(command).env("KEYWAY_ROOT_KEY_FILE", &new);
    let early = without_old("tenant list").answer().await;
    assert!(
        early
            .refusal(78)
            .contains(&format!("configured {new_id}, sealed under {old_id}"))
    );

    let (end, done) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut workers = JoinSet::new();
    for worker in 0..4 {
        let clients = (server.client(&key), server.composio(&key));
        let user = format!("worker {worker}");
        workers.spawn(work(
            clients.0,
            clients.1,
            user,
            Arc::clone(&end),
            Arc::clone(&done),
        ));
    }
    let begun = done.load(Ordering::Relaxed);
    for round in 0..3 {
        sleep(Duration::from_millis(300)).await;
        let rotated = external_rotate(&external, &new, "default").await;
        assert_eq!(rotated["damaged"], 0);
        assert_eq!(
            (&rotated["data_key"], &rotated["finished"]),
            (&json!(2), &json!(round > 0))
        );
        external.stored().execute(AGE).await;
        if round == 1 {
            break;
        }
    }
    let root = with_both(&external, &new, "root-key rotate --json")
        .answer()
        .await
        .json();
    assert_eq!(
        (&root["root_id"], &root["retired"]),
        (&json!(new_id), &json!([old_id]))
    );
    assert_eq!(
        (&root["data_keys"], &root["server_secrets"]),
        (&json!(2), &json!(1))
    );
    sleep(Duration::from_millis(300)).await;
    end.store(true, Ordering::Relaxed);
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    let requests = done.load(Ordering::Relaxed) - begun;
    eprintln!("{requests} requests during both rotations, none failed");
    assert!(requests > 40, "too few to mean anything: {requests}");

    assert_eq!(
        external
            .stored()
            .count(&format!("root_keys WHERE root_id = '\\x{old_id}'"))
            .await,
        0
    );
    without_old("tenant list").answer().await.ok();
    let old_only = external.run("tenant list").answer().await;
    assert!(
        old_only
            .refusal(78)
            .contains(&format!("configured {old_id}, sealed under {new_id}"))
    );
    let again = without_old("root-key rotate").answer().await;
    assert!(again.ok().contains("already"), "{again:?}");
    let mut server = server;
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await, 0);
    assert_eq!(
        external
            .stored()
            .count("servers WHERE seen_at > '-infinity'")
            .await,
        0
    );
}

async fn external_rotate(external: &External, new: &Path, tenant: &str) -> Value {
    let command = format!("tenant rotate-key {tenant} --json");
    with_both(external, new, &command).answer().await.json()
}

/// The dangerous order: a new root key that seals while a server holds the old one only.
#[tokio::test]
async fn a_root_key_that_a_running_server_does_not_hold_seals_nothing() {
    let external = External::new().await;
    let mut server = external.run("").serve(&external.place).await;
    let key = server.shown_key();
    let (_, new) = new_key(&external.place, "new.key");
    let old_id = id_of(&external.key_file);

    // Made with the new key configured, and yet for every server.
    with_both(&external, &new, "tenant create bob")
        .answer()
        .await
        .ok();
    let bob = with_both(&external, &new, "key create --tenant bob --json")
        .answer()
        .await;
    let bob = server.client(bob.json()["api_key"].as_str().unwrap());
    store(&bob, &instance(&bob, "u").await, 1).await;
    let refused = with_both(&external, &new, "root-key rotate").answer().await;
    let said = refused.refusal(1);
    assert!(
        said.contains(&format!("one holds {old_id} (seen ")),
        "{said}"
    );
    assert!(said.contains("KEYWAY_OLD_ROOT_KEY_FILES"), "{said}");
    let doctor = with_both(&external, &new, "doctor").answer().await;
    assert!(
        doctor.ok().contains("is configured to seal, and"),
        "{doctor:?}"
    );
    assert_eq!(external.stored().count("root_keys").await, 1);

    // A server that was cut off for so long that it counted as gone: 503 with the remedy in the log, never 500.
    external
        .stored()
        .execute("UPDATE servers SET seen_at = seen_at - interval '10 minutes'")
        .await;
    with_both(&external, &new, "root-key rotate")
        .answer()
        .await
        .ok();
    with_both(&external, &new, "tenant create carol")
        .answer()
        .await
        .ok();
    let carol = with_both(&external, &new, "key create --tenant carol --json")
        .answer()
        .await;
    let carol = server.client(carol.json()["api_key"].as_str().unwrap());
    let id = instance(&carol, "u").await;
    let body = json!({ "instanceId": id, "authData": { "api_key": "x" } });
    let met = carol.post("/mcp-server/instance/set-auth", body).await;
    assert_eq!(met.status, 503, "{}", met.text);
    assert!(
        server
            .logs()
            .contains("restart it with that key in KEYWAY_ROOT_KEY_FILE")
    );
    assert_eq!(
        read(&bob, &instance(&bob, "u").await).await,
        json!("1"),
        "remembered"
    );
    assert_eq!(server.client(&key).get("/readyz").await.status, 200);
    server.signal(Signal::TERM);
    assert_eq!(server.ended().await, 0);
}

/// One server and its own key file: rotate, restart, rotate.
#[tokio::test]
async fn the_embedded_key_file_is_rotated_with_a_restart_and_no_key_is_lost() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let key = server.shown_key();
    let id = instance(&server.client(&key), "u").await;
    store(&server.client(&key), &id, 7).await;
    let old = id_of(&place.root_key());

    let first = keyway("root-key rotate").on(&place).answer().await;
    let said = first.refusal(1);
    assert!(
        said.contains("restart the server, then run this again"),
        "{said}"
    );
    assert_eq!(id_of(&place.root_key()), old);
    let next = place.data_dir().join("root.key.next");
    // What a crash leaves of a file that was never written: no reason to refuse a start.
    std::fs::remove_file(&next).unwrap();
    let copy = place.data_dir().join(format!("root.key.{old}"));
    for empty in [&next, &copy] {
        std::fs::write(empty, "").unwrap();
    }
    server.stop(&place).await;
    let server = keyway("").on(&place).serve(&place).await;
    let again = keyway("root-key rotate").on(&place).answer().await;
    assert!(
        again
            .refusal(1)
            .contains("copy that file to your safe place")
    );
    server.stop(&place).await;
    let server = keyway("").on(&place).serve(&place).await;
    let rotated = keyway("root-key rotate --json")
        .on(&place)
        .answer()
        .await
        .json();

    let new = id_of(&place.root_key());
    assert_eq!(
        (&rotated["root_id"], &rotated["finished"]),
        (&json!(new), &json!(true))
    );
    assert_ne!(new, old);
    assert_eq!(
        id_of(Path::new(rotated["old_key_file"].as_str().unwrap())),
        old
    );
    assert_eq!(read(&server.client(&key), &id).await, json!("7"));
    server.stop(&place).await;
    let server = keyway("").on(&place).serve(&place).await;
    assert_eq!(read(&server.client(&key), &id).await, json!("7"));
    server.stop(&place).await;
    // Killed after the new key was put in its place, and before that could be told.
    std::fs::copy(place.root_key(), &next).unwrap();
    let told = keyway("root-key rotate").on(&place).answer().await;
    assert!(told.ok().contains("Done already"), "{told:?}");
    assert_eq!(id_of(&place.root_key()), new);
    assert!(!next.exists());
    // Without a server it is one command.
    keyway("root-key rotate").on(&place).answer().await.ok();
    assert_ne!(id_of(&place.root_key()), new);
    keyway("doctor").on(&place).answer().await.ok();
}
