//! Rows of `api_keys`.

use time::OffsetDateTime;
use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use crate::domain::caller::Expiry;
use crate::domain::{Error, Scope};

/// A key as it is stored: never the key itself.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StoredKey {
    /// Whose.
    pub tenant_id: Uuid,
    /// Its public part.
    pub key_id: String,
    /// Its name.
    pub name: String,
    /// HMAC-SHA256(pepper, secret).
    pub mac: Vec<u8>,
    /// Which pepper.
    pub pepper_version: i32,
    /// What it may do, by name.
    pub scopes: Vec<String>,
    /// The integrations it is limited to.
    pub integrations: Option<Vec<Uuid>>,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it ends.
    pub expires_at: Option<OffsetDateTime>,
    /// When it was revoked.
    pub revoked_at: Option<OffsetDateTime>,
    /// Whether it had ended when it was read, by the database's clock.
    pub expired: bool,
}

const LIST: &str = "-- api_keys: list
    SELECT tenant_id, key_id, name, mac, pepper_version, scopes, integrations, created_at, expires_at, revoked_at,
        COALESCE(expires_at <= now(), false) AS expired
    FROM api_keys WHERE tenant_id = $1 ORDER BY created_at, key_id";
const INSERT: &str = "-- api_keys: insert
    INSERT INTO api_keys (tenant_id, key_id, name, mac, pepper_version, scopes, integrations, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, COALESCE($8, now() + make_interval(secs => $9)))
    RETURNING expires_at";
const REVOKE: &str = "-- api_keys: revoke
    UPDATE api_keys SET revoked_at = COALESCE(revoked_at, now()) WHERE tenant_id = $1 AND key_id = $2";

/// The statements of this file that a tenant's transaction runs.
pub const STATEMENTS: &[&str] = &[LIST, INSERT, REVOKE];

/// The tenant's keys, oldest first, revoked ones too.
pub async fn list(tx: &mut TenantTx) -> Result<Vec<StoredKey>, Error> {
    sqlx::query_as(LIST)
        .bind(tx.tenant().0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// A new key.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its public part.
    pub key_id: String,
    /// Its name.
    pub name: String,
    /// HMAC-SHA256(pepper, secret).
    pub mac: [u8; 32],
    /// Which pepper.
    pub pepper_version: i32,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The integrations it is limited to.
    pub integrations: Option<Vec<Uuid>>,
    /// When it ends.
    pub expiry: Option<Expiry>,
}

/// Makes a key; says when it ends.
pub async fn insert(tx: &mut TenantTx, new: &NewKey) -> Result<Option<OffsetDateTime>, Error> {
    let scopes: Vec<&str> = new.scopes.iter().map(|scope| scope.name()).collect();
    let (at, after) = match new.expiry {
        Some(Expiry::At(at)) => (Some(at), None),
        Some(Expiry::After(span)) => (None, Some(span.as_secs_f64())),
        None => (None, None),
    };
    sqlx::query_scalar(INSERT)
        .bind(tx.tenant().0)
        .bind(&new.key_id)
        .bind(&new.name)
        .bind(new.mac.as_slice())
        .bind(new.pepper_version)
        .bind(scopes)
        .bind(&new.integrations)
        .bind(at)
        .bind(after)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// Ends a key now; `false` where the tenant has none of this id. Every server sees it within 5 s.
pub async fn revoke(tx: &mut TenantTx, key_id: &str) -> Result<bool, Error> {
    let done = sqlx::query(REVOKE)
        .bind(tx.tenant().0)
        .bind(key_id)
        .execute(tx.connection())
        .await
        .map_err(failed)?;
    Ok(done.rows_affected() == 1)
}
