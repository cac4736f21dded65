//! The sealed cells of auth configs: sealing what comes in, showing what may be shown.

use std::collections::HashMap;
use std::sync::Arc;

use super::auth_config::{AuthConfig, AuthConfigView};
use super::cell_rules::{MAX_CELLS, REDACTED, is_redacted};
use super::error::{Error, Issue, Rule};
use super::ids::AuthConfigUuid;
use super::integration::Integration;
use crate::crypto::{Secret, TenantKeys};
use crate::json::{Json, Object};
use crate::store::secrets::{self, Cell, CellKind};
use crate::store::{TenantTx, auth_configs, connections, integrations};

/// The cells of one config while a transaction changes them.
#[derive(Debug)]
pub(super) struct Cells {
    keys: Arc<TenantKeys>,
    config: AuthConfigUuid,
    /// By kind, then by key.
    stored: HashMap<CellKind, HashMap<String, Cell>>,
}

impl Cells {
    /// The cells as they are stored now.
    pub(super) async fn load(
        tx: &mut TenantTx,
        keys: Arc<TenantKeys>,
        config: AuthConfigUuid,
    ) -> Result<Self, Error> {
        let mut stored: HashMap<CellKind, HashMap<String, Cell>> = HashMap::new();
        for cell in secrets::of_configs(tx, &[config.0]).await? {
            let cells = stored.entry(cell.kind).or_default();
            cells.insert(cell.name.clone(), cell);
        }
        Ok(Self {
            keys,
            config,
            stored,
        })
    }

    fn find(&self, kind: CellKind, name: &str) -> Option<&Cell> {
        self.stored.get(&kind)?.get(name)
    }

    /// Merges a map key by key: null removes, what was only shown masked is left as it is, all else is sealed. Two
    /// statements, however many keys.
    pub(super) async fn merge(
        &mut self,
        tx: &mut TenantTx,
        kind: CellKind,
        map: &Object,
        managed: bool,
    ) -> Result<(), Error> {
        let (mut gone, mut set) = (Vec::new(), Vec::new());
        for (name, value) in map.iter() {
            if value.is_null() {
                gone.push(name.to_owned());
            } else if !self.is_shown(tx, kind, name, value, managed)? {
                set.push((name, value));
            }
        }
        self.remove(tx, kind, &gone).await?;
        self.set(tx, kind, &set).await?;
        match self.stored.get(&kind) {
            Some(cells) if cells.len() > MAX_CELLS => {
                let rule = Rule::TooMany { max: MAX_CELLS };
                Err(Error::Invalid(vec![Issue::at(kind.member(), rule)]))
            }
            _ => Ok(()),
        }
    }

    /// Seals values.
    pub(super) async fn set(
        &mut self,
        tx: &mut TenantTx,
        kind: CellKind,
        values: &[(&str, &Json)],
    ) -> Result<(), Error> {
        let mut cells = Vec::with_capacity(values.len());
        for (name, value) in values {
            let place = secrets::place(tx.tenant(), self.config, kind, name);
            let sealed = self
                .keys
                .seal(&place, &Secret::json(value))
                .map_err(Error::internal)?;
            cells.push(Cell {
                auth_config: self.config,
                kind,
                name: (*name).to_owned(),
                sealed,
            });
        }
        secrets::set(tx, self.config, kind, &cells).await?;
        let stored = self.stored.entry(kind).or_default();
        stored.extend(cells.into_iter().map(|cell| (cell.name.clone(), cell)));
        Ok(())
    }

    /// Destroys cells.
    pub(super) async fn remove(
        &mut self,
        tx: &mut TenantTx,
        kind: CellKind,
        names: &[String],
    ) -> Result<(), Error> {
        secrets::remove(tx, self.config, kind, names).await?;
        let stored = self.stored.entry(kind).or_default();
        for name in names {
            stored.remove(name);
        }
        Ok(())
    }

    /// Destroys every cell of the config.
    pub(super) async fn clear(&mut self, tx: &mut TenantTx) -> Result<(), Error> {
        for (kind, cells) in std::mem::take(&mut self.stored) {
            let names: Vec<String> = cells.into_keys().collect();
            secrets::remove(tx, self.config, kind, &names).await?;
        }
        Ok(())
    }

    /// Whether `value` is what a read shows of this key: it comes from a read-modify-write.
    fn is_shown(
        &self,
        tx: &TenantTx,
        kind: CellKind,
        name: &str,
        value: &Json,
        managed: bool,
    ) -> Result<bool, Error> {
        if is_redacted(value) {
            return Ok(true);
        }
        match self.find(kind, name) {
            Some(cell) => Ok(!managed && view(tx, &self.keys, cell)? == *value),
            None => Ok(false),
        }
    }

    /// The OAuth client's scopes, which are no secret: a list is joined by spaces.
    pub(super) fn scopes(&self, tx: &TenantTx) -> Result<Option<String>, Error> {
        let Some(cell) = self.find(CellKind::Credential, "scopes") else {
            return Ok(None);
        };
        Ok(match view(tx, &self.keys, cell)? {
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

    /// Seals the key of the config's proxy: none destroys it, a masked one leaves it.
    pub(super) async fn set_proxy_key(
        &self,
        tx: &mut TenantTx,
        key: Option<&Json>,
    ) -> Result<(), Error> {
        let Some(key) = key.filter(|key| !key.is_null()) else {
            return auth_configs::set_proxy_key(tx, self.config, None).await;
        };
        let stored = auth_configs::proxy_keys(tx, &[self.config.0]).await?;
        let shown = stored
            .first()
            .map(|(_, sealed)| proxy_view(tx, &self.keys, self.config, sealed))
            .transpose()?;
        if is_redacted(key) || shown.is_some_and(|shown| shown == *key) {
            return Ok(());
        }
        let place = secrets::proxy_place(tx.tenant(), self.config);
        let sealed = self
            .keys
            .seal(&place, &Secret::json(key))
            .map_err(Error::internal)?;
        auth_configs::set_proxy_key(tx, self.config, Some(&sealed)).await
    }
}

fn view(tx: &TenantTx, keys: &TenantKeys, cell: &Cell) -> Result<Json, Error> {
    let place = secrets::place(tx.tenant(), cell.auth_config, cell.kind, &cell.name);
    let secret = keys.open(&place, &cell.sealed).map_err(Error::internal)?;
    Ok(secret.view(&cell.name))
}

fn proxy_view(
    tx: &TenantTx,
    keys: &TenantKeys,
    config: AuthConfigUuid,
    sealed: &[u8],
) -> Result<Json, Error> {
    let place = secrets::proxy_place(tx.tenant(), config);
    let secret = keys.open(&place, sealed).map_err(Error::internal)?;
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
        for cell in cells_of.remove(&config.uuid).unwrap_or_default() {
            let value = if config.managed {
                Json::from(REDACTED)
            } else {
                view(tx, keys, &cell)?
            };
            shown[usize::from(cell.kind == CellKind::Shared)].push((cell.name, value));
        }
        let proxy_key = proxies.iter().find(|(id, _)| *id == config.uuid.0);
        let proxy_auth_key = proxy_key
            .map(|(_, sealed)| proxy_view(tx, keys, config.uuid, sealed))
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
