//! `DELETE /mcp-server/instance/{instanceId}/auth`: destroys the credential, keeps the instance.

use axum::Json;
use axum::extract::State;

use super::failures::{Failures, Invalid, NoInstance};
use super::wire::{InstanceId, StatusResponse};
use crate::domain::Service;
use crate::http::extract::{Authorized, ConnectionsWrite, Param};
use crate::http::failure::Failure;

#[utoipa::path(
    delete,
    path = "/mcp-server/instance/{instanceId}/auth",
    tag = "mcp-server",
    operation_id = "deleteInstanceAuth",
    summary = "Delete Instance Auth",
    description = "Destroys the credential of an instance at once. The instance stays and can be given a new one.",
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
    let cleared = service.clear_credential(&caller, id.valid()?.0).await?;
    Ok(Json(StatusResponse::cleared(cleared)))
}
