//! Replaced data keys that are kept for what is sealed late, what bounds a batch, and who counts as running.

use keyway::crypto::{KeyRing, RootKey};
use keyway::domain::{Error, Service};
use keyway::store::keys::Vault;
use keyway::store::rotation::cells::CELLS;
use keyway::store::rotation::{Job, alone};
use keyway::store::{Access, Db};
use serde_json::json;
use sqlx::postgres::PgConnectOptions;

use crate::common::{TestApp, canary, settings};
use crate::rotation::{
    age, age_by, assert_all_under, data_keys, fill, key, named, other_server, read, rotate,
};
use crate::rows::{instance, integration, many, store};

/// A server that was suspended: it writes under a data key that was replaced, and emptied, while it slept.
#[tokio::test]
async fn what_is_sealed_late_under_a_replaced_data_key_is_readable_and_moves() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let filled = fill(&alice).await;
    rotate(app.service(), "alice").await;
    age(&app).await;
    app.service().tidy().await.unwrap();
    let late = instance(&alice, "Acme", "u2").await;
    // From here on this server remembers data key 2 as the one that seals.
    let before = read(&alice, &filled).await;

    let other = other_server(&app).await;
    assert_eq!(rotate(&other, "alice").await.data_key, 3);
    age(&app).await;
    other.tidy().await.unwrap();
    assert_all_under(&app, &alice, 3).await;
    let secret = canary();
    store(&alice, &late, json!({"key": secret})).await;
    let under = named(&app, &alice, "connections", "sealed_credential").await;
    assert!(under.contains(&2), "sealed late: {under:?}");

    for time in ["2 hours", "6 days", "2 days"] {
        let kept = data_keys(&app, &alice).await;
        assert!(kept.contains(&key(2, false, true)), "{kept:?}");
        let path = format!("/mcp-server/instance/{late}/auth");
        let found = alice.klavis().get(&path).await.json;
        assert_eq!(found["authData"]["key"], secret.as_str());
        assert_eq!(read(&alice, &filled).await, before);
        age_by(&app, time).await;
        app.service().tidy().await.unwrap();
        assert_all_under(&app, &alice, 3).await;
    }
    let left = data_keys(&app, &alice).await;
    assert_eq!(left, [key(1, false, true), key(3, true, false)]);
    assert_eq!(read(&alice, &filled).await, before);
    app.finish().await;
}

/// Cells of 256 KiB do not fill the memory: a batch is bounded by bytes too, and none is passed over.
#[tokio::test]
async fn big_cells_are_moved_in_small_batches() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    many(&app, &id, 100).await;
    app.execute(
        "UPDATE connections SET sealed_credential = '\\x010100000001'::bytea || convert_to(repeat('x', 200000), 'UTF8') \
         WHERE user_id LIKE 'many-%'",
    )
    .await;
    let db = Db::new(app.superuser());
    let connections = CELLS.iter().find(|cells| cells.table == "connections");
    let (mut after, mut batches, mut seen) = (uuid::Uuid::nil(), 0, 0);
    loop {
        let rows = db.jobs(Access::Read, move |tx| {
            Box::pin(connections.unwrap().some(tx, alice.id, after, 2))
        });
        let rows = rows.await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.id;
        let bytes: usize = rows
            .iter()
            .filter_map(|row| row.sealed.as_ref())
            .map(Vec::len)
            .sum();
        assert!(bytes <= 8 << 20, "{bytes}");
        seen += rows.len();
        batches += 1;
    }
    assert_eq!((seen, batches), (100, 3));
}

/// A server whose disk is nearly full runs all the same: no root key may seal that it does not hold.
#[tokio::test]
async fn a_server_says_that_it_runs_on_a_nearly_full_disk_too() {
    let app = TestApp::start().await;
    let ring = KeyRing::new(&RootKey::from_base64(app.root_key()).unwrap(), &[]);
    let db = Db::new(app.superuser());
    let vault = Vault::unlock(db.clone(), ring).await.unwrap();
    let server = Service::new(vault, settings("http://127.0.0.1:1"));
    let running = app.count("servers WHERE seen_at > '-infinity'").await;
    db.set_disk_low(true);
    assert!(server.create_tenant("bob").await.is_err());

    server.check_in().await.unwrap();

    let with_it = app.count("servers WHERE seen_at > '-infinity'").await;
    assert_eq!(with_it, running + 1);
    server.check_out().await.unwrap();
    let after = app.count("servers WHERE seen_at > '-infinity'").await;
    assert_eq!(after, running);
}

/// A Postgres that is frozen takes connections, from the kernel, and says nothing.
#[tokio::test]
async fn a_frozen_database_does_not_hold_who_wants_to_rotate() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = PgConnectOptions::new().host("127.0.0.1").port(port);
    let taken = alone::alone(&Db::new(options), Job::RootKey).await;
    assert!(matches!(taken, Err(Error::Unavailable { .. })), "{taken:?}");
}
