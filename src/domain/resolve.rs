//! From the name of a service to an integration of the tenant (design: "Match key").

use std::collections::{BTreeSet, HashMap};

use time::OffsetDateTime;

use super::auth_config::{AuthConfig, ToolAccess};
use super::caller::Caller;
use super::catalogue::{Catalogue, Entry, MatchKey};
use super::error::Error;
use super::ids::{AuthConfigId, AuthConfigUuid, IntegrationId, random_suffix};
use super::integration::Integration;
use super::scheme::Scheme;
use crate::store::{TenantTx, audit, auth_configs, integrations};

/// What a name leads to.
#[derive(Debug)]
pub(super) enum Resolved {
    /// An integration of the tenant, which this caller may use.
    Mine(Integration),
    /// A catalogue entry that the tenant has no integration of yet.
    Template(&'static Entry),
}

impl Resolved {
    /// The name as Klavis spells it where Klavis knows the service, else our own name.
    pub(super) fn klavis_name(&self) -> &str {
        match self {
            Self::Mine(integration) => integration.klavis_name(),
            Self::Template(entry) => entry.klavis.as_deref().unwrap_or(&entry.name),
        }
    }
}

/// What `name` leads to, if anything: the tenant's own integration of that match key, then the one made from the
/// catalogue entry of that key, then the entry itself, then a unique display name. What a limited key may not use is
/// unknown to it.
pub(super) async fn resolve(
    tx: &mut TenantTx,
    caller: &Caller,
    name: &str,
) -> Result<Option<Resolved>, Error> {
    // A match key has no room for U+0000, and no service has it in its name.
    if name.contains('\0') {
        return Ok(None);
    }
    let key = MatchKey::of(name);
    let entry = Catalogue::built_in().find_name(name);
    let from_entry = entry.and_then(|entry| MatchKey::of(&entry.slug));
    let keys: Vec<String> = key
        .iter()
        .chain(&from_entry)
        .map(|key| key.as_str().to_owned())
        .collect();
    let mut found = integrations::find_by_keys(tx, &keys).await?;
    let own = found
        .iter()
        .position(|integration| MatchKey::of(&integration.slug) == key)
        .unwrap_or(0);
    let mine = if found.is_empty() {
        None
    } else {
        Some(found.swap_remove(own))
    };
    match (mine, entry) {
        (Some(integration), _) => Ok(usable(caller, integration)),
        (None, Some(entry)) => Ok(Some(Resolved::Template(entry))),
        (None, None) => {
            let named = integrations::find_by_unique_name(tx, name).await?;
            Ok(named.and_then(|integration| usable(caller, integration)))
        }
    }
}

/// What `name` leads to, if this caller may use it, or make it where it is not there yet. A limited key makes no
/// integrations.
pub(super) async fn open(
    tx: &mut TenantTx,
    caller: &Caller,
    name: &str,
) -> Result<Option<Resolved>, Error> {
    let found = resolve(tx, caller, name).await?;
    Ok(found.filter(|found| match found {
        Resolved::Mine(integration) => caller.may_use(integration.id),
        Resolved::Template(_) => caller.integrations.is_none(),
    }))
}

/// Every integration of the tenant that `names` lead to, each once; a name that leads to none is left out. It leads to
/// what [`resolve`] says, with two statements however many there are.
pub(super) async fn resolve_existing(
    tx: &mut TenantTx,
    caller: &Caller,
    names: &[String],
) -> Result<Vec<IntegrationId>, Error> {
    let names = names.iter().filter(|name| !name.contains('\0'));
    let with_keys: Vec<_> = names
        .map(|name| {
            let entry = Catalogue::built_in().find_name(name);
            let from_entry = entry.and_then(|entry| MatchKey::of(&entry.slug));
            (name, MatchKey::of(name), from_entry)
        })
        .collect();
    let keys: BTreeSet<String> = with_keys
        .iter()
        .flat_map(|(_, key, from_entry)| key.iter().chain(from_entry))
        .map(|key| key.as_str().to_owned())
        .collect();
    let found = integrations::find_by_keys(tx, &keys.into_iter().collect::<Vec<_>>()).await?;
    let by_key: HashMap<_, _> = found
        .iter()
        .map(|integration| (MatchKey::of(&integration.slug), integration.id))
        .collect();
    let (mut ids, mut others) = (BTreeSet::new(), Vec::new());
    for (name, key, from_entry) in with_keys {
        let of_key = |key: &Option<MatchKey>| key.is_some().then(|| by_key.get(key)).flatten();
        match of_key(&key).or_else(|| of_key(&from_entry)) {
            Some(id) => _ = ids.insert(*id),
            None if from_entry.is_none() => others.push(name.clone()),
            None => {}
        }
    }
    if !others.is_empty() {
        ids.extend(integrations::find_by_unique_names(tx, &others).await?);
    }
    let usable = ids.into_iter().filter(|id| caller.may_use(*id));
    Ok(usable.collect())
}

fn usable(caller: &Caller, integration: Integration) -> Option<Resolved> {
    caller
        .may_use(integration.id)
        .then_some(Resolved::Mine(integration))
}

/// Makes the tenant's integration of a catalogue entry. Where another request makes it now, that one is taken.
pub(super) async fn instantiate(
    tx: &mut TenantTx,
    caller: &Caller,
    entry: &'static Entry,
) -> Result<Integration, Error> {
    let key = MatchKey::of(&entry.slug)
        .ok_or_else(|| Error::internal("a catalogue entry has no match key"))?;
    let row = integrations::NewRow {
        id: IntegrationId::new(),
        match_key: key.as_str(),
        slug: &entry.slug,
        name: &entry.name,
        description: &entry.description,
        catalogue_slug: Some(&entry.slug),
    };
    if let Some(made) = integrations::insert(tx, &row).await? {
        record_creation(tx, caller, &made).await?;
        return Ok(made);
    }
    let mut found = integrations::find_by_keys(tx, &[key.as_str().to_owned()]).await?;
    found
        .pop()
        .ok_or_else(|| Error::internal("an integration is neither there nor can it be made"))
}

/// The audit row of a new integration.
pub(super) async fn record_creation(
    tx: &mut TenantTx,
    caller: &Caller,
    made: &Integration,
) -> Result<(), Error> {
    let id = made.id.to_string();
    let event = audit::Event {
        action: "integration.create",
        object_kind: "integration",
        object_id: &id,
        detail: Some(serde_json::json!({ "slug": made.slug })),
    };
    audit::append(tx, caller, event).await.map(|_| ())
}

/// The default config of an integration, made where there is none: implicit, with the scheme that most users of the
/// service use, or none. The caller holds the integration's lock.
pub(super) async fn ensure_default(
    tx: &mut TenantTx,
    caller: &Caller,
    integration: &Integration,
) -> Result<AuthConfig, Error> {
    if let Some(config) = auth_configs::lock_default(tx, integration.id).await? {
        return Ok(config);
    }
    let scheme = implicit_scheme(integration.catalogue_entry());
    let config = AuthConfig {
        implicit: true,
        is_default: true,
        ..blank(caller, integration, scheme)
    };
    auth_configs::insert(tx, &config).await?;
    record_implicit(tx, caller, &config).await?;
    Ok(config)
}

/// The scheme of a default config that we make in passing: the one that most users of the service use, or none.
pub(super) fn implicit_scheme(entry: Option<&Entry>) -> Scheme {
    entry
        .and_then(|entry| Scheme::from_name(&entry.default_scheme))
        .unwrap_or(Scheme::None)
}

/// The audit row of a config that we made in passing.
pub(super) async fn record_implicit(
    tx: &mut TenantTx,
    caller: &Caller,
    config: &AuthConfig,
) -> Result<(), Error> {
    let event = audit::Event {
        action: "auth_config.create",
        object_kind: "auth_config",
        object_id: config.id.as_str(),
        detail: Some(serde_json::json!({ "implicit": true })),
    };
    audit::append(tx, caller, event).await.map(|_| ())
}

/// A config of this integration with nothing said but the scheme: explicit and not the default.
pub(super) fn blank(caller: &Caller, integration: &Integration, scheme: Scheme) -> AuthConfig {
    let now = OffsetDateTime::now_utc();
    AuthConfig {
        uuid: AuthConfigUuid::new(),
        id: AuthConfigId::new(),
        integration: integration.id,
        is_default: false,
        implicit: false,
        name: format!("{}-{}", integration.toolkit_slug(), random_suffix(6)),
        scheme,
        managed: false,
        enabled: true,
        tools: ToolAccess::default(),
        proxy_url: None,
        tool_router: false,
        test_code: None,
        fields: Vec::new(),
        oauth_client: None,
        version: 1,
        created_by: caller.key.0.clone(),
        created_at: now,
        updated_at: now,
    }
}
