//! The disk under Postgres is full: on a Postgres of the user's own, whose errors are answered 503; and on the embedded
//! one, which is kept from it by refusing writes below 128 MiB.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use keyway::store::DISK_FLOOR;
use keyway::store::embedded::free_bytes;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tokio::time::sleep;

use crate::client::{Client, Reply, Targets};
use crate::ledger::Action;
use crate::load::{Load, Plan};
use crate::outages::BACK;
use crate::report::Report;
use crate::requests::Request;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// A small file system in memory. At its end a Postgres that still runs on it is stopped, then it is unmounted.
struct SmallDisk {
    at: PathBuf,
    /// The file in which a Postgres on it says that it runs.
    postmaster: PathBuf,
}

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mount(at: PathBuf, mebibytes: u32, mode: &str) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let options = format!("size={mebibytes}m,mode={mode}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "keyway-torture"])
            .arg(&at)
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        if !mounted {
            scale::cannot(
                "this user may not mount a small file system (tmpfs): run it as root, on Linux",
            );
        }
        let postmaster = at.join("postmaster.pid");
        mounted.then_some(Self { at, postmaster })
    }

    fn free(&self) -> u64 {
        free_bytes(&self.at).unwrap()
    }

    /// Leaves at most this many bytes: whoever else writes may take them first.
    fn fill(&self, leave: u64) {
        let ballast = vec![1; usize::try_from(self.free().saturating_sub(leave)).unwrap()];
        match std::fs::write(self.at.join("ballast"), ballast) {
            Err(error) if error.kind() != std::io::ErrorKind::StorageFull => panic!("{error}"),
            _ => {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.at.join("ballast")).unwrap();
    }

    fn postmaster(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(&self.postmaster).ok()?;
        let id = Pid::from_raw(text.lines().next()?.parse().ok()?)?;
        test_kill_process(id).is_ok().then_some(id)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            // An immediate shutdown.
            kill_process(postmaster, Signal::QUIT).ok();
        }
        let begun = Instant::now();
        while self.postmaster().is_some() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Command::new("umount").arg("-l").arg(&self.at).status().ok();
    }
}

/// Moves the stopped cluster of the home onto a small disk.
fn move_cluster(home: &Home) -> Option<SmallDisk> {
    let data = home.file("postgres/data");
    let aside = home.file("postgres/aside");
    std::fs::rename(&data, &aside).unwrap();
    let disk = SmallDisk::mount(data.clone(), 320, "0700");
    if disk.is_none() {
        std::fs::remove_dir(&data).unwrap();
        std::fs::rename(&aside, &data).unwrap();
        return None;
    }
    let owner = std::fs::metadata(&aside).unwrap();
    chown(&data, Some(owner.uid()), Some(owner.gid())).unwrap();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(aside.join("."))
        .arg(&data)
        .status();
    assert!(copied.unwrap().success());
    disk
}

/// What Postgres logs for SQLSTATE 53100, and for a panic of the same reason.
const FULL: &str = "No space left on device";

/// Waits until Postgres has said since this length of its log that the disk is full, and the load meets 503.
async fn refused(load: &Load, home: &Home, logged: usize) {
    let (begun, mut met) = (Instant::now(), false);
    loop {
        let exchanges = load.exchanges();
        let full = home.postgres().log()[logged..].contains(FULL);
        met |= full
            && exchanges
                .iter()
                .any(|exchange| exchange.status == Some(503) && exchange.retry_after);
        if met {
            return;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "the disk never gets full"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

async fn status(client: &mut Client, request: &Request) -> u16 {
    match client.send(request).await {
        Reply::Answer(answer) => answer.status,
        reply => panic!("{request:?}: {reply:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_under_a_postgres_of_the_users_own_loses_nothing() {
    let mut report = Report::begin("disk full, external Postgres", "times");
    let home = Home::external().await;
    home.postgres().stop_immediately();
    let Some(disk) = move_cluster(&home) else {
        return;
    };
    home.postgres().start().await;
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let mut client = Client::of(server.address);
    let fillings = scale::of(6, 2);
    let (mut crashes, mut panics) = (0, 0);
    for turn in 0..fillings {
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(300)).await;
        let logged = home.postgres().log().len();
        // The tables have no room, or neither they nor the log of Postgres.
        disk.fill(if turn % 2 == 0 { 256 * 1024 } else { 0 });
        refused(&load, &home, logged).await;
        sleep(Duration::from_secs(1)).await;
        assert_eq!(status(&mut client, &Request::plain("/livez")).await, 200);
        disk.make_room();
        let room = Instant::now();
        // Out of space for its log is a panic for Postgres; where it gave up, its supervisor starts it again.
        sleep(Duration::from_secs(1)).await;
        let gave_up = disk.postmaster().is_none();
        let panicked = home.postgres().log()[logged..].contains("PANIC:");
        crashes += u64::from(gave_up);
        panics += u64::from(panicked);
        let mut accepts = room;
        if gave_up {
            home.postgres().start().await;
            accepts = Instant::now();
        } else if panicked {
            home.postgres().accepts().await;
            accepts = Instant::now();
        }
        let answered = load.served_after(room).await;
        let back = answered.saturating_duration_since(accepts);
        assert!(back <= BACK, "back only after {back:?}");
        report.recovered(back);
        load.stop().await;
        verify::values(&world, &server).await;
    }
    server.stop().await;
    home.quiet().await;
    let fresh = home.serve().await;
    verify::everything(&world, &home, &fresh).await;
    fresh.stop().await;
    report.note(format!(
        "Postgres said each time that the disk is full; its log had no room {panics} times (it panicked), it gave up \
         {crashes} times and was started again; the return is measured from when it accepts"
    ));
    report.finish(&world.ledger, fillings);
    drop(disk);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_postgres_is_kept_from_a_full_disk() {
    let mut report = Report::begin("disk nearly full, embedded Postgres", "times");
    let home = Home::embedded();
    let Some(disk) = SmallDisk::mount(home.file("data"), 600, "0711") else {
        return;
    };
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let mut client = Client::of(server.address);
    let fillings = scale::of(6, 2);
    for _ in 0..fillings {
        let load = Load::start(&world, &targets, Plan::USUAL);
        sleep(Duration::from_millis(300)).await;
        disk.fill(DISK_FLOOR - 8 * 1024 * 1024);
        // It looks once a second.
        sleep(Duration::from_millis(2_500)).await;
        load.exchanges();
        sleep(Duration::from_millis(500)).await;
        let exchanges = load.exchanges();
        let wrong = exchanges.iter().find(|exchange| {
            let refused = exchange.status == Some(503) && exchange.retry_after;
            !refused && !exchange.invalid
        });
        assert!(
            wrong.is_none(),
            "with a disk that is nearly full: {wrong:?}"
        );
        assert!(!exchanges.is_empty());
        // What shows no secret goes on.
        for object in [&world.configs[0], &world.settings[0]] {
            let attempt = world.ledger.begin(Action::PatchConfig);
            let read = world.caller(object).read(object, attempt);
            assert_eq!(status(&mut client, &read).await, 200);
        }
        assert_eq!(status(&mut client, &Request::plain("/readyz")).await, 200);
        disk.make_room();
        let room = Instant::now();
        let back = load.served_after(room).await - room;
        assert!(back <= BACK, "back only after {back:?}");
        report.recovered(back);
        load.stop().await;
        verify::values(&world, &server).await;
    }
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    report.note(format!("full is below {} MiB", DISK_FLOOR >> 20));
    report.finish(&world.ledger, fillings);
    drop(disk);
}
