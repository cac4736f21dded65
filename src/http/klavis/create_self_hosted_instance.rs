//! `POST /mcp-server/self-hosted/instance/create`: an instance for a server that the caller runs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::create_instance::at_wire_names;
use super::error::ErrorResponse;
use super::failures::{BodyFailures, Failures};
use super::wire;
use crate::domain::Service;
use crate::domain::connection::{Instance, NewInstance};
use crate::domain::error::Issue;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::Json as Tree;

/// What it takes to make an instance for a server that the caller runs.
#[derive(Debug, ToSchema)]
#[schema(title = "CreateSelfHostedServerRequest", rename_all = "camelCase")]
pub(super) struct CreateSelfHostedServerRequest {
    /// The server's name in any spelling.
    server_name: String,
    /// Whose instance it is, in your own words.
    #[schema(min_length = 1, max_length = 2048)]
    user_id: String,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct CreateSelfHostedServerBody(wire::Named<CreateSelfHostedServerRequest>);

impl FromJson for CreateSelfHostedServerBody {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let server_name = members.read_required("serverName", faults, |json, faults| {
                names.read(json, faults)
            });
            let user_id = members.read_required("userId", faults, wire::user_id);
            Some(CreateSelfHostedServerRequest {
                server_name: server_name?,
                user_id: user_id?,
            })
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

impl From<CreateSelfHostedServerRequest> for NewInstance {
    fn from(request: CreateSelfHostedServerRequest) -> Self {
        Self {
            service: request.server_name,
            user_id: request.user_id,
            platform: None,
            read_only: false,
        }
    }
}

/// The instance, new or not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "CreateSelfHostedServerResponse")]
pub(super) struct CreateSelfHostedServerResponse {
    /// The instance's id.
    instance_id: String,
    /// Where the user agrees at the provider, if the service uses OAuth and has a client. Null until this server has
    /// the OAuth engine.
    oauth_url: Option<String>,
}

impl From<Instance> for CreateSelfHostedServerResponse {
    fn from(instance: Instance) -> Self {
        Self {
            instance_id: instance.connection.id.to_string(),
            oauth_url: instance.oauth_url,
        }
    }
}

#[utoipa::path(
    post,
    path = "/mcp-server/self-hosted/instance/create",
    tag = "mcp-server",
    operation_id = "createSelfHostedServerInstance",
    summary = "Create Self Hosted Server Instance",
    description = "Makes the instance of a server for one user, or returns the one that exists, for a server that you \
                   run yourself. It is the same instance as the one that /mcp-server/instance/create makes.",
    security(("HTTPBearer" = [])),
    request_body(content = CreateSelfHostedServerRequest),
    responses(
        (status = 200, description = "Successful Response", body = CreateSelfHostedServerResponse),
        Failures,
        BodyFailures,
        (status = 403, description = "The API key is invalid, lacks a scope, or the server's auth config is disabled", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<CreateSelfHostedServerBody>,
) -> Result<Json<CreateSelfHostedServerResponse>, Failure> {
    let request = body.valid()?.0.checked(&service, &caller).await?;
    let instance = service
        .create_instance(&caller, request.into())
        .await
        .map_err(at_wire_names)?;
    Ok(Json(instance.into()))
}
