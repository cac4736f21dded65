//! Rows of `users`, and what belongs to one.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use crate::domain::Error;
use crate::domain::user::{Destroyed, User, UserDetail};

/// How often a user that others delete again and again is made before the foreign key is left to refuse.
const ATTEMPTS: usize = 5;

const ENSURE: &str = "-- users: ensure
    INSERT INTO users (tenant_id, user_hash, user_id) VALUES ($1, $2, $3) ON CONFLICT (tenant_id, user_hash) DO NOTHING";
const HOLD: &str = "-- users: hold
    SELECT true FROM users WHERE tenant_id = $1 AND user_hash = $2 FOR KEY SHARE";
const LOCK: &str = "-- users: lock
    SELECT true FROM users WHERE tenant_id = $1 AND user_hash = $2 FOR UPDATE";
const FIND: &str = "-- users: find
    SELECT u.user_id, u.created_at, (
        SELECT max(used.at) FROM connections c CROSS JOIN LATERAL (
            SELECT a.at FROM audit_log a
            WHERE a.tenant_id = $1 AND a.object_kind = 'connection' AND a.object_id = c.connection_id::text
                AND a.action <> 'connection.create'
            ORDER BY a.audit_id DESC LIMIT 1) AS used
        WHERE c.tenant_id = $1 AND c.user_hash = $2 AND ($3::uuid[] IS NULL OR c.integration_id = ANY ($3))
        ) AS last_used_at
    FROM users u
    WHERE u.tenant_id = $1 AND u.user_hash = $2 AND ($3::uuid[] IS NULL OR EXISTS (
        SELECT FROM connections c
        WHERE c.tenant_id = $1 AND c.user_hash = $2 AND c.integration_id = ANY ($3)))";
const COUNT: &str = "-- users: count
    SELECT count(*) FROM users WHERE tenant_id = $1";
const COUNT_LIMITED: &str = "-- users: count those of some integrations
    SELECT count(DISTINCT user_hash) FROM connections WHERE tenant_id = $1 AND integration_id = ANY ($2)";
// Rows that a page skips are read from the index alone. Which side of a limited key's page is read first, users or
// connections, depends on the integrations; Postgres plans it anew for each list, since a plan for any list costs more.
const PAGE: &str = "-- users: page
    SELECT u.user_id, u.created_at
    FROM (SELECT created_at, user_hash FROM users WHERE tenant_id = $1
        ORDER BY created_at, user_hash LIMIT $2 OFFSET $3) AS page
    JOIN users u ON u.tenant_id = $1 AND u.user_hash = page.user_hash
    ORDER BY page.created_at, page.user_hash";
const PAGE_LIMITED: &str = "-- users: page of those of some integrations
    SELECT u.user_id, u.created_at
    FROM (SELECT o.created_at, o.user_hash FROM users o
        WHERE o.tenant_id = $1 AND EXISTS (SELECT FROM connections c
            WHERE c.tenant_id = $1 AND c.integration_id = ANY ($4) AND c.user_hash = o.user_hash)
        ORDER BY o.created_at, o.user_hash LIMIT $2 OFFSET $3) AS page
    JOIN users u ON u.tenant_id = $1 AND u.user_hash = page.user_hash
    ORDER BY page.created_at, page.user_hash";
// In the order in which whoever deletes one of a pair holds them: no two wait for each other.
const HOLD_CONNECTIONS: &str = "-- users: hold the connections of one
    SELECT count(*) FROM (SELECT FROM connections WHERE tenant_id = $1 AND user_hash = $2
        ORDER BY connection_id FOR UPDATE) AS held";
const DELETE_CONNECTIONS: &str = "-- users: delete the connections of one
    DELETE FROM connections WHERE tenant_id = $1 AND user_hash = $2";
const HOLD_RETIRED: &str = "-- users: hold the retired connections of one
    SELECT count(*) FROM (SELECT FROM retired_connections WHERE tenant_id = $1 AND user_hash = $2
        ORDER BY connection_id FOR UPDATE) AS held";
const DELETE_RETIRED: &str = "-- users: delete the retired connections of one
    DELETE FROM retired_connections WHERE tenant_id = $1 AND user_hash = $2";
const DELETE_STRATA: &str = "-- users: delete the strata of one
    DELETE FROM strata WHERE tenant_id = $1 AND user_hash = $2";
const DELETE: &str = "-- users: delete
    DELETE FROM users WHERE tenant_id = $1 AND user_hash = $2";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    ENSURE,
    HOLD,
    LOCK,
    FIND,
    COUNT,
    COUNT_LIMITED,
    PAGE,
    PAGE_LIMITED,
    HOLD_CONNECTIONS,
    DELETE_CONNECTIONS,
    HOLD_RETIRED,
    DELETE_RETIRED,
    DELETE_STRATA,
    DELETE,
];

type Row = (String, OffsetDateTime);

fn user((id, created_at): Row) -> User {
    User { id, created_at }
}

/// SHA-256 of a user id, by which users are indexed.
pub fn hash(user_id: &str) -> Vec<u8> {
    Sha256::digest(user_id.as_bytes()).to_vec()
}

/// The same for the audit log, which names no user in the tenant's own words.
pub fn hash_in_hex(user_id: &str) -> String {
    hash(user_id)
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

/// Makes the user where it is new, and holds it until the transaction ends, so that what refers to it can be made.
/// Where somebody deletes it now, it is made again once that is done.
pub async fn ensure(tx: &mut TenantTx, user_id: &str) -> Result<(), Error> {
    let hash = hash(user_id);
    for _ in 0..ATTEMPTS {
        let made = sqlx::query(ENSURE)
            .bind(tx.tenant().0)
            .bind(&hash)
            .bind(user_id)
            .execute(tx.connection())
            .await
            .map_err(failed)?
            .rows_affected();
        if made == 1 || holds(tx, HOLD, &hash).await? {
            break;
        }
    }
    Ok(())
}

/// Whether there is such a user, for this transaction alone until it ends: nothing is added to it meanwhile.
pub async fn lock(tx: &mut TenantTx, user_id: &str) -> Result<bool, Error> {
    holds(tx, LOCK, &hash(user_id)).await
}

async fn holds(tx: &mut TenantTx, statement: &'static str, hash: &[u8]) -> Result<bool, Error> {
    let row: Option<bool> = sqlx::query_scalar(statement)
        .bind(tx.tenant().0)
        .bind(hash)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// One user. Where `allowed` names integrations, only they count: a user without a connection to one of them is none.
pub async fn find(
    tx: &mut TenantTx,
    user_id: &str,
    allowed: Option<&[Uuid]>,
) -> Result<Option<UserDetail>, Error> {
    let row: Option<(String, OffsetDateTime, Option<OffsetDateTime>)> = sqlx::query_as(FIND)
        .bind(tx.tenant().0)
        .bind(hash(user_id))
        .bind(allowed)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.map(|(id, created_at, last_used_at)| UserDetail {
        user: User { id, created_at },
        last_used_at,
    }))
}

/// How many users there are, or how many with a connection to one of the integrations in `allowed`.
pub async fn count(tx: &mut TenantTx, allowed: Option<&[Uuid]>) -> Result<i64, Error> {
    let query = match allowed {
        None => sqlx::query_scalar(COUNT).bind(tx.tenant().0),
        Some(ids) => sqlx::query_scalar(COUNT_LIMITED)
            .bind(tx.tenant().0)
            .bind(ids),
    };
    query.fetch_one(tx.connection()).await.map_err(failed)
}

/// `limit` users after the first `skip`, first made first.
pub async fn page(
    tx: &mut TenantTx,
    allowed: Option<&[Uuid]>,
    limit: i64,
    skip: i64,
) -> Result<Vec<User>, Error> {
    let query = match allowed {
        None => sqlx::query_as(PAGE)
            .bind(tx.tenant().0)
            .bind(limit)
            .bind(skip),
        Some(ids) => sqlx::query_as(PAGE_LIMITED)
            .bind(tx.tenant().0)
            .bind(limit)
            .bind(skip)
            .bind(ids),
    };
    let rows: Vec<Row> = query.fetch_all(tx.connection()).await.map_err(failed)?;
    Ok(rows.into_iter().map(user).collect())
}

/// Destroys the user and everything of theirs: connections, retired ones too, and strata. The caller holds the user.
pub async fn delete(tx: &mut TenantTx, user_id: &str) -> Result<Destroyed, Error> {
    let hash = hash(user_id);
    // Connections before retired ones: what is retired meanwhile is then found among these.
    on(tx, HOLD_CONNECTIONS, &hash).await?;
    let connections = on(tx, DELETE_CONNECTIONS, &hash).await?;
    on(tx, HOLD_RETIRED, &hash).await?;
    let destroyed = Destroyed {
        connections,
        retired: on(tx, DELETE_RETIRED, &hash).await?,
        strata: on(tx, DELETE_STRATA, &hash).await?,
    };
    on(tx, DELETE, &hash).await?;
    Ok(destroyed)
}

async fn on(tx: &mut TenantTx, statement: &'static str, hash: &[u8]) -> Result<u64, Error> {
    sqlx::query(statement)
        .bind(tx.tenant().0)
        .bind(hash)
        .execute(tx.connection())
        .await
        .map(|done| done.rows_affected())
        .map_err(failed)
}
