//! `POST /user/set-auth`: replaces the whole credential of one user with one service, and makes whatever is absent.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::error::ErrorResponse;
use super::failures::{BodyFailures, Failures};
use super::wire::{self, AuthData, StatusResponse};
use crate::domain::Service;
use crate::domain::error::Issue;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::{Json as Tree, JsonFault};

/// Whose credential of which server, and the credential. Further keys are ignored.
#[derive(Debug, ToSchema)]
#[schema(title = "SetUserAuthRequest", rename_all = "camelCase")]
pub(super) struct SetUserAuthRequest {
    /// The user, in your own words.
    #[schema(min_length = 1, max_length = 2048)]
    user_id: String,
    /// The server's name in any spelling.
    server_name: String,
    #[schema(schema_with = wire::auth_data_schema)]
    auth_data: AuthData,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct SetUserAuthBody(wire::Named<SetUserAuthRequest>);

impl FromJson for SetUserAuthBody {
    fn parse(text: &[u8]) -> Result<Tree, JsonFault> {
        wire::parse_auth_body(text)
    }

    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let user_id = members.read_required("userId", faults, wire::user_id);
            let server_name = members.read_required("serverName", faults, |json, faults| {
                names.read(json, faults)
            });
            let auth_data = members.read_required("authData", faults, AuthData::read);
            Some(SetUserAuthRequest {
                user_id: user_id?,
                server_name: server_name?,
                auth_data: auth_data?,
            })
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

#[utoipa::path(
    post,
    path = "/user/set-auth",
    tag = "user",
    operation_id = "setUserAuth",
    summary = "Set User Auth",
    description = "Sets the authentication data of a user for a server: of the same instance that \
                   `/mcp-server/instance/create` answers with. User and instance are made where absent.\n\
                   The data replaces what was stored before; data without a value changes nothing.",
    security(("HTTPBearer" = [])),
    request_body(content = SetUserAuthRequest),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        BodyFailures,
        (status = 403, description = "The API key is invalid, lacks a scope, or the server's auth config is disabled", body = ErrorResponse)
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<SetUserAuthBody>,
) -> Result<Json<StatusResponse>, Failure> {
    let request = body.valid()?.0.checked(&service, &caller).await?;
    let outcome = service
        .set_user_credential(
            &caller,
            &request.server_name,
            &request.user_id,
            request.auth_data.0,
        )
        .await
        .map_err(wire::in_auth_body)?;
    Ok(Json(outcome.into()))
}
