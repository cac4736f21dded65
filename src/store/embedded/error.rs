//! What can go wrong with the embedded Postgres, worded for the operator who reads it.
//!
//! Every text is one line, because the guard hands it to the server as one line.

use std::io;
use std::path::{Path, PathBuf};

/// Why the embedded Postgres did not start, or stopped. Each text names the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No directory with `initdb` and `postgres` was found.
    #[error(
        "no PostgreSQL server programs (initdb and postgres) found: install them with `{install}`, name their directory with KEYWAY_PG_BIN_DIR, or set DATABASE_URL to use a Postgres of your own"
    )]
    BinariesMissing {
        /// The command that installs them on this platform.
        install: &'static str,
    },
    /// `KEYWAY_PG_BIN_DIR` names a directory without the two programs.
    #[error(
        "KEYWAY_PG_BIN_DIR is {}, which does not hold both initdb and postgres: name the directory that does, or unset it to search the usual places", .0.display()
    )]
    BinaryDirectory(PathBuf),
    /// The server programs are older than any version that Keyway runs on.
    #[error(
        "PostgreSQL {found} in {} is too old, Keyway needs {minimum} or newer: install one with `{install}`, name its directory with KEYWAY_PG_BIN_DIR, or set DATABASE_URL", directory.display()
    )]
    TooOld {
        /// The major version found.
        found: u32,
        /// The oldest major version that is accepted.
        minimum: u32,
        /// Where it was found.
        directory: PathBuf,
        /// The command that installs `PostgreSQL` on this platform.
        install: &'static str,
    },
    /// A server program could not be run or did not tell its version.
    #[error("could not run {}: {detail}; reinstall PostgreSQL or set KEYWAY_PG_BIN_DIR to another directory", program.display())]
    BinaryBroken {
        /// The program.
        program: PathBuf,
        /// What happened.
        detail: String,
    },
    /// The cluster was made by a major version that is not installed.
    #[error(
        "the database in {} was made by PostgreSQL {made_by}, but only {installed} is installed: install PostgreSQL {made_by} beside it (or set KEYWAY_PG_BIN_DIR to it), or move the data with pg_upgrade", data.display()
    )]
    OtherVersion {
        /// The cluster's data directory.
        data: PathBuf,
        /// The content of its `PG_VERSION`.
        made_by: String,
        /// The major versions found, for people.
        installed: String,
    },
    /// Started as root on a machine without the unprivileged account.
    #[error(
        "PostgreSQL refuses to run as root and this machine has no user `postgres` to run it as: start keyway as an ordinary user, create the user (`useradd --system postgres`), or set DATABASE_URL"
    )]
    NoAccount,
    /// The account that runs Postgres cannot enter a directory on the way to the data.
    #[error(
        "the user `postgres`, which runs the database when keyway runs as root, cannot enter {}: choose another --data-dir (for example /var/lib/keyway), run `chmod o+x {}`, or start keyway as an ordinary user", .0.display(), .0.display()
    )]
    Unreachable(PathBuf),
    /// The account that runs Postgres may not execute a program.
    #[error(
        "the user `postgres`, which runs the database when keyway runs as root, cannot execute {}: make it and its directories accessible to others (`chmod o+rx`), or start keyway as an ordinary user", .0.display()
    )]
    NotExecutable(PathBuf),
    /// The cluster belongs to another account than the one that would run it.
    #[error(
        "the database in {} belongs to user id {owner}, but would run as user id {runs_as}: start keyway as the user that made it, or run `chown -R {runs_as} {}`", data.display(), data.display()
    )]
    WrongOwner {
        /// The cluster's data directory.
        data: PathBuf,
        /// Its owner.
        owner: u32,
        /// The account that Postgres would run as.
        runs_as: u32,
    },
    /// The socket's path does not fit into a socket address.
    #[error(
        "the database's socket path {} is {bytes} bytes long, the system allows {limit}: choose a shorter --data-dir", path.display()
    )]
    SocketPath {
        /// The socket's path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
        /// The longest that the system takes.
        limit: usize,
    },
    /// Another server holds the data directory.
    #[error(
        "the data directory {} is in use by another process: stop the other keyway, or choose another --data-dir", .0.display()
    )]
    InUse(PathBuf),
    /// `initdb` failed.
    #[error("initdb could not make a database in {}: {detail}", directory.display())]
    Initdb {
        /// Where it was to be made.
        directory: PathBuf,
        /// The end of initdb's own message.
        detail: String,
    },
    /// Postgres ended although nobody asked it to.
    #[error("the embedded Postgres did not stay up ({status}): {detail}; its log is {}", log.display())]
    Ended {
        /// How its process ended.
        status: String,
        /// The last lines of its log.
        detail: String,
        /// The log file.
        log: PathBuf,
    },
    /// A Postgres that an earlier guard left behind does not stop.
    #[error(
        "a Postgres left over from an earlier run still serves {} and does not stop: stop it by hand, then start again", .0.display()
    )]
    Orphan(PathBuf),
    /// A file or directory could not be used.
    #[error("{action} {}: {source}; check its owner and permissions, or choose another --data-dir", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// The guard refused; the text is its own.
    #[error("{0}")]
    Refused(String),
    /// The guard process could not be started, or ended without a word.
    #[error("the guard process of the embedded Postgres {0}")]
    Guard(String),
}

impl EmbeddedError {
    /// For `map_err`: names what was attempted, and on which path.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
