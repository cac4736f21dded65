//! A caller that goes away: its transaction is whole or not there, and no connection of the pool stays in one.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use keyway::domain::Error;
use keyway::domain::error::Kind;
use keyway::store::Access;
use serde_json::json;
use tokio::sync::Notify;

use crate::common::TestApp;
use crate::rows::{house, insert};

#[tokio::test]
async fn a_caller_that_goes_away_midway_changes_nothing_about_the_outcome() {
    let house = house().await;
    let begun = Arc::new(Notify::new());
    let (db, tenant, inside) = (house.db.clone(), house.tenant, Arc::clone(&begun));
    let caller = tokio::spawn(async move {
        let work = db.tenant(tenant, Access::Write, move |tx| {
            let inside = Arc::clone(&inside);
            Box::pin(async move {
                insert(tx, "first").await?;
                inside.notify_one();
                tokio::time::sleep(Duration::from_millis(200)).await;
                insert(tx, "second").await
            })
        });
        work.await
    });

    begun.notified().await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());

    house.assert_nothing_is_open().await;
    assert_eq!(house.stored.count("integrations").await, 2);
}

#[tokio::test]
async fn an_error_a_panic_and_a_refused_write_leave_nothing() {
    let house = house().await;
    let failed = house.write(|tx| {
        Box::pin(async move {
            insert(tx, "first").await?;
            Err::<(), _>(Error::NotFound(Kind::Integration))
        })
    });
    assert!(matches!(
        failed.await,
        Err(Error::NotFound(Kind::Integration))
    ));
    let panicked = house.write::<()>(|tx| {
        Box::pin(async move {
            insert(tx, "first").await?;
            std::panic::resume_unwind(Box::new("without a message on the screen"))
        })
    });
    assert!(matches!(panicked.await, Err(Error::Internal(_))));
    let reading = house.db.tenant(house.tenant, Access::Read, |tx| {
        Box::pin(async move { insert(tx, "first").await })
    });
    assert!(reading.await.is_err());

    house.assert_nothing_is_open().await;
    assert_eq!(house.stored.count("integrations").await, 0);
    house
        .write(|tx| Box::pin(async move { insert(tx, "first").await }))
        .await
        .unwrap();
    assert_eq!(house.stored.count("integrations").await, 1);
}

/// Three hundred callers that go away at any moment: what was acknowledged is there, nothing is there by halves.
#[tokio::test]
async fn callers_that_go_away_at_any_moment_lose_and_tear_nothing() {
    let house = house().await;
    let mut acknowledged = HashSet::new();
    for round in 0..30 {
        let callers: Vec<_> = (0..10)
            .map(|caller| {
                let (db, tenant, stem) =
                    (house.db.clone(), house.tenant, format!("p{round}x{caller}"));
                let pair = stem.clone();
                let task = tokio::spawn(async move {
                    let work = db.tenant(tenant, Access::Write, move |tx| {
                        let pair = pair.clone();
                        Box::pin(async move {
                            insert(tx, &format!("{pair}a")).await?;
                            insert(tx, &format!("{pair}b")).await
                        })
                    });
                    work.await.unwrap();
                });
                (
                    stem,
                    task,
                    Duration::from_micros(rand::random_range(0..12_000)),
                )
            })
            .collect();
        for (stem, task, after) in callers {
            tokio::time::sleep(after / 10).await;
            task.abort();
            if task.await.is_ok() {
                acknowledged.insert(stem);
            }
        }
    }

    house.assert_nothing_is_open().await;
    let rows = house
        .stored
        .rows("SELECT left(slug, -1) AS stem, count(*) AS rows FROM integrations GROUP BY 1")
        .await;
    assert!(rows.iter().all(|row| row["rows"] == 2), "{rows:?}");
    let stored: HashSet<_> = rows
        .iter()
        .map(|row| row["stem"].as_str().unwrap().to_owned())
        .collect();
    assert!(acknowledged.is_subset(&stored));
    assert!(acknowledged.len() < 300, "no caller went away in time");
}

/// The same over HTTP: requests are dropped at any moment. A change, what belongs to it and its audit row are one.
#[tokio::test]
async fn clients_that_hang_up_leave_no_half_change() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let mut acknowledged = Vec::new();
    for round in 0..200 {
        let name = format!("Service {round}");
        let client = alice.langdock();
        let request = client.post("/integrations/v1/create", json!({ "name": name }));
        let patience = Duration::from_micros(rand::random_range(500..12_000));
        if let Ok(reply) = tokio::time::timeout(patience, request).await {
            assert_eq!(reply.status, 201, "{}", reply.text);
            acknowledged.push(name);
        }
    }
    let open = "pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
    for _ in 0..50 {
        if app.count(open).await == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(app.count(open).await, 0);
    let made = app.count("integrations").await;
    assert_eq!(
        app.count("auth_configs WHERE is_default AND is_implicit")
            .await,
        made
    );
    assert_eq!(
        app.count("audit_log WHERE action = 'integration.create'")
            .await,
        made
    );
    for name in &acknowledged {
        assert_eq!(
            app.count(&format!("integrations WHERE name = '{name}'"))
                .await,
            1,
            "{name}"
        );
    }
    assert!(
        acknowledged.len() < 200 && made > 0,
        "{} of {made}",
        acknowledged.len()
    );
}
