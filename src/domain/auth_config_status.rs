//! Whether new connections may be made with an auth config.

use super::auth_config::AuthConfig;
use super::auth_configs::precondition;
use super::caller::Caller;
use super::error::{Error, Kind};
use super::ids::AuthConfigId;
use super::patch::Patch;
use super::service::Service;
use crate::store::auth_configs as rows;
use crate::store::config_change::ConfigChange;
use crate::store::secrets::CellChanges;
use crate::store::{Access, TenantTx};

impl Service {
    /// Says whether new connections may be made with the config; those that are there stay as they are. Where it is so
    /// already, nothing is changed and nothing is audited. A config that we made in passing is one that somebody has
    /// spoken of from then on, so that no later one takes its row over.
    pub async fn enable_auth_config(
        &self,
        caller: &Caller,
        id: &AuthConfigId,
        enabled: bool,
        if_match: Option<String>,
    ) -> Result<(), Error> {
        let (caller, id) = (caller.clone(), id.clone());
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, id, if_match) = (caller.clone(), id.clone(), if_match.clone());
                Box::pin(
                    async move { enable(tx, &caller, &id, enabled, if_match.as_deref()).await },
                )
            })
            .await
    }
}

async fn enable(
    tx: &mut TenantTx,
    caller: &Caller,
    id: &AuthConfigId,
    enabled: bool,
    if_match: Option<&str>,
) -> Result<(), Error> {
    let config = rows::lock(tx, id)
        .await?
        .filter(|config| caller.may_use(config.integration))
        .ok_or(Error::NotFound(Kind::AuthConfig))?;
    precondition(if_match, &config.etag())?;
    if config.enabled == enabled {
        return Ok(());
    }
    let change = ConfigChange {
        config: AuthConfig {
            enabled,
            implicit: false,
            ..config
        },
        proxy_key: Patch::Keep,
        cells: CellChanges::default(),
        action: if enabled {
            "auth_config.enable"
        } else {
            "auth_config.disable"
        },
        detail: None,
    };
    change.write(tx).await?;
    change.record(tx, caller).await
}
