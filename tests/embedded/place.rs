//! What the tests of the embedded Postgres drive: a data directory, and a guard with its server.

use std::fs::DirBuilder;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use keyway::store::embedded::{self, Embedded, EmbeddedOptions, SUPERUSER};
use rustix::process::Pid;
use sqlx::{Connection, PgConnection};

const KEYWAY: &str = env!("CARGO_BIN_EXE_keyway");

/// A directory that the account which runs Postgres can reach; removed at the end.
pub struct Place(pub PathBuf);

fn parent() -> PathBuf {
    // Where there is room, in memory: the disk's fsync is not what these tests are about.
    let roomy = Path::new("/dev/shm");
    match embedded::free_bytes(roomy) {
        Ok(free) if free >= 1 << 30 => roomy.to_owned(),
        _ => std::env::temp_dir(),
    }
}

impl Place {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = parent().join(format!("kw-embedded-{process}-{count}"));
        DirBuilder::new().mode(0o755).create(&path).unwrap();
        Self(path)
    }

    pub fn data_dir(&self) -> PathBuf {
        self.0.join("data")
    }

    pub fn options(&self) -> EmbeddedOptions {
        EmbeddedOptions {
            data_dir: self.data_dir(),
            bin_dir: None,
            guard: Some(PathBuf::from(KEYWAY)),
        }
    }

    pub fn cluster(&self) -> PathBuf {
        self.data_dir().join("postgres/data")
    }

    pub fn postmaster_pid(&self) -> PathBuf {
        self.cluster().join("postmaster.pid")
    }

    pub fn postmaster(&self) -> Pid {
        let text = std::fs::read_to_string(self.postmaster_pid()).unwrap();
        Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
    }

    pub async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let options = embedded::connect_options(&self.data_dir(), "postgres", SUPERUSER);
        PgConnection::connect_with(&options).await
    }

    pub async fn write(&self, value: i32) {
        let mut connection = self.connect().await.unwrap();
        let sql = "CREATE TABLE IF NOT EXISTS kept (value int)";
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        let sql = "INSERT INTO kept VALUES ($1)";
        let insert = sqlx::query(sql).bind(value).execute(&mut connection);
        insert.await.unwrap();
    }

    pub async fn read(&self) -> Vec<i32> {
        let mut connection = self.connect().await.unwrap();
        let rows = sqlx::query_scalar("SELECT value FROM kept ORDER BY value");
        rows.fetch_all(&mut connection).await.unwrap()
    }

    pub async fn wait_until_stopped(&self) {
        eventually("Postgres has stopped", || !self.postmaster_pid().exists()).await;
        let log = std::fs::read_to_string(self.data_dir().join("postgres/log")).unwrap();
        assert!(log.trim_end().ends_with("database system is shut down"));
    }

    pub async fn refusal(&self) -> String {
        let refused = Embedded::start(&self.options()).await;
        refused.expect_err("the start is refused").to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A guard, and a process that acts as its server: it holds the guard's standard input.
pub struct Served {
    /// Holds the guard's standard input.
    pub server: Child,
    /// `keyway guard`.
    pub guard: Child,
}

impl Served {
    pub fn start(place: &Place) -> Self {
        let mut served = Self::spawn(place);
        let mut line = String::new();
        let output = served.guard.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        served
    }

    pub fn spawn(place: &Place) -> Self {
        let mut server = Command::new("sleep")
            .arg("600")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let guard = Command::new(KEYWAY)
            .arg("guard")
            .arg(place.data_dir())
            .process_group(0)
            .stdin(server.stdout.take().unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { server, guard }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
        self.guard.wait().ok();
    }
}

pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o777
}
