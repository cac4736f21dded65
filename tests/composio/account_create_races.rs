//! Many connected accounts of one user at the same time.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::account_making::{ACCOUNTS, LINK, account, config};
use crate::common::TestApp;

const PRIMARY: &str = "connections WHERE is_primary";

fn key(config: &str) -> Value {
    account(config, "API_KEY", json!({ "api_key": "k" }))
}

#[tokio::test]
async fn of_16_connections_at_once_exactly_one_is_primary() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let configs = [
        config(&client, "API_KEY").await,
        config(&client, "API_KEY").await,
    ];
    let linked = |config: &str| json!({ "auth_config_id": config, "user_id": "u-1" });

    let replies = join_all((0..16).map(|number| {
        let config = &configs[number % 2];
        if number % 4 == 3 {
            client.post(LINK, linked(config))
        } else {
            client.post(ACCOUNTS, key(config))
        }
    }))
    .await;

    for reply in &replies {
        assert_eq!(reply.status, 201, "{}", reply.text);
    }
    assert_eq!(app.count("connections WHERE user_id = 'u-1'").await, 16);
    assert_eq!(app.count(PRIMARY).await, 1);
    assert_eq!(app.count("connections WHERE status = 'ACTIVE'").await, 12);
    assert_eq!(
        app.count("audit_log WHERE action = 'connection.create'")
            .await,
        16
    );
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn of_16_connections_with_one_alias_exactly_one_is_made() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let mut body = key(&config);
    body["connection"]["alias"] = json!("work");

    let replies = join_all((0..16).map(|_| client.post(ACCOUNTS, body.clone()))).await;

    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(app.count("connections").await, 1);
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn who_is_made_while_the_user_is_deleted_leaves_a_pair_with_a_primary_connection() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let configs = [
        config(&client, "API_KEY").await,
        config(&client, "NO_AUTH").await,
    ];
    let mut deletions = 0;
    for _ in 0..6 {
        let making = join_all((0..8).map(|number| {
            let config = &configs[number % 2];
            let scheme = ["API_KEY", "NO_AUTH"][number % 2];
            client.post(ACCOUNTS, account(config, scheme, json!({ "api_key": "k" })))
        }));
        let klavis = alice.klavis();
        let deleting = join_all((0..3).map(|_| klavis.delete("/user/u-1")));
        let instance = json!({ "serverName": "Slack", "userId": "u-1" });
        let instance = klavis.post("/mcp-server/instance/create", instance);
        let (made, deleted, instance) = tokio::join!(making, deleting, instance);
        assert!(made.iter().all(|reply| reply.status == 201));
        let gone = deleted.iter().filter(|reply| reply.status == 200).count();
        assert!(
            deleted
                .iter()
                .all(|reply| [200, 404].contains(&reply.status)),
            "{deleted:?}"
        );
        deletions += gone;
        assert_eq!(instance.status, 200, "{}", instance.text);
        let pairs = app
            .count("(SELECT DISTINCT integration_id, user_hash FROM connections) AS pairs")
            .await;
        assert_eq!(app.count(PRIMARY).await, pairs);
    }
    assert!(deletions > 0);
    assert_eq!(app.deadlocks().await, 0);
}
