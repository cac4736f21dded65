//! The rules of setting an OAuth client by its client id: which auth config it goes to, and what becomes of that.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::auth_config_creation::row_for;
use super::caller::Caller;
use super::cells::{Cells, client_id_of};
use super::error::{Error, Issue, Kind, Rule};
use super::ids::IntegrationId;
use super::integration::Integration;
use super::patch::Patch;
use super::resolve::{self, Resolved};
use super::scheme::Scheme;
use super::white_label::{WhiteLabel, look_up, service_named};
use super::white_label_client::WhiteLabelChange;
use crate::crypto::TenantKeys;
use crate::json::Json;
use crate::store::auth_configs as rows;
use crate::store::config_change::{ConfigChange, StoredConfig};
use crate::store::secrets::CellKind;
use crate::store::{TenantTx, begin_anew, integrations};

/// How often a config may lose its client id to others between being found and being locked.
const ATTEMPTS: u32 = 3;

/// The config that a client goes to.
struct Target {
    stored: StoredConfig,
    /// Whether it is not in the table yet.
    is_new: bool,
    /// The audit row's action.
    action: &'static str,
}

/// Sets the client, with its audit row.
pub(super) async fn write(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    change: &WhiteLabelChange,
) -> Result<WhiteLabel, Error> {
    let given = &change.client;
    let client_id = given.client_id.as_ref().ok_or_else(required("client_id"))?;
    let client_secret = given
        .client_secret
        .as_ref()
        .ok_or_else(required("client_secret"))?;
    let integration = integration(tx, caller, &change.service).await?;
    let target = target(tx, caller, keys, &integration, client_id).await?;
    let StoredConfig {
        mut config, cells, ..
    } = target.stored;
    let client = config.oauth_client.get_or_insert_default();
    client.callback_url = changed(&given.callback_url, client.callback_url.take());
    client.account_id = changed(&given.account_id, client.account_id.take());
    config.implicit = false;
    let mut cells = Cells::of(tx.tenant(), Arc::clone(keys), config.uuid, cells);
    for (name, text) in [("client_id", client_id), ("client_secret", client_secret)] {
        cells.set(CellKind::Credential, name, &Json::String(text.clone()))?;
    }
    let write = ConfigChange {
        config,
        proxy_key: Patch::Keep,
        cells: cells.into_changes(),
        action: target.action,
        detail: Some(serde_json::json!({ "white_label": true })),
    };
    if target.is_new {
        rows::insert(tx, &write.config).await?;
        write.write_sealed(tx).await?;
    } else {
        write.write(tx).await?;
    }
    write.record(tx, caller).await?;
    let config = rows::find(tx, &write.config.id)
        .await?
        .ok_or(Error::NotFound(Kind::WhiteLabel))?;
    Ok(WhiteLabel {
        client_id: client_id.to_string(),
        integration,
        config,
    })
}

fn required(member: &'static str) -> impl FnOnce() -> Error {
    move || Error::Invalid(vec![Issue::at(member, Rule::Required)])
}

/// An open member after a change; the empty text clears.
fn changed(change: &Patch<String>, before: Option<String>) -> Option<String> {
    change.clone().apply(before).filter(|text| !text.is_empty())
}

/// The integration of the service, made where there is none, and locked: of two that set one client at once, the second
/// finds what the first made.
async fn integration(
    tx: &mut TenantTx,
    caller: &Caller,
    service: &str,
) -> Result<Integration, Error> {
    let broken = |rule| Error::Invalid(vec![Issue::at("service", rule)]);
    let found = match service_named(tx, caller, service).await? {
        Ok(Resolved::Mine(integration)) => integration,
        Ok(Resolved::Template(entry)) => resolve::instantiate(tx, caller, entry).await?,
        Err(rule) => return Err(broken(rule)),
    };
    integrations::lock(tx, found.id)
        .await?
        .ok_or_else(|| broken(Rule::UnknownService))
}

async fn target(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    integration: &Integration,
    client_id: &str,
) -> Result<Target, Error> {
    let is_new = false;
    if let Some(stored) = holder(tx, keys, integration.id, client_id).await? {
        let action = "auth_config.update";
        return Ok(Target {
            stored,
            is_new,
            action,
        });
    }
    let action = "auth_config.create";
    let fresh = match row_for(tx, caller, integration, Scheme::OAuth2).await? {
        (taken, true) => {
            let stored = StoredConfig::load(tx, taken).await?;
            return Ok(Target {
                stored,
                is_new,
                action,
            });
        }
        (fresh, false) => fresh,
    };
    match without_client(tx, keys, integration.id).await? {
        Some(stored) => Ok(Target {
            stored,
            is_new,
            action: "auth_config.update",
        }),
        None => Ok(Target {
            stored: StoredConfig::new(fresh),
            is_new: true,
            action,
        }),
    }
}

/// The integration's config with this client id, locked. Other dialects change configs without holding the integration,
/// so that the client id may have gone when the lock is there: then it is looked for again.
async fn holder(
    tx: &mut TenantTx,
    keys: &Arc<TenantKeys>,
    integration: IntegrationId,
    client_id: &str,
) -> Result<Option<StoredConfig>, Error> {
    for _ in 0..ATTEMPTS {
        let Some(found) = look_up(tx, keys, client_id, Some(&[integration])).await? else {
            return Ok(None);
        };
        let Some(config) = rows::lock(tx, &found.id).await? else {
            continue;
        };
        let stored = StoredConfig::load(tx, config).await?;
        let held = client_id_of(tx.tenant(), keys, &stored.cells)?;
        if held.as_ref().and_then(Json::as_str) == Some(client_id) {
            return Ok(Some(stored));
        }
    }
    Err(begin_anew())
}

/// The default config, locked, where it is one for an OAuth client and has none.
async fn without_client(
    tx: &mut TenantTx,
    keys: &Arc<TenantKeys>,
    integration: IntegrationId,
) -> Result<Option<StoredConfig>, Error> {
    let default = rows::lock_default(tx, integration).await?;
    let takes_one = |config: &AuthConfig| config.scheme == Scheme::OAuth2 && !config.managed;
    let Some(config) = default.filter(takes_one) else {
        return Ok(None);
    };
    let stored = StoredConfig::load(tx, config).await?;
    let held = client_id_of(tx.tenant(), keys, &stored.cells)?;
    Ok(held.is_none().then_some(stored))
}
