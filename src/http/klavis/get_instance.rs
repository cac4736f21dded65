//! `GET /mcp-server/instance/{instanceId}`: the instance without its secret.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, Invalid, NoInstance};
use super::wire::InstanceId;
use crate::domain::Service;
use crate::domain::connection::Instance;
use crate::http::extract::{Authorized, ConnectionsRead, Param};
use crate::http::failure::Failure;

// Every member is always there; that the schema requires none is how the SDKs were generated.
/// An instance without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "GetInstanceResponse")]
pub(super) struct GetInstanceResponse {
    /// The instance's id.
    #[schema(required = false)]
    instance_id: String,
    /// Whether the server needs a credential.
    #[schema(required = false)]
    auth_needed: bool,
    /// Whether the instance has a credential and is ready.
    #[schema(required = false)]
    is_authenticated: bool,
    /// The server's name as Klavis spells it, else its own.
    #[schema(required = false)]
    server_name: String,
    /// The platform that was named at creation.
    platform: Option<String>,
    /// Whose instance it is.
    #[schema(required = false)]
    external_user_id: String,
    /// Where the user agrees at the provider, if the service uses OAuth and has a client. Null until this server has
    /// the OAuth engine.
    oauth_url: Option<String>,
}

impl From<Instance> for GetInstanceResponse {
    fn from(instance: Instance) -> Self {
        Self {
            instance_id: instance.connection.id.to_string(),
            auth_needed: instance.auth_needed(),
            is_authenticated: instance.is_authenticated(),
            server_name: instance.integration.klavis_name().to_owned(),
            platform: instance.connection.platform,
            external_user_id: instance.connection.user_id,
            oauth_url: instance.oauth_url,
        }
    }
}

#[utoipa::path(
    get,
    path = "/mcp-server/instance/{instanceId}",
    tag = "mcp-server",
    operation_id = "getServerInstance",
    summary = "Get Server Instance",
    description = "Shows an instance: its server, its user, and whether it is ready. Never its secret.",
    security(("HTTPBearer" = [])),
    params(("instanceId" = String, Path, format = Uuid, description = "The instance's id")),
    responses(
        (status = 200, description = "Successful Response", body = GetInstanceResponse),
        Failures,
        Invalid,
        NoInstance
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    id: Param<InstanceId>,
) -> Result<Json<GetInstanceResponse>, Failure> {
    let instance = service.instance(&caller, id.valid()?.0).await?;
    Ok(Json(instance.into()))
}
