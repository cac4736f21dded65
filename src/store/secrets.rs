//! Rows of `auth_config_secrets`: one sealed cell per key of an auth config.

use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, TenantId};

/// What a cell belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CellKind {
    /// The config's own credentials: its OAuth client, keys.
    Credential,
    /// Credentials that every connection inherits.
    Shared,
}

impl CellKind {
    fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Shared => "shared",
        }
    }
}

/// One cell.
#[derive(Debug)]
pub struct Cell {
    /// Of which config.
    pub auth_config: AuthConfigUuid,
    /// What it belongs to.
    pub kind: CellKind,
    /// Its key.
    pub name: String,
    /// The sealed value.
    pub sealed: Vec<u8>,
}

/// Where a cell is sealed.
pub fn place(tenant: TenantId, auth_config: AuthConfigUuid, kind: CellKind, name: &str) -> Place {
    let row = format!("{auth_config}/{}/{name}", kind.name());
    Place {
        tenant: tenant.0,
        table: "auth_config_secrets",
        row,
        column: "sealed_value",
    }
}

/// Where a proxy's key is sealed.
pub fn proxy_place(tenant: TenantId, auth_config: AuthConfigUuid) -> Place {
    Place {
        tenant: tenant.0,
        table: "auth_configs",
        row: auth_config.to_string(),
        column: "sealed_proxy_auth_key",
    }
}

const OF_CONFIGS: &str = "-- auth_config_secrets: of configs
    SELECT auth_config_id, kind, name, sealed_value FROM auth_config_secrets
    WHERE tenant_id = $1 AND auth_config_id = ANY($2) ORDER BY auth_config_id, kind, name";
const SET: &str = "-- auth_config_secrets: set
    INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value)
    SELECT $1, $2, $3, name, sealed_value FROM unnest($4::text[], $5::bytea[]) AS cells(name, sealed_value)
    ON CONFLICT (tenant_id, auth_config_id, kind, name) DO UPDATE SET sealed_value = EXCLUDED.sealed_value";
const REMOVE: &str = "-- auth_config_secrets: remove
    DELETE FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id = $2 AND kind = $3 AND name = ANY($4)";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[OF_CONFIGS, SET, REMOVE];

/// All cells of these configs, by config, kind and key.
pub async fn of_configs(tx: &mut TenantTx, configs: &[Uuid]) -> Result<Vec<Cell>, Error> {
    let rows: Vec<(Uuid, String, String, Vec<u8>)> = sqlx::query_as(OF_CONFIGS)
        .bind(tx.tenant().0)
        .bind(configs)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let cells = rows
        .into_iter()
        .map(|(auth_config, kind, name, sealed)| Cell {
            auth_config: AuthConfigUuid(auth_config),
            kind: if kind == CellKind::Shared.name() {
                CellKind::Shared
            } else {
                CellKind::Credential
            },
            name,
            sealed,
        });
    Ok(cells.collect())
}

/// Sets cells of one config and kind; no cells are no statement.
pub async fn set(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    kind: CellKind,
    cells: &[Cell],
) -> Result<(), Error> {
    if cells.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    let sealed: Vec<&[u8]> = cells.iter().map(|cell| cell.sealed.as_slice()).collect();
    sqlx::query(SET)
        .bind(tx.tenant().0)
        .bind(config.0)
        .bind(kind.name())
        .bind(names)
        .bind(sealed)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Destroys the cells of these keys, where they are; no keys are no statement.
pub async fn remove(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    kind: CellKind,
    names: &[String],
) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(REMOVE)
        .bind(tx.tenant().0)
        .bind(config.0)
        .bind(kind.name())
        .bind(names)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
