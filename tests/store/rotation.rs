//! Rotation of a tenant's data key: every sealed column, nobody else's, and what a server with older keys in memory sees.

use keyway::crypto::{KeyRing, RootKey, TenantKeys};
use keyway::domain::Service;
use keyway::domain::rotation::{RotationError, TenantRotation};
use keyway::store::Db;
use keyway::store::keys::Vault;
use keyway::store::rotation::cells::{self, CELLS};
use keyway::store::rotation::{Job, alone};
use keyway::store::sealed_columns::{SEALED_COLUMNS, SealedUnder};
use serde_json::{Value, json};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, settings};
use crate::rows::{instance, integration, many, set_auth, store, strata};

/// A service as another process has it: with keys of its own in memory.
pub async fn other_server(app: &TestApp) -> Service {
    let key = RootKey::from_base64(app.root_key()).unwrap();
    let vault = Vault::unlock(Db::new(app.superuser()), KeyRing::new(&key, &[])).await;
    Service::new(vault.unwrap(), settings("http://127.0.0.1:1"))
}

pub async fn rotate(service: &Service, name: &str) -> TenantRotation {
    let rotated = service.rotate_tenant_key(name, false, &|_| {}).await;
    rotated.unwrap()
}

/// As if the newest data key had been made a quarter of an hour ago.
pub async fn age(app: &TestApp) {
    age_by(app, "15 minutes").await;
}

/// As if so much time had gone by since the last rotation, and an hour since somebody looked at what it left.
pub async fn age_by(app: &TestApp, time: &str) {
    app.execute(&format!(
        "UPDATE tenant_data_keys SET looked_at = NULL, created_at = created_at - interval '{time}', \
         emptied_at = emptied_at - interval '{time}'"
    ))
    .await;
}

pub fn key(number: u32, active: bool, emptied: bool) -> Value {
    json!({"dek_id": number, "active": active, "emptied": emptied})
}

/// A row in every sealed column, and what reads of them say.
pub struct Filled {
    instance: String,
    config: String,
}

pub async fn fill(tenant: &Tenant) -> Filled {
    let id = integration(tenant, "Acme").await;
    let retired = instance(tenant, "Acme", "u0").await;
    store(tenant, &retired, json!({"key": canary()})).await;
    set_auth(tenant, &id, "OAUTH").await;
    set_auth(tenant, &id, "API_KEY").await;
    let instance = instance(tenant, "Acme", "u1").await;
    store(tenant, &instance, json!({"key": canary()})).await;
    share(tenant, "acme").await;
    strata(tenant, "Acme", "u1").await;
    let config = json!({
        "toolkit": {"slug": "github"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "OAUTH2",
            "credentials": {"client_id": "my-app", "client_secret": canary()},
            "proxy_config": {"proxy_url": "https://proxy.example.com", "proxy_auth_key": canary()}},
    });
    let made = tenant.composio().post("/api/v3/auth_configs", config).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let config = made.json["auth_config"]["id"].as_str().unwrap().to_owned();
    let link =
        json!({"auth_config_id": config, "user_id": "u2", "connection_data": {"key": canary()}});
    let linked = tenant
        .composio()
        .post("/api/v3.1/connected_accounts/link", link)
        .await;
    assert_eq!(linked.status, 201, "{}", linked.text);
    Filled { instance, config }
}

/// What every connection of the integration inherits from now on.
async fn share(tenant: &Tenant, toolkit: &str) {
    let configs = "/api/v3/auth_configs";
    let listed = tenant
        .composio()
        .get(&format!("{configs}?toolkit_slug={toolkit}"))
        .await;
    let id = listed.json["items"][0]["id"].as_str().unwrap();
    let change = json!({"type": "custom", "shared_credentials": {"team": canary()}});
    let done = tenant
        .composio()
        .patch(&format!("{configs}/{id}"), change)
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
}

pub async fn read(tenant: &Tenant, filled: &Filled) -> [Value; 2] {
    let credential = format!("/mcp-server/instance/{}/auth", filled.instance);
    let config = format!("/api/v3/auth_configs/{}", filled.config);
    let replies = [
        tenant.klavis().get(&credential).await,
        tenant.composio().get(&config).await,
    ];
    replies.map(|reply| {
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json
    })
}

/// The data keys that the cells of a column name, one for each cell.
pub async fn named(app: &TestApp, tenant: &Tenant, table: &str, column: &str) -> Vec<u32> {
    let query = format!(
        "SELECT {column} AS sealed FROM {table} WHERE tenant_id = '{}' AND {column} IS NOT NULL",
        tenant.id
    );
    let rows = app.sql(&query).await;
    rows.iter()
        .map(|row| {
            let hex = row["sealed"].as_str().unwrap().trim_start_matches("\\x");
            u32::from_str_radix(&hex[4..12], 16).unwrap()
        })
        .collect()
}

pub async fn assert_all_under(app: &TestApp, tenant: &Tenant, data_key: u32) {
    for cells in &CELLS {
        let named = named(app, tenant, cells.table, cells.column).await;
        assert!(!named.is_empty(), "{}.{}", cells.table, cells.column);
        assert!(
            named.iter().all(|named| *named == data_key),
            "{}.{}: {named:?}",
            cells.table,
            cells.column
        );
    }
}

pub async fn data_keys(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    app.sql(&format!(
        "SELECT dek_id, active, emptied_at IS NOT NULL AS emptied FROM tenant_data_keys \
         WHERE tenant_id = '{}' ORDER BY dek_id",
        tenant.id
    ))
    .await
}

/// A sealed column that is missing here would keep its old data key for ever, and lose its content with it.
#[test]
fn every_column_under_data_keys_is_encrypted_anew() {
    let listed: Vec<_> = SEALED_COLUMNS
        .iter()
        .filter(|column| column.under == SealedUnder::DataKey)
        .map(|column| (column.table, column.column))
        .collect();
    let moved: Vec<_> = CELLS
        .iter()
        .map(|cells| (cells.table, cells.column))
        .collect();
    assert_eq!(moved, listed);
    let any_left = cells::JOB_STATEMENTS
        .iter()
        .find(|statement| statement.starts_with("-- every sealed column: anything"));
    for (table, column) in listed {
        assert!(
            any_left.unwrap().contains(&format!("FROM {table} ")),
            "{table}"
        );
        assert!(any_left.unwrap().contains(column), "{column}");
        let statements = cells::JOB_STATEMENTS.iter();
        let updates = format!("UPDATE {table} AS t SET {column} = ");
        assert_eq!(
            statements.filter(|text| text.contains(&updates)).count(),
            1,
            "{table}.{column}"
        );
    }
}

#[tokio::test]
async fn every_cell_moves_under_the_new_data_key_and_reads_as_before() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let (filled, other) = (fill(&alice).await, fill(&bob).await);
    let before = [read(&alice, &filled).await, read(&bob, &other).await];
    assert_all_under(&app, &alice, 1).await;

    let rotation = rotate(app.service(), "alice").await;

    assert_eq!((rotation.data_key, rotation.replaced), (2, vec![1]));
    assert_eq!((rotation.resumed, rotation.finished), (false, false));
    assert!(
        rotation.cells >= 6 && rotation.damaged == 0,
        "{}",
        rotation.cells
    );
    assert_all_under(&app, &alice, 2).await;
    assert_all_under(&app, &bob, 1).await;
    let after = [read(&alice, &filled).await, read(&bob, &other).await];
    assert_eq!(after, before);
    app.service().tidy().await.unwrap();
    assert_eq!(
        data_keys(&app, &alice).await,
        [
            json!({"dek_id": 1, "active": false, "emptied": false}),
            json!({"dek_id": 2, "active": true, "emptied": false}),
        ],
        "a server may still seal under the old one"
    );
    app.finish().await;
}

/// The first data key stays, for the index columns that are derived from it; those after it go.
#[tokio::test]
async fn a_server_removes_the_old_data_key_when_it_was_kept_for_seven_days() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let filled = fill(&alice).await;
    let before = read(&alice, &filled).await;
    rotate(app.service(), "alice").await;
    age(&app).await;
    app.service().tidy().await.unwrap();
    let (first, second, third) = (
        key(1, false, true),
        key(2, false, true),
        key(3, true, false),
    );
    assert_eq!(data_keys(&app, &alice).await[0], first);

    assert_eq!(rotate(app.service(), "alice").await.data_key, 3);
    for time in ["15 minutes", "6 days 23 hours"] {
        age_by(&app, time).await;
        app.service().tidy().await.unwrap();
        let kept = data_keys(&app, &alice).await;
        assert_eq!(kept, [first.clone(), second.clone(), third.clone()]);
    }
    age_by(&app, "1 hour").await;
    app.service().tidy().await.unwrap();

    assert_eq!(data_keys(&app, &alice).await, [first, third]);
    assert_eq!(read(&alice, &filled).await, before);
    let actions = app
        .sql("SELECT action, object_id FROM audit_log WHERE object_kind = 'data_key' ORDER BY audit_id")
        .await;
    let actions: Vec<_> = actions
        .iter()
        .map(|row| {
            (
                row["action"].as_str().unwrap(),
                row["object_id"].as_str().unwrap(),
            )
        })
        .collect();
    let (made, gone) = ("tenant.rotate_key", "tenant.retire_keys");
    assert_eq!(
        actions,
        [
            (made, "2"),
            (gone, "2"),
            (made, "3"),
            (gone, "3"),
            ("tenant.remove_keys", "3")
        ]
    );
    app.finish().await;
}

/// This server has read the keys before another process rotates, and not since.
#[tokio::test]
async fn a_server_that_remembers_older_keys_reads_everything_and_loses_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let filled = fill(&alice).await;
    let before = read(&alice, &filled).await;
    let late = instance(&alice, "Acme", "u2").await;

    let rotation = rotate(&other_server(&app).await, "alice").await;
    assert_eq!(rotation.data_key, 2);
    let secret = canary();
    store(&alice, &late, json!({"key": secret})).await;
    let under = named(&app, &alice, "connections", "sealed_credential").await;
    assert!(
        under.contains(&1),
        "sealed under the key that it remembers: {under:?}"
    );

    assert_eq!(read(&alice, &filled).await, before);
    let path = format!("/mcp-server/instance/{late}/auth");
    assert_eq!(
        alice.klavis().get(&path).await.json["authData"]["key"],
        secret.as_str()
    );
    age(&app).await;
    app.service().tidy().await.unwrap();
    assert_all_under(&app, &alice, 2).await;
    assert_eq!(
        alice.klavis().get(&path).await.json["authData"]["key"],
        secret.as_str()
    );
    app.finish().await;
}

#[tokio::test]
async fn an_unfinished_rotation_is_gone_on_with_and_two_at_once_are_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    fill(&alice).await;
    rotate(app.service(), "alice").await;
    // Cut short: a cell was not reached, or was sealed by a server that remembers the old key.
    let again = rotate(app.service(), "alice").await;
    assert_eq!((again.data_key, again.resumed, again.cells), (2, true, 0));

    let taken = alone::alone(&Db::new(app.superuser()), Job::TenantKey(alice.id)).await;
    let taken = taken.unwrap().unwrap();
    let refused = app
        .service()
        .rotate_tenant_key("alice", false, &|_| {})
        .await;
    assert!(
        matches!(refused, Err(RotationError::Busy(_))),
        "{refused:?}"
    );
    taken.release().await;
    rotate(app.service(), "alice").await;
    let nobody = app
        .service()
        .rotate_tenant_key("nobody", false, &|_| {})
        .await;
    assert!(nobody.is_err());
}

/// Bytes that do not open are told of, and the data key that they name is kept: a backup of the row may open.
#[tokio::test]
async fn a_damaged_cell_keeps_its_data_key() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    many(&app, &id, 450).await;
    let filled = instance(&alice, "Acme", "u1").await;
    store(&alice, &filled, json!({"key": canary()})).await;

    let rotation = rotate(app.service(), "alice").await;
    assert_eq!((rotation.cells, rotation.damaged), (1, 450));
    age(&app).await;
    app.service().tidy().await.unwrap();
    let first = json!({"dek_id": 1, "active": false, "emptied": false});
    assert_eq!(data_keys(&app, &alice).await[0], first);

    app.execute("DELETE FROM connections WHERE user_id LIKE 'many-%'")
        .await;
    let rotation = rotate(app.service(), "alice").await;
    assert!(rotation.finished && rotation.resumed, "{rotation:?}");
}

/// A data key that does not open keeps its root key, and is told of.
#[tokio::test]
async fn a_damaged_data_key_keeps_its_root_key() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let flip = format!(
        "UPDATE tenant_data_keys SET sealed_key = set_byte(sealed_key, 60, 255 - get_byte(sealed_key, 60)) \
         WHERE tenant_id = '{}'",
        alice.id
    );
    app.execute(&flip).await;
    let (old, new) = (
        RootKey::from_base64(app.root_key()).unwrap(),
        RootKey::generate(),
    );
    let (old_id, ring) = (old.root_id(), KeyRing::new(&new, &[old]));
    let vault = Vault::unlock(Db::new(app.superuser()), ring).await.unwrap();
    let both = Service::new(vault, settings("http://127.0.0.1:1"));

    let rotation = both.rotate_root_key(&|_| {}).await.unwrap();

    assert_eq!((rotation.data_keys, rotation.server_secrets), (1, 1));
    assert_eq!((rotation.damaged, rotation.remaining), (1, vec![old_id]));
    let rewrapped = "audit_log WHERE action = 'tenant.rewrap_key' AND object_kind = 'data_key' AND object_id = '1'";
    let of_bob = format!("{rewrapped} AND tenant_id = '{}'", bob.id);
    assert_eq!(
        (app.count(rewrapped).await, app.count(&of_bob).await),
        (1, 1)
    );

    app.execute(&flip).await;
    let rotation = both.rotate_root_key(&|_| {}).await.unwrap();
    assert_eq!((rotation.data_keys, rotation.retired), (1, vec![old_id]));
    assert_eq!(app.count("root_keys").await, 1);
}

#[test]
fn the_header_tells_the_data_key() {
    assert_eq!(TenantKeys::named_in(&[1, 1, 0, 0, 1, 2, 9]), Some(258));
    assert_eq!(TenantKeys::named_in(&[1, 1, 0, 0, 1]), None);
    assert_eq!(TenantKeys::named_in(&[2, 1, 0, 0, 0, 2]), None);
}
