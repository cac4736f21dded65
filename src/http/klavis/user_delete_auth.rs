//! `DELETE /user/{userId}/auth/{serverName}`: destroys a user's credential with one service, keeps the connection.

use axum::Json;
use axum::extract::State;

use super::failures::{Failures, Invalid, NoUser};
use super::wire::{self, StatusResponse};
use crate::domain::Service;
use crate::http::extract::{Authorized, ConnectionsWrite, PathTexts};
use crate::http::failure::Failure;

#[utoipa::path(
    delete,
    path = "/user/{userId}/auth/{serverName}",
    tag = "user",
    operation_id = "deleteUserAuth",
    summary = "Delete User Auth",
    description = "Destroys the credential of a user with one server at once. The instance stays and can be given a \
                   new one.",
    security(("HTTPBearer" = [])),
    params(
        ("userId" = String, Path, description = "The user, in your own words"),
        ("serverName" = String, Path, description = "The server's name in any spelling")
    ),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        Invalid,
        NoUser
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    path: PathTexts<2>,
) -> Result<Json<StatusResponse>, Failure> {
    let [user_id, server_name] = path.0;
    let existed = service
        .clear_credential_of_user(&caller, &server_name, &user_id)
        .await
        .map_err(wire::in_path)?;
    Ok(Json(StatusResponse::cleared(existed)))
}
