//! A data directory of one test, and a look at the database in it.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use keyway::store::embedded::{self, Embedded, EmbeddedOptions, SUPERUSER};
use keyway::store::provision::DATABASE;

use crate::common::stored::Stored;
use crate::program::KEYWAY;

/// A directory that the account which runs Postgres can reach. At its end nothing may run in it any more; then it is
/// removed.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = parent().join(format!("kw-cli-{process}-{count}"));
        DirBuilder::new().mode(0o711).create(&path).unwrap();
        Self(path)
    }

    /// A file beside the data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes such a file with these permissions.
    pub fn write(&self, name: &str, content: &str, mode: u32) -> PathBuf {
        let path = self.file(name);
        std::fs::remove_file(&path).ok();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    pub fn data_dir(&self) -> PathBuf {
        self.0.join("data")
    }

    pub fn root_key(&self) -> PathBuf {
        self.data_dir().join("root.key")
    }

    pub fn has_postgres(&self) -> bool {
        self.data_dir()
            .join("postgres/data/postmaster.pid")
            .exists()
            || embedded::in_use(&self.data_dir()).unwrap()
    }

    /// A Postgres on this directory that nobody else has started: to look at it, or as one of the user's own.
    pub async fn postgres(&self) -> Embedded {
        let options = EmbeddedOptions {
            data_dir: self.data_dir(),
            bin_dir: None,
            guard: Some(PathBuf::from(KEYWAY)),
        };
        Embedded::start(&options).await.unwrap()
    }

    /// The rows of Keyway's database, while a Postgres runs here.
    pub fn stored(&self) -> Stored {
        Stored::new(embedded::connect_options(
            &self.data_dir(),
            DATABASE,
            SUPERUSER,
        ))
    }

    /// Every row, and the number of the next transaction that writes: equal means that nothing was written at all.
    pub async fn all(&self) -> (String, String) {
        let postgres = self.postgres().await;
        let stored = self.stored();
        let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next";
        let all = (
            stored.dump().await,
            stored.rows(next).await[0]["next"].to_string(),
        );
        postgres.stop().await.unwrap();
        all
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let begun = Instant::now();
        // A killed server's Postgres is stopped by its guard.
        while self.has_postgres() && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let still = self.has_postgres();
        std::fs::remove_dir_all(&self.0).ok();
        assert!(
            !still || std::thread::panicking(),
            "a Postgres outlives its server in {}",
            self.0.display()
        );
    }
}

/// In memory where there is room: the disk's fsync is not what these tests are about.
fn parent() -> PathBuf {
    let roomy = Path::new("/dev/shm");
    match embedded::free_bytes(roomy) {
        Ok(free) if free >= 1 << 30 => roomy.to_owned(),
        _ => std::env::temp_dir(),
    }
}
