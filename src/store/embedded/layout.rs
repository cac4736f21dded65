//! Where everything of the embedded Postgres lies.
//!
//! `<data-dir>/postgres/` holds `data` (the cluster), `data.new.*` (a cluster in the making),
//! `socket/`, `log`, `lock` (held by the guard while it lives) and `users` (held shared by every
//! process that uses a Postgres it did not start). Only `data*` and `socket/` belong to the account
//! that runs Postgres: as root, the rest stays out of its reach.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::EmbeddedError;
use super::lease::{held, open_lock, poll};

/// The port, of which only the socket's name is made: Postgres listens on no network.
pub const PORT: u16 = 5432;

/// The longest path that fits into a socket address (`sun_path` less its terminator).
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// How the name of a cluster in the making begins.
const DATA_NEW: &str = "data.new";

/// The paths of one embedded Postgres.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    data_dir: PathBuf,
    home: PathBuf,
}

impl Layout {
    /// Touches nothing. Refuses a data directory whose socket would have too long a path.
    pub(super) fn new(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let data_dir = std::path::absolute(data_dir)
            .map_err(EmbeddedError::io("could not resolve the path", data_dir))?;
        let home = data_dir.join("postgres");
        let layout = Self { data_dir, home };
        let (path, limit) = (layout.socket(), SOCKET_PATH_LIMIT);
        let bytes = path.as_os_str().as_bytes().len();
        if bytes > limit {
            return Err(EmbeddedError::SocketPath { path, bytes, limit });
        }
        Ok(layout)
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// Of this guard alone: programs that a killed guard has left behind may still write to its.
    pub(super) fn data_in_the_making(&self) -> PathBuf {
        let name = format!("{DATA_NEW}.{}", std::process::id());
        self.home.join(name)
    }

    /// Clusters that were never finished, by whomever.
    pub(super) fn unfinished(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&self.home);
        let names = entries.into_iter().flatten().flatten();
        names
            .filter(|entry| {
                entry
                    .file_name()
                    .as_bytes()
                    .starts_with(DATA_NEW.as_bytes())
            })
            .map(|entry| entry.path())
            .collect()
    }

    pub(super) fn socket_dir(&self) -> PathBuf {
        self.home.join("socket")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.socket_dir().join(format!(".s.PGSQL.{PORT}"))
    }

    pub(super) fn socket_lock(&self) -> PathBuf {
        self.socket_dir().join(format!(".s.PGSQL.{PORT}.lock"))
    }

    pub(super) fn postmaster_pid(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    fn lock(&self) -> PathBuf {
        self.home.join("lock")
    }

    pub(super) fn users(&self) -> PathBuf {
        self.home.join("users")
    }

    /// Makes the directories that are missing. As root they can be entered, not listed, by the
    /// account that runs Postgres; otherwise they are the owner's alone.
    pub(super) fn create(&self) -> Result<(), EmbeddedError> {
        let mode = if rustix::process::geteuid().is_root() {
            0o711
        } else {
            0o700
        };
        let mut missing: Vec<&Path> = Vec::new();
        for directory in self.home.ancestors() {
            if directory.is_dir() {
                break;
            }
            missing.push(directory);
        }
        for directory in missing.into_iter().rev() {
            make_directory(directory, mode)?;
        }
        Ok(())
    }

    /// The lock that makes its holder the only guard. Waits up to `patience` for the one before.
    pub(super) async fn become_guard(&self, patience: Duration) -> Result<File, EmbeddedError> {
        let file = open_lock(&self.lock())?;
        let taken = poll(patience, || held(file.try_lock(), &self.lock())).await?;
        taken
            .then_some(file)
            .ok_or_else(|| EmbeddedError::InUse(self.data_dir.clone()))
    }

    /// Whether a guard lives. Without the directory there is none.
    pub(super) fn guarded(&self) -> Result<bool, EmbeddedError> {
        if !self.lock().exists() {
            return Ok(false);
        }
        let file = open_lock(&self.lock())?;
        Ok(!held(file.try_lock_shared(), &self.lock())?)
    }

    /// The process that `postmaster.pid` names, once its eighth line says `ready` (as `pg_ctl`
    /// reads it). A socket that accepts says less: it does so during a recovery too.
    pub(super) fn ready_process(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.postmaster_pid()).ok()?;
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        (lines.nth(6)?.trim() == "ready").then_some(pid)
    }

    /// Whether Postgres takes connections.
    pub(super) async fn accepts(&self) -> bool {
        self.ready_process().is_some()
            && tokio::net::UnixStream::connect(self.socket()).await.is_ok()
    }

    /// Waits up to `patience` until nobody shares this Postgres, and keeps it so while the file
    /// lives; `None` when somebody still does.
    pub(super) async fn alone(&self, patience: Duration) -> Result<Option<File>, EmbeddedError> {
        let file = open_lock(&self.users())?;
        let taken = poll(patience, || held(file.try_lock(), &self.users())).await?;
        Ok(taken.then_some(file))
    }
}

/// The bytes that an unprivileged process may still write on the file system of `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let figures = rustix::fs::statvfs(path)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// Makes one directory with exactly `mode`, whatever the umask; an existing one stays as it is.
pub(super) fn make_directory(directory: &Path, mode: u32) -> Result<(), EmbeddedError> {
    match DirBuilder::new().mode(mode).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => {
            return Err(EmbeddedError::io("could not make the directory", directory)(error));
        }
    }
    std::fs::set_permissions(directory, Permissions::from_mode(mode)).map_err(EmbeddedError::io(
        "could not set the permissions of",
        directory,
    ))
}
