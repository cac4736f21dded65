//! The unlocked keys of a server: a tenant's data keys, unwrapped when they are needed, and the API-key peppers.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::error::{failed, tenant_is_gone, unavailable};
pub use super::unlock::{Fingerprints, UnlockError, check_canaries, root_keys_in_use};
use super::unlock::{open_house, sealing_root};
use super::{Access, Db, ServerTx, TenantTx};
use crate::crypto::{KeyCache, KeyRing, OpenError, Pepper, TenantKeys};
use crate::domain::Error;
use crate::domain::ids::TenantId;
use crate::telemetry::metrics::counts::{DATA_KEY_HITS, DATA_KEY_MISSES};

/// The number of a tenant's first data key.
const FIRST_DATA_KEY: u32 = 1;
/// The reason of an [`Error::Unavailable`] that keys read anew cure.
const REPLACED: &str = "the tenant's data key was replaced meanwhile";

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
    /// Who this process is among the servers.
    server: Uuid,
    /// One reload at a time: many requests that meet a new data key together cause one.
    reloading: Arc<Mutex<()>>,
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
            server: Uuid::now_v7(),
            reloading: Arc::default(),
        })
    }

    /// The configured root keys.
    pub(crate) fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// Who this process is among the servers.
    pub(super) fn server(&self) -> Uuid {
        self.server
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
        self.add_data_key(tx, tenant, FIRST_DATA_KEY).await
    }

    /// A new data key of this number, the active one, wrapped under the root key that seals and stored.
    pub(super) async fn add_data_key(
        &self,
        tx: &mut ServerTx,
        tenant: TenantId,
        number: u32,
    ) -> Result<(), Error> {
        let root = sealing_root(tx).await?;
        let (_, wrapped) = self
            .ring
            .new_data_key_under(root, tenant.0, number)
            .map_err(locked)?;
        sqlx::query(ADD_DATA_KEY)
            .bind(tenant.0)
            .bind(number.cast_signed())
            .bind(root.as_bytes().as_slice())
            .bind(wrapped)
            .execute(tx.connection())
            .await
            .map(|_| ())
            .map_err(failed)
    }

    /// The unwrapped keys of a tenant, from memory (at most 5 minutes old) or from the store. Take them before the row
    /// whose bytes they shall open is read: so they are never younger than what removed a data key. That they may be
    /// older than what made one is what [`opened`](Self::opened) and [`with_keys`](Self::with_keys) are for.
    pub async fn tenant_keys(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, Error> {
        if let Some(keys) = self.cache.get(tenant.0) {
            DATA_KEY_HITS.add(1);
            return Ok(keys);
        }
        DATA_KEY_MISSES.add(1);
        self.load(tenant).await
    }

    /// Opens sealed bytes with `keys`, or, where these do not know the data key that the bytes name, with keys read
    /// anew: another server has replaced the tenant's data key since `keys` were read.
    ///
    /// # Errors
    /// Unavailable where the data key is still unknown, else internal: the bytes were altered or moved.
    pub async fn opened<T>(
        &self,
        keys: &Arc<TenantKeys>,
        open: impl Fn(&TenantKeys) -> Result<T, OpenError>,
    ) -> Result<T, Error> {
        match open(keys) {
            Err(OpenError::UnknownDataKey(_)) => {}
            outcome => return outcome.map_err(unopened),
        }
        match open(&*self.reload(keys).await?) {
            // Others that were reading may have put older ones back.
            Err(OpenError::UnknownDataKey(_)) => {
                let keys = self.load(TenantId(keys.tenant())).await?;
                open(&keys).map_err(unopened)
            }
            outcome => outcome.map_err(unopened),
        }
    }

    /// Runs `work` with the tenant's keys, and once more with keys read anew where it fails because they do not know a
    /// data key. For work that opens bytes inside a transaction, which it makes itself and which that failure rolls
    /// back; it reports the failure to open with [`unopened`].
    pub async fn with_keys<T, F>(
        &self,
        tenant: TenantId,
        work: impl Fn(Arc<TenantKeys>) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let keys = self.tenant_keys(tenant).await?;
        match work(Arc::clone(&keys)).await {
            Err(error) if is_replaced(&error) => {}
            outcome => return outcome,
        }
        match work(self.reload(&keys).await?).await {
            // Others that were reading may have put older ones back.
            Err(error) if is_replaced(&error) => work(self.load(tenant).await?).await,
            outcome => outcome,
        }
    }

    /// As [`Db::tenant`], with the tenant's keys for `work`, which reports what does not open with [`unopened`]: run
    /// once more with keys read anew where those in memory do not know a data key.
    pub async fn tenant<T, W>(&self, tenant: TenantId, access: Access, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'a> Fn(&'a mut TenantTx, Arc<TenantKeys>) -> BoxFuture<'a, Result<T, Error>>
            + Send
            + Sync
            + 'static,
    {
        let work = Arc::new(work);
        let attempt = |keys: Arc<TenantKeys>| {
            let work = Arc::clone(&work);
            self.db
                .tenant(tenant, access, move |tx| work(tx, Arc::clone(&keys)))
        };
        self.with_keys(tenant, attempt).await
    }

    /// Other keys than `than`: those that another request has read meanwhile, else the store's.
    async fn reload(&self, than: &Arc<TenantKeys>) -> Result<Arc<TenantKeys>, Error> {
        let tenant = than.tenant();
        let _alone = self.reloading.lock().await;
        match self.cache.get(tenant) {
            Some(keys) if !Arc::ptr_eq(&keys, than) => Ok(keys),
            _ => self.load(TenantId(tenant)).await,
        }
    }

    async fn load(&self, tenant: TenantId) -> Result<Arc<TenantKeys>, Error> {
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
                    .map_err(locked)?,
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

/// Why sealed bytes did not open, as an error of the house. An unknown data key is temporary: the keys in memory are
/// older than the row.
pub fn unopened(error: OpenError) -> Error {
    match error {
        OpenError::UnknownDataKey(_) => unavailable(REPLACED),
        other => Error::internal(other),
    }
}

/// Whether [`unopened`] said that keys read anew may open it.
pub fn is_replaced(error: &Error) -> bool {
    matches!(error, Error::Unavailable { reason, .. } if reason == REPLACED)
}

/// Why a data key could not be unwrapped or wrapped. A root key that this server lacks is the operator's to give, and no
/// fault of the request.
fn locked(error: OpenError) -> Error {
    match error {
        OpenError::UnknownRootKey(root) => {
            tracing::error!(
                root_key = %root,
                "a data key is sealed under a root key that this server does not hold: restart it with that key in \
                 KEYWAY_ROOT_KEY_FILE and the present one in KEYWAY_OLD_ROOT_KEY_FILES; until then its tenants get 503"
            );
            unavailable("a data key is sealed under a root key that this server does not hold")
        }
        other => Error::internal(other),
    }
}

async fn data_keys(tx: &mut TenantTx) -> Result<Vec<(i32, Vec<u8>, bool)>, Error> {
    sqlx::query_as(DATA_KEYS)
        .bind(tx.tenant().0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}
