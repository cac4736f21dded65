//! Rows of `tenants`: made, listed and destroyed by the server itself.

use time::OffsetDateTime;
use uuid::Uuid;

use super::ServerTx;
use super::error::{failed, is_taken};
use crate::domain::Error;
use crate::domain::error::Refusal;
use crate::domain::ids::TenantId;

/// One tenant.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Tenant {
    /// Its id.
    #[sqlx(rename = "tenant_id")]
    pub id: Uuid,
    /// Its name, unique among the living.
    pub name: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

const INSERT: &str = "-- tenants: insert
    INSERT INTO tenants (tenant_id, name) VALUES ($1, $2)";
const LIST: &str = "-- tenants: list
    SELECT tenant_id, name, created_at FROM tenants WHERE deleted_at IS NULL ORDER BY name";
const FIND: &str = "-- tenants: find by name
    SELECT tenant_id, name, created_at FROM tenants WHERE name = $1 AND deleted_at IS NULL";
const LOCK: &str = "-- tenants: lock by name
    SELECT tenant_id FROM tenants WHERE name = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";
const MARK_DELETED: &str = "-- tenants: mark deleted
    UPDATE tenants SET deleted_at = now() WHERE tenant_id = $1";
const DESTROY_KEYS: &str = "-- tenant_data_keys: destroy
    DELETE FROM tenant_data_keys WHERE tenant_id = $1";
const REVOKE_KEYS: &str = "-- api_keys: revoke all of a tenant
    UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND revoked_at IS NULL";
const CLAIM: &str = "-- tenants: claim a deleted one
    SELECT 1 FROM tenants WHERE tenant_id = $1 AND deleted_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED";
const DOOMED: &str = "-- tenants: marked deleted
    SELECT tenant_id FROM tenants WHERE deleted_at IS NOT NULL";
const SWEEP: [&str; 11] = [
    "-- audit_log: sweep a deleted tenant
    DELETE FROM audit_log WHERE tenant_id = $1 AND audit_id IN
        (SELECT audit_id FROM audit_log WHERE tenant_id = $1 LIMIT 5000)",
    "-- retired_connections: sweep a deleted tenant
    DELETE FROM retired_connections WHERE tenant_id = $1 AND connection_id IN
        (SELECT connection_id FROM retired_connections WHERE tenant_id = $1 LIMIT 5000)",
    "-- connections: sweep a deleted tenant
    DELETE FROM connections WHERE tenant_id = $1 AND connection_id IN
        (SELECT connection_id FROM connections WHERE tenant_id = $1 LIMIT 5000)",
    "-- strata_servers: sweep a deleted tenant
    DELETE FROM strata_servers WHERE tenant_id = $1 AND (strata_id, integration_id) IN
        (SELECT strata_id, integration_id FROM strata_servers WHERE tenant_id = $1 LIMIT 5000)",
    "-- strata_external_servers: sweep a deleted tenant
    DELETE FROM strata_external_servers WHERE tenant_id = $1 AND (strata_id, name) IN
        (SELECT strata_id, name FROM strata_external_servers WHERE tenant_id = $1 LIMIT 5000)",
    "-- strata: sweep a deleted tenant
    DELETE FROM strata WHERE tenant_id = $1 AND strata_id IN
        (SELECT strata_id FROM strata WHERE tenant_id = $1 LIMIT 5000)",
    "-- users: sweep a deleted tenant
    DELETE FROM users WHERE tenant_id = $1 AND user_hash IN
        (SELECT user_hash FROM users WHERE tenant_id = $1 LIMIT 5000)",
    "-- auth_configs: sweep a deleted tenant, cells with them
    DELETE FROM auth_configs WHERE tenant_id = $1 AND auth_config_id IN
        (SELECT auth_config_id FROM auth_configs WHERE tenant_id = $1 LIMIT 1000)",
    "-- integrations: sweep a deleted tenant
    DELETE FROM integrations WHERE tenant_id = $1 AND integration_id IN
        (SELECT integration_id FROM integrations WHERE tenant_id = $1 LIMIT 5000)",
    "-- api_keys: sweep a deleted tenant
    DELETE FROM api_keys WHERE tenant_id = $1 AND key_id IN
        (SELECT key_id FROM api_keys WHERE tenant_id = $1 LIMIT 5000)",
    "-- tenants: sweep
    DELETE FROM tenants WHERE tenant_id = $1 AND deleted_at IS NOT NULL",
];

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    INSERT,
    LIST,
    FIND,
    LOCK,
    MARK_DELETED,
    DESTROY_KEYS,
    REVOKE_KEYS,
    CLAIM,
    DOOMED,
    SWEEP[0],
    SWEEP[1],
    SWEEP[2],
    SWEEP[3],
    SWEEP[4],
    SWEEP[5],
    SWEEP[6],
    SWEEP[7],
    SWEEP[8],
    SWEEP[9],
    SWEEP[10],
];

/// Makes a tenant; its first data key is made in the same transaction (`store::keys`).
pub async fn insert(tx: &mut ServerTx, id: TenantId, name: &str) -> Result<(), Error> {
    match sqlx::query(INSERT)
        .bind(id.0)
        .bind(name)
        .execute(tx.connection())
        .await
    {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error, "tenants_name") => Err(Error::Refused(Refusal::NameTaken)),
        Err(error) => Err(failed(error)),
    }
}

/// The living tenants, by name.
pub async fn list(tx: &mut ServerTx) -> Result<Vec<Tenant>, Error> {
    sqlx::query_as(LIST)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// The living tenant of this name.
pub async fn find(tx: &mut ServerTx, name: &str) -> Result<Option<Tenant>, Error> {
    sqlx::query_as(FIND)
        .bind(name)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)
}

/// Destroys a tenant's data keys, so that no sealed byte of it can be opened again, revokes its API keys and marks it
/// deleted, all in this transaction. Its rows go in batches: [`sweep`]. The tenant's row is held in a way that foreign
/// keys to it do not wait for: a call of many tenants' requests would wait with one of them.
pub async fn delete(tx: &mut ServerTx, name: &str) -> Result<Option<TenantId>, Error> {
    let found: Option<Uuid> = sqlx::query_scalar(LOCK)
        .bind(name)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    let Some(id) = found else { return Ok(None) };
    for statement in [DESTROY_KEYS, REVOKE_KEYS, MARK_DELETED] {
        sqlx::query(statement)
            .bind(id)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    Ok(Some(TenantId(id)))
}

/// The tenants that are marked deleted and still have rows.
pub async fn doomed(tx: &mut ServerTx) -> Result<Vec<TenantId>, Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(DOOMED)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(ids.into_iter().map(TenantId).collect())
}

/// Destroys one batch of a deleted tenant's rows, children first; says how many went. Zero means that all are gone, or
/// that another server is at it.
pub async fn sweep(tx: &mut ServerTx, tenant: TenantId) -> Result<u64, Error> {
    let mine: Option<i32> = sqlx::query_scalar(CLAIM)
        .bind(tenant.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    if mine.is_none() {
        return Ok(0);
    }
    for statement in SWEEP {
        let gone = sqlx::query(statement)
            .bind(tenant.0)
            .execute(tx.connection())
            .await
            .map_err(failed)?
            .rows_affected();
        if gone > 0 {
            return Ok(gone);
        }
    }
    Ok(0)
}
