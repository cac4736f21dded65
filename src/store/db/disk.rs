//! A nearly full disk: no write is begun on it.

use std::sync::atomic::Ordering;

use super::{Access, Db};
use crate::domain::Error;
use crate::domain::error::Refusal;

/// Below this many free bytes the embedded Postgres takes no writes: out of space is a panic for its log.
pub const DISK_FLOOR: u64 = 128 * 1024 * 1024;

impl Db {
    /// Tells the store whether the disk under an embedded Postgres is nearly full.
    pub fn set_disk_low(&self, low: bool) {
        if self.inner.disk_low.swap(low, Ordering::Relaxed) != low {
            if low {
                tracing::error!(
                    "less than {DISK_FLOOR} bytes are free on the disk of the data directory: writes are refused until there is more"
                );
            } else {
                tracing::info!("the disk of the data directory has room again: writes are taken");
            }
        }
    }

    /// Refuses what writes while the disk is nearly full. A hand-out writes its audit row and so is refused too.
    pub(in crate::store) fn writable(&self, access: Access) -> Result<(), Error> {
        if access != Access::Read && self.inner.disk_low.load(Ordering::Relaxed) {
            return Err(Error::Refused(Refusal::DiskFull));
        }
        Ok(())
    }
}
