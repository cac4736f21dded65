//! A Postgres of the user's own: a cluster on the disk, fsync on, that the faults stop, kill and freeze.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use keyway::store::embedded::find_binaries;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, Executor as _};
use tokio::time::{sleep, timeout};

const SUPERUSER: &str = "postgres";
const DATABASE: &str = "keyway";

/// Stopped when dropped; its directory goes with the [`Home`](crate::server::Home) that it lies in.
#[derive(Debug)]
pub struct Postgres {
    directory: PathBuf,
    binaries: PathBuf,
    account: Option<(u32, u32)>,
}

impl Postgres {
    /// Makes the cluster and its database in `directory`, a new one that Postgres' account can reach, and starts it.
    pub async fn make(directory: PathBuf) -> Self {
        let explicit = std::env::var_os("KEYWAY_PG_BIN_DIR").map(PathBuf::from);
        let binaries = find_binaries(explicit.as_deref()).unwrap();
        std::fs::create_dir(&directory).unwrap();
        let postgres = Self {
            account: account(),
            binaries: binaries.directory().to_owned(),
            directory,
        };
        if let Some((user, group)) = postgres.account {
            chown(&postgres.directory, Some(user), Some(group)).unwrap();
        }
        let data = postgres.data();
        let data = data.to_str().unwrap();
        postgres.run(
            "initdb",
            &[
                "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale", "C",
            ],
        );
        let settings = format!(
            "\nlisten_addresses = ''\nunix_socket_directories = '{}'\nfsync = on\nmax_connections = 100\n",
            postgres.directory.display()
        );
        let file = Path::new(data).join("postgresql.conf");
        let conf = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, conf + &settings).unwrap();
        postgres.start().await;
        let mut admin = postgres.connect(SUPERUSER).await.unwrap();
        admin.execute("CREATE DATABASE keyway").await.unwrap();
        postgres
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Starts it, and returns how long it took until it accepted a connection.
    pub async fn start(&self) -> Duration {
        let begun = Instant::now();
        self.pg_ctl(&["start", "-W", "-l", "log"]);
        self.accepts().await;
        begun.elapsed()
    }

    /// Waits until it accepts a connection.
    pub async fn accepts(&self) {
        let begun = Instant::now();
        while self.connect(SUPERUSER).await.is_none() {
            let waits = begun.elapsed() < Duration::from_mins(1);
            assert!(waits, "Postgres does not start: {}", self.log());
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// `pg_ctl stop -m immediate`: as a crash, its processes end where they are.
    pub fn stop_immediately(&self) {
        self.pg_ctl(&["stop", "-m", "immediate"]);
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        let mut all = vec!["-s", "-D", "data"];
        all.extend(arguments);
        self.run("pg_ctl", &all);
    }

    /// Runs one of Postgres' programs in its directory, as its account.
    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.binaries.join(program));
        command
            .args(arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::null());
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let log = self.log();
        assert!(
            output.status.success(),
            "{program} {arguments:?}: {said} {log}"
        );
    }

    /// What it has logged since it was made.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// How to connect as superuser to Keyway's database.
    pub fn superuser(&self) -> PgConnectOptions {
        PgConnectOptions::new()
            .socket(&self.directory)
            .username(SUPERUSER)
            .database(DATABASE)
    }

    /// The URL for this login.
    pub fn url(&self, login: &str) -> String {
        let directory = self.directory.display();
        format!("postgres:///{DATABASE}?host={directory}&user={login}")
    }

    async fn connect(&self, database: &str) -> Option<PgConnection> {
        let options = self.superuser().database(database);
        let made = timeout(Duration::from_secs(5), PgConnection::connect_with(&options));
        made.await.ok()?.ok()
    }

    /// The process ids of the sessions of the server's login, the busy ones first.
    pub async fn sessions(&self) -> Vec<i32> {
        let Some(mut superuser) = self.connect(DATABASE).await else {
            return Vec::new();
        };
        let query = "SELECT pid FROM pg_stat_activity WHERE usename = 'keyway' \
             ORDER BY state = 'idle', state_change DESC";
        let found = sqlx::query_scalar(query).fetch_all(&mut superuser);
        found.await.unwrap_or_default()
    }

    /// The process ids of everything that Postgres runs but the postmaster.
    pub async fn processes(&self) -> Vec<i32> {
        let mut superuser = self.connect(DATABASE).await.unwrap();
        let query = "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()";
        let found = sqlx::query_scalar(query).fetch_all(&mut superuser);
        found.await.unwrap()
    }

    /// `pg_terminate_backend`.
    pub async fn terminate(&self, session: i32) {
        let mut superuser = self.connect(DATABASE).await.unwrap();
        sqlx::query("SELECT pg_terminate_backend($1)")
            .bind(session)
            .execute(&mut superuser)
            .await
            .unwrap();
    }

    /// kill −9 of this backend. Returns when the postmaster, which ends all others, has recovered and accepts again;
    /// false where there was no such backend any more.
    pub async fn kill(&self, backend: i32) -> bool {
        let before = self.log().len();
        if kill_process(Pid::from_raw(backend).unwrap(), Signal::KILL).is_err() {
            return false;
        }
        let begun = Instant::now();
        let notices = format!("(PID {backend}) was terminated by signal 9");
        while !self.log()[before..].contains(&notices) {
            assert!(begun.elapsed() < Duration::from_secs(10), "nobody noticed");
            sleep(Duration::from_millis(2)).await;
        }
        self.accepts().await;
        true
    }

    /// Waits until no session of the server is at work: what it was asked for is done.
    pub async fn idle(&self) {
        let mut superuser = self.connect(DATABASE).await.unwrap();
        let begun = Instant::now();
        loop {
            let query = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'keyway' AND state <> 'idle'";
            let found = sqlx::query_scalar(query).fetch_one(&mut superuser);
            let busy: i64 = found.await.unwrap();
            if busy == 0 {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "sessions stay busy"
            );
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until no session of the server is left: what a killed server had sent is done or gone.
    pub async fn quiet(&self) {
        self.accepts().await;
        let begun = Instant::now();
        while !self.sessions().await.is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "sessions stay");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.stop_immediately();
        }
    }
}

/// Postgres refuses to be root.
fn account() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let id = |which| {
        let output = Command::new("id")
            .args([which, SUPERUSER])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().parse().unwrap()
    };
    Some((id("-u"), id("-g")))
}
