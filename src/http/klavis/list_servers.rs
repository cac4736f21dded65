//! `GET /mcp-server/servers`: the catalogue and the tenant's own integrations.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::failures::Failures;
use crate::domain::Service;
use crate::domain::servers::Server;
use crate::http::extract::{AnyKey, Authorized};
use crate::http::failure::Failure;

/// The servers that instances can be made of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "GetMcpServersResponse")]
pub(super) struct GetMcpServersResponse {
    /// In the order of their names.
    servers: Vec<McpServer>,
}

/// A server that instances can be made of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "McpServer")]
pub(super) struct McpServer {
    /// The same for every tenant: a version 5 UUID of the letters and digits of the server's slug.
    id: Uuid,
    /// The server's name as Klavis spells it, else its own.
    name: String,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Always null: tools are not listed here.
    #[schema(value_type = Option<Vec<Object>>)]
    tools: (),
    /// Whether a new instance needs a credential.
    #[schema(value_type = Option<bool>)]
    auth_needed: bool,
}

impl From<Server> for McpServer {
    fn from(server: Server) -> Self {
        Self {
            id: server.id,
            name: server.name,
            description: server.description,
            tools: (),
            auth_needed: server.auth_needed,
        }
    }
}

#[utoipa::path(
    get,
    path = "/mcp-server/servers",
    tag = "mcp-server",
    operation_id = "getAllMcpServers",
    summary = "Get All Mcp Servers",
    description = "Lists every server of which an instance can be made: the catalogue, and your own integrations.",
    security(("HTTPBearer" = [])),
    responses(
        (status = 200, description = "Successful Response", body = GetMcpServersResponse),
        Failures
    ),
)]
pub(super) async fn handler(
    caller: Authorized<AnyKey>,
    State(service): State<Service>,
) -> Result<Json<GetMcpServersResponse>, Failure> {
    let servers = service.servers(&caller).await?;
    let servers = servers.into_iter().map(Into::into).collect();
    Ok(Json(GetMcpServersResponse { servers }))
}
