//! `DELETE /user/{userId}`: destroys a user and everything of theirs.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::error::ErrorResponse;
use super::failures::{Failures, NoUser};
use crate::domain::Service;
use crate::http::extract::{Authorized, ConnectionsWrite, PathTexts};
use crate::http::failure::Failure;

/// What became of the user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "DeleteUserResponse")]
pub(super) struct DeleteUserResponse {
    /// Whether they are gone.
    success: bool,
    /// What was destroyed, in words.
    message: String,
}

#[utoipa::path(
    delete,
    path = "/user/{userId}",
    tag = "user",
    operation_id = "deleteUserByUserId",
    summary = "Delete User",
    description = "Destroys a user with all their instances, credentials and strata, at once.",
    security(("HTTPBearer" = [])),
    params(("userId" = String, Path, description = "The user, in your own words")),
    responses(
        (status = 200, description = "Successful Response", body = DeleteUserResponse),
        Failures,
        NoUser,
        (status = 403, description = "The API key is invalid, lacks a scope, or is limited to some integrations", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    path: PathTexts<1>,
) -> Result<Json<DeleteUserResponse>, Failure> {
    let [user_id] = path.0;
    let destroyed = service.delete_user(&caller, &user_id).await?;
    Ok(Json(DeleteUserResponse {
        success: true,
        message: match destroyed.connections {
            1 => "User deleted, with 1 instance".to_owned(),
            count => format!("User deleted, with {count} instances"),
        },
    }))
}
