//! Making an auth config: what the service permits, and which row it gets.

use std::sync::Arc;

use super::auth_config::{AuthConfig, AuthConfigView, NewAuthConfig, OAuthClient};
use super::auth_configs::{apply, one_view, seal};
use super::auth_setting::AuthKind;
use super::caller::Caller;
use super::catalogue::Entry;
use super::cell_rules::is_redacted;
use super::cells::Cells;
use super::error::{Error, Kind, Refusal};
use super::integration::Integration;
use super::managed_apps::{self, ManagedApps};
use super::resolve::{self, Resolved};
use super::scheme::Scheme;
use crate::crypto::TenantKeys;
use crate::json::{Json, Object};
use crate::store::auth_configs as rows;
use crate::store::config_change::{ConfigChange, StoredConfig};
use crate::store::{TenantTx, connections, integrations, links};

/// The members that a custom OAuth 2 config cannot do without, with their display names.
const CLIENT_MEMBERS: [(&str, &str); 2] = [
    ("client_id", "Client id"),
    ("client_secret", "Client secret"),
];

pub(super) async fn create(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &Arc<TenantKeys>,
    apps: &ManagedApps,
    new: &NewAuthConfig,
) -> Result<AuthConfigView, Error> {
    let resolved = resolve::resolve(tx, caller, &new.toolkit)
        .await?
        .ok_or(Error::NotFound(Kind::Service))?;
    let (entry, toolkit) = match &resolved {
        Resolved::Mine(integration) => (
            integration.catalogue_entry(),
            integration.toolkit_slug().to_owned(),
        ),
        Resolved::Template(entry) => {
            caller.require_unlimited()?;
            (Some(*entry), entry.toolkit_slug().to_owned())
        }
    };
    let scheme = permitted(entry, toolkit, apps, new)?;
    let integration = match resolved {
        Resolved::Mine(integration) => integration,
        Resolved::Template(entry) => resolve::instantiate(tx, caller, entry).await?,
    };
    let integration = integrations::lock(tx, integration.id)
        .await?
        .ok_or(Error::NotFound(Kind::Service))?;
    let (mut config, takes_over) = row_for(tx, caller, &integration, scheme).await?;
    config.managed = new.scheme.is_none();
    if let Some(name) = &new.name {
        config.name.clone_from(name);
    }
    apply(&mut config, &new.settings);
    if AuthKind::of(&config.scheme).is_oauth() && holds_client(&new.settings.credentials) {
        config.oauth_client = Some(OAuthClient::default());
    }
    let stored = if takes_over {
        StoredConfig::load(tx, config).await?
    } else {
        StoredConfig::new(config)
    };
    let config = stored.config;
    let mut cells = Cells::of(tx.tenant(), Arc::clone(keys), config.uuid, stored.cells);
    let proxy_key = seal(
        &mut cells,
        &config,
        &new.settings,
        stored.proxy_key.as_deref(),
    )?;
    let change = ConfigChange {
        config,
        proxy_key,
        cells: cells.into_changes(),
        action: "auth_config.create",
        detail: None,
    };
    if takes_over {
        change.write(tx).await?;
    } else {
        rows::insert(tx, &change.config).await?;
        change.write_sealed(tx).await?;
    }
    change.record(tx, caller).await?;
    let stored = rows::find(tx, &change.config.id)
        .await?
        .ok_or(Error::NotFound(Kind::AuthConfig))?;
    one_view(tx, keys, stored).await
}

/// The scheme of the new config, where the service permits one.
fn permitted(
    entry: Option<&Entry>,
    toolkit: String,
    apps: &ManagedApps,
    new: &NewAuthConfig,
) -> Result<Scheme, Error> {
    if entry.is_some_and(Entry::needs_no_auth) {
        return Err(Error::Refused(Refusal::NoAuthApp { toolkit }));
    }
    let Some(scheme) = new.scheme.clone() else {
        // The tenant's own integration of the same name is another service than the operator's app is for.
        let app = entry.and_then(|entry| apps.of(entry));
        return match app {
            Some(_) => Ok(managed_apps::SCHEME),
            None => Err(Error::Refused(Refusal::NoManagedApp { toolkit })),
        };
    };
    let missing = CLIENT_MEMBERS
        .iter()
        .find(|(key, _)| !is_given(new.settings.credentials.get(key)));
    match missing {
        Some((_, field)) if scheme == Scheme::OAuth2 => {
            Err(Error::Refused(Refusal::MissingClientMember {
                field,
                scheme: scheme.name(),
                toolkit,
            }))
        }
        _ => Ok(scheme),
    }
}

fn is_given(value: Option<&Json>) -> bool {
    value.is_some_and(|value| !value.is_null() && value.as_str() != Some("") && !is_redacted(value))
}

pub(super) fn holds_client(credentials: &Object) -> bool {
    ["client_id", "client_secret", "auth_url", "token_url"]
        .iter()
        .any(|key| is_given(credentials.get(key)))
}

/// The row that a new explicit config gets: the implicit default's (`true`), or one of its own.
pub(super) async fn row_for(
    tx: &mut TenantTx,
    caller: &Caller,
    integration: &Integration,
    scheme: Scheme,
) -> Result<(AuthConfig, bool), Error> {
    let fresh = resolve::blank(caller, integration, scheme);
    match rows::lock_default(tx, integration.id).await? {
        Some(default)
            if default.implicit && !connections::any_credential_held(tx, default.uuid).await? =>
        {
            if default.scheme == Scheme::None && fresh.scheme != Scheme::None {
                // What needed no credential was ready or switched off without one.
                connections::start_anew(tx, default.uuid).await?;
            }
            // What came with a link was for the config as it was, and is no part of any credential that is asked about.
            links::end_of_config(tx, default.uuid).await?;
            let taken = AuthConfig {
                uuid: default.uuid,
                id: default.id,
                is_default: true,
                ..fresh
            };
            Ok((taken, true))
        }
        default => Ok((
            AuthConfig {
                is_default: default.is_none(),
                ..fresh
            },
            false,
        )),
    }
}
