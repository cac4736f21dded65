//! The connections under one auth config, taken together.

use uuid::Uuid;

use crate::domain::Error;
use crate::domain::ids::AuthConfigUuid;
use crate::store::TenantTx;
use crate::store::error::failed;

pub(super) const COUNT: &str = "-- connections: count by config
    SELECT auth_config_id, count(*) FROM connections
    WHERE tenant_id = $1 AND auth_config_id = ANY($2) GROUP BY auth_config_id";
pub(super) const ANY_CREDENTIAL: &str = "-- connections: any credential under a config
    SELECT EXISTS (SELECT FROM connections
        WHERE tenant_id = $1 AND auth_config_id = $2 AND sealed_credential IS NOT NULL)";
pub(super) const ANY_CREDENTIAL_HELD: &str =
    "-- connections: any credential under a config, all connections held
    SELECT COALESCE(bool_or(has_credential), false) FROM (
        SELECT sealed_credential IS NOT NULL AS has_credential FROM connections
        WHERE tenant_id = $1 AND auth_config_id = $2 ORDER BY connection_id FOR NO KEY UPDATE) AS held";
pub(super) const USERS: &str = "-- connections: users under a config
    SELECT DISTINCT user_id COLLATE \"C\" AS user_id FROM connections
    WHERE tenant_id = $1 AND auth_config_id = $2 ORDER BY user_id LIMIT $3";
pub(super) const START_ANEW: &str = "-- connections: start those of a config anew
    UPDATE connections SET status = 'INITIALIZING', status_reason = NULL, updated_at = now()
    WHERE tenant_id = $1 AND auth_config_id = $2 AND status IN ('ACTIVE', 'INACTIVE')";

/// How many live connections each of these configs has; a config with none is left out.
pub async fn count_by_config(
    tx: &mut TenantTx,
    configs: &[Uuid],
) -> Result<Vec<(Uuid, i64)>, Error> {
    sqlx::query_as(COUNT)
        .bind(tx.tenant().0)
        .bind(configs)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Whether any connection under the config has a credential. Where none has, all are held until the transaction ends,
/// and the caller holds the config, so that none is added: the answer stays true. (That there is one may end; whoever
/// asks then does what is always right.)
pub async fn any_credential_held(tx: &mut TenantTx, config: AuthConfigUuid) -> Result<bool, Error> {
    for statement in [ANY_CREDENTIAL, ANY_CREDENTIAL_HELD] {
        let any: bool = sqlx::query_scalar(statement)
            .bind(tx.tenant().0)
            .bind(config.0)
            .fetch_one(tx.connection())
            .await
            .map_err(failed)?;
        if any {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The first users under the config, in order.
pub async fn users(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    limit: i64,
) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(USERS)
        .bind(tx.tenant().0)
        .bind(config.0)
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Makes every connection under a config INITIALIZING that was ACTIVE or INACTIVE. None of them has a credential: the
/// config did not ask for one before.
pub async fn start_anew(tx: &mut TenantTx, config: AuthConfigUuid) -> Result<(), Error> {
    sqlx::query(START_ANEW)
        .bind(tx.tenant().0)
        .bind(config.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
