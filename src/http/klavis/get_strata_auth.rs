//! `GET /mcp-server/strata/{strataId}/auth/{serverName}`: the credential in the clear, against an audit row.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, Invalid, NoStrata};
use super::wire;
use crate::crypto::Plain;
use crate::domain::Service;
use crate::domain::strata::OfMember;
use crate::domain::user::UserCredential;
use crate::http::extract::{Authorized, CredentialsRead, PathTexts};
use crate::http::failure::Failure;

/// The credential of a server in a strata, as it was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "StrataGetAuthResponse")]
pub(super) struct StrataGetAuthResponse {
    /// Whether there is one.
    success: bool,
    /// The server's name as Klavis spells it, else its own.
    server_name: String,
    /// The credential, its members at the top level.
    #[schema(value_type = Option<Object>)]
    auth_data: Option<Plain>,
    /// Whether the user's connection has a credential and is ready.
    is_authenticated: bool,
    /// Why there is none.
    #[schema(value_type = Option<String>)]
    message: Option<&'static str>,
}

impl From<OfMember<UserCredential>> for StrataGetAuthResponse {
    fn from(found: OfMember<UserCredential>) -> Self {
        match found {
            OfMember::Member(found) => Self {
                success: found.credential.is_some(),
                server_name: found.service_name,
                message: found
                    .credential
                    .is_none()
                    .then_some("No authentication data is stored for this server"),
                auth_data: found.credential,
                is_authenticated: found.is_authenticated,
            },
            OfMember::Outside(server_name) => Self {
                success: false,
                server_name,
                auth_data: None,
                is_authenticated: false,
                message: Some(wire::NOT_IN_STRATA),
            },
        }
    }
}

#[utoipa::path(
    get,
    path = "/mcp-server/strata/{strataId}/auth/{serverName}",
    tag = "mcp-server",
    operation_id = "getStrataAuth",
    summary = "Get Strata Auth",
    description = "Hands out the credential of a server in a strata in the clear. Every credential that is handed out \
                   leaves a row in the audit log.",
    security(("HTTPBearer" = [])),
    params(
        ("strataId" = String, Path, description = "The strata's id"),
        ("serverName" = String, Path, description = "The server's name in any spelling")
    ),
    responses(
        (status = 200, description = "Successful Response", body = StrataGetAuthResponse),
        Failures,
        Invalid,
        NoStrata
    ),
)]
pub(super) async fn handler(
    caller: Authorized<CredentialsRead>,
    State(service): State<Service>,
    path: PathTexts<2>,
) -> Result<Json<StrataGetAuthResponse>, Failure> {
    let [strata, server_name] = path.0;
    let id = wire::strata_named(&strata);
    let found = service.hand_out_of_strata(&caller, id, &server_name).await;
    Ok(Json(found.map_err(wire::in_path)?.into()))
}
