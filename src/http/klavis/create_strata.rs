//! `POST /mcp-server/strata/create`: a named group of one user's connections.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ErrorResponse;
use super::failures::{BodyFailures, Failures};
use super::wire::{self, ExternalServerInfo};
use crate::domain::Service;
use crate::domain::error::Issue;
use crate::domain::strata::{NewStrata, Services, Strata};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::Json as Tree;

/// What it takes to make a strata. Further keys are ignored.
#[derive(ToSchema)]
#[schema(title = "StrataCreateRequest", rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "the schema's type; requests are read by pydantic's rules"
)]
pub(super) struct StrataCreateRequest {
    /// Whose connections are in it, in your own words.
    #[schema(min_length = 1, max_length = 2048)]
    user_id: String,
    /// The servers in it.
    #[schema(required = false, schema_with = wire::services_schema)]
    servers: Services,
    /// MCP servers of others in it. An API key that is limited to some integrations may not add any.
    #[schema(max_items = 100)]
    external_servers: Option<Vec<wire::ExternalServerRequest>>,
    /// Whether its MCP server offers tools that authenticate the user.
    #[schema(required = false, default = true)]
    enable_auth_handling: bool,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct StrataCreateBody(wire::Named<NewStrata>);

impl FromJson for StrataCreateBody {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let user_id = members.read_required("userId", faults, wire::user_id);
            let additions = wire::additions(members, &mut names, faults);
            let auth_handling = members.read("enableAuthHandling", faults, wire::boolean);
            Some(NewStrata {
                user_id: user_id?,
                auth_handling: auth_handling.unwrap_or(true),
                additions,
            })
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

/// The strata, with what was put into it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "StrataCreateResponse")]
pub(super) struct StrataCreateResponse {
    /// Where its MCP server is.
    strata_server_url: String,
    /// Its id.
    strata_id: String,
    /// The servers that were added, as Klavis spells them.
    added_servers: Vec<String>,
    /// The servers of others that were added.
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

impl From<Strata> for StrataCreateResponse {
    fn from(strata: Strata) -> Self {
        let api_key_urls = wire::api_key_urls(&strata);
        Self {
            strata_id: strata.id.to_string(),
            strata_server_url: strata.url,
            added_servers: wire::klavis_names(&strata.services),
            added_external_servers: strata.external.into_iter().map(Into::into).collect(),
            oauth_urls: BTreeMap::new(),
            api_key_urls,
        }
    }
}

#[utoipa::path(
    post,
    path = "/mcp-server/strata/create",
    tag = "mcp-server",
    operation_id = "createStrataServer",
    summary = "Create Strata Server",
    description = "Makes a strata: a group of one user's connections, and of MCP servers of others. Connections that \
                   are not there yet are made.",
    security(("HTTPBearer" = [])),
    request_body(content = StrataCreateRequest),
    responses(
        (status = 200, description = "Successful Response", body = StrataCreateResponse),
        Failures,
        BodyFailures,
        (status = 403, description = "The API key is invalid, lacks a scope, or is limited to some integrations and names external servers; or a server's auth config is disabled", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<StrataCreateBody>,
) -> Result<Json<StrataCreateResponse>, Failure> {
    let new = body.valid()?.0.checked(&service, &caller).await?;
    let made = service.create_strata(&caller, new).await;
    Ok(Json(made.map_err(wire::at_body_names)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::strata::Additions;

    fn read(text: &str) -> Result<NewStrata, Vec<Issue>> {
        StrataCreateBody::from_json(Tree::parse(text.as_bytes()).expect("JSON"))?
            .0
            .request()
    }

    #[test]
    fn what_is_left_out_or_null_has_its_default() {
        for text in [
            r#"{"userId":"u","more":1}"#,
            r#"{"userId":"u","servers":null,"externalServers":null}"#,
        ] {
            let Additions { services, external } = read(text).expect("a request").additions;
            assert!(matches!(services, Services::Named(names) if names.is_empty()));
            assert!(external.is_empty());
        }
        assert!(read(r#"{"userId":"u"}"#).expect("a request").auth_handling);
        let off = read(r#"{"userId":"u","enableAuthHandling":"no"}"#);
        assert!(!off.expect("a request").auth_handling);
    }

    #[test]
    fn every_fault_is_named_in_declared_order() {
        let issues = read(
            r#"{"enableAuthHandling":null,"externalServers":[{"headers":{"a":[]},"url":1}],"servers":["Slack",1],"userId":""}"#,
        )
        .expect_err("faults");
        let at = |issue: &Issue| {
            let steps = issue.path.iter().map(ToString::to_string);
            steps.collect::<Vec<_>>().join("/")
        };
        assert_eq!(
            issues.iter().map(at).collect::<Vec<_>>(),
            [
                "body/userId",
                "body/servers/list[str-enum[McpServerName]]/1",
                "body/servers/literal['ALL']",
                "body/externalServers/0/name",
                "body/externalServers/0/url",
                "body/externalServers/0/headers/a",
                "body/enableAuthHandling",
            ]
        );
    }
}
