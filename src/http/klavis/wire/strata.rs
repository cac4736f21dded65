//! What the operations on strata share: their ids, and external servers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Names;
use super::read::{null_or, text};
use super::services::services;
use crate::domain::error::{Expected, Rule};
use crate::domain::ids::StrataId;
use crate::domain::integration::Integration;
use crate::domain::limits::{broken_limits, strata::too_many_external};
use crate::domain::strata::{Additions, ExternalServer, NewExternalServer, Strata};
use crate::http::shape::{Faults, Members, array, map};
use crate::json::{Json, Object};

/// Why nothing is done about a known server.
pub(in crate::http::klavis) const NOT_IN_STRATA: &str = "This server is not part of this strata";

/// The strata that a text names. To pydantic it is any text, so one that is no id names a strata that never is.
pub(in crate::http::klavis) fn strata_named(text: &str) -> StrataId {
    text.parse().unwrap_or(StrataId::NOBODYS)
}

/// Where the user enters what a server needs, by the server's name as Klavis spells it.
pub(in crate::http::klavis) fn api_key_urls(strata: &Strata) -> BTreeMap<String, String> {
    let page = |integration: &Integration| {
        let url = strata.pages.get(&integration.id)?;
        Some((integration.klavis_name().to_owned(), url.clone()))
    };
    strata.services.iter().filter_map(page).collect()
}

/// `servers` and `externalServers` of a body, each of them optional and nullable.
pub(in crate::http::klavis) fn additions(
    members: &mut Members,
    names: &mut Names,
    faults: &mut Faults,
) -> Additions {
    let services = members.read("servers", faults, |json, faults| {
        null_or(|json, faults: &mut Faults| services(json, names, faults))(json, faults)
    });
    let external = members.read("externalServers", faults, null_or(external_servers));
    Additions {
        services: services.flatten().unwrap_or_default(),
        external: external.flatten().unwrap_or_default(),
    }
}

/// Servers that are nobody's integration.
fn external_servers(json: Json, faults: &mut Faults) -> Option<Vec<NewExternalServer>> {
    let elements = array(json, faults)?;
    if let Some(rule) = too_many_external(elements.len()) {
        faults.note_here(rule);
        return None;
    }
    let read: Vec<_> = elements
        .into_iter()
        .enumerate()
        .map(|(index, json)| faults.within(index, |faults| external_server(json, faults)))
        .collect();
    read.into_iter().collect()
}

fn external_server(json: Json, faults: &mut Faults) -> Option<NewExternalServer> {
    let mut members = faults.object(json)?;
    let known = faults.count();
    let server = NewExternalServer {
        name: members
            .read_required("name", faults, text)
            .unwrap_or_default(),
        url: members
            .read_required("url", faults, text)
            .unwrap_or_default(),
        headers: members.read("headers", faults, null_or(headers)).flatten(),
    };
    faults.merge_here(broken_limits(&server));
    faults.put_in_order(known, &["name", "url", "headers"]);
    (faults.count() == known).then_some(server)
}

/// Headers: a map from text to text or null. The values are secrets.
fn headers(json: Json, faults: &mut Faults) -> Option<Object> {
    let headers = map(json, faults)?;
    let known = faults.count();
    for (name, value) in headers.iter() {
        if !matches!(value, Json::String(_) | Json::Null) {
            let rule = Rule::Type {
                expected: Expected::String,
                received: value.kind(),
            };
            faults.note(name.to_owned(), rule);
        }
    }
    (faults.count() == known).then_some(headers)
}

/// An MCP server that is none of ours, to be put into a strata.
#[derive(ToSchema)]
#[schema(title = "ExternalServerRequest")]
#[expect(
    dead_code,
    reason = "the schema's type; requests are read by pydantic's rules"
)]
pub(in crate::http::klavis) struct ExternalServerRequest {
    /// Its name, unique in the strata.
    #[schema(min_length = 1, max_length = 255)]
    name: String,
    /// Where it is.
    #[schema(min_length = 1, max_length = 2048)]
    url: String,
    /// What is sent there as HTTP headers. Kept sealed and never shown again.
    headers: Option<BTreeMap<String, Option<String>>>,
}

/// An MCP server in a strata that is none of ours.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "ExternalServerInfo")]
pub(in crate::http::klavis) struct ExternalServerInfo {
    /// Its name.
    name: String,
    /// Where it is.
    url: String,
    /// Always null: headers hold secrets.
    headers: Option<BTreeMap<String, Option<String>>>,
}

impl From<ExternalServer> for ExternalServerInfo {
    fn from(server: ExternalServer) -> Self {
        Self {
            name: server.name,
            url: server.url,
            headers: None,
        }
    }
}
