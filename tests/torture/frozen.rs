//! Postgres that neither answers nor ends: SIGSTOP to one of the server's backends, or to all of Postgres' processes.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::client::Targets;
use crate::load::{Load, Plan};
use crate::outages::back;
use crate::probe::Probe;
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// By when a request of a hot path is answered that begins while all of Postgres is frozen: lanes give up after 2 s what
/// they cannot do, and say 503.
const PROMPT: Duration = Duration::from_millis(2_500);
/// By when any is: one that had found its row held waits in a transaction of its own, whose bound is the store's.
const ANSWERED: Duration = Duration::from_secs(12);

fn signal(processes: &[i32], signal: Signal) {
    for process in processes {
        // It may have ended since it was listed.
        kill_process(Pid::from_raw(*process).unwrap(), signal).ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_postgres_loses_nothing_and_is_not_waited_for() {
    let mut report = Report::begin("Postgres frozen (SIGSTOP), one backend or all", "freezes");
    let home = Home::external().await;
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let probe = Probe::start(server.address);
    let (rounds, frozen) = scale::of(
        (3, Duration::from_secs(5)),
        (1, Duration::from_millis(2_500)),
    );
    let (mut slowest, mut hot) = ([Duration::ZERO; 2], [Duration::ZERO; 2]);
    let (mut begun_within, mut begun_within_slowest) = (0, Duration::ZERO);
    for _ in 0..rounds {
        for (all, (slowest, hot)) in slowest.iter_mut().zip(&mut hot).enumerate() {
            let load = Load::start(&world, &targets, Plan::USUAL);
            sleep(Duration::from_millis(rand::random_range(200..600))).await;
            let mut processes = if all == 1 {
                home.postgres().processes().await
            } else {
                home.postgres().sessions().await
            };
            if all == 0 {
                processes.truncate(1);
            }
            load.exchanges();
            signal(&processes, Signal::STOP);
            let stopped = Instant::now();
            sleep(frozen).await;
            let thawed = Instant::now();
            signal(&processes, Signal::CONT);
            home.postgres().accepts().await;
            let up = Instant::now();
            let during = load.exchanges();
            report.recovered(back(&load, up).await);
            let after = load.stop().await;
            for exchange in during.iter().chain(&after) {
                *slowest = exchange.took.max(*slowest);
                if exchange.hot {
                    *hot = exchange.took.max(*hot);
                }
                let within = (stopped..thawed).contains(&exchange.begun);
                if all == 1 && exchange.hot && within {
                    begun_within += 1;
                    begun_within_slowest = exchange.took.max(begun_within_slowest);
                }
            }
            home.postgres().idle().await;
            verify::values(&world, &server).await;
        }
    }
    report.note(probe.stop().await);
    report.note(format!(
        "slowest answer {} ms with one backend frozen, {} ms with all; of set-auth, hand-out and PATCH alone {} ms and \
         {} ms; of {begun_within} of these that began while all was frozen {} ms",
        slowest[0].as_millis(),
        slowest[1].as_millis(),
        hot[0].as_millis(),
        hot[1].as_millis(),
        begun_within_slowest.as_millis(),
    ));
    server.stop().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    assert!(
        slowest.iter().all(|slowest| *slowest < ANSWERED),
        "{slowest:?}"
    );
    assert!(
        begun_within > 0,
        "no request began while Postgres was frozen"
    );
    if scale::full() {
        assert!(begun_within_slowest <= PROMPT, "{begun_within_slowest:?}");
    }
    report.finish(&world.ledger, rounds * 2);
}
