//! Rows of `auth_config_secrets`: one sealed cell per key of an auth config.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, TenantId};

/// What a cell belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CellKind {
    /// The config's own credentials: its OAuth client, keys.
    Credential,
    /// Credentials that every connection inherits.
    Shared,
}

impl CellKind {
    /// The kind as it is stored.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Shared => "shared",
        }
    }

    /// The kind of this name; the table holds no other names.
    pub(super) fn of(name: &str) -> Self {
        if name == Self::Shared.name() {
            Self::Shared
        } else {
            Self::Credential
        }
    }
}

/// One cell.
#[derive(Debug, Clone)]
pub struct Cell {
    /// Of which config.
    pub auth_config: AuthConfigUuid,
    /// What it belongs to.
    pub kind: CellKind,
    /// Its key.
    pub name: String,
    /// The sealed value.
    pub sealed: Vec<u8>,
    /// Of a value that is to be set and must be found: its HMAC under the tenant's index key. It is not read back.
    pub index: Option<[u8; 32]>,
}

/// Where a cell is sealed.
pub fn place(tenant: TenantId, auth_config: AuthConfigUuid, kind: CellKind, name: &str) -> Place {
    place_of(tenant, auth_config, &format!("{}/{name}", kind.name()))
}

/// As [`place`]; `part` is the kind's name, a slash and the key.
pub(super) fn place_of(tenant: TenantId, auth_config: AuthConfigUuid, part: &str) -> Place {
    let row = format!("{auth_config}/{part}");
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
    INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value, value_index)
    SELECT $1, $2, $3, name, sealed_value, value_index
    FROM unnest($4::text[], $5::bytea[], $6::bytea[]) AS cells(name, sealed_value, value_index)
    ON CONFLICT (tenant_id, auth_config_id, kind, name)
        DO UPDATE SET sealed_value = EXCLUDED.sealed_value, value_index = EXCLUDED.value_index";
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
            kind: CellKind::of(&kind),
            name,
            sealed,
            index: None,
        });
    Ok(cells.collect())
}

/// What becomes of the cells of one config: each key is set, removed or left as it is.
#[derive(Debug, Default)]
pub struct CellChanges {
    keys: BTreeMap<(CellKind, String), Option<Cell>>,
}

impl CellChanges {
    /// Sets a cell, whatever was said of its key before.
    pub fn set_cell(&mut self, cell: Cell) {
        self.keys.insert((cell.kind, cell.name.clone()), Some(cell));
    }

    /// Removes a cell, whatever was said of its key before.
    pub fn remove(&mut self, kind: CellKind, name: String) {
        self.keys.insert((kind, name), None);
    }

    /// The cells to set.
    pub(super) fn set(&self) -> impl Iterator<Item = &Cell> {
        self.keys.values().flatten()
    }

    /// The keys to remove.
    pub(super) fn removed(&self) -> impl Iterator<Item = (CellKind, &str)> {
        let removed = self.keys.iter().filter(|(_, cell)| cell.is_none());
        removed.map(|((kind, name), _)| (*kind, name.as_str()))
    }
}

/// Writes the changes to the cells of one config: two statements for a kind at most, however many keys.
pub async fn change(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    changes: &CellChanges,
) -> Result<(), Error> {
    for kind in [CellKind::Credential, CellKind::Shared] {
        let gone: Vec<&str> = changes
            .removed()
            .filter_map(|(of, name)| (of == kind).then_some(name))
            .collect();
        remove(tx, config, kind, &gone).await?;
        let cells: Vec<&Cell> = changes.set().filter(|cell| cell.kind == kind).collect();
        set(tx, config, kind, &cells).await?;
    }
    Ok(())
}

async fn set(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    kind: CellKind,
    cells: &[&Cell],
) -> Result<(), Error> {
    if cells.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = cells.iter().map(|cell| cell.name.as_str()).collect();
    let sealed: Vec<&[u8]> = cells.iter().map(|cell| cell.sealed.as_slice()).collect();
    let indexes: Vec<Option<&[u8]>> = cells
        .iter()
        .map(|cell| cell.index.as_ref().map(<[u8; 32]>::as_slice))
        .collect();
    sqlx::query(SET)
        .bind(tx.tenant().0)
        .bind(config.0)
        .bind(kind.name())
        .bind(names)
        .bind(sealed)
        .bind(indexes)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

async fn remove(
    tx: &mut TenantTx,
    config: AuthConfigUuid,
    kind: CellKind,
    names: &[&str],
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
