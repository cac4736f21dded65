//! What a whole run leaves for others to see: arguments, environment of children, logs.

use serde_json::json;

use crate::place::Place;
use crate::program::keyway;
use crate::stop::children_of;

#[tokio::test]
async fn arguments_and_logs_never_show_a_key_or_a_credential() {
    let place = Place::new();
    let root_key = keyway::crypto::RootKey::generate().to_base64();
    let run = keyway("").env("KEYWAY_ROOT_KEY", root_key.as_str());
    let server = run
        .env("KEYWAY_LOG", "trace")
        .on(&place)
        .serve(&place)
        .await;
    let key = server.shown_key();
    let client = server.client(&key);
    let instance = json!({ "serverName": "Stripe", "userId": "u" });
    let made = client.post("/mcp-server/instance/create", instance).await;
    let id = made.json["instanceId"].as_str().unwrap().to_owned();
    let auth = json!({ "instanceId": id, "authData": { "api_key": "CANARY-credential" } });
    let set = client.post("/mcp-server/instance/set-auth", auth).await;
    assert_eq!(set.status, 200);
    let found = client.get(&format!("/mcp-server/instance/{id}/auth")).await;
    assert!(found.text.contains("CANARY-credential"));
    let unknown = server.client(&key.replace("kw_live_", "kw_live_x"));
    assert_eq!(
        unknown.get("/mcp-server/instance/CANARY-path").await.status,
        403
    );

    let mut processes = vec![server.pid().as_raw_nonzero().get()];
    let mut seen = 0;
    while let Some(process) = processes.pop() {
        processes.extend(children_of(process));
        seen += 1;
        for file in ["cmdline", "environ"] {
            let bytes = std::fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(&key), "{process} {file}");
            // The server's own environment holds what the operator put there, for root to see.
            let is_own = seen == 1 && file == "environ";
            assert!(is_own || !text.contains(root_key.as_str()), "{text}");
        }
    }
    assert!(seen >= 3, "server, guard, Postgres: {seen}");

    let logs = server.logs();
    assert!(logs.contains("/mcp-server/instance/set-auth"), "{logs}");
    let postgres = std::fs::read_to_string(place.data_dir().join("postgres/log")).unwrap();
    let secret = key.split('_').nth(3).unwrap();
    for (place, text) in [("the log", &logs), ("the log of Postgres", &postgres)] {
        for planted in [secret, root_key.as_str(), "CANARY-credential"] {
            assert!(!text.contains(planted), "{place} shows {planted}");
        }
    }
    server.stop(&place).await;
}
