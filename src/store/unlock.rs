//! Proving that the configured root keys are those of this database, and opening what is sealed under them: the
//! canaries and the API-key peppers.

use std::collections::HashMap;
use std::fmt;

use super::error::failed;
use super::{Access, Db, ServerTx};
use crate::crypto::{KeyRing, OpenError, Pepper, RootId};
use crate::domain::Error;

/// The name of the API-key pepper among the server's secrets.
const PEPPER: &str = "api_key_pepper";

const LOCK_ROOTS: &str = "-- root_keys: one start at a time
    SELECT pg_advisory_xact_lock(7241960523001)";
const SHARE_ROOTS: &str = "-- root_keys: as they are until this transaction ends
    SELECT pg_advisory_xact_lock_shared(7241960523001)";
const ROOTS: &str = "-- root_keys: all
    SELECT root_id, sealed_canary FROM root_keys ORDER BY created_at";
const ROOTS_IN_USE: &str = "-- root_keys: in use
    SELECT root_id FROM tenant_data_keys UNION SELECT root_id FROM server_secrets
    UNION (SELECT root_id FROM root_keys ORDER BY created_at DESC, root_id LIMIT 1)";
const SEALING_ROOT: &str = "-- root_keys: the one that seals
    SELECT root_id FROM root_keys ORDER BY created_at DESC, root_id LIMIT 1 FOR KEY SHARE";
const ADD_ROOT: &str = "-- root_keys: add
    INSERT INTO root_keys (root_id, sealed_canary) VALUES ($1, $2)";
const SECRETS: &str = "-- server_secrets: all versions
    SELECT version, sealed_value FROM server_secrets WHERE name = $1 ORDER BY version";
const ADD_SECRET: &str = "-- server_secrets: add
    INSERT INTO server_secrets (name, version, root_id, sealed_value) VALUES ($1, $2, $3, $4)";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    LOCK_ROOTS,
    SHARE_ROOTS,
    ROOTS,
    ROOTS_IN_USE,
    SEALING_ROOT,
    ADD_ROOT,
    SECRETS,
    ADD_SECRET,
];

/// Why the store could not be unlocked.
#[derive(Debug, thiserror::Error)]
pub enum UnlockError {
    /// The configured root keys are not those under which the database was sealed.
    #[error(
        "the root key does not fit this database: configured {configured}, sealed under {in_use}. Give the root key \
         that this database was made with (KEYWAY_ROOT_KEY_FILE or KEYWAY_ROOT_KEY); nothing was written"
    )]
    WrongRootKey {
        /// Fingerprints of what is configured.
        configured: Fingerprints,
        /// Fingerprints of what the database needs.
        in_use: Fingerprints,
    },
    /// Bytes that should open did not: the row was altered.
    #[error("opening the {what}: {source}")]
    Damaged {
        /// What was opened.
        what: &'static str,
        /// Why it did not open.
        source: OpenError,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Some root keys, by fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprints(pub Vec<RootId>);

impl fmt::Display for Fingerprints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, id) in self.0.iter().enumerate() {
            write!(f, "{}{id}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// The fingerprints of the root keys that this database needs: those under which something is sealed, and the one
/// that seals. Empty for a new database. Runs on the first schema too: it is asked before migrations are made.
pub async fn root_keys_in_use(db: &Db) -> Result<Vec<RootId>, Error> {
    db.jobs(Access::Read, |tx| Box::pin(async move { needed(tx).await }))
        .await
}

pub(super) async fn needed(tx: &mut ServerTx) -> Result<Vec<RootId>, Error> {
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(ROOTS_IN_USE)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    ids.iter().map(|id| root_id(id)).collect()
}

/// The root key that seals: the newest row. The first start claims the database for its key, a rotation for the next
/// one; what a server is configured to seal under decides nothing by itself, since others may not hold that key yet.
/// The row stays until the transaction ends, so that nothing is sealed under a root key that has just been removed.
pub(super) async fn sealing_root(tx: &mut ServerTx) -> Result<RootId, Error> {
    let id: Option<Vec<u8>> = sqlx::query_scalar(SEALING_ROOT)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    id.map_or_else(
        || Err(Error::internal("no root key has claimed this database")),
        |id| root_id(&id),
    )
}

/// Waits until no other start and no step of a rotation is at it, and keeps them out until the transaction ends.
pub(super) async fn lock_roots(tx: &mut ServerTx) -> Result<(), Error> {
    let locked = sqlx::query(LOCK_ROOTS).execute(tx.connection()).await;
    locked.map(|_| ()).map_err(failed)
}

/// As [`lock_roots`], beside others who only look.
pub(super) async fn share_roots(tx: &mut ServerTx) -> Result<(), Error> {
    let locked = sqlx::query(SHARE_ROOTS).execute(tx.connection()).await;
    locked.map(|_| ()).map_err(failed)
}

pub(super) async fn canaries(tx: &mut ServerTx) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
    sqlx::query_as(ROOTS)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

pub(super) fn root_id(bytes: &[u8]) -> Result<RootId, Error> {
    RootId::try_from(bytes)
        .map_err(|_| Error::internal("a row of root_keys has an id that is not 8 bytes long"))
}

/// Opens every canary that `ring` has the key of, and writes nothing; answers with the active key's fingerprint.
pub async fn check_canaries(db: &Db, ring: KeyRing) -> Result<RootId, UnlockError> {
    let stored = db.jobs(Access::Read, |tx| Box::pin(canaries(tx))).await?;
    open_canaries(&ring, stored)?;
    Ok(ring.active_id())
}

/// Opens every canary that `ring` has the key of.
fn open_canaries(ring: &KeyRing, canaries: Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), UnlockError> {
    for (id, canary) in canaries {
        let id = root_id(&id)?;
        if ring.holds(id) {
            ring.open_canary(id, &canary)
                .map_err(|source| UnlockError::Damaged {
                    what: "canary",
                    source,
                })?;
        }
    }
    Ok(())
}

/// Opens (or, in a new database, makes) the canary and the peppers, one server at a time.
pub(super) async fn open_house(
    tx: &mut ServerTx,
    ring: &KeyRing,
) -> Result<HashMap<i32, Pepper>, UnlockError> {
    lock_roots(tx).await?;
    let stored = canaries(tx).await?;
    let is_new = stored.is_empty();
    open_canaries(ring, stored)?;
    // A rotation may have begun since the caller looked, and another new server may have been the first.
    let in_use = needed(tx).await?;
    if in_use.iter().any(|id| !ring.holds(*id)) {
        return Err(UnlockError::WrongRootKey {
            configured: Fingerprints(ring.ids()),
            in_use: Fingerprints(in_use),
        });
    }
    if is_new {
        sqlx::query(ADD_ROOT)
            .bind(ring.active_id().as_bytes().as_slice())
            .bind(ring.seal_canary())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    peppers(tx, ring).await
}

async fn peppers(tx: &mut ServerTx, ring: &KeyRing) -> Result<HashMap<i32, Pepper>, UnlockError> {
    let rows: Vec<(i32, Vec<u8>)> = sqlx::query_as(SECRETS)
        .bind(PEPPER)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let mut peppers = HashMap::new();
    for (version, sealed) in rows {
        let secret = ring
            .open_server_secret(PEPPER, version, &sealed)
            .map_err(|source| UnlockError::Damaged {
                what: "API-key pepper",
                source,
            })?;
        let pepper = Pepper::from_secret(version, secret).ok_or(UnlockError::Damaged {
            what: "API-key pepper",
            source: OpenError::Refused,
        })?;
        peppers.insert(version, pepper);
    }
    if peppers.is_empty() {
        let (pepper, root) = (Pepper::generate(1), sealing_root(tx).await?);
        let sealed = ring
            .seal_server_secret_under(root, PEPPER, pepper.version(), pepper.secret())
            .map_err(Error::internal)?;
        sqlx::query(ADD_SECRET)
            .bind(PEPPER)
            .bind(pepper.version())
            .bind(root.as_bytes().as_slice())
            .bind(sealed)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        peppers.insert(pepper.version(), pepper);
    }
    Ok(peppers)
}
