//! Taking connections away: into `retired_connections`, out of it, and for good.

use uuid::Uuid;

use super::error::failed;
use super::{ServerTx, TenantTx, auth_config_deletion};
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, IntegrationId, TenantId};

const RETIRE: &str = "-- connections: retire
    WITH gone AS (DELETE FROM connections WHERE tenant_id = $1 AND auth_config_id = $2 RETURNING *)
    INSERT INTO retired_connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
        user_hash, is_primary, status, status_reason, alias, generation, sealed_credential, platform, read_only, created_at,
        updated_at, auth_config_version)
    SELECT tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, user_hash, is_primary, status,
        status_reason, alias, generation, sealed_credential, platform, read_only, created_at, updated_at, $3 FROM gone";
const DESTROY: &str = "-- connections: destroy
    DELETE FROM connections WHERE tenant_id = $1 AND auth_config_id = $2";
const PROMOTE: &str = "-- connections: promote the oldest where no primary is left
    UPDATE connections SET is_primary = true, updated_at = now()
    WHERE tenant_id = $1 AND connection_id IN (
        SELECT DISTINCT ON (user_hash) connection_id FROM connections c
        WHERE tenant_id = $1 AND integration_id = $2 AND NOT EXISTS (
            SELECT FROM connections p WHERE p.tenant_id = $1 AND p.integration_id = $2
                AND p.user_hash = c.user_hash AND p.is_primary)
        ORDER BY user_hash, created_at, connection_id)";
// What somebody else is just destroying is left to them.
const PURGE: &str = "-- retired_connections: purge
    WITH gone AS (
        DELETE FROM retired_connections WHERE (tenant_id, connection_id) IN (
            SELECT tenant_id, connection_id FROM retired_connections
            WHERE retired_at < now() - make_interval(secs => $1) ORDER BY retired_at LIMIT 1000
            FOR UPDATE SKIP LOCKED)
        RETURNING tenant_id)
    SELECT tenant_id, count(*) FROM gone GROUP BY tenant_id";

/// The longest retention, in seconds (three centuries): an interval that Postgres can subtract from now.
const LONGEST: f64 = 1e10;

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[RETIRE, DESTROY, PROMOTE];
/// The statements of this file that the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[PURGE];

/// Takes every connection of the config away: into `retired_connections` where `keep`, else destroyed. The oldest
/// connection that is left to each user becomes the primary one.
pub async fn retire(
    tx: &mut TenantTx,
    integration: IntegrationId,
    config: AuthConfigUuid,
    version: i64,
    keep: bool,
) -> Result<u64, Error> {
    auth_config_deletion::hold(tx, integration, config).await?;
    let taken = if keep {
        sqlx::query(RETIRE)
            .bind(tx.tenant().0)
            .bind(config.0)
            .bind(version)
            .execute(tx.connection())
            .await
    } else {
        sqlx::query(DESTROY)
            .bind(tx.tenant().0)
            .bind(config.0)
            .execute(tx.connection())
            .await
    };
    let taken = taken.map_err(failed)?.rows_affected();
    if taken > 0 {
        sqlx::query(PROMOTE)
            .bind(tx.tenant().0)
            .bind(integration.0)
            .execute(tx.connection())
            .await
            .map_err(failed)?;
    }
    Ok(taken)
}

/// Destroys at most 1,000 retired connections that are older than the retention; says whose, and how many of each.
pub async fn purge(
    tx: &mut ServerTx,
    retention: std::time::Duration,
) -> Result<Vec<(TenantId, i64)>, Error> {
    let gone: Vec<(Uuid, i64)> = sqlx::query_as(PURGE)
        .bind(retention.as_secs_f64().min(LONGEST))
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(gone
        .into_iter()
        .map(|(tenant, count)| (TenantId(tenant), count))
        .collect())
}
