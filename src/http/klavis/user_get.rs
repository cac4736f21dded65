//! `GET /user/{userId}`: a user, and when they were last served.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::failures::{Failures, NoUser};
use crate::domain::Service;
use crate::domain::user::UserDetail;
use crate::http::extract::{Authorized, ConnectionsRead, PathTexts};
use crate::http::failure::Failure;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "GetUserResponse")]
pub(super) struct GetUserResponse {
    /// The user, in your own words.
    user_id: String,
    /// When they were first connected to a server.
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    created_at: OffsetDateTime,
    /// When a credential of theirs was last handed out or one of their instances changed.
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<OffsetDateTime>,
}

impl From<UserDetail> for GetUserResponse {
    fn from(found: UserDetail) -> Self {
        Self {
            user_id: found.user.id,
            created_at: found.user.created_at,
            last_used_at: found.last_used_at,
        }
    }
}

#[utoipa::path(
    get,
    path = "/user/{userId}",
    tag = "user",
    operation_id = "getUserByUserId",
    summary = "Get User",
    description = "Shows a user.",
    security(("HTTPBearer" = [])),
    params(("userId" = String, Path, description = "The user, in your own words")),
    responses(
        (status = 200, description = "Successful Response", body = GetUserResponse),
        Failures,
        NoUser
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    path: PathTexts<1>,
) -> Result<Json<GetUserResponse>, Failure> {
    let [user_id] = path.0;
    Ok(Json(service.user(&caller, &user_id).await?.into()))
}
