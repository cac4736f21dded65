//! Deleting an auth config destroys every sealed byte under it, in the transaction that says so.
//!
//! What is promised: once the answer is there, no row of any table holds the bytes, for no transaction that begins then,
//! whatever its role, and so for no dump of the database either. What is not: Postgres leaves what rows were in its files
//! until their space is used again (a vacuum gives it free, and wipes nothing), and in its write-ahead log and in backups
//! for as long as those are kept. What lies there is sealed under keys that are not in the database.

use serde_json::{Value, json};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::story::{V3, custom, integration_of, made, path};

/// What is sealed in one column, by the rows that `of` selects.
async fn sealed(app: &TestApp, column: &str, of: &str) -> Vec<Vec<u8>> {
    let rows = app
        .sql(&format!(
            "SELECT encode({column}, 'hex') AS hex FROM {of} AND {column} IS NOT NULL"
        ))
        .await;
    let bytes = |hex: &str| {
        let digits: Vec<_> = hex.chars().map(|digit| digit.to_digit(16)).collect();
        let pairs = digits.chunks(2);
        pairs
            .map(|pair| u8::try_from(pair[0].unwrap() * 16 + pair[1].unwrap()).unwrap())
            .collect()
    };
    rows.iter()
        .map(|row| bytes(row["hex"].as_str().unwrap()))
        .collect()
}

/// Every sealed cell under the config, wherever it lies.
async fn under(app: &TestApp, config: &str) -> Vec<Vec<u8>> {
    let row = format!("(SELECT auth_config_id FROM auth_configs WHERE public_id = '{config}')");
    let of = |table: &str| format!("{table} WHERE auth_config_id = {row}");
    let links = format!(
        "link_tokens WHERE connection_id IN (SELECT connection_id FROM {})",
        of("connections")
    );
    let mut found = Vec::new();
    for (column, of) in [
        ("sealed_value", of("auth_config_secrets")),
        ("sealed_proxy_auth_key", of("auth_configs")),
        ("sealed_credential", of("connections")),
        ("sealed_credential", of("retired_connections")),
        ("sealed_data", links),
    ] {
        let cells = sealed(app, column, &of).await;
        assert!(!cells.is_empty(), "nothing lies in {column} of {of}");
        found.extend(cells);
    }
    found
}

/// A Klavis instance that holds a planted credential.
async fn connected(tenant: &Tenant, service: &str, user: &str) -> Value {
    let body = json!({ "serverName": service, "userId": user });
    let klavis = tenant.klavis();
    let made = klavis.post("/mcp-server/instance/create", body).await;
    let id = made.json["instanceId"].clone();
    let auth_data = json!({ "data": { "key": canary(), "deep": { "er": canary() } } });
    let body = json!({ "instanceId": id, "authData": auth_data });
    let set = klavis.post("/mcp-server/instance/set-auth", body).await;
    assert_eq!(set.json["success"], true, "{}", set.text);
    id
}

/// A config with cells of both kinds, a proxy's key, a connection, a retired one, and a link that leads to the former.
async fn full_config(app: &TestApp, tenant: &Tenant, service: &str) -> String {
    let mut body = custom(
        service,
        "OAUTH2",
        json!({ "client_id": format!("id-of-{service}"), "client_secret": canary(), "long": "x".repeat(20_000) }),
    );
    body["auth_config"]["shared_credentials"] = json!({ "subdomain": canary(), "team": canary() });
    body["auth_config"]["proxy_config"] =
        json!({ "proxy_url": "https://proxy.example", "proxy_auth_key": canary() });
    let id = made(&tenant.composio(), body).await;
    connected(tenant, service, "retired").await;
    let integration = integration_of(app, &id).await;
    app.execute(&format!(
        "WITH gone AS (DELETE FROM connections WHERE integration_id = '{integration}' RETURNING *)
         INSERT INTO retired_connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
             user_hash, is_primary, status, generation, sealed_credential, read_only, created_at, updated_at,
             auth_config_version)
         SELECT tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, user_hash, is_primary,
             status, generation, sealed_credential, read_only, created_at, updated_at, 1 FROM gone"
    ))
    .await;
    let live = connected(tenant, service, "live").await;
    app.execute(&format!(
        "INSERT INTO link_tokens (tenant_id, token_hash, connection_id, key_id, sealed_data, expires_at)
         SELECT tenant_id, sha256(public_id::bytea), connection_id, 'key', sha256(sealed_credential), now()
         FROM connections WHERE connection_id = '{}'",
        live.as_str().unwrap()
    ))
    .await;
    id
}

#[tokio::test]
async fn no_row_of_any_table_holds_what_was_sealed_under_a_deleted_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let gone = full_config(&app, &alice, "github").await;
    let kept = full_config(&app, &alice, "slack").await;
    let (of_gone, of_kept) = (under(&app, &gone).await, under(&app, &kept).await);
    assert!(of_gone.len() >= 9, "{}", of_gone.len());
    for cell in of_gone.iter().chain(&of_kept) {
        assert!(cell.len() >= 16);
        assert_eq!(app.tables_holding(cell).await.len(), 1, "one row, or none");
    }
    let before = audited(&app).await;

    let reply = alice.composio().delete(&path(&gone)).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    for cell in &of_gone {
        assert_eq!(app.tables_holding(cell).await, [""; 0]);
    }
    for cell in &of_kept {
        assert_eq!(app.tables_holding(cell).await.len(), 1);
    }
    assert_eq!(audited(&app).await - before, 1, "one row for all of it");
    app.finish().await;
}

async fn audited(app: &TestApp) -> i64 {
    app.count("audit_log").await
}

/// A version of a cell that was replaced before is gone already, and so is a config that was changed and then deleted.
#[tokio::test]
async fn versions_that_were_replaced_before_are_gone_too() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let id = full_config(&app, &alice, "github").await;
    let mut seen = under(&app, &id).await;
    for _ in 0..3 {
        let change = json!({
            "type": "custom",
            "credentials": { "client_secret": canary(), "long": null },
            "shared_credentials": { "team": canary() },
            "proxy_config": { "proxy_url": "https://other.example", "proxy_auth_key": canary() },
        });
        assert_eq!(client.patch(&path(&id), change).await.status, 200);
        seen.extend(under(&app, &id).await);
    }
    seen.sort();
    seen.dedup();
    assert!(seen.len() >= 18, "{}", seen.len());

    assert_eq!(client.delete(&path(&id)).await.status, 200);

    for cell in &seen {
        assert_eq!(app.tables_holding(cell).await, [""; 0]);
    }
    assert_eq!(client.get(V3).await.json["items"], json!([]));
    app.finish().await;
}
