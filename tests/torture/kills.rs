//! kill −9 of the server under load.

use std::time::Duration;

use tokio::time::sleep;

use crate::client::Targets;
use crate::load::{Load, Plan};
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

async fn kills(home: Home, fault: &'static str) {
    let mut report = Report::begin(fault, "kills");
    let mut server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    let (least, writes) = scale::of((50, 50_000), (5, 300));
    let mut kills = 0;
    while kills < least || world.ledger.counts().acknowledged < writes {
        kills += 1;
        targets.set(&[server.address]);
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(rand::random_range(
            100..scale::of(2_000, 400),
        )))
        .await;
        server.kill().await;
        load.stop().await;
        home.quiet().await;
        server = home.serve().await;
        report.recovered(server.started);
        verify::values(&world, &server).await;
    }
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    report.finish(&world.ledger, kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_on_its_embedded_postgres() {
    kills(Home::embedded(), "kill −9 of the server, embedded Postgres").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_nothing_on_a_postgres_of_the_users_own() {
    let home = Home::external().await;
    kills(home, "kill −9 of the server, external Postgres").await;
}
