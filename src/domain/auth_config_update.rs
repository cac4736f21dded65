//! The rules of changing an auth config that is named: what is merged, and what it takes.

use std::sync::Arc;

use super::auth_config::{AuthConfigChange, OAuthClient};
use super::auth_config_creation::holds_client;
use super::auth_configs::{apply, check, precondition, seal};
use super::auth_setting::AuthKind;
use super::caller::Caller;
use super::cells::Cells;
use super::error::{Error, Kind, Refusal};
use super::ids::{AuthConfigId, TenantId};
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::auth_configs as rows;
use crate::store::config_change::{ConfigChange, StoredConfig};
use crate::store::hot::{ChangeOutcome, ConfigName};
use crate::store::keys::is_replaced;
use crate::store::{Access, TenantTx};

impl Service {
    /// Changes what is named and keeps the rest, in one transaction with its audit row. `read` makes the change, once
    /// it is known that the config is there and whether it is a managed one.
    pub async fn update_auth_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
        read: impl FnOnce(bool) -> Result<AuthConfigChange, Error> + Send,
    ) -> Result<(), Error> {
        let stored = self.stored_config(caller, id).await?;
        let change = read(stored.config.managed)?;
        check(change.name.as_deref(), &change.settings)?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let version = stored.config.version;
        let write = match changed(caller.tenant, &keys, stored, &change) {
            Err(error) if is_replaced(&error) => {
                return self.update_in_turn(caller, id, change).await;
            }
            outcome => outcome?,
        };
        let outcome = self
            .db()
            .change_auth_config(caller, version, &write)
            .await?;
        match outcome {
            ChangeOutcome::Done(_) => Ok(()),
            ChangeOutcome::Unknown => Err(Error::NotFound(Kind::AuthConfig)),
            ChangeOutcome::Stale | ChangeOutcome::Busy => {
                // Who names a state that is gone by now is told so without waiting for a turn.
                if change.if_match.is_some() {
                    let now = self.stored_config(caller, id).await?.config;
                    precondition(change.if_match.as_deref(), &now.etag())?;
                }
                self.update_in_turn(caller, id, change).await
            }
        }
    }

    /// The config as it is stored now.
    async fn stored_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
    ) -> Result<StoredConfig, Error> {
        let name = ConfigName::Id(id.clone());
        let state = self.db().auth_config_state(caller, name).await?;
        state
            .map(|state| state.stored)
            .filter(|stored| caller.may_use(stored.config.integration))
            .ok_or(Error::NotFound(Kind::AuthConfig))
    }

    /// The same behind whoever holds or has just changed the config.
    async fn update_in_turn(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
        change: AuthConfigChange,
    ) -> Result<(), Error> {
        let (caller, id, change) = (caller.clone(), id.clone(), Arc::new(change));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let caller = caller.clone();
                let (id, change) = (id.clone(), Arc::clone(&change));
                Box::pin(async move { update(tx, &caller, &keys, &id, &change).await })
            })
            .await
    }
}

async fn update(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    id: &AuthConfigId,
    change: &AuthConfigChange,
) -> Result<(), Error> {
    let config = rows::lock(tx, id)
        .await?
        .filter(|config| caller.may_use(config.integration))
        .ok_or(Error::NotFound(Kind::AuthConfig))?;
    let stored = StoredConfig::load(tx, config).await?;
    let write = changed(tx.tenant(), keys, stored, change)?;
    write.write(tx).await?;
    write.record(tx, caller).await
}

/// What a change makes of a config.
fn changed(
    tenant: TenantId,
    keys: &Arc<TenantKeys>,
    stored: StoredConfig,
    change: &AuthConfigChange,
) -> Result<ConfigChange, Error> {
    let StoredConfig {
        mut config,
        proxy_key,
        cells,
    } = stored;
    if change
        .managed
        .is_some_and(|managed| managed != config.managed)
    {
        return Err(Error::Refused(Refusal::AuthConfigTypeMismatch {
            managed: config.managed,
        }));
    }
    precondition(change.if_match.as_deref(), &config.etag())?;
    if let Some(name) = &change.name {
        config.name.clone_from(name);
    }
    apply(&mut config, &change.settings);
    if AuthKind::of(&config.scheme).is_oauth()
        && config.oauth_client.is_none()
        && holds_client(&change.settings.credentials)
    {
        config.oauth_client = Some(OAuthClient::default());
    }
    config.implicit = false;
    let mut cells = Cells::of(tenant, Arc::clone(keys), config.uuid, cells);
    let proxy_key = seal(&mut cells, &config, &change.settings, proxy_key.as_deref())?;
    Ok(ConfigChange {
        config,
        proxy_key,
        cells: cells.into_changes(),
        action: "auth_config.update",
        detail: None,
    })
}
