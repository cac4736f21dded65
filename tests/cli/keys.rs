//! API keys: what they may do, where they end, and when a running server sees it.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::time::sleep;

use crate::place::Place;
use crate::program::{Answer, Server, keyway};

async fn on(place: &Place, arguments: &str) -> Answer {
    keyway(arguments).on(place).answer().await
}

async fn status(server: &Server, key: &str, path: &str) -> u16 {
    server.client(key).get(path).await.status
}

const INSTANCE: &str = "/mcp-server/instance/0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10";

#[tokio::test]
async fn a_key_has_the_scopes_integrations_and_end_that_it_was_made_with() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let client = server.client(&server.shown_key());
    let mut ids = Vec::new();
    for name in ["One", "Two"] {
        let made = client
            .post("/integrations/v1/create", json!({ "name": name }))
            .await;
        assert_eq!(made.status, 201, "{made:?}");
        ids.push(made.json["integration"]["id"].as_str().unwrap().to_owned());
    }
    let line = format!(
        "key create --tenant default --name ci --scope INTEGRATION_API --scope connections:read \
         --integration {} --expires 2999-01-31T12:00:00Z --json",
        ids[0]
    );
    let made = on(&place, &line).await.json();
    let (id, key) = (made["key_id"].clone(), made["api_key"].as_str().unwrap());
    assert_eq!(
        made,
        json!({
            "key_id": id,
            "api_key": key,
            "tenant_id": made["tenant_id"],
            "name": "ci",
            "scopes": ["INTEGRATION_API", "connections:read"],
            "integrations": [ids[0]],
            "expires_at": "2999-01-31T12:00:00Z",
        })
    );
    assert!(key.starts_with(&format!("kw_live_{}_", id.as_str().unwrap())));

    let path = |id: &String| format!("/integrations/v1/{id}");
    assert_eq!(status(&server, key, &path(&ids[0])).await, 200);
    assert_eq!(status(&server, key, &path(&ids[1])).await, 403);
    let instance = json!({ "serverName": "Stripe", "userId": "u" });
    let limited = server.client(key);
    let refused = limited.post("/mcp-server/instance/create", instance).await;
    assert_eq!(refused.status, 403, "it may not write connections");

    let listed = on(&place, "key list --tenant default --json").await.json();
    let last = listed.as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        last,
        json!({
            "key_id": id,
            "name": "ci",
            "state": "live",
            "scopes": ["INTEGRATION_API", "connections:read"],
            "integrations": [ids[0]],
            "created_at": last["created_at"],
            "expires_at": "2999-01-31T12:00:00Z",
            "revoked_at": null,
        })
    );
    let table = on(&place, "key list --tenant default").await;
    assert!(table.ok().contains("ID") && table.ok().contains("INTEGRATION_API connections:read"));
    assert!(!table.ok().contains(key));
    server.stop(&place).await;
}

#[tokio::test]
async fn a_running_server_refuses_a_revoked_key_within_five_seconds() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let made = on(&place, "key create --tenant default").await;
    let key = made.ok().lines().next().unwrap().to_owned();
    let id = key.split('_').nth(2).unwrap();
    assert!(made.ok().contains(&format!(
        "This is key {id} of tenant default; it is not shown again."
    )));
    assert_eq!(status(&server, &key, INSTANCE).await, 404);

    let revoked = on(&place, &format!("key revoke --tenant default {id} --json")).await;
    assert_eq!(revoked.json(), json!({ "key_id": id, "revoked": true }));
    let begun = Instant::now();
    while status(&server, &key, INSTANCE).await != 403 {
        assert!(begun.elapsed() < Duration::from_secs(5), "seen too late");
        sleep(Duration::from_millis(50)).await;
    }
    let table = on(&place, "key list --tenant default").await;
    let line = table.ok().lines().find(|line| line.contains(id)).unwrap();
    assert!(line.contains("revoked"), "{line}");
    server.stop(&place).await;
}

#[tokio::test]
async fn a_key_ends_by_itself() {
    let place = Place::new();
    let server = keyway("").on(&place).serve(&place).await;
    let made = on(&place, "key create --tenant default --expires 3s --json").await;
    let key = made.json()["api_key"].as_str().unwrap().to_owned();
    assert_eq!(status(&server, &key, INSTANCE).await, 404);
    // Three seconds, and at most five until a server that remembers the key looks again.
    let begun = Instant::now();
    while status(&server, &key, INSTANCE).await != 403 {
        assert!(begun.elapsed() < Duration::from_secs(8), "seen too late");
        sleep(Duration::from_millis(100)).await;
    }
    let listed = on(&place, "key list --tenant default --json").await.json();
    assert_eq!(listed[1]["state"], "expired");
    server.stop(&place).await;
}

#[tokio::test]
async fn wrong_words_are_answered_with_the_right_ones() {
    let place = Place::new();
    on(&place, "tenant create alice").await.ok();
    let scope = on(&place, "key create --tenant alice --scope all").await;
    let said = scope.refusal(2);
    for name in [
        "INTEGRATION_API",
        "auth_configs:read",
        "credentials:read",
        "tenant:admin",
    ] {
        assert!(said.contains(name), "{said}");
    }
    let past = on(
        &place,
        "key create --tenant alice --expires 2001-01-31T12:00:00Z",
    )
    .await;
    assert!(past.refusal(2).contains("lies in the past"));
    let integration = on(&place, "key create --tenant alice --integration github").await;
    assert!(integration.refusal(2).contains("--integration"));
    let tenant = on(&place, "key create --tenant bob").await;
    assert!(tenant.refusal(1).contains(r#"there is no tenant "bob""#));
    let key = on(&place, "key revoke --tenant alice AAAAAAAAAAAA").await;
    assert!(
        key.refusal(1)
            .contains("`keyway key list --tenant alice` shows them")
    );
}
