//! More clients than there are turns, with rows locked from outside; and many writers on one row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::time::sleep;
use uuid::Uuid;

use crate::client::Targets;
use crate::load::{Exchange, Load, Mix, Plan};
use crate::outages::{BACK, back};
use crate::probe::Probe;
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// Ten times the store's turns (14).
const CLIENTS: usize = 140;
/// How long rows stay locked: less than the store's `lock_timeout` of 2 s.
const LOCKED: Duration = Duration::from_millis(1_500);

/// Locks these connections again and again, as somebody else's long transactions would.
async fn lock(home: Arc<Home>, connections: Vec<Uuid>, end: Arc<AtomicBool>) {
    let mut outside = PgConnection::connect_with(&home.superuser()).await.unwrap();
    while !end.load(Ordering::Relaxed) {
        let mut transaction = outside.begin().await.unwrap();
        let query = "SELECT connection_id FROM connections WHERE connection_id = ANY($1) ORDER BY 1 FOR UPDATE";
        sqlx::query(query)
            .bind(&connections)
            .fetch_all(&mut *transaction)
            .await
            .unwrap();
        sleep(LOCKED).await;
        transaction.rollback().await.unwrap();
        sleep(Duration::from_millis(100)).await;
    }
}

/// There was too much to do for all, and those who were not served were told to come again.
fn told(exchanges: &[Exchange]) -> String {
    let unserved: Vec<_> = exchanges
        .iter()
        .filter(|exchange| exchange.status == Some(503))
        .collect();
    assert!(!unserved.is_empty(), "nothing was exhausted: no 503");
    let silent = unserved.iter().find(|exchange| !exchange.retry_after);
    assert!(silent.is_none(), "without Retry-After: {silent:?}");
    let unserved = unserved.len();
    let slowest = exchanges.iter().map(|exchange| exchange.took).max();
    format!(
        "{unserved} of {} answers were 503, slowest answer {} ms",
        exchanges.len(),
        slowest.unwrap_or_default().as_millis()
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_times_as_many_clients_as_turns_are_served_or_told_to_come_again() {
    let mut report = Report::begin("pool exhaustion, ten times the clients, locked rows", "s");
    let home = Arc::new(Home::external().await);
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let plan = Plan {
        clients: CLIENTS,
        hot: 16,
        ..Plan::USUAL
    };
    let (probe, end) = (
        Probe::start(server.address),
        Arc::new(AtomicBool::new(false)),
    );
    let hot = world.connections[..plan.hot].iter();
    let hot = hot.map(|connection| connection.id.parse().unwrap());
    let locks = tokio::spawn(lock(Arc::clone(&home), hot.collect(), Arc::clone(&end)));
    let load = Load::start(&world, &targets, plan);
    let seconds = scale::of(30, 3);
    sleep(Duration::from_secs(seconds)).await;
    report.note(told(&load.exchanges()));
    end.store(true, Ordering::Relaxed);
    locks.await.unwrap();
    let back = back_from(&load).await;
    assert!(back <= BACK, "back only after {back:?}");
    report.recovered(back);
    load.stop().await;
    report.note(probe.stop().await);
    server.stop().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.finish(&world.ledger, seconds);
}

/// How long until the first answer after the locks are gone: 140 clients may still be too many for all.
async fn back_from(load: &Load) -> Duration {
    let now = Instant::now();
    load.served_after(now).await - now
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_writers_on_one_row_one_of_the_last_is_found() {
    let mut report = Report::begin("64 writers on one row", "s");
    let home = Home::external().await;
    let server = home.serve().await;
    let size = Size {
        tenants: 1,
        connections: 1,
        configs: 1,
        settings: 1,
    };
    let world = World::seed(&home, &server, size).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let plan = Plan {
        clients: 64,
        mix: Mix {
            set_auth: 95,
            ..Mix::SET_AUTH
        },
        hot: 0,
        retries: 0,
    };
    let seconds = scale::of(20, 2);
    for _ in 0..2 {
        let load = Load::start(&world, &targets, plan);
        sleep(Duration::from_millis(seconds * 500)).await;
        report.recovered(back(&load, Instant::now()).await);
        load.stop().await;
        home.postgres().idle().await;
        verify::values(&world, &server).await;
    }
    server.stop().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.finish(&world.ledger, seconds);
}
