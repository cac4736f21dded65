//! A disk that is nearly full: writes and hand-outs wait, unrevealing reads go on.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use keyway::domain::Service;
use keyway::domain::tenants::NewApiKey;
use keyway::http::{layers, serve};
use keyway::store::Db;
use serde_json::json;
use tokio::net::TcpListener;

use crate::common::client::{Client, Key, Line, Reply};
use crate::common::{self};
use crate::place::Place;
use crate::program::{Server, keyway};

fn clients(line: Line, key: &str) -> (Client, Client) {
    let line = std::sync::Arc::new(line);
    let bearer = Key::of("authorization", &format!("Bearer {key}"));
    let api_key = Key::of("x-api-key", key);
    let composio = Client::new(line.clone(), Some(api_key));
    (Client::new(line, Some(bearer)), composio)
}

fn assert_waits(reply: &Reply) {
    assert_eq!(reply.status, 503, "{reply:?}");
    assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
}

#[tokio::test]
async fn each_dialect_refuses_writes_and_hand_outs_in_its_own_words() {
    let database = common::database().await;
    let db = Db::new(database.login());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let settings = common::settings(&format!("http://{address}"));
    let service = Service::new(common::unlock(db.clone()).await, settings);
    let tenant = service.create_tenant("alice").await.unwrap();
    let new = NewApiKey {
        name: "key".to_owned(),
        scopes: Vec::new(),
        integrations: None,
        expiry: None,
    };
    let key = service.create_key(tenant, new).await.unwrap().api_key;
    let router = keyway::http::router(service, layers::REQUEST_TIMEOUT);
    let forever = std::future::pending();
    let serving = tokio::spawn(serve::serve(
        listener,
        router,
        forever,
        serve::Limits::default(),
    ));
    let (bearer, composio) = clients(Line::new(address), &key);

    let instance = json!({ "serverName": "Stripe", "userId": "u" });
    let create = "/mcp-server/instance/create";
    let made = bearer.post(create, instance.clone()).await;
    let id = made.json["instanceId"].as_str().unwrap().to_owned();
    let set_auth = |value: &str| json!({ "instanceId": id, "authData": { "api_key": value } });
    let set = "/mcp-server/instance/set-auth";
    assert_eq!(bearer.post(set, set_auth("one")).await.status, 200);
    let integration = bearer
        .post("/integrations/v1/create", json!({ "name": "Weather" }))
        .await;
    let path = format!(
        "/integrations/v1/{}",
        integration.json["integration"]["id"].as_str().unwrap()
    );

    db.set_disk_low(true);
    let (instance_path, auth) = (
        format!("/mcp-server/instance/{id}"),
        format!("/mcp-server/instance/{id}/auth"),
    );
    let new = json!({ "serverName": "Stripe", "userId": "new" });
    for reply in [
        bearer.post(create, new).await,
        bearer.post(set, set_auth("two")).await,
        bearer.get(&auth).await,
        bearer.delete(&auth).await,
    ] {
        assert_waits(&reply);
        assert_eq!(reply.json, json!({ "detail": "Service Unavailable" }));
    }
    let config = json!({ "toolkit": { "slug": "github" } });
    let refused = composio.post("/api/v3/auth_configs", config).await;
    assert_waits(&refused);
    assert_eq!(refused.json["error"]["slug"], "HTTP_ServiceUnavailable");
    let change = bearer
        .patch(&format!("{path}/auth"), json!({ "authType": "NONE" }))
        .await;
    for reply in [
        change,
        bearer
            .post("/integrations/v1/create", json!({ "name": "x" }))
            .await,
    ] {
        assert_waits(&reply);
        assert_eq!(
            reply.json,
            json!({ "message": "The server has too little free disk space to write" })
        );
    }
    assert_eq!(bearer.get(&instance_path).await.status, 200);
    assert_eq!(bearer.get(&path).await.status, 200);
    assert_eq!(composio.get("/api/v3/auth_configs").await.status, 200);
    assert_eq!(bearer.get("/readyz").await.status, 200);

    db.set_disk_low(false);
    let found = bearer.get(&auth).await;
    assert_eq!(found.json["authData"], json!({ "api_key": "one" }));
    assert_eq!(bearer.post(set, set_auth("three")).await.status, 200);
    serving.abort();
    db.close().await;
}

/// A small file system in memory, unmounted at the end.
struct SmallDisk<'p>(&'p Path);

impl<'p> SmallDisk<'p> {
    fn mount(at: &'p Path, mebibytes: u32) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = format!("size={mebibytes}m,mode=0711");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "keyway-test"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(Self(at))
    }

    /// Leaves this much room.
    fn fill(&self, leave: u64) {
        let free = keyway::store::embedded::free_bytes(self.0).unwrap();
        let ballast = vec![1; usize::try_from(free - (leave << 20)).unwrap()];
        std::fs::write(self.0.join("ballast"), ballast).unwrap();
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(self.0).status().ok();
    }
}

async fn eventually(server: &Server, key: &str, body: &serde_json::Value, status: u16) {
    let begun = Instant::now();
    let client = server.client(key);
    let create = "/mcp-server/instance/create";
    while client.post(create, body.clone()).await.status != status {
        assert!(begun.elapsed() < Duration::from_secs(5), "never {status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn below_128_mebibytes_a_server_takes_no_writes_until_there_is_room_again() {
    let place = Place::new();
    let data_dir = place.data_dir();
    let Some(disk) = SmallDisk::mount(&data_dir, 400) else {
        eprintln!("skipped: only root can mount a small file system");
        return;
    };
    let server = keyway("").on(&place).serve(&place).await;
    let key = server.shown_key();
    let body = json!({ "serverName": "Stripe", "userId": "u" });
    eventually(&server, &key, &body, 200).await;
    disk.fill(100);
    eventually(&server, &key, &body, 503).await;
    let answer = keyway("doctor").on(&place).answer().await;
    assert_eq!(answer.code, 1);
    assert!(
        answer
            .stdout
            .contains("below 128 MiB writes are refused. Make room"),
        "{answer:?}"
    );
    std::fs::remove_file(data_dir.join("ballast")).unwrap();
    eventually(&server, &key, &body, 200).await;
    server.stop(&place).await;

    // A new database does not begin where it would not fit.
    disk.fill(100);
    let beside = keyway("").env("KEYWAY_DATA_DIR", data_dir.join("new"));
    let refused = beside.env("KEYWAY_LISTEN", "127.0.0.1:0").answer().await;
    let said = refused.refusal(1);
    assert!(
        said.contains("128 MiB are needed: make room, or choose another --data-dir"),
        "{said}"
    );
}
