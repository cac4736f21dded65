//! Many at once: deadlocks are tried again, waiting has an end, an exhausted pool says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use keyway::domain::Error;
use keyway::domain::ids::IntegrationId;
use keyway::store::{Access, integrations};
use serde_json::json;
use tokio::sync::Barrier;

use crate::common::TestApp;
use crate::rows::{House, house, insert, instance, integration, store};

async fn two_rows(house: &House) -> [IntegrationId; 2] {
    house
        .write(|tx| {
            Box::pin(async move { Ok([insert(tx, "one").await?, insert(tx, "two").await?]) })
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn of_two_that_block_each_other_one_is_tried_again_and_both_succeed() {
    let house = house().await;
    let [one, two] = two_rows(&house).await;
    let (meet, attempts) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let crosswise = |order: [IntegrationId; 2]| {
        let (meet, attempts) = (Arc::clone(&meet), Arc::clone(&attempts));
        house.write(move |tx| {
            let (meet, attempts) = (Arc::clone(&meet), Arc::clone(&attempts));
            Box::pin(async move {
                let attempt = attempts.fetch_add(1, Ordering::SeqCst);
                integrations::lock(tx, order[0]).await?;
                if attempt < 2 {
                    meet.wait().await;
                }
                integrations::lock(tx, order[1]).await?;
                insert(tx, &format!("after-{}", order[0])).await
            })
        })
    };

    let (first, second) = tokio::join!(crosswise([one, two]), crosswise([two, one]));

    first.unwrap();
    second.unwrap();
    assert_eq!(
        attempts.load(Ordering::SeqCst),
        3,
        "two attempts and one more"
    );
    assert_eq!(house.stored.count("integrations").await, 4);
    house.assert_nothing_is_open().await;
    assert_eq!(house.stored.deadlocks().await, 1);
}

#[tokio::test]
async fn waiting_for_a_locked_row_ends_after_two_seconds() {
    let house = house().await;
    let [one, _] = two_rows(&house).await;
    let locked = Arc::new(Barrier::new(2));
    let inside = Arc::clone(&locked);
    let holder = house.write(move |tx| {
        let inside = Arc::clone(&inside);
        Box::pin(async move {
            integrations::lock(tx, one).await?;
            inside.wait().await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            Ok(())
        })
    });
    let second = async {
        locked.wait().await;
        let begun = Instant::now();
        let outcome = house
            .write(move |tx| Box::pin(async move { integrations::lock(tx, one).await.map(|_| ()) }))
            .await;
        (outcome, begun.elapsed())
    };

    let (held, (outcome, waited)) = tokio::join!(holder, second);

    held.unwrap();
    assert!(
        matches!(outcome, Err(Error::Unavailable { .. })),
        "{outcome:?}"
    );
    assert!(
        (Duration::from_millis(1_900)..Duration::from_millis(3_500)).contains(&waited),
        "{waited:?}"
    );
}

/// More transactions than there are connections, none of which ends until it is told to.
#[tokio::test]
async fn an_exhausted_pool_says_so_within_a_second_and_recovers() {
    let house = house().await;
    let (release, released) = tokio::sync::watch::channel(false);
    let inside = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let holders: Vec<_> = (0..40)
        .map(|_| {
            let (db, tenant) = (house.db.clone(), house.tenant);
            let (released, inside) = (released.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let work = db.tenant(tenant, Access::Read, move |_| {
                    let (mut released, inside) = (released.clone(), Arc::clone(&inside));
                    Box::pin(async move {
                        inside.fetch_add(1, Ordering::SeqCst);
                        released
                            .wait_for(|now| *now)
                            .await
                            .map_err(Error::internal)?;
                        Ok(())
                    })
                });
                (work.await, begun.elapsed())
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(900)).await;
    let held = inside.load(Ordering::SeqCst);
    assert!((8..=20).contains(&held), "{held} transactions at once");

    let asked = Instant::now();
    let outcomes = join_all((0..50).map(|_| house.db.ping())).await;
    let took = asked.elapsed();
    release.send(true).unwrap();

    for outcome in outcomes {
        assert!(
            matches!(outcome, Err(Error::Unavailable { .. })),
            "{outcome:?}"
        );
    }
    let promised = Duration::from_millis(400)..Duration::from_millis(1_200);
    assert!(promised.contains(&took), "{took:?}");
    let mut served = 0;
    for holder in join_all(holders).await {
        match holder.unwrap() {
            (Ok(()), _) => served += 1,
            (Err(Error::Unavailable { .. }), took) => assert!(promised.contains(&took), "{took:?}"),
            (Err(error), _) => panic!("{error}"),
        }
    }
    assert_eq!(served, held);
    house.db.ping().await.unwrap();
}

/// Sixty-four writers on one row: each is done or told to come again; what is acknowledged is audited.
#[tokio::test]
async fn many_writers_on_one_row_are_served_one_after_another() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Acme").await;
    let id = instance(&alice, "Acme", "u1").await;
    store(&alice, &id, json!({"key": "before"})).await;
    let before = app
        .count("audit_log WHERE action = 'connection.set_credential'")
        .await;

    let klavis = alice.klavis();
    let replies = join_all((0..64).map(|writer| {
        let body = json!({"instanceId": id, "authData": {"data": {"key": format!("w{writer}"), "same": format!("w{writer}")}}});
        klavis.post("/mcp-server/instance/set-auth", body)
    }))
    .await;

    let done = replies.iter().filter(|reply| reply.status == 200).count();
    for reply in &replies {
        assert!([200, 503].contains(&reply.status), "{}", reply.text);
        assert_eq!(
            reply.status == 503,
            reply.headers.contains_key("retry-after")
        );
    }
    assert!(done >= 32, "only {done} of 64 were served");
    let audited = app
        .count("audit_log WHERE action = 'connection.set_credential'")
        .await
        - before;
    assert_eq!(audited, i64::try_from(done).unwrap());
    let held = klavis.get(&format!("/mcp-server/instance/{id}/auth")).await;
    assert_eq!(held.json["authData"]["key"], held.json["authData"]["same"]);
    assert_ne!(held.json["authData"]["key"], "before");
}
