//! What a caller can make auth configs for, told before it makes any: the catalogue and the tenant's own integrations,
//! each with its schemes and fields.

use std::collections::HashSet;
use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::catalogue::{self, Catalogue, Entry, MatchKey};
use super::error::{Error, Kind};
use super::expected_fields::{self, ExpectedField};
use super::integration::Integration;
use super::managed_apps::{self, ManagedApps};
use super::resolve::{self, Resolved};
use super::scheme::Scheme;
use super::servers;
use super::service::Service;
use crate::store::{Access, auth_configs, integrations};

/// A service that auth configs can be made for.
#[derive(Debug, Clone)]
pub struct Toolkit {
    /// The same on every server for a catalogue entry; the integration's id for one of the tenant's own.
    pub id: Uuid,
    /// As Composio spells it where Composio knows the service, else our own.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// What it is, in a sentence; may be empty.
    pub description: String,
    /// What the catalogue knows of it; `None` for an integration of the tenant's own.
    pub entry: Option<&'static Entry>,
    /// How users can authenticate, the usual way first.
    pub schemes: Vec<Scheme>,
    /// Whether the operator shares an OAuth app for it.
    pub managed: bool,
    /// When it was made; the catalogue's date for one of its entries.
    pub created_at: OffsetDateTime,
    /// When it was last changed; likewise.
    pub updated_at: OffsetDateTime,
}

/// A toolkit with the fields of each scheme.
#[derive(Debug, Clone)]
pub struct ToolkitDetail {
    /// The toolkit.
    pub toolkit: Toolkit,
    /// How users can authenticate, in the order of `schemes`.
    pub methods: Vec<Method>,
}

/// One way to authenticate.
#[derive(Debug, Clone)]
pub struct Method {
    /// The scheme.
    pub scheme: Scheme,
    /// What an auth config of it takes.
    pub creation: Vec<ExpectedField>,
    /// What a user gives when connecting.
    pub initiation: Vec<ExpectedField>,
    /// Where the service's API begins, unless that depends on who connects.
    pub base_url: Option<String>,
}

impl Toolkit {
    fn native(entry: &'static Entry, apps: &ManagedApps) -> Self {
        let revised = catalogue::REVISED.midnight().assume_utc();
        let schemes = entry.schemes.iter();
        Self {
            id: servers::id_of(&entry.slug),
            slug: entry.toolkit_slug().to_owned(),
            name: entry.name.clone(),
            description: entry.description.clone(),
            entry: Some(entry),
            schemes: schemes
                .filter_map(|scheme| Scheme::from_name(&scheme.mode))
                .collect(),
            managed: apps.of(entry).is_some(),
            created_at: revised,
            updated_at: revised,
        }
    }

    /// The scheme is that of the integration's default config; an integration without one reads as NONE.
    fn custom(integration: Integration, scheme: Option<Scheme>) -> Self {
        Self {
            id: integration.id.0,
            slug: integration.slug,
            name: integration.name,
            description: integration.description,
            entry: None,
            schemes: vec![scheme.unwrap_or(Scheme::None)],
            managed: false,
            created_at: integration.created_at,
            updated_at: integration.updated_at,
        }
    }

    /// The scopes that the operator's app may be asked for, as the catalogue knows them; `None` without such an app.
    pub fn managed_scopes(&self) -> Option<&'static [String]> {
        let entry = self.entry.filter(|_| self.managed)?;
        let scheme = entry.scheme(managed_apps::SCHEME.name())?;
        Some(&scheme.default_scopes)
    }

    /// The catalogue's topics; one of the tenant's own has none.
    pub fn categories(&self) -> &'static [String] {
        self.entry.map_or(&[], |entry| &entry.categories)
    }
}

impl ToolkitDetail {
    fn native(entry: &'static Entry, apps: &ManagedApps) -> Self {
        let methods = entry.schemes.iter().filter_map(|scheme| {
            Some(Method {
                scheme: Scheme::from_name(&scheme.mode)?,
                creation: expected_fields::templates(&scheme.config_fields),
                initiation: expected_fields::templates(&scheme.fields),
                base_url: fixed(scheme.base_url.as_deref()),
            })
        });
        Self {
            methods: methods.collect(),
            toolkit: Toolkit::native(entry, apps),
        }
    }

    fn custom(integration: Integration, config: Option<&AuthConfig>) -> Self {
        let scheme = config.map_or(Scheme::None, |config| config.scheme.clone());
        let fields = catalogue::config_fields(scheme.name());
        let initiation = config.map(|config| expected_fields::of(config, &integration, []));
        let method = Method {
            scheme: scheme.clone(),
            creation: expected_fields::templates(&fields),
            initiation: initiation.unwrap_or_default(),
            base_url: None,
        };
        Self {
            toolkit: Toolkit::custom(integration, Some(scheme)),
            methods: vec![method],
        }
    }

    /// Where the service's API begins, unless that depends on who connects or how.
    pub fn base_url(&self) -> Option<String> {
        fixed(self.toolkit.entry?.base_url.as_deref())
    }
}

/// A URL without placeholders.
fn fixed(url: Option<&str>) -> Option<String> {
    url.filter(|url| !url.contains('{')).map(str::to_owned)
}

impl Service {
    /// Every toolkit that the caller can name, in the order of the slugs: the catalogue but for what the tenant's own
    /// integrations shadow, and these. A limited key, which makes no integrations, sees those of its list only.
    pub async fn toolkits(&self, caller: &Caller) -> Result<Vec<Toolkit>, Error> {
        let allowed = caller.allowed();
        let mine = self
            .db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let allowed = allowed.clone();
                Box::pin(async move { integrations::with_schemes(tx, allowed.as_deref()).await })
            })
            .await?;
        let (made, own): (Vec<_>, Vec<_>) = mine
            .into_iter()
            .partition(|(integration, _)| integration.catalogue_entry().is_some());
        let taken: HashSet<_> = own
            .iter()
            .filter_map(|(integration, _)| MatchKey::of(&integration.slug))
            .collect();
        let entries: Vec<_> = match caller.integrations {
            None => Catalogue::built_in().entries().iter().collect(),
            Some(_) => made
                .iter()
                .filter_map(|(integration, _)| integration.catalogue_entry())
                .collect(),
        };
        let apps = &self.settings().managed_apps;
        let free = entries
            .into_iter()
            .filter(|entry| !is_shadowed(entry, &taken));
        let mut toolkits: Vec<_> = free.map(|entry| Toolkit::native(entry, apps)).collect();
        toolkits.extend(
            own.into_iter()
                .map(|(integration, scheme)| Toolkit::custom(integration, scheme)),
        );
        toolkits.sort_by(|one, other| one.slug.cmp(&other.slug));
        Ok(toolkits)
    }

    /// The toolkit of any of its names, with the fields of its schemes. What a limited key may not use is not found.
    pub async fn toolkit(&self, caller: &Caller, name: &str) -> Result<ToolkitDetail, Error> {
        let apps = Arc::clone(&self.settings().managed_apps);
        let (caller, name) = (caller.clone(), name.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, name, apps) = (caller.clone(), name.clone(), Arc::clone(&apps));
                Box::pin(async move {
                    let found = resolve::open(tx, &caller, &name).await?;
                    let integration = match found.ok_or(Error::NotFound(Kind::Service))? {
                        Resolved::Template(entry) => {
                            return Ok(ToolkitDetail::native(entry, &apps));
                        }
                        Resolved::Mine(integration) => integration,
                    };
                    if let Some(entry) = integration.catalogue_entry() {
                        return Ok(ToolkitDetail::native(entry, &apps));
                    }
                    let config = auth_configs::find_default(tx, integration.id).await?;
                    Ok(ToolkitDetail::custom(integration, config.as_ref()))
                })
            })
            .await
    }
}

/// Whether a name under which the entry is shown leads to an integration of the tenant's own instead.
pub(super) fn is_shadowed(entry: &Entry, taken: &HashSet<MatchKey>) -> bool {
    [entry.toolkit_slug(), &entry.slug]
        .into_iter()
        .filter_map(MatchKey::of)
        .any(|key| taken.contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_catalogue_is_one_toolkit_with_all_its_schemes() {
        let entries = Catalogue::built_in().entries();
        let apps = ManagedApps::default();
        let slugs: HashSet<_> = entries.iter().map(Entry::toolkit_slug).collect();
        assert_eq!(slugs.len(), entries.len());
        for entry in entries {
            let detail = ToolkitDetail::native(entry, &apps);
            assert_eq!(detail.methods.len(), entry.schemes.len(), "{}", entry.slug);
            assert_eq!(detail.toolkit.schemes.len(), entry.schemes.len());
        }
    }

    #[test]
    fn a_url_that_depends_on_who_connects_is_not_told() {
        assert_eq!(fixed(Some("https://{subdomain}.zendesk.com/api")), None);
        let fixed = fixed(Some("https://api.github.com"));
        assert_eq!(fixed.as_deref(), Some("https://api.github.com"));
    }
}
