//! `DELETE /mcp-server/instance/{instanceId}`: destroys an instance with its credential.

use axum::Json;
use axum::extract::State;

use super::failures::{Failures, Invalid, NoInstance};
use super::wire::{InstanceId, StatusResponse};
use crate::domain::Service;
use crate::http::extract::{Authorized, ConnectionsWrite, Param};
use crate::http::failure::Failure;

#[utoipa::path(
    delete,
    path = "/mcp-server/instance/{instanceId}",
    tag = "mcp-server",
    operation_id = "deleteServerInstance",
    summary = "Delete Server Instance",
    description = "Destroys an instance with its credential, at once. Its user stays.",
    security(("HTTPBearer" = [])),
    params(("instanceId" = String, Path, format = Uuid, description = "The instance's id")),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        Invalid,
        NoInstance
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<InstanceId>,
) -> Result<Json<StatusResponse>, Failure> {
    service.delete_connection(&caller, id.valid()?.0).await?;
    Ok(Json(StatusResponse::done("Instance deleted")))
}
