//! The embedded Postgres: a private cluster in the data directory, for whoever sets no
//! `DATABASE_URL`.
//!
//! [`Embedded::start`] spawns a guard process (`keyway guard DIR`), which owns Postgres and stops
//! it when this process ends, however it ends. Postgres listens on a unix socket only, in a
//! directory that only its account (and root) can enter; that directory is the authentication.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::{Instant, sleep, timeout};

mod account;
mod binaries;
mod cluster;
mod error;
mod guard;
mod initdb;
mod layout;
mod lease;
mod orphan;
mod owner;
mod postmaster;
mod process;

pub use binaries::{MINIMUM_MAJOR, PgBinaries, find_binaries};
pub use error::EmbeddedError;
pub use guard::{Profile, dispatch};
pub use layout::{PORT, free_bytes};
pub use lease::Lease;

use layout::Layout;

/// The superuser of an embedded cluster.
pub const SUPERUSER: &str = "postgres";

/// What the guard needs of the environment: where programs, temporary files and the locale are.
const GUARD_ENVIRONMENT: [&str; 7] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "LANG",
    "LC_ALL",
    "KEYWAY_PG_BIN_DIR",
];

/// How long [`Embedded::attach_or_start`] waits for a server that is starting or ending.
const ATTACH_PATIENCE: Duration = Duration::from_secs(15);

/// Where an embedded Postgres lies and what runs it.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The data directory; Postgres lives in its `postgres` directory.
    pub data_dir: PathBuf,
    /// Where `initdb` and `postgres` are (`KEYWAY_PG_BIN_DIR`); `None` searches the machine.
    pub bin_dir: Option<PathBuf>,
    /// The keyway program to run as the guard; `None` is this very program.
    pub guard: Option<PathBuf>,
}

/// An embedded Postgres that takes connections. Dropping it stops a Postgres that it started,
/// without waiting.
#[derive(Debug)]
pub struct Embedded {
    layout: Layout,
    hold: Hold,
}

#[derive(Debug)]
enum Hold {
    /// We started it; closing `input` stops it.
    Guard {
        child: Box<Child>,
        input: ChildStdin,
    },
    /// It is another process's; our share in it.
    Share { _lease: Lease },
}

impl Embedded {
    /// Starts Postgres on the data directory, making what is missing (about 0.7 s for a new
    /// cluster, 0.05 s for an existing one; the recovery after a crash of the machine takes as
    /// long as it takes).
    ///
    /// # Errors
    /// Each names its remedy. `InUse` when another process keeps the directory for 5 s.
    pub async fn start(options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let layout = Layout::new(&options.data_dir)?;
        let mut command = Command::new(guard_program(options)?);
        // The server's environment can hold the root key, and anybody of the same account can read the guard's.
        command.env_clear().envs(
            GUARD_ENVIRONMENT
                .iter()
                .filter_map(|name| std::env::var_os(name).map(|value| (name, value))),
        );
        command.arg("guard").arg(layout.data_dir());
        if let Some(directory) = &options.bin_dir {
            command.arg("--bin-dir").arg(directory);
        }
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| EmbeddedError::Guard(format!("could not be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(EmbeddedError::Guard("has no pipes".to_owned()));
        };
        let mut line = String::new();
        let mut output = BufReader::new(output);
        while timeout(Duration::from_secs(10), output.read_line(&mut line))
            .await
            .is_err()
        {
            tracing::info!(log = %layout.log().display(), "still waiting for the embedded Postgres");
        }
        match line.trim_end().split_once(": ") {
            Some(("busy", _)) => Err(EmbeddedError::InUse(layout.data_dir().to_owned())),
            Some(("error", message)) => Err(EmbeddedError::Refused(message.to_owned())),
            None if line == "ready\n" => Ok(Self {
                layout,
                hold: Hold::Guard {
                    child: Box::new(child),
                    input,
                },
            }),
            _ => Err(EmbeddedError::Guard(
                "ended before Postgres was ready".to_owned(),
            )),
        }
    }

    /// For commands beside the server: uses the Postgres that a running server has started, or
    /// starts it until this value is dropped or stopped. A server that ends meanwhile leaves it
    /// running for up to 3 s more.
    pub async fn attach_or_start(options: &EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let layout = Layout::new(&options.data_dir)?;
        let deadline = Instant::now() + ATTACH_PATIENCE;
        loop {
            if layout.guarded()? {
                let lease = Lease::take_in(&layout).await?;
                if layout.guarded()? && layout.accepts().await {
                    let hold = Hold::Share { _lease: lease };
                    return Ok(Self { layout, hold });
                }
                drop(lease);
                if Instant::now() > deadline {
                    return Err(EmbeddedError::InUse(layout.data_dir().to_owned()));
                }
                sleep(Duration::from_millis(20)).await;
                continue;
            }
            match Self::start(options).await {
                Err(EmbeddedError::InUse(_)) if Instant::now() < deadline => {}
                started => return started,
            }
        }
    }

    /// The directory of the socket.
    pub fn socket_dir(&self) -> PathBuf {
        self.layout.socket_dir()
    }

    /// Whether this process started Postgres, so that it ends with it.
    pub fn is_owner(&self) -> bool {
        matches!(self.hold, Hold::Guard { .. })
    }

    /// How to connect to `database` as `user`.
    pub fn connect_options(&self, database: &str, user: &str) -> PgConnectOptions {
        connect_options(self.layout.data_dir(), database, user)
    }

    /// Waits until Postgres ends although nobody asked it to: its guard has gone (Postgres goes
    /// with it) or has given up restarting it. Never returns for another process's Postgres. May
    /// be dropped and called again.
    pub async fn exited(&mut self) -> EmbeddedError {
        match &mut self.hold {
            Hold::Guard { child, .. } => EmbeddedError::Guard(match child.wait().await {
                Ok(status) => format!("ended unexpectedly ({status})"),
                Err(error) => format!("cannot be waited for: {error}"),
            }),
            Hold::Share { .. } => std::future::pending().await,
        }
    }

    /// Stops a Postgres that this process started and waits until it has ended cleanly (at most
    /// 80 s, then by force). Leaves another process's alone.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        let Hold::Guard { mut child, input } = self.hold else {
            return Ok(());
        };
        drop(input);
        match child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(EmbeddedError::Guard(format!(
                "did not end well ({status}); see {}",
                self.layout.log().display()
            ))),
            Err(error) => Err(EmbeddedError::Guard(format!(
                "cannot be waited for: {error}"
            ))),
        }
    }
}

/// How to connect to `database` as `user` on the embedded Postgres of `data_dir`.
pub fn connect_options(data_dir: &Path, database: &str, user: &str) -> PgConnectOptions {
    PgConnectOptions::new_without_pgpass()
        .socket(data_dir.join("postgres").join("socket"))
        .port(PORT)
        .ssl_mode(PgSslMode::Disable)
        .username(user)
        .database(database)
}

/// Whether a guard (a server's, a command's or the tests') keeps a Postgres on `data_dir`.
pub fn in_use(data_dir: &Path) -> Result<bool, EmbeddedError> {
    Layout::new(data_dir)?.guarded()
}

/// This very program, also when its file was replaced by an upgrade meanwhile.
fn guard_program(options: &EmbeddedOptions) -> Result<PathBuf, EmbeddedError> {
    if let Some(program) = &options.guard {
        return Ok(program.clone());
    }
    let program = std::env::current_exe()
        .map_err(|error| EmbeddedError::Guard(format!("cannot find this program: {error}")))?;
    if cfg!(target_os = "linux") && !program.exists() {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    Ok(program)
}
