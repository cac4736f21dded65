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
const ROOTS: &str = "-- root_keys: all
    SELECT root_id, sealed_canary FROM root_keys ORDER BY created_at";
const ROOTS_IN_USE: &str = "-- root_keys: in use
    SELECT root_id FROM tenant_data_keys UNION SELECT root_id FROM server_secrets";
const ADD_ROOT: &str = "-- root_keys: add
    INSERT INTO root_keys (root_id, sealed_canary) VALUES ($1, $2)";
const SECRETS: &str = "-- server_secrets: all versions
    SELECT version, sealed_value FROM server_secrets WHERE name = $1 ORDER BY version";
const ADD_SECRET: &str = "-- server_secrets: add
    INSERT INTO server_secrets (name, version, root_id, sealed_value) VALUES ($1, $2, $3, $4)";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    LOCK_ROOTS,
    ROOTS,
    ROOTS_IN_USE,
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

/// The fingerprints of the root keys that this database needs; empty for a database where nothing was sealed yet.
pub async fn root_keys_in_use(db: &Db) -> Result<Vec<RootId>, Error> {
    db.jobs(Access::Read, |tx| Box::pin(async move { needed(tx).await }))
        .await
}

async fn needed(tx: &mut ServerTx) -> Result<Vec<RootId>, Error> {
    let mut ids: Vec<Vec<u8>> = sqlx::query_scalar(ROOTS_IN_USE)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    if ids.is_empty() {
        ids = canaries(tx).await?.into_iter().map(|(id, _)| id).collect();
    }
    ids.iter().map(|id| root_id(id)).collect()
}

async fn canaries(tx: &mut ServerTx) -> Result<Vec<(Vec<u8>, Vec<u8>)>, Error> {
    sqlx::query_as(ROOTS)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

fn root_id(bytes: &[u8]) -> Result<RootId, Error> {
    RootId::try_from(bytes)
        .map_err(|_| Error::internal("a row of root_keys has an id that is not 8 bytes long"))
}

/// Opens every canary that `ring` has the key of, and writes nothing; answers with the active key's fingerprint.
pub async fn check_canaries(db: &Db, ring: KeyRing) -> Result<RootId, UnlockError> {
    let stored = db.jobs(Access::Read, |tx| Box::pin(canaries(tx))).await?;
    open_canaries(&ring, stored)?;
    Ok(ring.active_id())
}

/// Opens every canary that `ring` has the key of; answers with the fingerprints of all.
fn open_canaries(
    ring: &KeyRing,
    canaries: Vec<(Vec<u8>, Vec<u8>)>,
) -> Result<Vec<RootId>, UnlockError> {
    let mut ids = Vec::with_capacity(canaries.len());
    for (id, canary) in canaries {
        let id = root_id(&id)?;
        if ring.holds(id) {
            ring.open_canary(id, &canary)
                .map_err(|source| UnlockError::Damaged {
                    what: "canary",
                    source,
                })?;
        }
        ids.push(id);
    }
    Ok(ids)
}

/// Opens (or, in a new database, makes) the canary and the peppers, one server at a time.
pub(super) async fn open_house(
    tx: &mut ServerTx,
    ring: &KeyRing,
) -> Result<HashMap<i32, Pepper>, UnlockError> {
    sqlx::query(LOCK_ROOTS)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    let active = ring.active_id();
    let claimed = open_canaries(ring, canaries(tx).await?)?.contains(&active);
    if !claimed {
        // Two new servers with two new keys: the second one finds the first one's row and must not add its own.
        let in_use = needed(tx).await?;
        if in_use.iter().any(|id| !ring.holds(*id)) {
            return Err(UnlockError::WrongRootKey {
                configured: Fingerprints(ring.ids()),
                in_use: Fingerprints(in_use),
            });
        }
        sqlx::query(ADD_ROOT)
            .bind(active.as_bytes().as_slice())
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
        let pepper = Pepper::generate(1);
        sqlx::query(ADD_SECRET)
            .bind(PEPPER)
            .bind(pepper.version())
            .bind(ring.active_id().as_bytes().as_slice())
            .bind(ring.seal_server_secret(PEPPER, pepper.version(), pepper.secret()))
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        peppers.insert(pepper.version(), pepper);
    }
    Ok(peppers)
}
