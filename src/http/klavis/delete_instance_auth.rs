//! `DELETE /mcp-server/instance/{instanceId}/auth`: destroys the credential, keeps the instance.

use axum::Json;
use axum::extract::State;

use super::error::ErrorResponse;
use super::validation::HttpValidationError;
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
        (status = 401, description = "No API key", body = ErrorResponse),
        (status = 403, description = "The API key is invalid or lacks a scope", body = ErrorResponse),
        (status = 404, description = "Instance not found", body = ErrorResponse),
        (status = 422, description = "Validation Error", body = HttpValidationError),
        (status = 503, description = "Temporarily unavailable: see Retry-After", body = ErrorResponse),
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<InstanceId>,
) -> Result<Json<StatusResponse>, Failure> {
    service.clear_credential(&caller, id.valid()?.0).await?;
    Ok(Json(StatusResponse::done("Authentication data deleted")))
}
