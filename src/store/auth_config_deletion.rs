//! The end of one auth config: everything that lies under it is destroyed in the transaction that says so.
//!
//! The row stays, without anything that was sealed or could hold a secret. That is so for every transaction that begins
//! after the commit; in Postgres' files the bytes of rows that are gone stay until their space is used again.

use super::TenantTx;
use super::error::failed;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, IntegrationId};

/// From how many connections of its users with the integration, or retired ones, a deletion is a big write.
const MANY: i64 = 1_000;

const IS_BIG: &str = "-- auth_configs: whether very much lies under one
    SELECT (SELECT count(*) FROM (SELECT FROM connections WHERE tenant_id = $1 AND integration_id = $4
            AND user_hash IN (SELECT user_hash FROM connections WHERE tenant_id = $1 AND auth_config_id = $2 LIMIT $3)
            LIMIT $3) AS live)
        + (SELECT count(*) FROM (SELECT FROM retired_connections
            WHERE tenant_id = $1 AND auth_config_id = $2 LIMIT $3) AS retired) >= $3";
// In the order in which whoever deletes a user holds them: no two wait for each other. The others of these users too,
// since one of each user's becomes the primary one.
const HOLD: &str = "-- connections: hold those of the users under a config
    SELECT count(*) FROM (SELECT FROM connections WHERE tenant_id = $1 AND integration_id = $2
        AND user_hash IN (SELECT user_hash FROM connections WHERE tenant_id = $1 AND auth_config_id = $3)
        ORDER BY connection_id FOR UPDATE) AS held";
const DESTROY: &str = "-- connections: destroy those of a config and promote others
    WITH gone AS (DELETE FROM connections WHERE tenant_id = $1 AND auth_config_id = $3
            RETURNING user_hash, is_primary),
        promoted AS (UPDATE connections SET is_primary = true, updated_at = now()
            WHERE tenant_id = $1 AND connection_id IN (
                SELECT DISTINCT ON (user_hash) connection_id FROM connections
                WHERE tenant_id = $1 AND integration_id = $2 AND auth_config_id <> $3
                    AND user_hash IN (SELECT user_hash FROM gone WHERE is_primary)
                ORDER BY user_hash, created_at, connection_id)
            RETURNING true)
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM promoted)";
const HOLD_RETIRED: &str = "-- retired_connections: hold those of a config
    SELECT count(*) FROM (SELECT FROM retired_connections WHERE tenant_id = $1 AND auth_config_id = $2
        ORDER BY connection_id FOR UPDATE) AS held";
const DESTROY_RETIRED: &str = "-- retired_connections: destroy those of a config
    DELETE FROM retired_connections WHERE tenant_id = $1 AND auth_config_id = $2";
const DESTROY_CELLS: &str = "-- auth_config_secrets: destroy those of a config
    DELETE FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id = $2";
const END: &str = "-- auth_configs: end
    UPDATE auth_configs SET deleted_at = now(), updated_at = now(), version = version + 1, is_default = false,
        sealed_proxy_auth_key = NULL, proxy_url = NULL, test_code = NULL, oauth_client = NULL, fields = '[]'
    WHERE tenant_id = $1 AND auth_config_id = $2";
const PROMOTE: &str = "-- auth_configs: make the oldest the default
    UPDATE auth_configs SET is_default = true WHERE tenant_id = $1 AND auth_config_id = (
        SELECT auth_config_id FROM auth_configs WHERE tenant_id = $1 AND integration_id = $2 AND deleted_at IS NULL
        ORDER BY created_at, auth_config_id LIMIT 1)
    RETURNING public_id";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    IS_BIG,
    HOLD,
    DESTROY,
    HOLD_RETIRED,
    DESTROY_RETIRED,
    DESTROY_CELLS,
    END,
    PROMOTE,
];

/// What went with a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destroyed {
    /// How many connections.
    pub connections: i64,
    /// How many users have another primary connection now.
    pub promoted: i64,
    /// How many retired connections.
    pub retired: u64,
}

/// Whether so many connections are held to delete the config that it takes the turn and the time of a big write.
pub async fn is_big(
    tx: &mut TenantTx,
    integration: IntegrationId,
    id: AuthConfigUuid,
) -> Result<bool, Error> {
    sqlx::query_scalar(IS_BIG)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(MANY)
        .bind(integration.0)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// Holds the connections under a config and the others of their users with the integration, in the order of their ids.
pub(super) async fn hold(
    tx: &mut TenantTx,
    integration: IntegrationId,
    id: AuthConfigUuid,
) -> Result<(), Error> {
    sqlx::query(HOLD)
        .bind(tx.tenant().0)
        .bind(integration.0)
        .bind(id.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Ends a config: its connections, live and retired, their links, its cells and its proxy's key are destroyed. Each user
/// who loses the primary connection and has others gets the oldest of them as the primary one.
///
/// The caller holds the integration, so that nobody adds a connection, and the config.
pub async fn end(
    tx: &mut TenantTx,
    integration: IntegrationId,
    id: AuthConfigUuid,
) -> Result<Destroyed, Error> {
    hold(tx, integration, id).await?;
    let (connections, promoted): (i64, i64) = sqlx::query_as(DESTROY)
        .bind(tx.tenant().0)
        .bind(integration.0)
        .bind(id.0)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)?;
    on(tx, HOLD_RETIRED, id).await?;
    let retired = on(tx, DESTROY_RETIRED, id).await?;
    on(tx, DESTROY_CELLS, id).await?;
    on(tx, END, id).await?;
    Ok(Destroyed {
        connections,
        promoted,
        retired,
    })
}

/// Makes the oldest live config of the integration its default, where one is left: its id on Composio's wire. The caller
/// holds the integration, which has no default.
pub async fn promote(
    tx: &mut TenantTx,
    integration: IntegrationId,
) -> Result<Option<String>, Error> {
    sqlx::query_scalar(PROMOTE)
        .bind(tx.tenant().0)
        .bind(integration.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)
}

async fn on(tx: &mut TenantTx, statement: &'static str, id: AuthConfigUuid) -> Result<u64, Error> {
    sqlx::query(statement)
        .bind(tx.tenant().0)
        .bind(id.0)
        .execute(tx.connection())
        .await
        .map(|done| done.rows_affected())
        .map_err(failed)
}
