//! Postgres out of reach: the way to it is cut, or leads nowhere (connections stay, nothing answers).

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::{Client, Reply, Targets};
use crate::load::{Load, Plan};
use crate::outages::{Judged, Outage, back_with};
use crate::probe::Probe;
use crate::report::Report;
use crate::requests::Request;
use crate::server::Home;
use crate::wire::Wire;
use crate::world::{Size, World};
use crate::{scale, verify};

/// For how long a request may still get an answer from before the outage, which was on its way.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

async fn status(client: &mut Client, path: &str) -> u16 {
    match client.send(&Request::plain(path)).await {
        Reply::Answer(answer) => answer.status,
        reply => panic!("{path}: {reply:?}"),
    }
}

async fn outages(fault: &'static str, interrupt: fn(&mut Wire)) {
    let mut report = Report::begin(fault, "outages");
    let (mut wire, home) = Wire::before(Home::external().await);
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let mut client = Client::of(server.address);
    let probe = Probe::start(server.address);
    let outages = scale::of(10, 2);
    let mut judged = Judged::default();
    for _ in 0..outages {
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(rand::random_range(200..1_000))).await;
        let begun = Instant::now();
        interrupt(&mut wire);
        let down = Instant::now() + ON_ITS_WAY;
        sleep(Duration::from_millis(rand::random_range(2_500..4_000))).await;
        assert_eq!(status(&mut client, "/readyz").await, 503);
        let returning = Instant::now();
        wire.open();
        let up = Instant::now();
        let (back, mut exchanges) = back_with(&load, up).await;
        report.recovered(back);
        // Whatever was caught in the middle ends, too.
        exchanges.extend(load.stop().await);
        let outage = Outage {
            begun,
            down,
            returning,
            up,
        };
        judged.judge(&exchanges, outage);
    }
    report.note(probe.stop().await);
    server.stop().await;
    home.quiet().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.note(judged.told());
    assert!(judged.refused > 0, "no request was sent during an outage");
    report.finish(&world.ledger, outages);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_network_is_answered_503_and_heals_by_itself() {
    outages("the way to Postgres is cut", Wire::cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgres_that_never_answers_is_answered_503_and_heals_by_itself() {
    outages("Postgres accepts and never answers", Wire::freeze).await;
}
