//! `DELETE /mcp-server/strata/{strataId}/servers`: servers out of a strata.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, Invalid, NoStrata};
use super::wire::{self, query};
use crate::domain::Service;
use crate::domain::error::Issue;
use crate::domain::strata::{Removals, Removed};
use crate::http::extract::{Authorized, ConnectionsWrite, FromQuery, PathTexts, Query};
use crate::http::failure::Failure;

/// What is to be taken out, as it was read. Further parameters are ignored.
#[derive(Debug)]
pub(super) struct RemovalsQuery(wire::Named<Removals>);

impl FromQuery for RemovalsQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let services = wire::services_in_query(query::all(pairs, "servers"), &mut names);
        let request = services.map(|services| Removals {
            services,
            external: query::last(pairs, "externalServers").map(str::to_owned),
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

/// What was taken out; what was not in the strata is left out.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "StrataDeleteServersResponse")]
pub(super) struct StrataDeleteServersResponse {
    /// The servers, as Klavis spells them.
    deleted_servers: Vec<String>,
    /// The names of the servers of others.
    deleted_external_servers: Vec<String>,
}

impl From<Removed> for StrataDeleteServersResponse {
    fn from(removed: Removed) -> Self {
        Self {
            deleted_servers: wire::klavis_names(&removed.services),
            deleted_external_servers: removed.external,
        }
    }
}

#[utoipa::path(
    delete,
    path = "/mcp-server/strata/{strataId}/servers",
    tag = "mcp-server",
    operation_id = "deleteServersFromStrata",
    summary = "Delete Servers From Strata",
    description = "Takes servers out of a strata. The user's connections stay.",
    security(("HTTPBearer" = [])),
    params(
        ("strataId" = String, Path, description = "The strata's id"),
        ("servers" = Option<Vec<String>>, Query, description = "Names of servers in any spelling, or ALL"),
        ("externalServers" = Option<String>, Query, description = "Names of servers of others, separated by commas; all are unknown to an API key that is limited to some integrations")
    ),
    responses(
        (status = 200, description = "Successful Response", body = StrataDeleteServersResponse),
        Failures,
        Invalid,
        NoStrata
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    path: PathTexts<1>,
    query: Query<RemovalsQuery>,
) -> Result<Json<StrataDeleteServersResponse>, Failure> {
    let removals = query.valid()?.0.wholly_checked(&service, &caller).await?;
    let [strata] = path.0;
    let id = wire::strata_named(&strata);
    let removed = service.remove_from_strata(&caller, id, removals).await;
    Ok(Json(removed.map_err(wire::at_query_names)?.into()))
}
