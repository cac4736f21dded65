//! Deleting a user with 100,000 connections, and 100,000 retired ones, beside others' rows.

use std::time::Instant;

use crate::common::TestApp;
use crate::rows::{instance, integration, many};

#[tokio::test]
async fn a_user_with_a_hundred_thousand_connections_is_destroyed_in_one_request() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    many(&app, &id, 1_000).await;
    let first = instance(&alice, "Acme", "heavy").await;
    app.execute(&format!(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
                user_hash, is_primary, status, generation, sealed_credential)
            SELECT tenant_id, gen_random_uuid(), 'ca_' || lpad(n::text, 12, '0'), auth_config_id, integration_id,
                user_id, user_hash, false, 'ACTIVE', gen_random_uuid(), repeat('x', 300)::bytea
            FROM connections, generate_series(1, 99999) AS n WHERE connection_id = '{first}';
        INSERT INTO retired_connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
                user_hash, is_primary, status, read_only, created_at, updated_at, auth_config_version)
            SELECT tenant_id, gen_random_uuid(), public_id, auth_config_id, integration_id, user_id, user_hash, false,
                status, false, created_at, updated_at, 1 FROM connections WHERE user_id = 'heavy'"
    ))
    .await;

    let begun = Instant::now();
    let reply = alice.klavis().delete("/user/heavy").await;

    println!("200,000 rows were destroyed in {:?}", begun.elapsed());
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json["message"], "User deleted, with 100000 instances");
    assert_eq!(app.count("connections").await, 1_000);
    assert_eq!(app.count("users").await, 1_000);
    assert_eq!(app.count("retired_connections").await, 0);
}
