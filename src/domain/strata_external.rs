//! MCP servers that are nobody's integration, on their way into a strata.

use super::caller::Caller;
use super::error::{Error, Issue};
use super::ids::StrataId;
use super::limits::strata::too_many_external;
use super::strata::{Additions, ExternalServer, NewExternalServer, Services, each_once};
use crate::crypto::{Secret, TenantKeys};
use crate::json::Json;
use crate::store::strata::{self as rows, SealedServer};

/// What is to be put in, with headers sealed for this strata.
pub(super) fn sealed(
    keys: &TenantKeys,
    caller: &Caller,
    id: StrataId,
    additions: Additions,
) -> Result<(Services, Vec<SealedServer>), Error> {
    let external = each_once(additions.external)
        .into_iter()
        .map(|server| seal(keys, caller, id, server));
    Ok((additions.services, external.collect::<Result<_, _>>()?))
}

/// Refuses external servers to a limited key: they are no integration in its list.
pub(super) fn open_to(caller: &Caller, external: &[SealedServer]) -> Result<(), Error> {
    if external.is_empty() {
        Ok(())
    } else {
        caller.require_unlimited()
    }
}

/// Whether a strata would have too many external servers.
pub(super) fn too_many(present: &[ExternalServer], added: &[SealedServer]) -> Option<Issue> {
    let is_new = |server: &&SealedServer| present.iter().all(|known| known.name != server.name);
    let count = present.len() + added.iter().filter(is_new).count();
    too_many_external(count).map(|rule| Issue::at("external", rule))
}

/// An empty map of headers is none.
fn seal(
    keys: &TenantKeys,
    caller: &Caller,
    id: StrataId,
    server: NewExternalServer,
) -> Result<SealedServer, Error> {
    let headers = server.headers.filter(|headers| !headers.is_empty());
    let sealed_headers = headers.map(|headers| {
        let place = rows::place(caller.tenant, id, &server.name);
        keys.seal(&place, &Secret::json(&Json::Object(headers)))
    });
    Ok(SealedServer {
        sealed_headers: sealed_headers.transpose().map_err(Error::internal)?,
        name: server.name,
        url: server.url,
    })
}
