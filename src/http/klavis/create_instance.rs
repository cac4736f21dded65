//! `POST /mcp-server/instance/create`: the primary connection of one user with one service, made where absent.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ErrorResponse;
use super::failures::{BodyFailures, Failures};
use super::wire;
use crate::domain::connection::{Instance, NewInstance};
use crate::domain::error::{Issue, Segment};
use crate::domain::{Error, Service};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::Json as Tree;

const CONNECTION_TYPES: &[&str] = &["SSE", "StreamableHttp"];

/// The transport that a client speaks. One URL serves both.
#[derive(ToSchema)]
#[schema(title = "ConnectionType")]
#[expect(
    dead_code,
    reason = "the schema's type; requests are read by pydantic's rules"
)]
pub(super) enum ConnectionType {
    /// Server-sent events.
    #[schema(rename = "SSE")]
    Sse,
    /// Streamable HTTP.
    StreamableHttp,
}

/// What it takes to make an instance.
#[derive(Debug, ToSchema)]
#[schema(title = "CreateServerRequest", rename_all = "camelCase")]
pub(super) struct CreateServerRequest {
    /// The server's name in any spelling: `Google Calendar`, `google calendar` and `GOOGLE_CALENDAR` are one.
    server_name: String,
    /// Whose instance it is, in your own words.
    #[schema(min_length = 1, max_length = 2048)]
    user_id: String,
    /// The platform that the user belongs to.
    #[schema(min_length = 1, max_length = 2048)]
    platform_name: Option<String>,
    /// The transport.
    #[expect(dead_code, reason = "checked and, being the same to us, not passed on")]
    #[schema(required = false, default = "StreamableHttp", value_type = ConnectionType)]
    connection_type: &'static str,
    /// Taken for the sake of older clients; nothing depends on it.
    #[expect(dead_code, reason = "checked and not passed on")]
    #[schema(required = false, default = false)]
    legacy: bool,
    /// Whether only reading tools may use the instance.
    #[schema(required = false, default = false)]
    is_read_only: bool,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct CreateServerBody(wire::Named<CreateServerRequest>);

impl FromJson for CreateServerBody {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let server_name = members.read_required("serverName", faults, |json, faults| {
                names.read(json, faults)
            });
            let user_id = members.read_required("userId", faults, wire::user_id);
            let platform_name = members.read("platformName", faults, wire::null_or(wire::user_id));
            let connection_type =
                members.read("connectionType", faults, wire::one_of(CONNECTION_TYPES));
            let legacy = members.read("legacy", faults, wire::boolean);
            let is_read_only = members.read("isReadOnly", faults, wire::boolean);
            Some(CreateServerRequest {
                server_name: server_name?,
                user_id: user_id?,
                platform_name: platform_name.flatten(),
                connection_type: connection_type.unwrap_or("StreamableHttp"),
                legacy: legacy.unwrap_or(false),
                is_read_only: is_read_only.unwrap_or(false),
            })
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

impl From<CreateServerRequest> for NewInstance {
    fn from(request: CreateServerRequest) -> Self {
        Self {
            service: request.server_name,
            user_id: request.user_id,
            platform: request.platform_name,
            read_only: request.is_read_only,
        }
    }
}

/// The instance, new or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "CreateServerResponse")]
pub(super) struct CreateServerResponse {
    /// Where MCP clients connect, with the instance's id in it.
    server_url: String,
    /// The instance's id.
    instance_id: String,
    /// Where the user agrees at the provider, if the service uses OAuth and has a client. Null until this server has
    /// the OAuth engine.
    oauth_url: Option<String>,
}

impl From<Instance> for CreateServerResponse {
    fn from(instance: Instance) -> Self {
        Self {
            server_url: instance.server_url,
            instance_id: instance.connection.id.to_string(),
            oauth_url: instance.oauth_url,
        }
    }
}

/// The domain's faults at the places where this request has them.
pub(super) fn at_wire_names(error: Error) -> Error {
    let wire_name = |segment: &Segment| match segment {
        Segment::Key(key) => match key.as_ref() {
            "service" => "serverName".into(),
            "user_id" => "userId".into(),
            "platform" => "platformName".into(),
            "read_only" => "isReadOnly".into(),
            _ => segment.clone(),
        },
        Segment::Index(_) => segment.clone(),
    };
    let error = match error {
        Error::Invalid(mut issues) => {
            for first in issues.iter_mut().filter_map(|issue| issue.path.first_mut()) {
                *first = wire_name(first);
            }
            Error::Invalid(issues)
        }
        other => other,
    };
    error.under(&["body".into()])
}

#[utoipa::path(
    post,
    path = "/mcp-server/instance/create",
    tag = "mcp-server",
    operation_id = "createServerInstance",
    summary = "Create Server Instance",
    description = "Makes the instance of a server for one user, or returns the one that exists: there is one per \
                   server and user.",
    security(("HTTPBearer" = [])),
    request_body(content = CreateServerRequest),
    responses(
        (status = 200, description = "Successful Response", body = CreateServerResponse),
        Failures,
        BodyFailures,
        (status = 403, description = "The API key is invalid, lacks a scope, or the server's auth config is disabled", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<CreateServerBody>,
) -> Result<Json<CreateServerResponse>, Failure> {
    let request = body.valid()?.0.checked(&service, &caller).await?;
    let instance = service
        .create_instance(&caller, request.into())
        .await
        .map_err(at_wire_names)?;
    Ok(Json(instance.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::error::Rule;

    fn read(text: &str) -> Result<CreateServerRequest, Vec<Issue>> {
        CreateServerBody::from_json(Tree::parse(text.as_bytes()).expect("JSON"))?
            .0
            .request()
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let request = read(r#"{"serverName":"Gmail","userId":"u","more":1,"platformName":null}"#)
            .expect("a request");
        assert!(!request.is_read_only && request.platform_name.is_none());
    }

    #[test]
    fn every_fault_is_named_in_declared_order() {
        let issues = read(
            r#"{"isReadOnly":2,"legacy":null,"connectionType":"x","platformName":"","userId":"\u0000","serverName":1}"#,
        )
        .expect_err("faults");
        let names: Vec<_> = issues
            .iter()
            .map(|issue| issue.path[1].to_string())
            .collect();
        assert_eq!(
            names,
            [
                "serverName",
                "userId",
                "platformName",
                "connectionType",
                "legacy",
                "isReadOnly"
            ]
        );
        assert!(issues.iter().all(|issue| issue.path[0] == "body".into()));
    }

    #[test]
    fn faults_that_the_domain_finds_get_wire_names() {
        let wire_paths = |error| match at_wire_names(error) {
            Error::Invalid(issues) => issues.into_iter().map(|issue| issue.path).collect(),
            _ => Vec::new(),
        };
        let server_name: Vec<Segment> = vec!["body".into(), "serverName".into()];
        let unknown = Error::Invalid(vec![Issue::at("service", Rule::UnknownService)]);
        assert_eq!(wire_paths(unknown), [server_name]);
    }
}
