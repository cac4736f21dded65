//! What connections are shown with: their sealed credentials, their configs and what these share with them.

use uuid::Uuid;

use super::TenantTx;
use super::auth_configs::{Row, columns};
use super::error::failed;
use crate::domain::Error;
use crate::domain::auth_config::AuthConfig;
use crate::domain::ids::{AuthConfigUuid, ConnectionId};

const SEALED: &str = "-- connections: sealed credentials
    SELECT connection_id, generation, sealed_credential FROM connections
    WHERE tenant_id = $1 AND connection_id = ANY($2) AND sealed_credential IS NOT NULL";
const CONFIGS: &str = concat!(
    "-- auth_configs: some by row id\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND auth_config_id = ANY($2)"
);
const SHARED: &str = "-- auth_config_secrets: shared of configs
    SELECT auth_config_id, name, sealed_value FROM auth_config_secrets
    WHERE tenant_id = $1 AND auth_config_id = ANY($2) AND kind = 'shared' ORDER BY auth_config_id, name";
const SHARED_NAMES: &str = "-- auth_config_secrets: names of the shared of a config
    SELECT name FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id = $2 AND kind = 'shared'";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[SEALED, CONFIGS, SHARED, SHARED_NAMES];

/// A sealed credential.
#[derive(Debug, sqlx::FromRow)]
pub struct SealedCredential {
    connection_id: Uuid,
    /// Its generation.
    pub generation: Uuid,
    /// Its bytes.
    #[sqlx(rename = "sealed_credential")]
    pub bytes: Vec<u8>,
}

impl SealedCredential {
    /// Of which connection.
    pub fn connection(&self) -> ConnectionId {
        ConnectionId(self.connection_id)
    }
}

/// A sealed value that the connections under a config inherit.
#[derive(Debug, sqlx::FromRow)]
pub struct SharedCell {
    auth_config_id: Uuid,
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub sealed_value: Vec<u8>,
}

impl SharedCell {
    /// Of which config.
    pub fn config(&self) -> AuthConfigUuid {
        AuthConfigUuid(self.auth_config_id)
    }
}

/// The sealed credentials of these connections; one that has none is left out.
pub async fn sealed(
    tx: &mut TenantTx,
    connections: &[Uuid],
) -> Result<Vec<SealedCredential>, Error> {
    sqlx::query_as(SEALED)
        .bind(tx.tenant().0)
        .bind(connections)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// The configs with these row ids, deleted ones too.
pub async fn configs(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<AuthConfig>, Error> {
    let rows: Vec<Row> = sqlx::query_as(CONFIGS)
        .bind(tx.tenant().0)
        .bind(ids)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// What these configs share with their connections, by config and name.
pub async fn shared(tx: &mut TenantTx, configs: &[Uuid]) -> Result<Vec<SharedCell>, Error> {
    sqlx::query_as(SHARED)
        .bind(tx.tenant().0)
        .bind(configs)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// The names of what a config shares with its connections.
pub async fn shared_names(tx: &mut TenantTx, config: AuthConfigUuid) -> Result<Vec<String>, Error> {
    sqlx::query_scalar(SHARED_NAMES)
        .bind(tx.tenant().0)
        .bind(config.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}
