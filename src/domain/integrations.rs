//! The rules of integrations: making and reading them.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::catalogue::match_key;
use super::cells::Cells;
use super::error::{Error, Kind, Refusal};
use super::ids::{IntegrationId, random_suffix};
use super::integration::{Integration, IntegrationDetail, NewIntegration};
use super::limits;
use super::resolve;
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::{Access, TenantTx, auth_configs, integrations};

impl Service {
    /// Makes an integration of the tenant's own, with an implicit default config of scheme NONE.
    pub async fn create_integration(
        &self,
        caller: &Caller,
        new: NewIntegration,
    ) -> Result<Integration, Error> {
        caller.require_unlimited()?;
        Error::when_any(limits::broken_limits(&new))?;
        let (caller, new) = (caller.clone(), Arc::new(new));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, new) = (caller.clone(), Arc::clone(&new));
                Box::pin(async move {
                    let made = insert(tx, &new).await?;
                    let implicit = resolve::blank(&caller, &made, Scheme::None);
                    let implicit = AuthConfig {
                        is_default: true,
                        implicit: true,
                        ..implicit
                    };
                    auth_configs::insert(tx, &implicit).await?;
                    resolve::record_implicit(tx, &caller, &implicit).await?;
                    resolve::record_creation(tx, &caller, &made).await?;
                    Ok(made)
                })
            })
            .await
    }

    /// One integration with its default config. Another tenant's is not found; one that a limited key may not use is
    /// refused openly.
    pub async fn integration(
        &self,
        caller: &Caller,
        id: IntegrationId,
    ) -> Result<IntegrationDetail, Error> {
        let caller = caller.clone();
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
                let (caller, keys) = (caller.clone(), Arc::clone(&keys));
                Box::pin(async move {
                    let integration = accessible(&caller, integrations::find(tx, id).await?)?;
                    detail(tx, &keys, integration).await
                })
            })
            .await
    }
}

pub(super) fn accessible(
    caller: &Caller,
    found: Option<Integration>,
) -> Result<Integration, Error> {
    let integration = found.ok_or(Error::NotFound(Kind::Integration))?;
    if caller.may_use(integration.id) {
        Ok(integration)
    } else {
        Err(Error::NoAccess)
    }
}

/// Finds a free slug for the name and makes the row: `slug`, else `slug-2` and so on.
async fn insert(tx: &mut TenantTx, new: &NewIntegration) -> Result<Integration, Error> {
    let stem = slug_of(&new.name);
    let id = IntegrationId::new();
    for _ in 0..ATTEMPTS {
        let taken = integrations::keys_beginning_with(tx, &match_key(&stem)).await?;
        let slug = (1..=u32::MAX)
            .map(|number| match number {
                1 => stem.clone(),
                _ => format!("{stem}-{number}"),
            })
            .find(|slug| !taken.contains(&match_key(slug)))
            .ok_or_else(|| Error::internal("no number is left for a slug"))?;
        let row = integrations::NewRow {
            id,
            match_key: &match_key(&slug),
            slug: &slug,
            name: &new.name,
            description: &new.description,
            catalogue_slug: None,
        };
        // Another request may take the same slug now: then the next one is free.
        if let Some(made) = integrations::insert(tx, &row).await? {
            return Ok(made);
        }
    }
    Err(Error::Refused(Refusal::NameTaken))
}

/// How often a free slug is looked for.
const ATTEMPTS: usize = 5;

/// `[a-z0-9-]` of a name: everything else becomes one hyphen. A name with a letter or digit that would be lost gets a
/// made-up slug, so that `Café` does not answer to `Caf`.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    let mut loses = false;
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            slug.push(character);
            continue;
        }
        loses |= character.is_alphanumeric();
        if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() || loses {
        format!("integration-{}", random_suffix(6))
    } else {
        slug.to_owned()
    }
}

pub(super) async fn detail(
    tx: &mut TenantTx,
    keys: &Arc<TenantKeys>,
    integration: Integration,
) -> Result<IntegrationDetail, Error> {
    let auth = auth_configs::find_default(tx, integration.id).await?;
    let oauth_scopes = match auth.as_ref().filter(|config| config.oauth_client.is_some()) {
        Some(config) => Cells::load(tx, Arc::clone(keys), config.uuid)
            .await?
            .scopes()?,
        None => None,
    };
    Ok(IntegrationDetail {
        integration,
        auth,
        oauth_scopes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        assert_eq!(slug_of("Google Calendar"), "google-calendar");
        assert_eq!(slug_of("  United -- API v2! "), "united-api-v2");
        assert!(slug_of("Café").starts_with("integration-"));
        assert!(slug_of("日本語").starts_with("integration-"));
        assert_ne!(slug_of("🔑"), slug_of("🔑"));
    }
}
