//! kill −9 of the server together with the guard of its embedded Postgres, and with Postgres itself: nothing is left to
//! stop in order, and the next start finds everything.

use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::client::Targets;
use crate::load::{Load, Plan};
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// The guard of this data directory: `keyway guard DIR …`.
fn guard_of(data_dir: &Path) -> Pid {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut guards = processes.filter_map(|entry| {
        let id: i32 = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut arguments = command.split(|byte| *byte == 0).skip(1);
        let is_guard = arguments.next() == Some(b"guard");
        let of_this = arguments.next() == Some(data_dir.as_os_str().as_encoded_bytes());
        (is_guard && of_this).then_some(id)
    });
    let id = guards.next().expect("an embedded Postgres has a guard");
    Pid::from_raw(id).unwrap()
}

fn postmaster_of(data_dir: &Path) -> Pid {
    let file = data_dir.join("postgres/data/postmaster.pid");
    let text = std::fs::read_to_string(file).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

async fn kills(fault: &'static str, with_postgres: bool) {
    let mut report = Report::begin(fault, "kills");
    let home = Home::embedded();
    let data_dir = home.file("data");
    let mut server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    let kills = scale::of(10, 2);
    for _ in 0..kills {
        targets.set(&[server.address]);
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(rand::random_range(100..800))).await;
        let (guard, postmaster) = (guard_of(&data_dir), postmaster_of(&data_dir));
        kill_process(guard, Signal::KILL).unwrap();
        if with_postgres {
            kill_process(postmaster, Signal::KILL).unwrap();
        }
        server.kill().await;
        load.stop().await;
        server = home.serve().await;
        report.recovered(server.started);
        verify::values(&world, &server).await;
    }
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    report.finish(&world.ledger, kills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_with_its_guard_finds_everything_again() {
    kills("kill −9 of server and guard, embedded Postgres", false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_with_guard_and_postgres_finds_everything_again() {
    kills(
        "kill −9 of server, guard and postmaster, embedded Postgres",
        true,
    )
    .await;
}
