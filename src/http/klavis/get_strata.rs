//! `GET /mcp-server/strata/{strataId}`: what is in a strata.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, NoStrata};
use super::wire::{self, ExternalServerInfo};
use crate::domain::Service;
use crate::domain::strata::Strata;
use crate::http::extract::{Authorized, ConnectionsRead, PathTexts};
use crate::http::failure::Failure;

/// A strata with what is in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "StrataGetResponse")]
pub(super) struct StrataGetResponse {
    /// Where its MCP server is.
    strata_server_url: String,
    /// Its id.
    strata_id: String,
    /// The servers in it, as Klavis spells them.
    connected_servers: Vec<String>,
    /// The servers of others in it; none where the API key is limited to some integrations.
    connected_external_servers: Vec<ExternalServerInfo>,
    /// Where the user agrees at the provider, by server; only those whose page is there.
    #[schema(required = false)]
    oauth_urls: BTreeMap<String, String>,
    /// Where the user enters an API key or the like, by server: of servers that still need one. Each is good for ten
    /// minutes, once; only for keys with `connections:write`.
    #[schema(required = false)]
    api_key_urls: BTreeMap<String, String>,
}

impl From<Strata> for StrataGetResponse {
    fn from(strata: Strata) -> Self {
        let api_key_urls = wire::api_key_urls(&strata);
        Self {
            strata_id: strata.id.to_string(),
            strata_server_url: strata.url,
            connected_servers: wire::klavis_names(&strata.services),
            connected_external_servers: strata.external.into_iter().map(Into::into).collect(),
            oauth_urls: BTreeMap::new(),
            api_key_urls,
        }
    }
}

#[utoipa::path(
    get,
    path = "/mcp-server/strata/{strataId}",
    tag = "mcp-server",
    operation_id = "getStrataServer",
    summary = "Get Strata Server",
    description = "Shows a strata: its URL and the servers in it. Never a secret.",
    security(("HTTPBearer" = [])),
    params(("strataId" = String, Path, description = "The strata's id")),
    responses(
        (status = 200, description = "Successful Response", body = StrataGetResponse),
        Failures,
        NoStrata
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    path: PathTexts<1>,
) -> Result<Json<StrataGetResponse>, Failure> {
    let [strata] = path.0;
    let found = service.strata(&caller, wire::strata_named(&strata)).await?;
    Ok(Json(found.into()))
}
