//! The sealed cells of auth configs: sealing what comes in, showing what may be shown.

use std::collections::HashMap;
use std::sync::Arc;

use super::auth_config::{AuthConfig, AuthConfigView, Proxy};
use super::cell_rules::{REDACTED, is_redacted, too_much};
use super::error::Error;
use super::ids::{AuthConfigUuid, TenantId};
use super::integration::Integration;
use super::managed_apps::SHOWN;
use super::patch::Patch;
use crate::crypto::{Secret, TenantKeys};
use crate::json::{Json, Object};
use crate::store::keys::unopened;
use crate::store::secrets::{self, Cell, CellChanges, CellKind};
use crate::store::{TenantTx, auth_configs, connections, integrations};

/// The credential by which an OAuth client is found.
const CLIENT_ID: &str = "client_id";
/// What the index of a client id is derived with.
const CLIENT_ID_INDEX: &str = "keyway/index/oauth-client-id/v1";

/// The cells of one config, as they are stored and as a change makes them. Nothing is written here.
#[derive(Debug)]
pub(super) struct Cells {
    keys: Arc<TenantKeys>,
    tenant: TenantId,
    config: AuthConfigUuid,
    /// By kind, then by key.
    present: HashMap<CellKind, HashMap<String, Cell>>,
    changes: CellChanges,
}

impl Cells {
    /// The cells that `stored` holds.
    pub(super) fn of(
        tenant: TenantId,
        keys: Arc<TenantKeys>,
        config: AuthConfigUuid,
        stored: Vec<Cell>,
    ) -> Self {
        let mut present: HashMap<CellKind, HashMap<String, Cell>> = HashMap::new();
        for cell in stored {
            let cells = present.entry(cell.kind).or_default();
            cells.insert(cell.name.clone(), cell);
        }
        Self {
            keys,
            tenant,
            config,
            present,
            changes: CellChanges::default(),
        }
    }

    /// The cells as they are stored now.
    pub(super) async fn load(
        tx: &mut TenantTx,
        keys: Arc<TenantKeys>,
        config: AuthConfigUuid,
    ) -> Result<Self, Error> {
        let stored = secrets::of_configs(tx, &[config.0]).await?;
        Ok(Self::of(tx.tenant(), keys, config, stored))
    }

    /// What has to be written.
    pub(super) fn into_changes(self) -> CellChanges {
        self.changes
    }

    fn find(&self, kind: CellKind, name: &str) -> Option<&Cell> {
        self.present.get(&kind)?.get(name)
    }

    /// Merges a map key by key: null removes, what was only shown masked is left as it is, all else is sealed.
    pub(super) fn merge(
        &mut self,
        kind: CellKind,
        map: &Object,
        managed: bool,
    ) -> Result<(), Error> {
        for (name, value) in map.iter() {
            if value.is_null() {
                self.remove(kind, name);
            } else if !self.is_shown(kind, name, value, managed)? {
                self.set(kind, name, value)?;
            }
        }
        let cells = self
            .present
            .get(&kind)
            .into_iter()
            .flat_map(HashMap::values);
        let broken = too_much(kind, cells.map(|cell| cell.sealed.len()));
        Error::when_any(broken.into_iter().collect())
    }

    /// Seals a value.
    pub(super) fn set(&mut self, kind: CellKind, name: &str, value: &Json) -> Result<(), Error> {
        let place = secrets::place(self.tenant, self.config, kind, name);
        let sealed = self.keys.seal(&place, &Secret::json(value));
        let cell = Cell {
            auth_config: self.config,
            kind,
            name: name.to_owned(),
            sealed: sealed.map_err(Error::internal)?,
            index: index_of(&self.keys, kind, name, value),
        };
        self.changes.set_cell(cell.clone());
        let present = self.present.entry(kind).or_default();
        present.insert(name.to_owned(), cell);
        Ok(())
    }

    /// Destroys a cell, where there is one.
    pub(super) fn remove(&mut self, kind: CellKind, name: &str) {
        let present = self.present.entry(kind).or_default();
        if present.remove(name).is_some() {
            self.changes.remove(kind, name.to_owned());
        }
    }

    /// Destroys every cell of the config.
    pub(super) fn clear(&mut self) {
        for (kind, cells) in std::mem::take(&mut self.present) {
            for name in cells.into_keys() {
                self.changes.remove(kind, name);
            }
        }
    }

    /// Whether `value` is what a read shows of this key: it comes from a read-modify-write.
    fn is_shown(
        &self,
        kind: CellKind,
        name: &str,
        value: &Json,
        managed: bool,
    ) -> Result<bool, Error> {
        if is_redacted(value) {
            return Ok(true);
        }
        match self.find(kind, name) {
            Some(cell) => Ok(!managed && view(self.tenant, &self.keys, cell)? == *value),
            None => Ok(false),
        }
    }

    /// The OAuth client's scopes, which are no secret: a list is joined by spaces.
    pub(super) fn scopes(&self) -> Result<Option<String>, Error> {
        let Some(cell) = self.find(CellKind::Credential, "scopes") else {
            return Ok(None);
        };
        Ok(match view(self.tenant, &self.keys, cell)? {
            Json::String(text) => Some(text.to_string()),
            Json::Array(scopes) => Some(
                scopes
                    .iter()
                    .filter_map(Json::as_str)
                    .collect::<Vec<_>>()
                    .join(" "),
            ),
            _ => None,
        })
    }

    /// What becomes of the key of the config's proxy, given the one that is stored: none destroys it, a masked one
    /// leaves it.
    pub(super) fn proxy_key(
        &self,
        proxy: &Patch<Proxy>,
        stored: Option<&[u8]>,
    ) -> Result<Patch<Vec<u8>>, Error> {
        let proxy = match proxy {
            Patch::Keep => return Ok(Patch::Keep),
            Patch::Clear => return Ok(Patch::Clear),
            Patch::Set(proxy) => proxy,
        };
        let Some(key) = proxy.auth_key.as_ref().filter(|key| !key.is_null()) else {
            return Ok(Patch::Clear);
        };
        let shown = stored
            .map(|sealed| proxy_view(self.tenant, &self.keys, self.config, sealed))
            .transpose()?;
        if is_redacted(key) || shown.is_some_and(|shown| shown == *key) {
            return Ok(Patch::Keep);
        }
        let place = secrets::proxy_place(self.tenant, self.config);
        let sealed = self.keys.seal(&place, &Secret::json(key));
        sealed.map(Patch::Set).map_err(Error::internal)
    }
}

/// The value of the index column of a cell; only the id of an OAuth client is looked for.
fn index_of(keys: &TenantKeys, kind: CellKind, name: &str, value: &Json) -> Option<[u8; 32]> {
    let text = value.as_str().filter(|_| name == CLIENT_ID)?;
    (kind == CellKind::Credential).then(|| client_id_index(keys, text))
}

/// Under what the OAuth client of this id is found. The same after a rotation of the tenant's data key.
pub(super) fn client_id_index(keys: &TenantKeys, client_id: &str) -> [u8; 32] {
    keys.index(CLIENT_ID_INDEX, client_id)
}

/// The id of the OAuth client among the cells of a config. It is no secret.
pub(super) fn client_id_of(
    tenant: TenantId,
    keys: &TenantKeys,
    cells: &[Cell],
) -> Result<Option<Json>, Error> {
    let cell = cells
        .iter()
        .find(|cell| cell.kind == CellKind::Credential && cell.name == CLIENT_ID);
    cell.map(|cell| view(tenant, keys, cell)).transpose()
}

/// What may be shown of a cell.
pub(super) fn view(tenant: TenantId, keys: &TenantKeys, cell: &Cell) -> Result<Json, Error> {
    let place = secrets::place(tenant, cell.auth_config, cell.kind, &cell.name);
    let secret = keys.open(&place, &cell.sealed).map_err(unopened)?;
    Ok(secret.view(&cell.name))
}

fn proxy_view(
    tenant: TenantId,
    keys: &TenantKeys,
    config: AuthConfigUuid,
    sealed: &[u8],
) -> Result<Json, Error> {
    let place = secrets::proxy_place(tenant, config);
    let secret = keys.open(&place, sealed).map_err(unopened)?;
    Ok(secret.view("proxy_auth_key"))
}

/// Configs as they may be shown: with their integrations, masked cells and numbers of connections. The order is kept.
pub(super) async fn views(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    configs: Vec<AuthConfig>,
) -> Result<Vec<AuthConfigView>, Error> {
    let ids: Vec<_> = configs.iter().map(|config| config.uuid.0).collect();
    let of: Vec<_> = configs.iter().map(|config| config.integration.0).collect();
    let integrations = integrations::find_many(tx, &of).await?;
    let counts = connections::count_by_config(tx, &ids).await?;
    let cells = secrets::of_configs(tx, &ids).await?;
    let proxies = auth_configs::proxy_keys(tx, &ids).await?;
    let mut cells_of: HashMap<AuthConfigUuid, Vec<Cell>> = HashMap::new();
    for cell in cells {
        cells_of.entry(cell.auth_config).or_default().push(cell);
    }
    let mut views = Vec::with_capacity(configs.len());
    for config in configs {
        let mut shown = [Vec::new(), Vec::new()];
        if config.managed {
            shown[0].extend(SHOWN.map(|name| (name.to_owned(), Json::from(REDACTED))));
        }
        for cell in cells_of.remove(&config.uuid).unwrap_or_default() {
            let value = if config.managed {
                Json::from(REDACTED)
            } else {
                view(tx.tenant(), keys, &cell)?
            };
            shown[usize::from(cell.kind == CellKind::Shared)].push((cell.name, value));
        }
        if config.managed {
            shown[0].sort_by(|(one, _), (other, _)| one.cmp(other));
            shown[0].dedup_by(|(one, _), (other, _)| one == other);
        }
        let proxy_key = proxies.iter().find(|(id, _)| *id == config.uuid.0);
        let proxy_auth_key = proxy_key
            .map(|(_, sealed)| proxy_view(tx.tenant(), keys, config.uuid, sealed))
            .transpose()?;
        let [credentials, shared] = shown;
        views.push(AuthConfigView {
            integration: integration_of(&integrations, &config)?,
            connections: counts
                .iter()
                .find(|(id, _)| *id == config.uuid.0)
                .map_or(0, |(_, count)| *count),
            credentials,
            shared,
            proxy_auth_key,
            config,
        });
    }
    Ok(views)
}

fn integration_of(integrations: &[Integration], config: &AuthConfig) -> Result<Integration, Error> {
    let found = integrations
        .iter()
        .find(|integration| integration.id == config.integration);
    found
        .cloned()
        .ok_or_else(|| Error::internal("an auth config has no integration"))
}
