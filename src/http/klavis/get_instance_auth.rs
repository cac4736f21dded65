//! `GET /mcp-server/instance/{instanceId}/auth`: the credential in the clear, against an audit row.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, Invalid, NoInstance};
use super::wire::InstanceId;
use crate::crypto::Plain;
use crate::domain::Service;
use crate::domain::connection::HandedOut;
use crate::http::extract::{Authorized, CredentialsRead, Param};
use crate::http::failure::Failure;

/// The credential of an instance, as it was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "GetAuthDataResponse")]
pub(super) struct GetAuthDataResponse {
    /// Whether there is one.
    success: bool,
    /// The credential, its members at the top level.
    #[schema(value_type = Option<Object>)]
    auth_data: Option<Plain>,
    /// Why there is none.
    #[schema(value_type = Option<String>)]
    error: Option<&'static str>,
}

impl From<HandedOut> for GetAuthDataResponse {
    fn from(HandedOut { credential, .. }: HandedOut) -> Self {
        let error = credential
            .is_none()
            .then_some("No authentication data is stored for this instance");
        Self {
            success: credential.is_some(),
            auth_data: credential,
            error,
        }
    }
}

#[utoipa::path(
    get,
    path = "/mcp-server/instance/{instanceId}/auth",
    tag = "mcp-server",
    operation_id = "getInstanceAuthData",
    summary = "Get Instance Auth Data",
    description = "Hands out the credential of an instance in the clear. Every credential that is handed out leaves a \
                   row in the audit log.",
    security(("HTTPBearer" = [])),
    params(("instanceId" = String, Path, format = Uuid, description = "The instance's id")),
    responses(
        (status = 200, description = "Successful Response", body = GetAuthDataResponse),
        Failures,
        Invalid,
        NoInstance
    ),
)]
pub(super) async fn handler(
    caller: Authorized<CredentialsRead>,
    State(service): State<Service>,
    id: Param<InstanceId>,
) -> Result<Json<GetAuthDataResponse>, Failure> {
    let handed_out = service.hand_out(&caller, id.valid()?.0).await?;
    Ok(Json(handed_out.into()))
}
