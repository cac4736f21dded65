//! The unlocked keys of a server: a tenant's data keys, unwrapped when they are needed, and the API-key peppers.

use std::collections::HashMap;
use std::sync::Arc;

use super::error::{failed, tenant_is_gone};
use super::unlock::open_house;
pub use super::unlock::{Fingerprints, UnlockError, check_canaries, root_keys_in_use};
use super::{Access, Db, ServerTx, TenantTx};
use crate::crypto::{KeyCache, KeyRing, Pepper, TenantKeys};
use crate::domain::Error;
use crate::domain::ids::TenantId;

/// The number of a tenant's first data key.
const FIRST_DATA_KEY: u32 = 1;

const ADD_DATA_KEY: &str = "-- tenant_data_keys: add
    INSERT INTO tenant_data_keys (tenant_id, dek_id, root_id, sealed_key, active) VALUES ($1, $2, $3, $4, true)";
const DATA_KEYS: &str = "-- tenant_data_keys: of a tenant
    SELECT dek_id, sealed_key, active FROM tenant_data_keys WHERE tenant_id = $1 ORDER BY dek_id";

/// The statements of this file that a tenant's transaction runs.
pub const STATEMENTS: &[&str] = &[DATA_KEYS];
/// The statements of this file that the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[ADD_DATA_KEY];

/// The unlocked keys of this server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Vault {
    db: Db,
    ring: Arc<KeyRing>,
    cache: Arc<KeyCache>,
    peppers: Arc<HashMap<i32, Pepper>>,
    newest_pepper: i32,
}

impl Vault {
    /// Proves that `ring` holds the root keys that the database was sealed under, and opens the server's own secrets.
    /// A new database is claimed for the active root key. Nothing is written where the keys do not fit.
    pub async fn unlock(db: Db, ring: KeyRing) -> Result<Self, UnlockError> {
        let ring = Arc::new(ring);
        let in_use = root_keys_in_use(&db).await?;
        if in_use.iter().any(|id| !ring.holds(*id)) {
            return Err(UnlockError::WrongRootKey {
                configured: Fingerprints(ring.ids()),
                in_use: Fingerprints(in_use),
            });
        }
        let unlocking = Arc::clone(&ring);
        let peppers = db
            .jobs(Access::Write, move |tx| {
                let ring = Arc::clone(&unlocking);
                Box::pin(async move { Ok(open_house(tx, &ring).await) })
            })
            .await??;
        let newest_pepper = peppers.keys().copied().max().unwrap_or_default();
        Ok(Self {
            db,
            ring,
            cache: Arc::new(KeyCache::new()),
            peppers: Arc::new(peppers),
            newest_pepper,
        })
    }

    /// The database that these keys belong to.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// The pepper of this version, if there is one.
    pub fn pepper(&self, version: i32) -> Option<&Pepper> {
        self.peppers.get(&version)
    }

    /// The pepper for new API keys.
    pub fn newest_pepper(&self) -> Result<&Pepper, Error> {
        self.pepper(self.newest_pepper)
            .ok_or_else(|| Error::internal("the server has no API-key pepper"))
    }

    /// A new tenant's first data key, wrapped and stored.
    pub async fn add_first_data_key(
        &self,
        tx: &mut ServerTx,
        tenant: TenantId,
    ) -> Result<(), Error> {
        let (_, wrapped) = self.ring.new_data_key(tenant.0, FIRST_DATA_KEY);
        sqlx::query(ADD_DATA_KEY)
            .bind(tenant.0)
            .bind(FIRST_DATA_KEY.cast_signed())
            .bind(self.ring.active_id().as_bytes().as_slice())
            .bind(wrapped)
            .execute(tx.connection())
            .await
            .map(|_| ())
            .map_err(failed)
    }

    /// The unwrapped keys of a tenant, from memory (at most 5 minutes old) or from the store.
    pub async fn tenant_keys(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, Error> {
        if let Some(keys) = self.cache.get(tenant.0) {
            return Ok(keys);
        }
        let rows = self
            .db
            .tenant(tenant, Access::Read, |tx| Box::pin(data_keys(tx)))
            .await?;
        let mut active = None;
        let mut keys = Vec::with_capacity(rows.len());
        for (number, wrapped, is_active) in rows {
            let number = number.cast_unsigned();
            active = active.or(is_active.then_some(number));
            keys.push(
                self.ring
                    .unwrap_data_key(tenant.0, number, &wrapped)
                    .map_err(Error::internal)?,
            );
        }
        if keys.is_empty() {
            return Err(tenant_is_gone());
        }
        let active = active
            .ok_or_else(|| Error::internal("the tenant has data keys, and none is active"))?;
        let keys = Arc::new(TenantKeys::new(tenant.0, active, keys).map_err(Error::internal)?);
        self.cache.insert(Arc::clone(&keys));
        Ok(keys)
    }

    /// Forgets a tenant's unwrapped keys.
    pub fn forget(&self, tenant: TenantId) {
        self.cache.invalidate(tenant.0);
    }

    /// Drops what has been unwrapped for too long; called now and then.
    pub fn sweep(&self) {
        self.cache.sweep();
    }
}

async fn data_keys(tx: &mut TenantTx) -> Result<Vec<(i32, Vec<u8>, bool)>, Error> {
    sqlx::query_as(DATA_KEYS)
        .bind(tx.tenant().0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}
