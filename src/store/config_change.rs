//! A change of one auth config, as it is written: in a transaction that holds the config (here), or by one call where
//! nobody changed it since it was read (`hot`).

use super::auth_configs;
use super::secrets::{self, Cell, CellChanges};
use super::{TenantTx, audit};
use crate::domain::auth_config::AuthConfig;
use crate::domain::patch::Patch;
use crate::domain::{Caller, Error};

/// An auth config as it is stored, its sealed parts with it.
#[derive(Debug)]
pub struct StoredConfig {
    /// The config.
    pub config: AuthConfig,
    /// The sealed key of its proxy.
    pub proxy_key: Option<Vec<u8>>,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl StoredConfig {
    /// The sealed parts of a config that this transaction has read.
    pub async fn load(tx: &mut TenantTx, config: AuthConfig) -> Result<Self, Error> {
        let proxies = auth_configs::proxy_keys(tx, &[config.uuid.0]).await?;
        Ok(Self {
            proxy_key: proxies.into_iter().next().map(|(_, key)| key),
            cells: secrets::of_configs(tx, &[config.uuid.0]).await?,
            config,
        })
    }

    /// A config that is not stored yet.
    pub fn new(config: AuthConfig) -> Self {
        Self {
            config,
            proxy_key: None,
            cells: Vec::new(),
        }
    }
}

/// An auth config to write, with its audit row.
#[derive(Debug)]
pub struct ConfigChange {
    /// The config after the change. The call of `hot` leaves its scheme, its management and whether it is enabled as
    /// they were: what changes those has more to do than to write a row.
    pub config: AuthConfig,
    /// The sealed key of its proxy.
    pub proxy_key: Patch<Vec<u8>>,
    /// What becomes of its cells.
    pub cells: CellChanges,
    /// The audit row's action.
    pub action: &'static str,
    /// And what else it says.
    pub detail: Option<serde_json::Value>,
}

impl ConfigChange {
    /// Writes the row and its sealed parts.
    pub async fn write(&self, tx: &mut TenantTx) -> Result<(), Error> {
        auth_configs::update(tx, &self.config).await?;
        self.write_sealed(tx).await
    }

    /// Writes the sealed parts alone.
    pub async fn write_sealed(&self, tx: &mut TenantTx) -> Result<(), Error> {
        secrets::change(tx, self.config.uuid, &self.cells).await?;
        match &self.proxy_key {
            Patch::Keep => Ok(()),
            Patch::Clear => auth_configs::set_proxy_key(tx, self.config.uuid, None).await,
            Patch::Set(key) => auth_configs::set_proxy_key(tx, self.config.uuid, Some(key)).await,
        }
    }

    /// Appends the audit row.
    pub async fn record(&self, tx: &mut TenantTx, caller: &Caller) -> Result<(), Error> {
        let event = audit::Event {
            action: self.action,
            object_kind: "auth_config",
            object_id: self.config.id.as_str(),
            detail: self.detail.clone(),
        };
        audit::append(tx, caller, event).await.map(|_| ())
    }
}
