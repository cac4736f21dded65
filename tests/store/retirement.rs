//! Retired connections: kept for the retention, no longer; a hundred thousand of them in one change.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::rows::{instance, integration, many, set_auth, store};

async fn age(app: &TestApp, connection: &str, days: u32) {
    app.execute(&format!(
        "UPDATE retired_connections SET retired_at = now() - interval '{days} days' WHERE connection_id = '{connection}'"
    ))
    .await;
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_destroyed_and_nothing_else() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let mut retired = Vec::new();
    for (tenant, user) in [(&alice, "old"), (&alice, "young"), (&bob, "old")] {
        let name = format!("Acme {user}");
        let id = integration(tenant, &name).await;
        let connection = instance(tenant, &name, user).await;
        store(tenant, &connection, json!({"key": canary()})).await;
        set_auth(tenant, &id, "OAUTH").await;
        retired.push(connection);
    }
    let live = instance(&alice, "Acme old", "live").await;
    age(&app, &retired[0], 8).await;
    age(&app, &retired[1], 6).await;
    age(&app, &retired[2], 8).await;

    app.service().tidy().await.unwrap();

    let left = app
        .sql("SELECT connection_id FROM retired_connections")
        .await;
    assert_eq!(left, [json!({"connection_id": retired[1]})]);
    assert_eq!(
        app.count(&format!("connections WHERE connection_id = '{live}'"))
            .await,
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn more_than_a_batch_is_destroyed_in_one_run() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    many(&app, &id, 2_500).await;
    set_auth(&alice, &id, "NONE").await;
    assert_eq!(app.count("retired_connections").await, 2_500);
    app.execute("UPDATE retired_connections SET retired_at = now() - interval '8 days'")
        .await;

    app.service().tidy().await.unwrap();

    assert_eq!(app.count("retired_connections").await, 0);
}

#[tokio::test]
async fn without_a_retention_a_change_destroys_at_once() {
    let app = TestApp::start_retaining(Duration::ZERO).await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let connection = instance(&alice, "Acme", "u1").await;
    store(&alice, &connection, json!({"key": canary()})).await;
    let sealed = app.sql("SELECT sealed_credential FROM connections").await;
    let sealed = sealed[0]["sealed_credential"]
        .as_str()
        .unwrap()
        .trim_start_matches("\\x")
        .to_owned();

    set_auth(&alice, &id, "NONE").await;

    assert_eq!(app.count("connections").await, 0);
    assert_eq!(app.count("retired_connections").await, 0);
    for table in [
        "connections",
        "retired_connections",
        "audit_log",
        "auth_config_secrets",
    ] {
        assert_eq!(
            app.count(&format!("{table} AS t WHERE t::text LIKE '%{sealed}%'"))
                .await,
            0,
            "{table}"
        );
    }
}

/// One change over 100,000 connections, a fifth of whose users have another one to promote: within its 60 s.
#[tokio::test]
async fn a_change_of_type_retires_a_hundred_thousand_connections() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let second = json!({
        "toolkit": {"slug": "acme"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "BEARER_TOKEN", "credentials": {}},
    });
    let second = alice.composio().post("/api/v3/auth_configs", second).await;
    assert_eq!(second.status, 201, "{}", second.text);
    many(&app, &id, 100_000).await;
    app.execute(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, \
             user_hash, is_primary, status) \
         SELECT c.tenant_id, gen_random_uuid(), 'ca_' || substr(md5(c.user_id), 1, 12), a.auth_config_id, \
             c.integration_id, c.user_id, c.user_hash, false, 'INITIALIZING' \
         FROM connections c JOIN auth_configs a ON a.integration_id = c.integration_id AND NOT a.is_default \
         WHERE substr(c.user_id, 6)::int % 5 = 0",
    )
    .await;
    assert_eq!(app.count("connections WHERE NOT is_primary").await, 20_000);
    let path = format!("/integrations/v1/{id}/auth");
    let plan = alice
        .langdock()
        .request(http::Method::PATCH, &path)
        .header("x-dry-run", "true");
    let plan = plan.json(json!({"authType": "OAUTH"})).send().await;
    assert_eq!(
        plan.json["plan"]["connectionsDeleted"], 100_000,
        "{}",
        plan.text
    );

    let begun = Instant::now();
    set_auth(&alice, &id, "OAUTH").await;
    let took = begun.elapsed();

    println!("100,000 connections were retired in {took:?}");
    assert!(took < Duration::from_mins(1), "{took:?}");
    assert_eq!(app.count("retired_connections").await, 100_000);
    assert_eq!(app.count("connections WHERE is_primary").await, 20_000);
    assert_eq!(app.count("connections").await, 20_000);
    let detail = app
        .sql("SELECT detail FROM audit_log ORDER BY audit_id DESC LIMIT 1")
        .await;
    assert_eq!(detail[0]["detail"]["connections_retired"], 100_000);
}
