//! The built program: servers on one home, killed and started again.

use std::fs::{DirBuilder, File};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use keyway::store::embedded::{self, SUPERUSER};
use keyway::store::provision::DATABASE;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::postgres::Postgres;
use crate::scale;

/// What a start may take, with other tests at work beside it.
const START: Duration = Duration::from_mins(1);

/// `KEYWAY_TORTURE_BINARY`, or `target/release/keyway`, built from the sources as they are.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("KEYWAY_TORTURE_BINARY") {
        return program.into();
    }
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = checkout.join("target/release/keyway");
    let changed = |file: &Path| file.metadata().and_then(|facts| facts.modified());
    let Ok(built) = changed(&program) else {
        panic!(
            "{} is not there: run `make test`, which builds it",
            program.display()
        );
    };
    let dependencies = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let newer = dependencies
        .split_whitespace()
        .map(Path::new)
        .find(|source| changed(source).is_ok_and(|changed| changed > built));
    assert_eq!(
        newer, None,
        "target/release/keyway is older than this source: run `make test`, which builds it"
    );
    program
}

/// On the disk in the full form. In the short one in memory where there is room: no fault takes the machine away, and a
/// recovery that syncs a busy disk takes seconds.
fn parent() -> PathBuf {
    let roomy = Path::new("/dev/shm");
    match embedded::free_bytes(roomy) {
        Ok(free) if free >= 2 << 30 && !scale::full() => roomy.to_owned(),
        _ => std::env::temp_dir(),
    }
}

/// Where the servers of one test keep what outlives them: a directory, an embedded Postgres or one of the
/// user's own. Removed when dropped.
#[derive(Debug)]
pub struct Home {
    program: PathBuf,
    directory: PathBuf,
    settings: Vec<(&'static str, String)>,
    postgres: Option<Postgres>,
    starts: AtomicU32,
}

impl Home {
    /// Servers with the embedded Postgres.
    pub fn embedded() -> Self {
        let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        // Short: the paths of sockets below it have 100 bytes at most, and where macOS keeps temporary files is long.
        let (process, moment) = (std::process::id(), since_epoch.subsec_nanos());
        let name = format!("kt-{process:x}-{moment:x}");
        let directory = parent().join(name);
        // As root, the database's own user must pass.
        DirBuilder::new().mode(0o711).create(&directory).unwrap();
        Self {
            program: program(),
            directory,
            settings: Vec::new(),
            postgres: None,
            starts: AtomicU32::new(0),
        }
    }

    /// Servers on a Postgres of the user's own, migrated, with a root key file.
    pub async fn external() -> Self {
        let mut home = Self::embedded();
        let postgres = Postgres::make(home.directory.join("postgres")).await;
        let url = postgres.url(SUPERUSER);
        home.command(&["migrate", "--database-url", &url]).await;
        let key = home.directory.join("root.key");
        keyway::crypto::RootKey::generate()
            .create_file(&key)
            .unwrap();
        home = home
            .set("DATABASE_URL", postgres.url("keyway"))
            .set("KEYWAY_ROOT_KEY_FILE", key.display().to_string());
        home.postgres = Some(postgres);
        home
    }

    /// A setting of every program that runs here.
    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    /// A file or directory of this home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The Postgres of [`Home::external`].
    pub fn postgres(&self) -> &Postgres {
        self.postgres.as_ref().expect("a home on its own Postgres")
    }

    /// How to connect as superuser to Keyway's database, while its Postgres runs.
    pub fn superuser(&self) -> PgConnectOptions {
        match &self.postgres {
            Some(postgres) => postgres.superuser(),
            None => embedded::connect_options(&self.file("data"), DATABASE, SUPERUSER),
        }
    }

    /// The program without the settings of whoever runs the tests, apart from where `PostgreSQL` is.
    fn run(&self) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let ours = text.starts_with("KEYWAY_") && text != "KEYWAY_PG_BIN_DIR";
            if ours || text == "DATABASE_URL" || text.starts_with("PG") {
                command.env_remove(name);
            }
        }
        command
            .env("KEYWAY_DATA_DIR", self.file("data"))
            .env("KEYWAY_LOG", "json,warn,keyway::cli=info")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// The program with these arguments and settings besides those of the home.
    pub fn program(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Command {
        let mut command = self.run();
        command.args(arguments).envs(settings.iter().copied());
        command
    }

    /// Runs a command to its end and gives its `--json`.
    pub async fn command(&self, arguments: &[&str]) -> Value {
        self.command_with(arguments, &[]).await
    }

    /// The same with settings of its own.
    pub async fn command_with(&self, arguments: &[&str], settings: &[(&str, &str)]) -> Value {
        let output = self.program(arguments, settings).arg("--json").output();
        let output = timeout(START, output).await.expect("it ends").unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "keyway {arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Starts a server on a free loopback port and waits until it serves.
    pub async fn serve(&self) -> Server {
        self.serve_with(&[]).await
    }

    /// The same with settings of its own.
    pub async fn serve_with(&self, settings: &[(&str, &str)]) -> Server {
        let number = self.starts.fetch_add(1, Ordering::Relaxed);
        let log = self.file(&format!("log.{number}"));
        let begun = Instant::now();
        let child = self
            .run()
            .arg("serve")
            .env("KEYWAY_LISTEN", "127.0.0.1:0")
            .envs(settings.iter().copied())
            .stdout(File::create(self.file("stdout")).unwrap())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Server {
            child,
            log,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            started: Duration::ZERO,
        };
        server.address = server.ready().await;
        server.started = begun.elapsed();
        server
    }

    /// Waits until nothing of a killed server is at work in the database.
    pub async fn quiet(&self) {
        if let Some(postgres) = &self.postgres {
            postgres.quiet().await;
        }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        drop(self.postgres.take());
        let begun = Instant::now();
        // A killed server's Postgres is stopped by its guard.
        let data = self.file("data");
        while embedded::in_use(&data).unwrap_or_default() && begun.elapsed() < START {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    log: PathBuf,
    pub address: SocketAddr,
    /// How long it took from its start until it served.
    pub started: Duration,
}

impl Server {
    /// Where it listens, once it says that it is ready.
    async fn ready(&mut self) -> SocketAddr {
        let begun = Instant::now();
        loop {
            let log = self.log();
            let said = log.lines().find(|line| line.contains("keyway is ready"));
            let event = said.and_then(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(event) = event {
                return event["address"].as_str().unwrap().parse().unwrap();
            }
            let ended = self.child.try_wait().unwrap();
            let waits = ended.is_none() && begun.elapsed() < START;
            assert!(waits, "the server is not ready ({ended:?}): {log}");
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub fn pid(&self) -> Pid {
        let id = self.child.id().expect("it has not been waited for");
        Pid::from_raw(id.cast_signed()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// kill −9.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
        std::fs::remove_file(&self.log).ok();
    }

    /// SIGTERM, and waits for its end, which is an orderly one.
    pub async fn stop(mut self) {
        self.signal(Signal::TERM);
        let ended = timeout(Duration::from_secs(40), self.child.wait()).await;
        let status = ended.expect("it ends").unwrap();
        assert!(status.success(), "{status}: {}", self.log());
        std::fs::remove_file(&self.log).ok();
    }
}
