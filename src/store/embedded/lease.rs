//! The file locks: who is the guard, and who else uses its Postgres.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::EmbeddedError;
use super::layout::Layout;

/// A share in an embedded Postgres that another process owns: while it lives, the guard does not
/// stop Postgres merely because the owner has gone (it waits up to 3 s; in the test profile as
/// long as it takes).
#[derive(Debug)]
pub struct Lease {
    _file: File,
}

impl Lease {
    /// Makes what is missing of `data_dir` and takes a share, waiting up to 60 s for a guard that
    /// is ending. A directory that this guard removes on the way is made anew.
    pub async fn take(data_dir: &Path) -> Result<Self, EmbeddedError> {
        Self::take_in(&Layout::new(data_dir)?).await
    }

    pub(super) async fn take_in(layout: &Layout) -> Result<Self, EmbeddedError> {
        let path = layout.users();
        let deadline = Instant::now() + Duration::from_mins(1);
        while Instant::now() < deadline {
            layout.create()?;
            let file = match open_lock(&path) {
                Ok(file) => file,
                Err(EmbeddedError::Io { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            let short = Duration::from_millis(500);
            if poll(short, || held(file.try_lock_shared(), &path)).await? && is_at(&file, &path) {
                return Ok(Self { _file: file });
            }
        }
        Err(EmbeddedError::InUse(layout.data_dir().to_owned()))
    }
}

pub(super) fn open_lock(path: &Path) -> Result<File, EmbeddedError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .map_err(EmbeddedError::io("could not open the lock file", path))
}

pub(super) fn held(tried: Result<(), TryLockError>, path: &Path) -> Result<bool, EmbeddedError> {
    match tried {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => {
            Err(EmbeddedError::io("could not lock the file", path)(error))
        }
    }
}

/// Whether `path` still names the file that is open.
fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Tries every 5 ms until it succeeds or `patience` is over; at least once.
pub(super) async fn poll(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<bool, EmbeddedError>,
) -> Result<bool, EmbeddedError> {
    let deadline = Instant::now() + patience;
    loop {
        if attempt()? {
            return Ok(true);
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
