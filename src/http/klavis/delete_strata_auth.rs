//! `DELETE /mcp-server/strata/{strataId}/auth/{serverName}`: destroys the credential, keeps the connection.

use axum::Json;
use axum::extract::State;

use super::failures::{Failures, Invalid, NoStrata};
use super::wire::{self, StatusResponse};
use crate::domain::Service;
use crate::domain::strata::OfMember;
use crate::http::extract::{Authorized, ConnectionsWrite, PathTexts};
use crate::http::failure::Failure;

impl From<OfMember<bool>> for StatusResponse {
    fn from(cleared: OfMember<bool>) -> Self {
        match cleared {
            OfMember::Member(existed) => Self::cleared(existed),
            OfMember::Outside(_) => Self::unchanged(wire::NOT_IN_STRATA),
        }
    }
}

#[utoipa::path(
    delete,
    path = "/mcp-server/strata/{strataId}/auth/{serverName}",
    tag = "mcp-server",
    operation_id = "deleteStrataAuth",
    summary = "Delete Strata Auth",
    description = "Destroys the credential of a server in a strata at once. The server stays in the strata and can be \
                   given a new one.",
    security(("HTTPBearer" = [])),
    params(
        ("strataId" = String, Path, description = "The strata's id"),
        ("serverName" = String, Path, description = "The server's name in any spelling")
    ),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        Invalid,
        NoStrata
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    path: PathTexts<2>,
) -> Result<Json<StatusResponse>, Failure> {
    let [strata, server_name] = path.0;
    let id = wire::strata_named(&strata);
    let cleared = service
        .clear_credential_of_strata(&caller, id, &server_name)
        .await;
    Ok(Json(cleared.map_err(wire::in_path)?.into()))
}
