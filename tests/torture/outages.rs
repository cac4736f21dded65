//! Postgres away: `pg_ctl stop -m immediate` under load, some time without it, and its return.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::Targets;
use crate::load::{Exchange, Load, Plan};
use crate::probe::Probe;
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// By when a request is answered that began while Postgres was away. Two seconds are promised; the short form, beside
/// other tests on a machine that has more to do than it can, is lenient by half a second.
fn promised() -> Duration {
    scale::of(Duration::from_secs(2), Duration::from_millis(2_500))
}

/// By when one is answered that was under way when the outage began: the server's bound of a transaction of its own, and
/// what surrounds it.
fn under_way() -> Duration {
    scale::of(Duration::from_secs(9), Duration::from_secs(12))
}

/// By when everything is served again after Postgres accepts.
pub const BACK: Duration = Duration::from_secs(5);

/// As [`back_with`], of which only the time is wanted.
pub async fn back(load: &Load, up: Instant) -> Duration {
    back_with(load, up).await.0
}

/// How long the service took to come back, by what the load saw, and all exchanges so far: until the last failure of a request that began after
/// `up`, or else until the first request that was served.
pub async fn back_with(load: &Load, up: Instant) -> (Duration, Vec<Exchange>) {
    let served = load.served_after(up).await;
    sleep(scale::of(
        Duration::from_millis(300),
        Duration::from_millis(50),
    ))
    .await;
    let failed =
        |exchange: &&Exchange| exchange.begun > up && !matches!(exchange.status, Some(200..500));
    let exchanges = load.exchanges();
    let last = exchanges.iter().filter(failed);
    let last = last.map(|exchange| exchange.begun + exchange.took).max();
    let back = last.map_or(served, |last| last.max(served)) - up;
    assert!(back < BACK, "back only after {back:?}");
    (back, exchanges)
}

/// When Postgres was away.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    /// Before it was interrupted.
    pub begun: Instant,
    /// From when on it was certainly away.
    pub down: Instant,
    /// From when on it may have been back.
    pub returning: Instant,
    /// From when on it accepted.
    pub up: Instant,
}

/// What the requests of all outages got.
#[derive(Debug, Default)]
pub struct Judged {
    /// Begun and answered while it was away.
    pub refused: usize,
    slowest: Duration,
    /// Begun while it was away, answered after its return began.
    across: usize,
    /// Under way when it began.
    caught: usize,
    slowest_caught: Duration,
}

impl Judged {
    /// Judges every exchange that overlaps the outage; they must all have ended.
    pub fn judge(&mut self, exchanges: &[Exchange], outage: Outage) {
        for exchange in exchanges {
            let ended = exchange.begun + exchange.took;
            if ended < outage.begun || exchange.begun >= outage.up {
                continue;
            }
            let told = match exchange.status {
                Some(503) => exchange.retry_after,
                Some(400..500) => exchange.invalid,
                _ => false,
            };
            let served = matches!(exchange.status, Some(200..300));
            if exchange.begun < outage.down {
                let in_time = exchange.took <= under_way();
                assert!((told || served) && in_time, "under way: {exchange:?}");
                self.caught += 1;
                self.slowest_caught = self.slowest_caught.max(exchange.took);
            } else if ended <= outage.returning {
                let in_time = exchange.took <= promised();
                assert!(told && in_time, "without Postgres: {exchange:?}");
                self.refused += 1;
                self.slowest = self.slowest.max(exchange.took);
            } else if served {
                // None hangs until the return: only where that came before its time was over, it may have been served.
                let hung =
                    exchange.took > promised() && exchange.begun + promised() <= outage.returning;
                let late = ended.saturating_duration_since(outage.up) > promised();
                assert!(!hung && !late, "across the return: {exchange:?}");
                self.across += 1;
            } else {
                let in_time = exchange.took <= promised();
                assert!(told && in_time, "at the return: {exchange:?}");
                self.across += 1;
                self.slowest = self.slowest.max(exchange.took);
            }
        }
    }

    /// For the report.
    pub fn told(&self) -> String {
        format!(
            "{} requests begun and answered without Postgres, all 503 with Retry-After (or 4xx without need of it), {} \
             answered across its return, the slowest refusal after {} ms; {} under way when it went, the slowest \
             answered after {} ms",
            self.refused,
            self.across,
            self.slowest.as_millis(),
            self.caught,
            self.slowest_caught.as_millis(),
        )
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_stops_at_once_and_comes_back() {
    let mut report = Report::begin("Postgres stopped with -m immediate, restarted", "restarts");
    let home = Home::external().await;
    let mut server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let (restarts, every) = scale::of((50, 10), (2, 2));
    let mut judged = Judged::default();
    let targets = Targets::default();
    for restart in 1..=restarts {
        targets.set(&[server.address]);
        let probe = Probe::start(server.address);
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(rand::random_range(200..700))).await;
        let begun = Instant::now();
        home.postgres().stop_immediately();
        let down = Instant::now();
        sleep(Duration::from_millis(rand::random_range(300..2_500))).await;
        let returning = Instant::now();
        home.postgres().start().await;
        let up = Instant::now();
        let (back, mut exchanges) = back_with(&load, up).await;
        report.recovered(back);
        exchanges.extend(load.stop().await);
        let outage = Outage {
            begun,
            down,
            returning,
            up,
        };
        judged.judge(&exchanges, outage);
        probe.stop().await;
        home.postgres().idle().await;
        verify::values(&world, &server).await;
        if restart % every == 0 {
            server.stop().await;
            server = home.serve().await;
        }
    }
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    assert!(
        judged.refused > 0,
        "no request was made while Postgres was away"
    );
    report.note(format!("{}; /livez 200 throughout", judged.told()));
    report.finish(&world.ledger, restarts);
}
