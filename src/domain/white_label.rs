//! White labels: OAuth clients of a tenant's own, found by their client id. One is a part of an auth config, so that
//! every dialect sees it.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::auth_setting::AuthKind;
use super::caller::Caller;
use super::catalogue::Entry;
use super::cells;
use super::error::{Error, Issue, Kind, Rule};
use super::ids::{AuthConfigUuid, IntegrationId};
use super::integration::Integration;
use super::resolve::{self, Resolved};
use super::scheme::Scheme;
use super::service::Service;
use super::white_label_change;
pub use super::white_label_client::{EmptyMembers, WhiteLabelChange, WhiteLabelClient};
use crate::crypto::TenantKeys;
use crate::json::Json;
use crate::store::keys::is_replaced;
use crate::store::white_labels::{self as rows, Search};
use crate::store::{Access, TenantTx, integrations, secrets};

/// The catalogue's slugs of services that Klavis' published list of OAuth servers has, though no scheme of their entry
/// is OAuth.
const OAUTH_ELSEWHERE: [&str; 7] = [
    "cal-com",
    "fathom",
    "honeycomb",
    "hugging-face",
    "jotform",
    "square",
    "vercel",
];

/// An OAuth client without its secret.
#[derive(Debug)]
pub struct WhiteLabel {
    /// The client's id.
    pub client_id: String,
    /// The service that it is for.
    pub integration: Integration,
    /// The auth config that it belongs to.
    pub config: AuthConfig,
}

impl Service {
    /// Makes the OAuth client, or changes the one of that id. It goes to the integration's auth config that has this
    /// client id; else to its default one, where that is implicit and holds no credential, or lacks a client; else to a
    /// new auth config. Where the id or the secret is empty, nothing is changed or made.
    pub async fn set_white_label(
        &self,
        caller: &Caller,
        change: WhiteLabelChange,
    ) -> Result<Result<WhiteLabel, EmptyMembers>, Error> {
        Error::when_any(change.client.broken_rules())?;
        if let Some(empty) = change.client.empty_members() {
            return match self.white_label_fault(caller, &change.service).await? {
                Some(rule) => Err(Error::Invalid(vec![Issue::at("service", rule)])),
                None => Ok(Err(empty)),
            };
        }
        let (caller, change) = (caller.clone(), Arc::new(change));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (caller, change) = (caller.clone(), Arc::clone(&change));
                Box::pin(
                    async move { white_label_change::write(tx, &caller, &keys, &change).await },
                )
            })
            .await
            .map(Ok)
    }

    /// The OAuth client of this id; of several (one client may serve many services) the one that was changed last. What
    /// a limited key may not use is not found.
    pub async fn white_label(&self, caller: &Caller, client_id: &str) -> Result<WhiteLabel, Error> {
        let (caller, client_id) = (caller.clone(), client_id.to_owned());
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
                let (caller, client_id) = (caller.clone(), client_id.clone());
                Box::pin(async move {
                    let missing = || Error::NotFound(Kind::WhiteLabel);
                    let allowed = caller.integrations.as_deref();
                    let config = look_up(tx, &keys, &client_id, allowed)
                        .await?
                        .ok_or_else(missing)?;
                    // The index is believed where the config has this very client id: a server of an older version
                    // changes the one without the other.
                    let cells = secrets::of_configs(tx, &[config.uuid.0]).await?;
                    let held = cells::client_id_of(tx.tenant(), &keys, &cells)?;
                    if held.as_ref().and_then(Json::as_str) != Some(client_id.as_str()) {
                        return Err(missing());
                    }
                    let integration = integrations::find(tx, config.integration)
                        .await?
                        .ok_or_else(missing)?;
                    Ok(WhiteLabel {
                        client_id,
                        integration,
                        config,
                    })
                })
            })
            .await
    }

    /// Why this caller cannot give the service of that name an OAuth client; `None` where it can.
    pub async fn white_label_fault(
        &self,
        caller: &Caller,
        service: &str,
    ) -> Result<Option<Rule>, Error> {
        let (caller, service) = (caller.clone(), service.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, service) = (caller.clone(), service.clone());
                Box::pin(async move { Ok(service_named(tx, &caller, &service).await?.err()) })
            })
            .await
    }
}

/// What the name leads to, where that can have an OAuth client, else the rule that it breaks. A service that the
/// catalogue does not know can.
pub(super) async fn service_named(
    tx: &mut TenantTx,
    caller: &Caller,
    name: &str,
) -> Result<Result<Resolved, Rule>, Error> {
    let Some(found) = resolve::open(tx, caller, name).await? else {
        return Ok(Err(Rule::UnknownService));
    };
    let entry = match &found {
        Resolved::Mine(integration) => integration.catalogue_entry(),
        Resolved::Template(entry) => Some(*entry),
    };
    Ok(if entry.is_none_or(has_oauth) {
        Ok(found)
    } else {
        Err(Rule::NoOAuthService)
    })
}

fn has_oauth(entry: &Entry) -> bool {
    let mut schemes = entry.schemes.iter().map(|scheme| scheme.mode.as_str());
    schemes.any(is_oauth) || OAUTH_ELSEWHERE.contains(&entry.slug.as_str())
}

fn is_oauth(scheme: &str) -> bool {
    Scheme::from_name(scheme).is_some_and(|scheme| AuthKind::of(&scheme).is_oauth())
}

/// The live config with the OAuth client of this id that was changed last, of these integrations only.
pub(super) async fn look_up(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    client_id: &str,
    integrations: Option<&[IntegrationId]>,
) -> Result<Option<AuthConfig>, Error> {
    let unindexed = unindexed(tx, keys, client_id).await?;
    let schemes: Vec<_> = Scheme::names().filter(|name| is_oauth(name)).collect();
    let search = Search {
        index: &cells::client_id_index(keys, client_id),
        unindexed: &unindexed,
        integrations,
        schemes: &schemes,
    };
    rows::find(tx, search).await
}

/// The configs whose client id is this one and was sealed before client ids had an index. Only such are opened.
async fn unindexed(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    client_id: &str,
) -> Result<Vec<uuid::Uuid>, Error> {
    let (mut found, mut after) = (Vec::new(), AuthConfigUuid(uuid::Uuid::nil()));
    loop {
        let some = rows::unindexed(tx, after).await?;
        let Some(last) = some.last() else {
            return Ok(found);
        };
        after = last.auth_config;
        for cell in some {
            match cells::view(tx.tenant(), keys, &cell) {
                Ok(value) if value.as_str() == Some(client_id) => found.push(cell.auth_config.0),
                Err(error) if is_replaced(&error) => return Err(error),
                Ok(_) => {}
                // A damaged cell of one client does not hide the others.
                Err(error) => {
                    tracing::error!(auth_config = %cell.auth_config, %error, "a client id cannot be opened");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::Catalogue;

    /// Once the catalogue has a scheme for one of them, it is to go from the list.
    #[test]
    fn the_services_that_are_named_apart_have_an_entry_without_oauth() {
        for slug in OAUTH_ELSEWHERE {
            let entry = Catalogue::built_in().find_name(slug);
            let entry = entry.unwrap_or_else(|| panic!("no entry is called {slug}"));
            assert_eq!(entry.slug, slug);
            assert!(has_oauth(entry));
            assert!(
                !entry.schemes.iter().any(|scheme| is_oauth(&scheme.mode)),
                "{slug}"
            );
        }
    }
}
