//! The embedded Postgres, driven for real: the guard of the built program, signals, refusals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyway::store::embedded::{self, Embedded, EmbeddedError, SUPERUSER};
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};
use sqlx::{Connection, PgConnection};

#[path = "embedded/place.rs"]
mod place;

use place::{Place, Served, eventually, mode};

#[tokio::test]
async fn the_second_start_finds_the_data_of_the_first() {
    let place = Place::new();
    let first = Embedded::start(&place.options()).await.unwrap();
    assert!(first.is_owner());
    place.write(1).await;
    first.stop().await.unwrap();
    assert!(!place.postmaster_pid().exists());

    let second = Embedded::start(&place.options()).await.unwrap();
    assert_eq!(place.read().await, [1]);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn it_is_private_durable_and_unprivileged() {
    let place = Place::new();
    let embedded = Embedded::start(&place.options()).await.unwrap();
    let mut connection = place.connect().await.unwrap();
    for (setting, expected) in [
        ("listen_addresses", ""),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("unix_socket_permissions", "0700"),
    ] {
        let value = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let value: String = value.fetch_one(&mut connection).await.unwrap();
        assert_eq!(value, expected, "{setting}");
    }
    assert_eq!(mode(&embedded.socket_dir()), 0o700);
    assert_eq!(mode(&place.cluster()), 0o700);
    if cfg!(target_os = "linux") && geteuid().is_root() {
        let pid = place.postmaster().as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let owner = std::fs::metadata(place.cluster()).unwrap().uid();
        assert_ne!(owner, 0);
        let users = format!("Uid:\t{owner}\t{owner}\t{owner}\t{owner}");
        assert!(status.lines().any(|line| line == users), "{status}");
        let groups = status.lines().find(|line| line.starts_with("Groups:"));
        assert_eq!(groups.map(str::trim_end), Some("Groups:"));
    }
    embedded.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_server_is_refused() {
    let place = Place::new();
    let _first = Served::start(&place);
    let begun = Instant::now();
    let refused = Embedded::start(&place.options()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::InUse(_)));
    assert!(refused.to_string().contains("in use by another process"));
    assert!(begun.elapsed() < Duration::from_secs(7));
}

#[tokio::test]
async fn a_directory_that_the_database_user_cannot_enter_is_named() {
    if !geteuid().is_root() {
        eprintln!("skipped: only root runs Postgres as another user");
        return;
    }
    let place = Place::new();
    std::fs::set_permissions(&place.0, Permissions::from_mode(0o700)).unwrap();
    let refusal = place.refusal().await;
    let remedy = format!(
        "cannot enter {}: choose another --data-dir",
        place.0.display()
    );
    assert!(refusal.contains(&remedy), "{refusal}");
    assert!(!place.cluster().exists());
}

#[tokio::test]
async fn a_socket_path_that_is_too_long_is_refused_with_its_length() {
    let place = Place::new();
    let mut options = place.options();
    options.data_dir = place.0.join("d".repeat(90));
    let refusal = Embedded::start(&options).await.unwrap_err().to_string();
    let bytes = options.data_dir.as_os_str().len() + "/postgres/socket/.s.PGSQL.5432".len();
    assert!(
        refusal.contains(&format!("is {bytes} bytes long")),
        "{refusal}"
    );
    assert!(refusal.contains("choose a shorter --data-dir"));
}

#[tokio::test]
async fn missing_programs_are_refused_with_the_setting() {
    let place = Place::new();
    let mut options = place.options();
    options.bin_dir = Some(place.0.clone());
    let refusal = Embedded::start(&options).await.unwrap_err().to_string();
    let named = format!("KEYWAY_PG_BIN_DIR is {}", place.0.display());
    assert!(refusal.contains(&named), "{refusal}");
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_refused() {
    let place = Place::new();
    let embedded = Embedded::start(&place.options()).await.unwrap();
    embedded.stop().await.unwrap();
    std::fs::write(place.cluster().join("PG_VERSION"), "9\n").unwrap();
    let refusal = place.refusal().await;
    assert!(
        refusal.contains("was made by PostgreSQL 9, but only"),
        "{refusal}"
    );
}

#[tokio::test]
async fn killing_the_server_stops_postgres_cleanly() {
    let place = Place::new();
    let mut served = Served::start(&place);
    place.write(1).await;
    let begun = Instant::now();
    served.server.kill().unwrap();
    place.wait_until_stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(served.guard.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn killing_the_guard_stops_postgres_cleanly() {
    let place = Place::new();
    let mut served = Served::start(&place);
    place.write(1).await;
    served.guard.kill().unwrap();
    place.wait_until_stopped().await;
}

#[tokio::test]
async fn after_killing_both_the_next_start_finds_the_data() {
    let place = Place::new();
    for round in 0..5 {
        let mut served = Served::start(&place);
        place.write(round).await;
        served.guard.kill().unwrap();
        served.server.kill().unwrap();
    }
    let _again = Served::start(&place);
    assert_eq!(place.read().await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn killing_the_guard_while_it_makes_the_cluster_leaves_nothing_half_made() {
    let place = Place::new();
    for milliseconds in [20, 60, 120, 200] {
        let mut served = Served::spawn(&place);
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        served.guard.kill().unwrap();
    }
    let _started = Served::start(&place);
    place.write(1).await;
    let left = std::fs::read_dir(place.data_dir().join("postgres")).unwrap();
    let names = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(!names.into_iter().any(|name| name.starts_with("data.")));
}

#[tokio::test]
async fn signals_to_the_guard_do_not_reach_postgres() {
    let place = Place::new();
    let mut served = Served::start(&place);
    let guard = Pid::from_child(&served.guard);
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        kill_process(guard, signal).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    place.write(1).await;
    assert!(served.guard.try_wait().unwrap().is_none());
}

#[tokio::test]
async fn a_postgres_that_crashes_is_started_again() {
    let place = Place::new();
    let _served = Served::start(&place);
    place.write(1).await;
    let crashed = place.postmaster();
    kill_process(crashed, Signal::KILL).unwrap();
    let begun = Instant::now();
    while place.connect().await.is_err() || place.postmaster() == crashed {
        assert!(begun.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(place.read().await, [1]);
}

#[tokio::test]
async fn the_server_sees_that_its_guard_has_gone() {
    let place = Place::new();
    let mut embedded = Embedded::start(&place.options()).await.unwrap();
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, embedded.exited()).await.is_err());
    let guard = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours = place.data_dir();
    let guard = guard.filter_map(|entry| {
        let arguments = std::fs::read(entry.path().join("cmdline")).ok()?;
        let arguments = String::from_utf8(arguments).ok()?;
        let mut arguments = arguments.split('\0').skip(1);
        let is_it = arguments.next() == Some("guard") && arguments.next() == ours.to_str();
        is_it.then(|| entry.file_name().to_str()?.parse().ok())?
    });
    for pid in guard.filter_map(Pid::from_raw) {
        kill_process(pid, Signal::KILL).unwrap();
        let gone = embedded.exited().await.to_string();
        assert!(gone.contains("ended unexpectedly"), "{gone}");
    }
    drop(embedded);
    eventually("Postgres has stopped", || !place.postmaster_pid().exists()).await;
}

#[tokio::test]
async fn an_orphan_is_stopped_and_replaced() {
    let place = Place::new();
    let embedded = Embedded::start(&place.options()).await.unwrap();
    place.write(1).await;
    embedded.stop().await.unwrap();
    let owner = std::fs::metadata(place.cluster()).unwrap();
    let postgres = embedded::find_binaries(None)
        .unwrap()
        .directory()
        .join("postgres");
    let mut command = Command::new(postgres);
    command.arg("-D").arg(place.cluster()).arg("-k");
    command.arg(place.data_dir().join("postgres/socket"));
    command
        .args(["-c", "listen_addresses="])
        .current_dir("/")
        .stderr(Stdio::null());
    if geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    let mut orphan = command.spawn().unwrap();
    while place.connect().await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }

    let _served = Served::start(&place);
    assert!(orphan.wait().unwrap().success());
    assert_eq!(place.read().await, [1]);
}

#[tokio::test]
async fn a_process_that_stale_files_name_is_left_alone() {
    let place = Place::new();
    let embedded = Embedded::start(&place.options()).await.unwrap();
    place.write(1).await;
    embedded.stop().await.unwrap();
    let mut innocent = Command::new("sleep").arg("600").spawn().unwrap();
    let socket = place.data_dir().join("postgres/socket");
    for path in [place.postmaster_pid(), socket.join(".s.PGSQL.5432.lock")] {
        std::fs::write(path, format!("{}\n", innocent.id())).unwrap();
    }

    let _served = Served::start(&place);
    assert_eq!(place.read().await, [1]);
    assert!(test_kill_process(Pid::from_child(&innocent)).is_ok());
    innocent.kill().unwrap();
    innocent.wait().unwrap();
}

#[tokio::test]
async fn a_command_uses_the_running_server_and_leaves_it_running() {
    let place = Place::new();
    let _served = Served::start(&place);
    let attached = Embedded::attach_or_start(&place.options()).await.unwrap();
    assert!(!attached.is_owner());
    attached.stop().await.unwrap();
    place.write(1).await;
}

#[tokio::test]
async fn commands_at_the_same_time_share_one_postgres() {
    let place = Place::new();
    let commands = (0..6).map(|number| {
        let options = place.options();
        tokio::spawn(async move {
            let embedded = Embedded::attach_or_start(&options).await.unwrap();
            let connect = embedded.connect_options("postgres", SUPERUSER);
            let mut connection = PgConnection::connect_with(&connect).await.unwrap();
            let sql = "SELECT pg_sleep($1)::text";
            let work = sqlx::query(sql).bind(f64::from(number) / 10.0);
            work.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            embedded.stop().await.unwrap();
        })
    });
    for command in commands.collect::<Vec<_>>() {
        command.await.unwrap();
    }
    eventually("Postgres has stopped", || !place.postmaster_pid().exists()).await;
}
