//! Deleted instances: gone everywhere at once; and who stands in for one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;
use crate::stories::{CREATE, audited, auth_path, handed_out, instance, path, set_auth, store};

pub fn deleted() -> (u16, Value) {
    (200, json!({"success": true, "message": "Instance deleted"}))
}

/// A further connection of the same user with the same service, made `seconds` after `of`. No dialect makes one yet.
async fn second(app: &TestApp, of: &str, seconds: i32) -> String {
    let id = Uuid::now_v7();
    let insert = format!(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, \
             user_hash, is_primary, status, created_at) \
         SELECT tenant_id, '{id}', 'ca_' || substr(md5('{id}'), 1, 12), auth_config_id, integration_id, user_id, \
             user_hash, false, 'INITIALIZING', created_at + interval '{seconds} s' \
         FROM connections WHERE connection_id = '{of}'"
    );
    app.execute(&insert).await;
    id.to_string()
}

async fn is_primary(app: &TestApp, id: &str) -> bool {
    app.count(&format!(
        "connections WHERE connection_id = '{id}' AND is_primary"
    ))
    .await
        == 1
}

/// The reply of every operation that names an instance.
pub async fn everything(klavis: &Client, id: &str) -> Vec<Reply> {
    let body = json!({"instanceId": id, "authData": {"token": "t"}});
    vec![
        klavis.get(&path(id)).await,
        klavis.patch(&path(id), json!({})).await,
        klavis.delete(&path(id)).await,
        klavis.get(&auth_path(id)).await,
        klavis.delete(&auth_path(id)).await,
        klavis.post("/mcp-server/instance/set-auth", body).await,
    ]
}

#[tokio::test]
async fn a_deleted_instance_is_gone_everywhere_and_its_bytes_too() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    store(&alice, &id, json!({"api_key": "k"})).await;
    let row = app
        .sql("SELECT encode(sealed_credential, 'hex') AS sealed FROM connections")
        .await;
    let sealed = row[0]["sealed"].as_str().unwrap().to_owned();

    let reply = alice.klavis().delete(&path(&id)).await;

    assert_eq!((reply.status, reply.json), deleted());
    for table in ["connections", "retired_connections", "audit_log"] {
        let holding = format!("{table} AS t WHERE t::text LIKE '%{sealed}%'");
        assert_eq!(app.count(&holding).await, 0, "{table}");
    }
    assert_eq!(
        (app.count("connections").await, app.count("users").await),
        (0, 1)
    );
    for reply in everything(&alice.klavis(), &id).await {
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({"detail": "Instance not found"}))
        );
    }
    let configs = "/api/v3/auth_configs?toolkit_slug=openai&show_disabled=true";
    let configs = alice.composio().get(configs).await;
    assert_eq!(configs.json["items"][0]["no_of_connections"], 0);
    let actions = [
        "connection.create",
        "connection.set_credential",
        "connection.delete",
    ];
    assert_eq!(audited(&app, &id).await, actions);
    let next = instance(&alice, "OpenAI", "u1").await;
    assert_ne!(next, id);
    assert_eq!(handed_out(&alice, &next).await, Value::Null);
}

#[tokio::test]
async fn the_oldest_connection_that_is_left_becomes_the_primary_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let first = instance(&alice, "Slack", "u1").await;
    let newest = second(&app, &first, 30).await;
    let older = second(&app, &first, 10).await;
    let other = instance(&alice, "Slack", "u2").await;
    store(&alice, &older, json!({"token": "older"})).await;

    for (gone, heir) in [(&first, Some(&older)), (&newest, None), (&older, None)] {
        assert_eq!(alice.klavis().delete(&path(gone)).await.status, 200);
        let detail = app
            .sql(&format!(
                "SELECT detail FROM audit_log WHERE object_id = '{gone}' AND action = 'connection.delete'"
            ))
            .await;
        let expected = heir.map_or(Value::Null, |id| json!({ "promoted": id }));
        assert_eq!(detail, [json!({ "detail": expected })]);
        if gone != &older {
            assert!(is_primary(&app, &older).await);
            assert_eq!(instance(&alice, "Slack", "u1").await, older);
            assert_eq!(handed_out(&alice, &older).await, json!({"token": "older"}));
        }
    }
    assert_eq!(app.count("connections").await, 1);
    assert!(
        is_primary(&app, &other).await,
        "another user's stays as it is"
    );
}

/// What a pair (integration, user) with connections but not just one primary one looks like; there is none, ever.
async fn assert_each_pair_has_one_primary(app: &TestApp, when: &str) {
    let wrong = app
        .sql(
            "SELECT integration_id, user_id, count(*) FILTER (WHERE is_primary) AS primaries FROM connections \
             GROUP BY 1, 2 HAVING count(*) FILTER (WHERE is_primary) <> 1",
        )
        .await;
    assert_eq!(wrong, [] as [Value; 0], "{when}");
}

/// Sends 64 requests at once; gives the statuses. A database that is asked too much says so, nothing else may fail.
async fn at_once<F: Future<Output = Reply>>(request: impl Fn(usize) -> F) -> BTreeSet<u16> {
    let replies = join_all((0..64).map(request)).await;
    for reply in &replies {
        let ok = [200, 404, 503].contains(&reply.status);
        assert!(ok, "{} {}", reply.status, reply.text);
    }
    replies.iter().map(|reply| reply.status).collect()
}

/// Six connections of one user with one service.
async fn six(app: &TestApp, alice: &Tenant) -> Vec<String> {
    let first = instance(alice, "Slack", "u1").await;
    let mut ids = vec![first.clone()];
    for seconds in [3, 1, 2, 5, 4] {
        ids.push(second(app, &first, seconds).await);
    }
    ids
}

/// Deletions of a pair's connections beside creations, set-auths and changes.
#[tokio::test]
async fn races_leave_each_pair_with_one_primary_connection_or_with_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let mut answered = BTreeSet::new();
    for round in 0..4 {
        let ids = six(&app, &alice).await;
        let request = async |number: usize| {
            let (klavis, id) = (alice.klavis(), &ids[number % ids.len()]);
            // Six and four share a factor: so each kind of request meets each connection in some round.
            match (number / 6 + number + round) % 4 {
                0 => klavis.delete(&path(id)).await,
                1 => set_auth(&alice, id, json!({"token": "t"})).await,
                2 => {
                    let change = json!({"isReadOnly": number % 8 < 4});
                    klavis.patch(&path(id), change).await
                }
                _ => {
                    let body = json!({"serverName": "Slack", "userId": "u1"});
                    klavis.post(CREATE, body).await
                }
            }
        };
        answered.extend(at_once(request).await);
        assert_each_pair_has_one_primary(&app, &format!("round {round}")).await;
        for row in app.sql("SELECT connection_id AS id FROM connections").await {
            let id = row["id"].as_str().unwrap();
            assert_eq!(alice.klavis().delete(&path(id)).await.status, 200);
        }
    }
    assert!(answered.contains(&200) && answered.contains(&404));
    assert!(app.count("audit_log WHERE detail ? 'promoted'").await > 0);
    assert_eq!(
        (app.count("connections").await, app.count("users").await),
        (0, 1)
    );
    let deletions = app
        .count("audit_log WHERE action = 'connection.delete'")
        .await;
    let creations = app
        .count("audit_log WHERE action = 'connection.create'")
        .await;
    assert_eq!(deletions, creations + 4 * 5, "each deletion is told once");
    assert_eq!(app.deadlocks().await, 0);
}

/// The same beside whoever takes the user away, or makes it anew.
#[tokio::test]
async fn races_with_the_deletion_of_the_user_break_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for round in 0..4 {
        let ids = six(&app, &alice).await;
        instance(&alice, "Linear", "u1").await;
        let request = async |number: usize| {
            let (klavis, id) = (alice.klavis(), &ids[number % ids.len()]);
            let service = ["Slack", "Linear"][number / 5 % 2];
            match (number + round) % 5 {
                0 if number.is_multiple_of(3) => klavis.delete("/user/u1").await,
                0 | 1 => klavis.delete(&path(id)).await,
                2 => {
                    let body =
                        json!({"userId": "u1", "serverName": service, "authData": {"token": "t"}});
                    klavis.post("/user/set-auth", body).await
                }
                3 => {
                    let body = json!({"userId": "u1", "servers": ["Linear", "Slack"]});
                    klavis.post("/mcp-server/strata/create", body).await
                }
                _ => {
                    let body = json!({"serverName": service, "userId": "u1"});
                    klavis.post(CREATE, body).await
                }
            }
        };
        assert!(at_once(request).await.contains(&200));
        assert_each_pair_has_one_primary(&app, &format!("round {round}")).await;
        alice.klavis().delete("/user/u1").await;
        for table in ["users", "connections", "strata"] {
            assert_eq!(app.count(table).await, 0, "{table}");
        }
    }
    assert_eq!(app.deadlocks().await, 0);
}
