//! What a caller can connect users to: the catalogue, and the tenant's own integrations.

use std::collections::HashSet;

use uuid::Uuid;

use super::caller::Caller;
use super::catalogue::{Catalogue, Entry, MatchKey};
use super::error::Error;
use super::integration::Integration;
use super::scheme::Scheme;
use super::service::Service;
use crate::store::{Access, integrations};

/// The namespace of the ids of servers (RFC 9562 section 5.5), made up for this one purpose: an id is the version 5 UUID
/// of a match key in it. So a service has one id in every tenant and on every server, whether or not an integration was
/// made of it yet. It must never change.
const SERVERS: Uuid = Uuid::from_u128(0x08db_14cc_d600_4a4f_8cfd_5405_4c4f_bc05);

/// A service that users can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Of its match key, the same everywhere.
    pub id: Uuid,
    /// As Klavis spells it where Klavis knows it, else its own name.
    pub name: String,
    /// What it is, in a sentence.
    pub description: Option<String>,
    /// Whether a new connection needs a credential.
    pub auth_needed: bool,
}

impl Server {
    /// The scheme is that of the integration's default config; an integration without one reads as NONE.
    fn mine(integration: &Integration, scheme: Option<&Scheme>) -> Self {
        let description = integration.description.clone();
        Self {
            id: id_of(&integration.slug),
            name: integration.klavis_name().to_owned(),
            description: (!description.is_empty()).then_some(description),
            auth_needed: scheme.is_some_and(|scheme| *scheme != Scheme::None),
        }
    }

    fn template(entry: &Entry) -> Self {
        Self {
            id: id_of(&entry.slug),
            name: name_of(entry).to_owned(),
            description: Some(entry.description.clone()),
            auth_needed: Scheme::from_name(&entry.default_scheme) != Some(Scheme::None),
        }
    }
}

impl Service {
    /// Every service that the caller can name, in the order of their names: the catalogue, and the tenant's own
    /// integrations, each in the place of the entry whose name leads to it. A limited key, which makes no integrations,
    /// sees those of its list only.
    pub async fn servers(&self, caller: &Caller) -> Result<Vec<Server>, Error> {
        let allowed = caller.allowed();
        let mine = self
            .db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let allowed = allowed.clone();
                Box::pin(async move { integrations::with_schemes(tx, allowed.as_deref()).await })
            })
            .await?;
        let keys: HashSet<_> = mine
            .iter()
            .filter_map(|(integration, _)| MatchKey::of(&integration.slug))
            .collect();
        let mut servers: Vec<_> = mine
            .iter()
            .map(|(integration, scheme)| Server::mine(integration, scheme.as_ref()))
            .collect();
        if caller.integrations.is_none() {
            let entries = Catalogue::built_in().entries().iter();
            let free = entries.filter(|entry| !is_shadowed(entry, &keys));
            servers.extend(free.map(Server::template));
        }
        servers.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
        Ok(servers)
    }
}

/// The name under which an entry is listed.
fn name_of(entry: &Entry) -> &str {
    entry.klavis.as_deref().unwrap_or(&entry.name)
}

/// Whether the entry's listed name, or its slug, leads to one of these integrations instead.
fn is_shadowed(entry: &Entry, keys: &HashSet<MatchKey>) -> bool {
    [name_of(entry), &entry.slug]
        .into_iter()
        .filter_map(MatchKey::of)
        .any(|key| keys.contains(&key))
}

/// The id of a service of this slug.
pub(super) fn id_of(slug: &str) -> Uuid {
    let key = super::catalogue::match_key(slug);
    Uuid::new_v5(&SERVERS, key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_the_match_key_and_stays() {
        assert_eq!(id_of("google-calendar"), id_of("GOOGLE_CALENDAR"));
        assert_ne!(id_of("gmail"), id_of("google-calendar"));
        assert_eq!(id_of("gmail").get_version_num(), 5);
        assert_eq!(
            id_of("gmail").to_string(),
            "d4841317-c7bf-5a66-88ca-e7391f2e4b89"
        );
    }

    #[test]
    fn no_two_entries_of_the_catalogue_are_one_server() {
        let entries = Catalogue::built_in().entries();
        let ids: HashSet<_> = entries
            .iter()
            .map(|entry| Server::template(entry).id)
            .collect();
        let names: HashSet<_> = entries.iter().map(name_of).collect();
        assert_eq!((ids.len(), names.len()), (entries.len(), entries.len()));
    }
}
