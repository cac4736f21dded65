//! `POST /mcp-server/strata/add`: servers into a strata.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ErrorResponse;
use super::failures::{BodyFailures, Failures, NoStrata};
use super::wire::{self, ExternalServerInfo};
use crate::domain::Service;
use crate::domain::error::Issue;
use crate::domain::strata::{Additions, Services, Strata};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::Json as Tree;

/// What is to be put into which strata. Further keys are ignored.
#[derive(ToSchema)]
#[schema(title = "StrataAddServersRequest", rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the schema's type; requests are read by pydantic's rules"
)]
pub(super) struct StrataAddServersRequest {
    /// The strata's id.
    #[schema(min_length = 1)]
    strata_id: String,
    /// The servers.
    #[schema(required = false, schema_with = wire::services_schema)]
    servers: Services,
    /// MCP servers of others. One of the same name is replaced. An API key that is limited to some integrations may not
    /// add any.
    #[schema(max_items = 100)]
    external_servers: Option<Vec<wire::ExternalServerRequest>>,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct StrataAddServersBody(wire::Named<(String, Additions)>);

impl FromJson for StrataAddServersBody {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let strata = members.read_required("strataId", faults, wire::any_text_of_one);
            let additions = wire::additions(members, &mut names, faults);
            Some((strata?, additions))
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

/// What was put in, also where it was in before.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "StrataAddServersResponse")]
pub(super) struct StrataAddServersResponse {
    /// The servers, as Klavis spells them.
    added_servers: Vec<String>,
    /// The servers of others.
    #[schema(required = false)]
    added_external_servers: Vec<ExternalServerInfo>,
    /// Where the user agrees at the provider, by server; only those whose page is there.
    #[schema(required = false)]
    oauth_urls: BTreeMap<String, String>,
    /// Where the user enters an API key or the like, by server: of servers that still need one. Each is good for ten
    /// minutes, once; only for keys with `connections:write`.
    #[schema(required = false)]
    api_key_urls: BTreeMap<String, String>,
}

impl From<Strata> for StrataAddServersResponse {
    fn from(strata: Strata) -> Self {
        let api_key_urls = wire::api_key_urls(&strata);
        Self {
            added_servers: wire::klavis_names(&strata.services),
            added_external_servers: strata.external.into_iter().map(Into::into).collect(),
            oauth_urls: BTreeMap::new(),
            api_key_urls,
        }
    }
}

#[utoipa::path(
    post,
    path = "/mcp-server/strata/add",
    tag = "mcp-server",
    operation_id = "addServersToStrata",
    summary = "Add Servers To Strata",
    description = "Puts servers into a strata. The user's connections that are not there yet are made.",
    security(("HTTPBearer" = [])),
    request_body(content = StrataAddServersRequest),
    responses(
        (status = 200, description = "Successful Response", body = StrataAddServersResponse),
        Failures,
        NoStrata,
        BodyFailures,
        (status = 403, description = "The API key is invalid, lacks a scope, or is limited to some integrations and names external servers; or a server's auth config is disabled", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<StrataAddServersBody>,
) -> Result<Json<StrataAddServersResponse>, Failure> {
    let (strata, additions) = body.valid()?.0.checked(&service, &caller).await?;
    let id = wire::strata_named(&strata);
    let added = service.add_to_strata(&caller, id, additions).await;
    Ok(Json(added.map_err(wire::at_body_names)?.into()))
}
