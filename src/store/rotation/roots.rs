//! What is sealed under a root key: moved under another one, batch by batch.

use uuid::Uuid;

use super::servers::{self, Stranger};
use crate::crypto::{KeyRing, RootId};
use crate::domain::ids::{AuditId, TenantId};
use crate::domain::{Caller, Error};
use crate::store::ServerTx;
use crate::store::error::failed;
use crate::store::unlock::{lock_roots, needed, root_id, sealing_root};

/// Data keys in one transaction.
const BATCH: i64 = 500;

const LET_SEAL: &str = "-- root_keys: let it seal
    INSERT INTO root_keys (root_id, sealed_canary, created_at)
    VALUES ($1, $2, GREATEST(clock_timestamp(), (SELECT max(created_at) + interval '1 microsecond' FROM root_keys)))
    ON CONFLICT (root_id) DO UPDATE SET created_at = EXCLUDED.created_at";
const OTHERS: &str = "-- root_keys: all but one
    SELECT root_id FROM root_keys WHERE root_id <> $1 ORDER BY root_id";
const LOCK_OTHERS: &str = "-- root_keys: lock all but one
    SELECT root_id FROM root_keys WHERE root_id <> $1 ORDER BY root_id FOR UPDATE";
const COUNT: &str = "-- tenant_data_keys: number under other roots
    SELECT count(*) FROM tenant_data_keys WHERE root_id <> $1";
const DATA_KEYS: &str = "-- tenant_data_keys: some under a root
    SELECT tenant_id, dek_id, sealed_key FROM tenant_data_keys
    WHERE root_id = $1 AND (tenant_id, dek_id) > ($2, $3) ORDER BY tenant_id, dek_id LIMIT $4";
const REWRAP_DATA_KEYS: &str = "-- tenant_data_keys: rewrap
    WITH changed AS (
        UPDATE tenant_data_keys AS k SET root_id = $1, sealed_key = c.new
        FROM unnest($2::uuid[], $3::integer[], $4::bytea[], $5::bytea[], $6::uuid[])
            AS c(tenant_id, dek_id, old, new, audit_id)
        WHERE k.tenant_id = c.tenant_id AND k.dek_id = c.dek_id AND k.sealed_key = c.old
        RETURNING k.tenant_id, k.dek_id, c.audit_id)
    INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id, detail)
    SELECT tenant_id, audit_id, $7, 'tenant.rewrap_key', 'data_key', dek_id::text, $8,
        jsonb_build_object('root_key', $9::text)
    FROM changed";
const SECRETS: &str = "-- server_secrets: under other roots
    SELECT name, version, sealed_value FROM server_secrets WHERE root_id <> $1 ORDER BY name, version";
const REWRAP_SECRET: &str = "-- server_secrets: rewrap
    UPDATE server_secrets SET root_id = $1, sealed_value = $5 WHERE name = $2 AND version = $3 AND sealed_value = $4";
const REMOVE: &str = "-- root_keys: remove one that nothing names
    DELETE FROM root_keys AS r WHERE r.root_id = $1
        AND NOT EXISTS (SELECT FROM tenant_data_keys k WHERE k.root_id = r.root_id)
        AND NOT EXISTS (SELECT FROM server_secrets s WHERE s.root_id = r.root_id)";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    LET_SEAL,
    OTHERS,
    LOCK_OTHERS,
    COUNT,
    DATA_KEYS,
    REWRAP_DATA_KEYS,
    SECRETS,
    REWRAP_SECRET,
    REMOVE,
];

/// How a rotation of the root key begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// The active root key seals from now on, or did already; so many data keys are wrapped under others.
    Sealing(i64),
    /// Servers run that do not hold it; nothing was changed.
    Strangers(Vec<Stranger>),
    /// Root keys are in use that `ring` does not hold; nothing was changed.
    Lacking(Vec<RootId>),
}

/// Where a batch has come to: the last data key that was looked at.
pub type Cursor = (Uuid, i32);

/// What a batch did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// Where the next one begins; `None` when there is none.
    pub next: Option<Cursor>,
    /// How many were moved.
    pub moved: u64,
    /// How many do not open: they were altered, and stay where they are.
    pub damaged: u64,
}

/// Lets the active root key of `ring` seal whatever is made from now on. No server starts and none checks in meanwhile.
pub async fn begin(tx: &mut ServerTx, ring: &KeyRing) -> Result<Begun, Error> {
    lock_roots(tx).await?;
    let active = ring.active_id();
    let mut lacking = needed(tx).await?;
    lacking.retain(|root| !ring.holds(*root));
    if !lacking.is_empty() {
        return Ok(Begun::Lacking(lacking));
    }
    let strangers = servers::without(tx, active).await?;
    if !strangers.is_empty() {
        return Ok(Begun::Strangers(strangers));
    }
    if sealing_root(tx).await? != active {
        sqlx::query(LET_SEAL)
            .bind(active.as_bytes().as_slice())
            .bind(ring.seal_canary())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    let count = sqlx::query_scalar(COUNT)
        .bind(active.as_bytes().as_slice())
        .fetch_one(tx.connection())
        .await;
    count.map(Begun::Sealing).map_err(failed)
}

/// The root keys that have a row beside `active`.
pub async fn others(tx: &mut ServerTx, active: RootId) -> Result<Vec<RootId>, Error> {
    roots(tx, OTHERS, active).await
}

async fn roots(
    tx: &mut ServerTx,
    statement: &'static str,
    active: RootId,
) -> Result<Vec<RootId>, Error> {
    let ids: Vec<Vec<u8>> = sqlx::query_scalar(statement)
        .bind(active.as_bytes().as_slice())
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    ids.iter().map(|id| root_id(id)).collect()
}

/// Wraps at most 500 data keys anew that are wrapped under `root`, with an audit row for each. A row that was changed
/// meanwhile is left to the next run.
pub async fn rewrap_data_keys(
    tx: &mut ServerTx,
    ring: &KeyRing,
    root: RootId,
    after: Option<Cursor>,
    operator: &Caller,
) -> Result<Batch, Error> {
    let (tenant, number) = after.unwrap_or((Uuid::nil(), 0));
    let rows: Vec<(Uuid, i32, Vec<u8>)> = sqlx::query_as(DATA_KEYS)
        .bind(root.as_bytes().as_slice())
        .bind(tenant)
        .bind(number)
        .bind(BATCH)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let mut batch = Batch {
        next: rows.last().map(|(tenant, number, _)| (*tenant, *number)),
        ..Batch::default()
    };
    let (mut tenants, mut numbers, mut old, mut new) = (vec![], vec![], vec![], vec![]);
    for (tenant, number, wrapped) in rows {
        match ring.rewrap_data_key(tenant, number.cast_unsigned(), &wrapped) {
            Ok(rewrapped) => {
                tenants.push(tenant);
                numbers.push(number);
                old.push(wrapped);
                new.push(rewrapped);
            }
            Err(error) => {
                batch.damaged += 1;
                let tenant = TenantId(tenant);
                tracing::error!(%tenant, data_key = number, %error, "a data key cannot be wrapped anew");
            }
        }
    }
    let ids: Vec<Uuid> = tenants.iter().map(|_| AuditId::new().0).collect();
    let active = ring.active_id();
    batch.moved = sqlx::query(REWRAP_DATA_KEYS)
        .bind(active.as_bytes().as_slice())
        .bind(tenants)
        .bind(numbers)
        .bind(old)
        .bind(new)
        .bind(ids)
        .bind(&operator.key.0)
        .bind(&operator.request_id)
        .bind(active.to_string())
        .execute(tx.connection())
        .await
        .map_err(failed)?
        .rows_affected();
    Ok(batch)
}

/// Seals the server's own secrets anew that are sealed under other root keys: a handful.
pub async fn rewrap_secrets(tx: &mut ServerTx, ring: &KeyRing) -> Result<Batch, Error> {
    let active = ring.active_id();
    let rows: Vec<(String, i32, Vec<u8>)> = sqlx::query_as(SECRETS)
        .bind(active.as_bytes().as_slice())
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let mut batch = Batch::default();
    for (name, version, sealed) in rows {
        let resealed = match ring.rewrap_server_secret(&name, version, &sealed) {
            Ok(resealed) => resealed,
            Err(error) => {
                batch.damaged += 1;
                tracing::error!(name, version, %error, "a secret of the server cannot be sealed anew");
                continue;
            }
        };
        batch.moved += sqlx::query(REWRAP_SECRET)
            .bind(active.as_bytes().as_slice())
            .bind(name)
            .bind(version)
            .bind(sealed)
            .bind(resealed)
            .execute(tx.connection())
            .await
            .map_err(failed)?
            .rows_affected();
    }
    Ok(batch)
}

/// Removes the rows of the root keys other than `active` that nothing names any more, and answers with those removed.
/// Whoever makes a data key holds the row of its root key, so none is made under one that goes.
pub async fn remove_unused(tx: &mut ServerTx, active: RootId) -> Result<Vec<RootId>, Error> {
    lock_roots(tx).await?;
    let mut removed = Vec::new();
    if sealing_root(tx).await? != active {
        // Another rotation has begun: which root keys are old is for that one to say.
        return Ok(removed);
    }
    // Waits for who makes a data key at this moment; what it made is seen by the statement after.
    for root in roots(tx, LOCK_OTHERS, active).await? {
        let gone = sqlx::query(REMOVE)
            .bind(root.as_bytes().as_slice())
            .execute(tx.connection())
            .await
            .map_err(failed)?;
        if gone.rows_affected() > 0 {
            removed.push(root);
        }
    }
    Ok(removed)
}
