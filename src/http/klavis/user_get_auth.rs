//! `GET /user/{userId}/auth/{serverName}`: a user's credential with one service in the clear, against an audit row.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, Invalid, NoUser};
use super::wire;
use crate::crypto::Plain;
use crate::domain::Service;
use crate::domain::user::UserCredential;
use crate::http::extract::{Authorized, CredentialsRead, PathTexts};
use crate::http::failure::Failure;

/// The credential of a user with one server, as it was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "GetUserAuthResponse")]
pub(super) struct GetUserAuthResponse {
    /// Whether there is one.
    success: bool,
    /// Whose it is.
    user_id: String,
    /// The server's name as Klavis spells it, else its own.
    server_name: String,
    /// The credential, its members at the top level.
    #[schema(value_type = Option<Object>)]
    auth_data: Option<Plain>,
    /// Whether the user has a credential and is ready to use the server.
    is_authenticated: bool,
    /// Why there is none.
    #[schema(value_type = Option<String>)]
    message: Option<&'static str>,
}

impl GetUserAuthResponse {
    fn new(user_id: String, found: UserCredential) -> Self {
        let message = found
            .credential
            .is_none()
            .then_some("No authentication data is stored for this user and server");
        Self {
            success: found.credential.is_some(),
            user_id,
            server_name: found.service_name,
            auth_data: found.credential,
            is_authenticated: found.is_authenticated,
            message,
        }
    }
}

#[utoipa::path(
    get,
    path = "/user/{userId}/auth/{serverName}",
    tag = "user",
    operation_id = "getUserAuth",
    summary = "Get User Auth",
    description = "Hands out the credential of a user with one server in the clear. Every credential that is handed \
                   out leaves a row in the audit log.",
    security(("HTTPBearer" = [])),
    params(
        ("userId" = String, Path, description = "The user, in your own words"),
        ("serverName" = String, Path, description = "The server's name in any spelling")
    ),
    responses(
        (status = 200, description = "Successful Response", body = GetUserAuthResponse),
        Failures,
        Invalid,
        NoUser
    ),
)]
pub(super) async fn handler(
    caller: Authorized<CredentialsRead>,
    State(service): State<Service>,
    path: PathTexts<2>,
) -> Result<Json<GetUserAuthResponse>, Failure> {
    let [user_id, server_name] = path.0;
    let found = service
        .hand_out_of_user(&caller, &server_name, &user_id)
        .await
        .map_err(wire::in_path)?;
    Ok(Json(GetUserAuthResponse::new(user_id, found)))
}
