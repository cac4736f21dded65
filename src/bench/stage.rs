//! Where a bench takes place: a directory of its own with a private Postgres, the way the server runs one, and the
//! root key. Everything goes at the end.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _};
use tokio::time::{Instant, sleep};

use super::error::{BenchError, attempting};
use super::proc;
use crate::crypto::RootKey;
use crate::store::embedded::{self, Embedded, EmbeddedOptions, SUPERUSER};
use crate::store::provision::{self, DATABASE, Exclusive, LOGIN};

/// How long a Postgres may take to end before its directory is left where it is.
const END: Duration = Duration::from_secs(30);
/// Postgres' own settings that a bench changes. Durability is as shipped.
const MOST_CONNECTIONS: u32 = 400;

/// Where to make the stage.
#[derive(Debug, Clone, Default)]
pub struct StageOptions {
    /// The directory in which a new one is made.
    pub parent: Option<PathBuf>,
    /// The very directory, which stays.
    pub keep: Option<PathBuf>,
    /// Where the server programs are.
    pub bin_dir: Option<PathBuf>,
}

/// A private Postgres with the schema, and the root key.
#[derive(Debug)]
pub struct Stage {
    directory: PathBuf,
    keeps: bool,
    embedded: Option<Embedded>,
}

impl Stage {
    /// Names the directory and makes it.
    pub fn claim(options: &StageOptions) -> Result<Self, BenchError> {
        let directory = match &options.keep {
            Some(directory) => directory.clone(),
            None => options
                .parent
                .clone()
                .unwrap_or_else(reachable)
                .join(format!("keyway-bench-{}", std::process::id())),
        };
        let mut builder = DirBuilder::new();
        // As root, Postgres' own account goes through it.
        builder.mode(0o711).recursive(options.keep.is_none());
        let refused = |error| {
            BenchError::Said(format!(
                "making the directory of the bench, {}: {error}; --keep names one that does not exist yet, --data-dir \
                 a place for it",
                directory.display()
            ))
        };
        if directory.exists() {
            return Err(refused("it exists already".to_owned()));
        }
        builder
            .create(&directory)
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            directory,
            keeps: options.keep.is_some(),
            embedded: None,
        })
    }

    /// Starts Postgres on it and makes roles, schema and root key.
    pub async fn open(&mut self, options: &StageOptions) -> Result<RootKey, BenchError> {
        let options = EmbeddedOptions {
            data_dir: self.directory.clone(),
            bin_dir: options.bin_dir.clone(),
            guard: None,
        };
        let first = Embedded::start(&options).await?;
        self.embedded = Some(first);
        let mut connection = self.admin("postgres").await?;
        for setting in settings() {
            let statement = format!("ALTER SYSTEM SET {setting}");
            connection
                .execute(AssertSqlSafe(statement))
                .await
                .map_err(attempting("setting up the private Postgres"))?;
        }
        drop(connection);
        if let Some(first) = self.embedded.take() {
            first.stop().await?;
        }
        let embedded = Embedded::start(&options).await?;
        let mut alone = Exclusive::take(&embedded.connect_options("postgres", SUPERUSER)).await?;
        alone.create_database(DATABASE).await?;
        drop(alone);
        provision::prepare(&embedded.connect_options(DATABASE, SUPERUSER), LOGIN, None).await?;
        self.embedded = Some(embedded);
        let key = RootKey::generate();
        key.create_file(self.root_key())?;
        Ok(key)
    }

    /// A connection as superuser, whom row-level security does not bind: for seeding and for looking.
    pub async fn admin(&self, database: &str) -> Result<PgConnection, BenchError> {
        embedded::connect_options(&self.directory, database, SUPERUSER)
            .connect()
            .await
            .map_err(attempting("connecting to the private Postgres"))
    }

    /// How the server's own login connects.
    pub fn login(&self) -> PgConnectOptions {
        embedded::connect_options(&self.directory, DATABASE, LOGIN)
    }

    /// The same as a URL. The directory's name has nothing to escape but what a path may hold.
    pub fn url(&self) -> String {
        let socket = self.socket_dir();
        let host: String =
            url::form_urlencoded::byte_serialize(socket.as_os_str().as_encoded_bytes()).collect();
        let port = embedded::PORT;
        format!("postgres://{LOGIN}@localhost:{port}/{DATABASE}?host={host}&sslmode=disable")
    }

    /// The directory of the socket.
    pub fn socket_dir(&self) -> PathBuf {
        self.directory.join("postgres").join("socket")
    }

    /// The file of the root key.
    pub fn root_key(&self) -> PathBuf {
        self.directory.join("root.key")
    }

    /// A file beside them.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The postmaster's process.
    pub fn postmaster(&self) -> Result<u32, BenchError> {
        let file = self.directory.join("postgres/data/postmaster.pid");
        let text = std::fs::read_to_string(&file)
            .map_err(attempting("reading the postmaster's process id"))?;
        text.lines()
            .next()
            .and_then(|line| line.trim().parse().ok())
            .ok_or_else(|| BenchError::Said("postmaster.pid names no process".to_owned()))
    }

    /// Stops Postgres and removes the directory, unless it is to be kept.
    pub async fn close(mut self) -> Result<(), BenchError> {
        if let Some(embedded) = self.embedded.take() {
            embedded.stop().await?;
        }
        // After a start that was cut short the guard still ends its work.
        let deadline = Instant::now() + END;
        while embedded::in_use(&self.directory)? && Instant::now() < deadline {
            sleep(Duration::from_millis(20)).await;
        }
        if self.keeps {
            tracing::info!(directory = %self.directory.display(), "the bench's database is kept");
            return Ok(());
        }
        std::fs::remove_dir_all(&self.directory).map_err(attempting(format!(
            "removing the bench's directory {}",
            self.directory.display()
        )))
    }
}

/// What is changed from the defaults of an embedded cluster: room for 256 clients of pgbench beside the server, memory
/// by the size of the machine, and checkpoints (with their full-page images) rarely, so that rounds are alike.
fn settings() -> [String; 6] {
    let memory = proc::machine_memory().unwrap_or(2_048);
    let buffers = (memory / 8).clamp(128, 8_192);
    [
        format!("max_connections = {MOST_CONNECTIONS}"),
        format!("shared_buffers = '{buffers}MB'"),
        "max_wal_size = '8GB'".to_owned(),
        "min_wal_size = '8GB'".to_owned(),
        "checkpoint_timeout = '30min'".to_owned(),
        "fsync = on".to_owned(),
    ]
}

/// A place that the account which runs Postgres can enter, on a disk.
fn reachable() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return Path::new("/var/lib").to_owned();
    }
    std::env::temp_dir()
}
