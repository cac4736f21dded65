//! A tenant that is deleted: its keys at once, its rows in batches, whatever interrupts it, and nobody else's.

use serde_json::json;

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::rows::{instance, integration, many, set_auth, store, strata};

/// Rows in every table.
async fn fill(tenant: &Tenant) -> String {
    let id = integration(tenant, "Acme").await;
    let connection = instance(tenant, "Acme", "u1").await;
    store(tenant, &connection, json!({"key": canary()})).await;
    set_auth(tenant, &id, "OAUTH").await;
    let client = json!({"authType": "OAUTH", "oauthClient": {"clientId": canary(), "clientSecret": canary()}});
    let path = format!("/integrations/v1/{id}/auth");
    assert_eq!(tenant.langdock().patch(&path, client).await.status, 200);
    let again = instance(tenant, "Acme", "u1").await;
    store(tenant, &again, json!({"key": canary()})).await;
    strata(tenant, "Acme", "u1").await;
    id
}

async fn rows_of(app: &TestApp, tenant: &Tenant) -> Vec<(String, i64)> {
    let tables = app
        .sql(
            "SELECT table_name::text AS name FROM information_schema.columns \
             WHERE table_schema = 'public' AND column_name = 'tenant_id' ORDER BY 1",
        )
        .await;
    let mut rows = Vec::new();
    for table in &tables {
        let name = table["name"].as_str().unwrap();
        let count = app
            .count(&format!("{name} WHERE tenant_id = '{}'", tenant.id))
            .await;
        if count > 0 {
            rows.push((name.to_owned(), count));
        }
    }
    rows
}

#[tokio::test]
async fn nothing_of_a_deleted_tenant_is_left_and_everything_of_the_others() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let id = fill(&alice).await;
    fill(&bob).await;
    many(&app, &id, 7_000).await;
    assert_eq!(rows_of(&app, &alice).await.len(), 13);
    let before = rows_of(&app, &bob).await;

    app.service().delete_tenant("alice").await.unwrap();

    assert_eq!(rows_of(&app, &alice).await, []);
    assert_eq!(rows_of(&app, &bob).await, before);
    assert!(app.service().delete_tenant("alice").await.is_err());
    let again = app.tenant("alice").await;
    assert_ne!(again.id, alice.id);
    fill(&again).await;
    app.finish().await;
}

/// The first transaction alone: no data key is left to open anything with, no API key is accepted by a server that
/// does not know it yet. The rows wait for the next run.
#[tokio::test]
async fn a_deletion_that_was_cut_short_destroys_the_keys_and_is_finished_later() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    fill(&alice).await;
    let unused = alice.with_scopes(&["connections:read"]).await;
    // What the first transaction does, and a crash after it.
    app.execute(
        "DELETE FROM tenant_data_keys; UPDATE api_keys SET revoked_at = now(); UPDATE tenants SET deleted_at = now()",
    )
    .await;

    assert_eq!(
        unused.klavis().get("/mcp-server/instance/x").await.status,
        403
    );
    assert!(app.service().tenants().await.unwrap().is_empty());
    assert!(rows_of(&app, &alice).await.len() > 5);

    app.service().sweep_tenants().await.unwrap();

    assert_eq!(rows_of(&app, &alice).await, []);
}

/// A server remembers a key for a few seconds. In them a deleted tenant's caller is refused, never a fault of ours,
/// and what it manages to write is swept.
#[tokio::test]
async fn a_remembered_key_of_a_deleted_tenant_is_no_fault_of_ours() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = fill(&alice).await;
    let connection = instance(&alice, "Acme", "u2").await;

    app.service().delete_tenant("alice").await.unwrap();

    let body = json!({"instanceId": connection, "authData": {"data": {"key": "k"}}});
    let replies = [
        alice
            .klavis()
            .get(&format!("/mcp-server/instance/{connection}"))
            .await,
        alice
            .klavis()
            .get(&format!("/mcp-server/instance/{connection}/auth"))
            .await,
        alice
            .klavis()
            .post("/mcp-server/instance/set-auth", body)
            .await,
        alice
            .klavis()
            .post(
                "/mcp-server/instance/create",
                json!({"serverName": "Slack", "userId": "u"}),
            )
            .await,
        alice.composio().get("/api/v3/auth_configs").await,
        alice
            .langdock()
            .get(&format!("/integrations/v1/{id}"))
            .await,
        alice
            .langdock()
            .post("/integrations/v1/create", json!({"name": "New"}))
            .await,
    ];
    for reply in replies {
        assert!(
            (400..500).contains(&reply.status),
            "{} {}",
            reply.status,
            reply.text
        );
    }
    app.service().sweep_tenants().await.unwrap();
    assert_eq!(rows_of(&app, &alice).await, []);
}

/// Another server's deletion: this one still remembers the API key and the unwrapped data keys.
#[tokio::test]
async fn a_deleted_tenant_is_handed_nothing_though_its_keys_are_remembered() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let connection = instance(&alice, "Slack", "u1").await;
    store(&alice, &connection, json!({"key": canary()})).await;
    let path = format!("/mcp-server/instance/{connection}/auth");
    assert_eq!(alice.klavis().get(&path).await.json["success"], true);
    let before = app.fingerprint().await;

    app.execute("UPDATE tenants SET deleted_at = now()").await;
    let read = alice.klavis().get(&path).await;
    let body = json!({"instanceId": connection, "authData": {"api_key": canary()}});
    let written = alice
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await;

    for reply in [read, written] {
        assert_eq!(
            (reply.status, reply.json),
            (403, json!({"detail": "Invalid API key"}))
        );
    }
    app.execute("UPDATE tenants SET deleted_at = NULL").await;
    assert_eq!(app.fingerprint().await, before);
}

/// A request in flight holds the tenant's row, as each foreign key to it does.
#[tokio::test]
async fn a_deletion_takes_the_rows_also_while_a_request_is_in_flight() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    fill(&alice).await;
    let in_flight = "DO $$ BEGIN PERFORM FROM tenants FOR KEY SHARE; PERFORM pg_sleep(1); END $$";
    let deletion = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        app.service().delete_tenant("alice").await
    };

    let ((), deleted) = tokio::join!(app.execute(in_flight), deletion);

    deleted.unwrap();
    assert_eq!(rows_of(&app, &alice).await, []);
}
