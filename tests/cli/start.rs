//! The first start, the second one, and starts that get in each other's way.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::place::Place;
use crate::program::{Server, keyway};

/// The lines that a new user pastes, run by a shell; what they print, one JSON document a line.
async fn pasted(server: &Server) -> Vec<Value> {
    let shown = server.stdout();
    let lines: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .collect();
    let output = tokio::process::Command::new("sh")
        .args(["-c", &lines.join("\n")])
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn the_first_start_shows_a_key_and_lines_that_work_and_the_second_finds_the_data() {
    let place = Place::new();
    let mut server = keyway("").on(&place).serve(&place).await;
    let (shown, key) = (server.stdout(), server.shown_key());
    let address = server.address;
    assert!(shown.starts_with(&format!("Keyway listens on http://{address} ")));
    assert!(shown.contains("Tenant default has this API key; it is not shown again"));
    assert_eq!(shown.matches(&key).count(), 1);
    assert!(!server.logs().contains(&key));

    let [saved, handed_out, changed, config, integration] =
        <[Value; 5]>::try_from(pasted(&server).await).unwrap();
    assert_eq!(
        saved,
        json!({ "success": true, "message": "Authentication data saved" })
    );
    let auth = json!({ "success": true, "authData": { "api_key": "sk_test_123" }, "error": null });
    assert_eq!(handed_out, auth);
    assert_eq!(
        changed,
        json!({ "success": true, "message": "Auth config updated successfully" })
    );
    assert_eq!(config["credentials"]["client_secret"], "my-n...");
    assert_eq!(config["auth_scheme"], "OAUTH2");
    assert_eq!(integration["integration"]["authType"], "API_KEY");
    let docs = server.client(&key).get("/docs/").await;
    assert_eq!(docs.status, 200);

    server.signal(Signal::INT);
    assert_eq!(server.ended().await, 0);
    assert!(!place.has_postgres());

    let server = keyway("serve").on(&place).serve(&place).await;
    assert_eq!(server.stdout(), "");
    let instance = json!({ "serverName": "Stripe", "userId": "alice" });
    let client = server.client(&key);
    let made = client.post("/mcp-server/instance/create", instance).await;
    let id = made.json["instanceId"].as_str().unwrap();
    let found = client.get(&format!("/mcp-server/instance/{id}/auth")).await;
    assert_eq!((found.status, found.json), (200, auth));
    server.stop(&place).await;
}

#[tokio::test]
async fn with_json_the_first_start_prints_one_document() {
    let place = Place::new();
    let server = keyway("serve --json").on(&place).serve(&place).await;
    let shown: Value = serde_json::from_str(&server.stdout()).unwrap();
    let members: Vec<&String> = shown.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["address", "tenant_id", "name", "key_id", "api_key"]
    );
    assert_eq!(shown["name"], "default");
    assert_eq!(shown["address"], format!("http://{}", server.address));
    let key = shown["api_key"].as_str().unwrap();
    let unknown = "/mcp-server/instance/0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10";
    assert_eq!(server.client(key).get(unknown).await.status, 404);
    server.stop(&place).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_before_anything_is_made() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let listen = format!("serve --listen {address}");
    let refused = keyway(&listen).on(&place).answer().await;
    let said = refused.refusal(1);
    assert!(said.starts_with(&format!("keyway: listening on {address}: ")));
    assert!(said.contains("choose another address with --listen or KEYWAY_LISTEN"));
    assert!(!place.data_dir().exists());
}

#[tokio::test]
async fn a_second_server_on_the_directory_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let second = keyway("serve --listen 127.0.0.1:0")
        .on(&place)
        .answer()
        .await;
    let said = second.refusal(1);
    assert!(said.contains("is in use by another process"), "{said}");
    assert!(said.contains("--data-dir"), "{said}");
    let ready = server.client("").get("/readyz").await;
    assert_eq!(ready.status, 200);
    server.stop(&place).await;
}

#[tokio::test]
async fn a_server_and_commands_that_begin_together_share_one_root_key() {
    let place = Place::new();
    let (mut starting, mut listed) = (None, Vec::new());
    tokio::join!(
        async { starting = Some(keyway("").on(&place).serve(&place).await) },
        async {
            let list = || keyway("tenant list --json").on(&place).answer();
            listed = Vec::from(<[_; 3]>::from(tokio::join!(list(), list(), list())));
        }
    );
    let server = starting.unwrap();
    for answer in listed {
        assert!(answer.json().is_array());
    }
    let key = server.shown_key();
    let tenants = keyway("tenant list --json").on(&place).answer().await;
    assert_eq!(tenants.json()[0]["name"], "default");
    let unknown = "/mcp-server/instance/0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10";
    assert_eq!(server.client(&key).get(unknown).await.status, 404);
    server.stop(&place).await;
}

#[tokio::test]
async fn a_first_start_that_was_interrupted_is_taken_up_by_the_next() {
    for milliseconds in [0, 200, 500, 800] {
        let place = Place::new();
        let listen = keyway("").env("KEYWAY_LISTEN", "127.0.0.1:0");
        let mut server = listen.on(&place).spawn(&place);
        while !place.data_dir().exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        server.signal(Signal::INT);
        assert_eq!(server.ended().await, 0);
        let key = server.stdout().contains("KEYWAY_KEY");
        let server = keyway("").on(&place).serve(&place).await;
        assert!(key || server.stdout().contains("KEYWAY_KEY"));
        server.stop(&place).await;
    }
}

#[tokio::test]
async fn a_tenant_without_any_key_is_pointed_out() {
    let place = Place::new();
    keyway("tenant create alice").on(&place).answer().await.ok();
    let server = keyway("").on(&place).serve(&place).await;
    assert_eq!(server.stdout(), "");
    assert!(
        server.logs().contains("keyway key create --tenant alice"),
        "{}",
        server.logs()
    );
    server.stop(&place).await;
}

#[tokio::test]
async fn starting_takes_little_time_and_memory() {
    let place = Place::new();
    for which in ["a new", "an existing"] {
        let begun = Instant::now();
        let server = keyway("").on(&place).serve(&place).await;
        let alive = server.client("").get("/livez").await;
        let took = begun.elapsed();
        assert_eq!(alive.status, 200);
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", server.pid().as_raw_nonzero()));
        let memory = status.unwrap_or_default();
        let memory = memory.lines().find(|line| line.starts_with("VmRSS"));
        eprintln!("first 200 on {which} data directory after {took:?}, {memory:?}");
        // Generous: the machine may be busy with other tests.
        assert!(took < Duration::from_secs(20), "{took:?}");
        server.stop(&place).await;
    }
}
