//! Single backends killed: kill −9, after which the postmaster restarts all of them, and `pg_terminate_backend`.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::Targets;
use crate::load::{Load, Plan};
use crate::outages::back;
use crate::probe::Probe;
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// One of the server's sessions, once there is one.
async fn session(home: &Home) -> i32 {
    let begun = Instant::now();
    loop {
        let sessions = home.postgres().sessions().await;
        if !sessions.is_empty() {
            return sessions[rand::random_range(0..sessions.len())];
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "no session");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_backend_takes_nothing_with_it() {
    let mut report = Report::begin("kill −9 of a single backend", "kills");
    let home = Home::external().await;
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let probe = Probe::start(server.address);
    let (rounds, each) = scale::of((20, 10), (2, 5));
    for _ in 0..rounds {
        let load = Load::start(&world, &targets, Plan::USUAL);
        for _ in 0..each {
            sleep(Duration::from_millis(rand::random_range(20..200))).await;
            while !home.postgres().kill(session(&home).await).await {}
            report.recovered(back(&load, Instant::now()).await);
        }
        load.stop().await;
        home.postgres().idle().await;
        verify::values(&world, &server).await;
    }
    report.note(probe.stop().await);
    server.stop().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.finish(&world.ledger, rounds * each);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminated_session_takes_nothing_with_it() {
    let mut report = Report::begin("pg_terminate_backend of the server's sessions", "sessions");
    let home = Home::external().await;
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let probe = Probe::start(server.address);
    let (rounds, each) = scale::of((10, 10), (2, 10));
    for _ in 0..rounds {
        let load = Load::start(&world, &targets, Plan::USUAL);
        for _ in 0..each {
            sleep(Duration::from_millis(rand::random_range(5..60))).await;
            home.postgres().terminate(session(&home).await).await;
        }
        report.recovered(back(&load, Instant::now()).await);
        load.stop().await;
        home.postgres().idle().await;
        verify::values(&world, &server).await;
    }
    report.note(probe.stop().await);
    server.stop().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.finish(&world.ledger, rounds * each);
}
