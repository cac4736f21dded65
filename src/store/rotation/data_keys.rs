//! A tenant's data keys while one takes the other's place.
//!
//! A rotation is unfinished while a data key is neither active nor emptied. What a server seals late, under older keys in
//! its memory, is looked for after that too. The data key with the lowest number stays for good (`TenantKeys::index` is
//! derived from it); the others go when they have been kept for long enough and nothing is sealed under them.

use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::Error;
use crate::domain::ids::TenantId;
use crate::store::ServerTx;
use crate::store::error::failed;
use crate::store::keys::Vault;

/// After how many seconds nobody seals under a replaced data key any more: a server keeps unwrapped keys for 5 minutes
/// at most, and a request that took them just before ends within 75 s.
pub const GRACE: f64 = 420.0;

/// For how many seconds a replaced data key is kept, wrapped and inactive, after another took its place: 7 days of the
/// database's clock.
///
/// [`GRACE`] holds while clocks run and processes are not stopped. A server that was suspended or stopped between
/// sealing and sending, a clock that jumps and a promoted replica break it: then a write is acknowledged under a data key
/// that was replaced long ago, and it can be read only where that key is still there. Keeping it costs one small row, in
/// which nothing new is sealed. For so long what was sealed late is also looked for, and moved.
pub const KEPT: f64 = 7.0 * 24.0 * 3_600.0;

const HOLD: &str = "-- tenants: hold for a rotation
    SELECT tenant_id FROM tenants WHERE tenant_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";
const STATE: &str = "-- tenant_data_keys: lock for a rotation
    SELECT dek_id, active, emptied_at IS NOT NULL AS emptied,
        extract(epoch FROM now() - created_at)::float8 AS age
    FROM tenant_data_keys WHERE tenant_id = $1 ORDER BY dek_id FOR UPDATE";
const REPLACE: &str = "-- tenant_data_keys: take the active one's place
    UPDATE tenant_data_keys SET active = false, emptied_at = NULL, looked_at = NULL WHERE tenant_id = $1 AND active";
const REMOVE: &str = "-- tenant_data_keys: remove those that were kept for long enough
    DELETE FROM tenant_data_keys WHERE tenant_id = $1 AND NOT active AND dek_id = ANY ($2)";
const EMPTIED: &str = "-- tenant_data_keys: emptied
    UPDATE tenant_data_keys SET emptied_at = coalesce(emptied_at, now()), looked_at = now()
    WHERE tenant_id = $1 AND NOT active";
const LOOKED: &str = "-- tenant_data_keys: looked at in vain
    UPDATE tenant_data_keys SET emptied_at = NULL, looked_at = now() WHERE tenant_id = $1 AND NOT active";
// The first data key is never removed, and so not looked at for ever.
const DUE: &str = "-- tenant_data_keys: rotations to look after
    SELECT DISTINCT o.tenant_id FROM tenant_data_keys AS o
    JOIN tenant_data_keys AS a ON a.tenant_id = o.tenant_id AND a.active
    WHERE NOT o.active AND a.created_at <= now() - make_interval(secs => $1)
        AND (o.looked_at IS NULL OR o.looked_at < now() - interval '1 hour')
        AND (o.emptied_at IS NULL OR o.emptied_at > now() - make_interval(secs => $2)
            OR EXISTS (SELECT FROM tenant_data_keys AS f WHERE f.tenant_id = o.tenant_id AND f.dek_id < o.dek_id))";
const UNFINISHED: &str = "-- tenant_data_keys: unfinished rotations
    SELECT t.name, min(a.created_at), max(o.looked_at) FROM tenant_data_keys AS o
    JOIN tenant_data_keys AS a ON a.tenant_id = o.tenant_id AND a.active
    JOIN tenants AS t ON t.tenant_id = o.tenant_id
    WHERE NOT o.active AND o.emptied_at IS NULL GROUP BY t.name ORDER BY t.name LIMIT 20";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    HOLD, STATE, REPLACE, REMOVE, EMPTIED, LOOKED, DUE, UNFINISHED,
];

#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct Row {
    dek_id: i32,
    active: bool,
    emptied: bool,
    age: f64,
}

/// The data keys of a tenant, seen from a rotation.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The number of the one that seals.
    pub active: u32,
    /// Seconds since it was made.
    pub age: f64,
    /// The numbers of those that something may still be sealed under.
    pub replaced: Vec<u32>,
    /// The numbers of those that were kept for long enough, which the first one never is.
    pub outlived: Vec<u32>,
}

impl State {
    /// Seconds until nobody seals under a replaced one any more; zero when that is so.
    pub fn wait(&self) -> f64 {
        (GRACE - self.age).max(0.0)
    }
}

/// The data keys of a living tenant, locked until the transaction ends; `None` where there is no such tenant any more.
pub async fn lock(tx: &mut ServerTx, tenant: TenantId) -> Result<Option<State>, Error> {
    let living: Option<Uuid> = sqlx::query_scalar(HOLD)
        .bind(tenant.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    if living.is_none() {
        return Ok(None);
    }
    let rows: Vec<Row> = sqlx::query_as(STATE)
        .bind(tenant.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let active = rows.iter().find(|row| row.active);
    let Some(active) = active else {
        return Err(Error::internal("a living tenant has no active data key"));
    };
    let open = rows.iter().filter(|row| !row.active && !row.emptied);
    Ok(Some(State {
        active: active.dek_id.cast_unsigned(),
        age: active.age,
        replaced: open.map(|row| row.dek_id.cast_unsigned()).collect(),
        outlived: outlived(&rows),
    }))
}

/// Each data key was replaced when the next one was made.
fn outlived(rows: &[Row]) -> Vec<u32> {
    let pairs = rows.iter().zip(rows.iter().skip(1)).skip(1);
    pairs
        .filter(|(row, next)| !row.active && next.age >= KEPT)
        .map(|(row, _)| row.dek_id.cast_unsigned())
        .collect()
}

/// Makes the next data key and lets it seal in the place of the active one. Whoever holds the tenant's unwrapped keys
/// goes on sealing under the old one for a while.
pub async fn replace(
    tx: &mut ServerTx,
    vault: &Vault,
    tenant: TenantId,
    state: &State,
) -> Result<u32, Error> {
    run(tx, REPLACE, tenant).await?;
    let next = state.active + 1;
    vault.add_data_key(tx, tenant, next).await?;
    Ok(next)
}

/// Notes that nothing is sealed under a replaced data key any more.
pub async fn emptied(tx: &mut ServerTx, tenant: TenantId) -> Result<(), Error> {
    run(tx, EMPTIED, tenant).await
}

/// Removes these data keys, which nothing names any more.
pub async fn remove(tx: &mut ServerTx, tenant: TenantId, outlived: &[u32]) -> Result<(), Error> {
    let numbers: Vec<i32> = outlived.iter().map(|number| number.cast_signed()).collect();
    sqlx::query(REMOVE)
        .bind(tenant.0)
        .bind(numbers)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Notes that something is still sealed under a replaced data key: the next look comes in an hour.
pub async fn looked(tx: &mut ServerTx, tenant: TenantId) -> Result<(), Error> {
    run(tx, LOOKED, tenant).await
}

async fn run(tx: &mut ServerTx, statement: &'static str, tenant: TenantId) -> Result<(), Error> {
    sqlx::query(statement)
        .bind(tenant.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// The tenants whose replaced data keys are to be looked after now: something may be sealed under them, or they are to go.
pub async fn due(tx: &mut ServerTx) -> Result<Vec<TenantId>, Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(DUE)
        .bind(GRACE)
        .bind(KEPT)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(ids.into_iter().map(TenantId).collect())
}

/// An unfinished rotation: of which tenant, since when, and when it could last not be finished.
pub type Unfinished = (String, OffsetDateTime, Option<OffsetDateTime>);

/// The first 20 unfinished rotations, by the tenant's name.
pub async fn unfinished(tx: &mut ServerTx) -> Result<Vec<Unfinished>, Error> {
    sqlx::query_as(UNFINISHED)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}
