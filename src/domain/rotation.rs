//! Rotation while servers run: another root key in the place of the present one, another data key in the place of a
//! tenant's. No request fails meanwhile, and whatever cuts a rotation short, running it again finishes it.
//!
//! A root key seals nothing before every running server holds it: servers say twice a minute which they hold, and
//! [`Service::rotate_root_key`] begins only when all hold the new one. A replaced data key is kept for seven days, and for
//! as long as anything names it; the servers see to that by themselves.

mod pass;
mod root_key;
mod tenant_key;

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::sleep;

pub use root_key::RootRotation;
pub use tenant_key::TenantRotation;

use super::error::Error;
use super::service::Service;
use crate::crypto::RootId;
use crate::store::keys::UnlockError;
use crate::store::rotation::servers::{SILENCE, Stranger};

/// How often a step is tried that the database could not do for the moment, and how long it waits between.
const PATIENCE: (u32, Duration) = (30, Duration::from_millis(500));

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows that were looked at.
    pub done: u64,
    /// Rows that there were when it began.
    pub of: u64,
}

/// Who is told how far a rotation is.
pub type Watcher<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Why a rotation did not begin or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Another one runs.
    #[error(
        "another rotation of {0} is running: wait for its end. Where it was a command that was killed, run this again"
    )]
    Busy(&'static str),
    /// Servers run that could not open what the new root key seals.
    #[error(
        "not every running server holds the root key {root}: {}. Restart each of them with the new key in \
         KEYWAY_ROOT_KEY_FILE and the old one in KEYWAY_OLD_ROOT_KEY_FILES, then run this again (one that was killed \
         counts as gone after {SILENCE} s); nothing was changed",
        listed(strangers)
    )]
    Strangers {
        /// The new root key.
        root: RootId,
        /// The servers that do not hold it.
        strangers: Vec<Stranger>,
    },
    /// The configured root keys are not those that the database needs.
    #[error(transparent)]
    Unfit(#[from] UnlockError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

fn listed(strangers: &[Stranger]) -> String {
    let mut list = String::new();
    for stranger in strangers {
        let gap = if list.is_empty() { "" } else { "; " };
        let (holds, ago) = (stranger.holds.join(", "), stranger.seconds_ago);
        // Writing to a string cannot fail.
        let _ = write!(list, "{gap}one holds {holds} (seen {ago:.0} s ago)");
    }
    list
}

impl Service {
    /// Says that this server runs and which root keys it holds; once before it listens and then twice a minute.
    ///
    /// # Errors
    /// `WrongRootKey` when the database needs a root key that this server does not hold.
    pub async fn check_in(&self) -> Result<(), UnlockError> {
        self.vault().check_in().await
    }

    /// Says that this server has ended. One that cannot say so is forgotten after a while.
    pub async fn check_out(&self) -> Result<(), Error> {
        self.vault().check_out().await
    }
}

/// Does a step again while the database cannot do it for the moment: every step can be repeated.
async fn persist<T, F>(step: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let (attempts, pause) = PATIENCE;
    let mut attempt = 1;
    loop {
        match step().await {
            Err(Error::Unavailable { reason, .. }) if attempt < attempts => {
                tracing::debug!(%reason, attempt, "a step of a rotation is tried again");
                attempt += 1;
                sleep(pause).await;
            }
            outcome => return outcome,
        }
    }
}
