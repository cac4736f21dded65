//! From the names of services to the integrations that go into a strata, or out of it.

use std::collections::HashSet;

use super::caller::Caller;
use super::catalogue::{Catalogue, Entry, match_key};
use super::connection::NewInstance;
use super::connections::primary_of;
use super::error::{Error, Issue, Refusal, Rule};
use super::integration::Integration;
use super::resolve::{self, Resolved};
use super::strata::Services;
use crate::store::{TenantTx, begin_anew, connections, integrations, users};

/// The services that a change names: what the names lead to, each once and in order, and what is wrong with the names,
/// at `services` and the name's index.
pub(super) async fn named(
    tx: &mut TenantTx,
    caller: &Caller,
    names: &[String],
) -> Result<(Vec<Resolved>, Vec<Issue>), Error> {
    let mut found: Vec<Resolved> = Vec::new();
    let mut issues = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let Some(service) = resolve::open(tx, caller, name).await? else {
            let path = vec!["services".into(), index.into()];
            issues.push(Issue::new(path, Rule::UnknownService));
            continue;
        };
        if found.iter().all(|known| slug(known) != slug(&service)) {
            found.push(service);
        }
    }
    Ok((found, issues))
}

/// Every integration of the tenant that answers to a name of the catalogue and that the caller may use, by slug.
pub(super) async fn all(tx: &mut TenantTx, caller: &Caller) -> Result<Vec<Resolved>, Error> {
    let entries = Catalogue::built_in().entries().iter();
    let mut keys: Vec<String> = entries.flat_map(Entry::names).map(match_key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found = integrations::find_by_keys(tx, &keys).await?;
    found.retain(|integration| caller.may_use(integration.id));
    found.sort_unstable_by(|one, other| one.slug.cmp(&other.slug));
    Ok(found.into_iter().map(Resolved::Mine).collect())
}

/// Makes the integrations that are not there yet, the user, and the user's primary connections with all of them. Where
/// `services` is all there are, those whose default config is disabled are left out; one that was named is refused.
///
/// Rows are made and locked in the order of the integrations' keys, so that requests that name the same ones in another
/// order do not wait for each other in a circle; and only where the user lacks a connection. To the others the strata
/// merely refers, which waits for nobody's lock. The user comes after the integrations, as where one connection is made,
/// and stays until the transaction ends. Where a connection that was there is gone by then, its integration would be
/// locked after the user: all is tried again instead.
pub(super) async fn connected(
    tx: &mut TenantTx,
    caller: &Caller,
    user_id: &str,
    services: &Services,
    found: Vec<Resolved>,
) -> Result<Vec<Integration>, Error> {
    let mut in_order: Vec<(usize, Resolved)> = found.into_iter().enumerate().collect();
    in_order.sort_by_cached_key(|(_, service)| match_key(slug(service)));
    let mut made = Vec::with_capacity(in_order.len());
    for (place, service) in in_order {
        let integration = match service {
            Resolved::Mine(integration) => integration,
            Resolved::Template(entry) => resolve::instantiate(tx, caller, entry).await?,
        };
        made.push((place, integration));
    }
    let mut connected = HashSet::new();
    for (_, integration) in &made {
        let has_one = connections::find_primary(tx, integration.id, user_id).await?;
        if has_one.is_some() {
            connected.insert(integration.id);
        } else {
            integrations::lock(tx, integration.id).await?;
        }
    }
    users::ensure(tx, user_id).await?;
    let new = NewInstance {
        service: String::new(),
        user_id: user_id.to_owned(),
        platform: None,
        read_only: false,
    };
    let mut ready = Vec::with_capacity(made.len());
    for (place, integration) in made {
        if connected.contains(&integration.id) {
            let still = connections::find_primary(tx, integration.id, user_id).await?;
            still.ok_or_else(begin_anew)?;
            ready.push((place, integration));
            continue;
        }
        match primary_of(tx, caller, &integration, &new).await {
            Ok(_) => ready.push((place, integration)),
            Err(Error::Refused(Refusal::AuthConfigDisabled))
                if matches!(services, Services::All) => {}
            Err(error) => return Err(error),
        }
    }
    ready.sort_unstable_by_key(|(place, _)| *place);
    Ok(ready
        .into_iter()
        .map(|(_, integration)| integration)
        .collect())
}

fn slug(service: &Resolved) -> &str {
    match service {
        Resolved::Mine(integration) => &integration.slug,
        Resolved::Template(entry) => &entry.slug,
    }
}
