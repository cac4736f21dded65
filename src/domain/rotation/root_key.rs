//! Another root key: every data key and every secret of the server moves under it; nothing else is touched.

use std::sync::Arc;

use super::{Progress, RotationError, Watcher, persist};
use crate::crypto::RootId;
use crate::domain::error::Error;
use crate::domain::ids::TenantId;
use crate::domain::service::Service;
use crate::domain::tenants::operator;
use crate::store::Access;
use crate::store::keys::{Fingerprints, UnlockError};
use crate::store::rotation::roots::{self, Batch, Begun, Cursor};
use crate::store::rotation::{Job, alone};

/// How often all is gone through: a command that began before the rotation can leave a data key under the old root key.
const ROUNDS: u32 = 5;

/// What a rotation of the root key has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRotation {
    /// The root key that everything is sealed under now.
    pub root: RootId,
    /// Data keys that this run moved.
    pub data_keys: u64,
    /// Secrets of the server (API-key peppers) that this run moved.
    pub server_secrets: u64,
    /// Rows that do not open and stay where they are: restore them from a backup.
    pub damaged: u64,
    /// Root keys that this run has retired: nothing names them any more.
    pub retired: Vec<RootId>,
    /// Root keys that something is still sealed under: they must stay configured.
    pub remaining: Vec<RootId>,
}

impl Service {
    /// Lets the configured root key seal in the place of the present one, moves everything under it that a root key
    /// seals, and retires the old ones. Running it again goes on where it was cut short; where nothing is left to do
    /// it does nothing.
    ///
    /// # Errors
    /// `Busy`, `Strangers` and `Unfit` before anything was changed; `Store` where the database stayed away.
    pub async fn rotate_root_key(
        &self,
        watcher: Watcher<'_>,
    ) -> Result<RootRotation, RotationError> {
        let rotated = self.rotate_root_key_and(watcher, |_| ()).await;
        rotated.map(|(rotation, ())| rotation)
    }

    /// As [`rotate_root_key`](Self::rotate_root_key), and then `last`, while still no other rotation can begin.
    ///
    /// # Errors
    /// As there; `last` is not run then.
    pub async fn rotate_root_key_and<T>(
        &self,
        watcher: Watcher<'_>,
        last: impl FnOnce(&RootRotation) -> T,
    ) -> Result<(RootRotation, T), RotationError> {
        let taken = alone::alone(self.db(), Job::RootKey).await?;
        let alone = taken.ok_or(RotationError::Busy("the root key"))?;
        let outcome = self.rotate_root_key_alone(watcher).await;
        let outcome = outcome.map(|rotation| {
            let done = last(&rotation);
            (rotation, done)
        });
        alone.release().await;
        outcome
    }

    async fn rotate_root_key_alone(
        &self,
        watcher: Watcher<'_>,
    ) -> Result<RootRotation, RotationError> {
        let root = self.vault().ring().active_id();
        let of = self.begin_root_rotation(root).await?;
        let mut report = RootRotation {
            root,
            data_keys: 0,
            server_secrets: 0,
            damaged: 0,
            retired: Vec::new(),
            remaining: Vec::new(),
        };
        for _ in 0..ROUNDS {
            report.damaged = 0;
            for old in self.other_roots(root).await? {
                self.move_data_keys(old, of, &mut report, watcher).await?;
            }
            let secrets = self.move_server_secrets().await?;
            report.server_secrets += secrets.moved;
            report.damaged += secrets.damaged;
            report.retired.extend(self.retire_roots(root).await?);
            report.remaining = self.other_roots(root).await?;
            if report.remaining.is_empty() || report.damaged > 0 {
                break;
            }
        }
        Ok(report)
    }

    async fn begin_root_rotation(&self, root: RootId) -> Result<u64, RotationError> {
        let begin = || {
            let ring = Arc::clone(self.vault().ring());
            self.db().jobs(Access::Write, move |tx| {
                let ring = Arc::clone(&ring);
                Box::pin(async move { roots::begin(tx, &ring).await })
            })
        };
        match persist(begin).await? {
            Begun::Sealing(count) => Ok(count.unsigned_abs()),
            Begun::Strangers(strangers) => Err(RotationError::Strangers { root, strangers }),
            Begun::Lacking(in_use) => Err(RotationError::Unfit(UnlockError::WrongRootKey {
                configured: Fingerprints(self.vault().ring().ids()),
                in_use: Fingerprints(in_use),
            })),
        }
    }

    async fn other_roots(&self, root: RootId) -> Result<Vec<RootId>, Error> {
        let others = || {
            self.db()
                .jobs(Access::Read, move |tx| Box::pin(roots::others(tx, root)))
        };
        persist(others).await
    }

    async fn move_data_keys(
        &self,
        old: RootId,
        of: u64,
        report: &mut RootRotation,
        watcher: Watcher<'_>,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let batch = persist(|| self.move_batch(old, after)).await?;
            report.data_keys += batch.moved;
            report.damaged += batch.damaged;
            let done = report.data_keys.min(of);
            watcher(Progress { done, of });
            match batch.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn move_batch(&self, old: RootId, after: Option<Cursor>) -> Result<Batch, Error> {
        let ring = Arc::clone(self.vault().ring());
        // One request id for the batch; each row's tenant is its own.
        let operator = operator(TenantId::new());
        self.db()
            .jobs(Access::Write, move |tx| {
                let (ring, operator) = (Arc::clone(&ring), operator.clone());
                Box::pin(
                    async move { roots::rewrap_data_keys(tx, &ring, old, after, &operator).await },
                )
            })
            .await
    }

    async fn move_server_secrets(&self) -> Result<Batch, Error> {
        let rewrap = || {
            let ring = Arc::clone(self.vault().ring());
            self.db().jobs(Access::Write, move |tx| {
                let ring = Arc::clone(&ring);
                Box::pin(async move { roots::rewrap_secrets(tx, &ring).await })
            })
        };
        persist(rewrap).await
    }

    async fn retire_roots(&self, root: RootId) -> Result<Vec<RootId>, Error> {
        let remove = || {
            self.db().jobs(Access::Write, move |tx| {
                Box::pin(roots::remove_unused(tx, root))
            })
        };
        persist(remove).await
    }
}
