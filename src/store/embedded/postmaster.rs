//! One run of Postgres: its settings, when it is ready, how it is stopped, its log.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::account::Account;
use super::binaries::PgBinaries;
use super::error::EmbeddedError;
use super::guard::Profile;
use super::initdb::last_lines;
use super::layout::{Layout, PORT};
use super::process::bound_to_guard;

/// The log is moved to `log.1` when it grows beyond this.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// Fixed settings, stronger than `postgresql.conf`. Statements and their values stay out of the
/// log: they may come near secrets.
const SETTINGS: [&str; 10] = [
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "cluster_name=keyway",
    "logging_collector=off",
    "log_destination=stderr",
    "log_checkpoints=off",
    "log_statement=none",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length_on_error=0",
];

/// For tests only: nothing survives a crash of the machine.
const TEST_SETTINGS: [&str; 9] = [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_connections=300",
    // Making and dropping a database walks through all of them.
    "shared_buffers=32MB",
    "checkpoint_timeout=1h",
    // Within the directory, so that removing it removes everything.
    "dynamic_shared_memory_type=mmap",
];

/// A Postgres that this guard started.
pub(super) struct Postmaster {
    child: Child,
    log: File,
    log_start: u64,
    layout: Layout,
}

impl Postmaster {
    /// Starts Postgres; it is not ready yet. From the guard's main thread (see `process`).
    pub(super) fn spawn(
        layout: &Layout,
        binaries: &PgBinaries,
        account: Account,
        profile: Profile,
    ) -> Result<Self, EmbeddedError> {
        let path = layout.log();
        let cannot_log = || EmbeddedError::io("could not open the database's log", &path);
        let log = open_log(&path).map_err(cannot_log())?;
        let log_start = log.metadata().map_err(cannot_log())?.len();
        let mut command = bound_to_guard(account, &binaries.postgres());
        command.arg("-D").arg(layout.data());
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        if profile == Profile::Test {
            for setting in TEST_SETTINGS {
                command.args(["-c", setting]);
            }
        }
        command.arg("-c").arg(format!("port={PORT}"));
        command.arg("-c").arg(socket_setting(&layout.socket_dir()));
        command
            .stdout(log.try_clone().map_err(cannot_log())?)
            .stderr(log.try_clone().map_err(cannot_log())?)
            .stdin(Stdio::null());
        let child = Command::from(command)
            .spawn()
            .map_err(EmbeddedError::io("could not run", &binaries.postgres()))?;
        Ok(Self {
            child,
            log,
            log_start,
            layout: layout.clone(),
        })
    }

    /// Waits until it takes connections, however long a recovery lasts.
    ///
    /// # Errors
    /// `Ended` when its process ends before.
    pub(super) async fn ready(&mut self) -> Result<(), EmbeddedError> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.ended(status.to_string()));
            }
            let ready = self.layout.ready_process();
            if ready.is_some() && ready == self.child.id() {
                return Ok(());
            }
            sleep(Duration::from_millis(4)).await;
        }
    }

    /// Waits until its process ends by itself, and keeps its log short meanwhile. May be dropped
    /// and called again.
    pub(super) async fn gone(&mut self) -> EmbeddedError {
        loop {
            match timeout(Duration::from_secs(30), self.child.wait()).await {
                Ok(Ok(status)) => return self.ended(status.to_string()),
                Ok(Err(error)) => return self.ended(error.to_string()),
                // A log that cannot be moved grows on; Postgres goes first.
                Err(_still_there) => drop(self.shorten_log()),
            }
        }
    }

    /// Stops it: at once but cleanly (SIGINT), after 60 s without the last checkpoint (SIGQUIT),
    /// 10 s later by force.
    pub(super) async fn stop(mut self) {
        for (signal, seconds) in [(Signal::INT, 60), (Signal::QUIT, 10), (Signal::KILL, 10)] {
            self.signal(signal);
            if timeout(Duration::from_secs(seconds), self.child.wait())
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// `id` is known until the child has been reaped, so no other process can be meant.
    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // It can only fail because the process has ended, which the caller sees by waiting.
            let _ = kill_process(pid, signal);
        }
    }

    fn ended(&mut self, status: String) -> EmbeddedError {
        let log = self.layout.log();
        let detail = read_from(&log, self.log_start)
            .map(|text| last_lines(&text))
            .unwrap_or_default();
        EmbeddedError::Ended {
            status,
            detail,
            log,
        }
    }

    fn shorten_log(&mut self) -> io::Result<()> {
        if self.log.metadata()?.len() > LOG_LIMIT {
            std::fs::copy(self.layout.log(), self.layout.home().join("log.1"))?;
            // Everybody appends, so the writers go on at the new end.
            self.log.set_len(0)?;
            self.log_start = 0;
        }
        Ok(())
    }
}

/// The directory as an element of a list setting: in double quotes, its own doubled.
fn socket_setting(directory: &Path) -> OsString {
    let mut setting = b"unix_socket_directories=\"".to_vec();
    for byte in directory.as_os_str().as_bytes() {
        setting.push(*byte);
        if *byte == b'"' {
            setting.push(b'"');
        }
    }
    setting.push(b'"');
    OsString::from_vec(setting)
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn read_from(path: &Path, start: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let end = file.metadata()?.len();
    file.seek(SeekFrom::Start(start.max(end.saturating_sub(4096))))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
