//! `POST /mcp-server/strata/set-auth`: replaces the whole credential of a server in a strata.

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::failures::{BodyFailures, Failures, NoStrata};
use super::wire::{self, AuthData, StatusResponse};
use crate::domain::Service;
use crate::domain::connection::SetOutcome;
use crate::domain::error::Issue;
use crate::domain::strata::OfMember;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson};
use crate::http::failure::Failure;
use crate::json::{Json as Tree, JsonFault};

/// Which server of which strata, and what its user authenticates with. Further keys are ignored.
#[derive(Debug, ToSchema)]
#[schema(title = "StrataSetAuthRequest", rename_all = "camelCase")]
pub(super) struct StrataSetAuthRequest {
    /// The strata's id.
    strata_id: String,
    /// The server's name in any spelling.
    server_name: String,
    #[schema(schema_with = wire::auth_data_schema)]
    auth_data: AuthData,
}

/// The request as it was read.
#[derive(Debug)]
pub(super) struct StrataSetAuthBody(wire::Named<StrataSetAuthRequest>);

impl FromJson for StrataSetAuthBody {
    fn parse(text: &[u8]) -> Result<Tree, JsonFault> {
        wire::parse_auth_body(text)
    }

    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut names = wire::Names::default();
        let request = wire::model(json, |members, faults| {
            let strata_id = members.read_required("strataId", faults, wire::text);
            let server_name = members.read_required("serverName", faults, |json, faults| {
                names.read(json, faults)
            });
            let auth_data = members.read_required("authData", faults, AuthData::read);
            Some(StrataSetAuthRequest {
                strata_id: strata_id?,
                server_name: server_name?,
                auth_data: auth_data?,
            })
        });
        Ok(Self(wire::Named::new(names, request)))
    }
}

impl From<OfMember<SetOutcome>> for StatusResponse {
    fn from(outcome: OfMember<SetOutcome>) -> Self {
        match outcome {
            OfMember::Member(outcome) => outcome.into(),
            OfMember::Outside(_) => Self::unchanged(wire::NOT_IN_STRATA),
        }
    }
}

#[utoipa::path(
    post,
    path = "/mcp-server/strata/set-auth",
    tag = "mcp-server",
    operation_id = "setStrataAuth",
    summary = "Set Strata Auth",
    description = "Sets authentication data for a server in a strata: that of its user's connection, which instances \
                   and other strata of the user share.\n\
                   The data replaces what was stored before; data without a value changes nothing.",
    security(("HTTPBearer" = [])),
    request_body(content = StrataSetAuthRequest),
    responses(
        (status = 200, description = "Successful Response", body = StatusResponse),
        Failures,
        NoStrata,
        BodyFailures
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<StrataSetAuthBody>,
) -> Result<Json<StatusResponse>, Failure> {
    let request = body.valid()?.0.checked(&service, &caller).await?;
    let id = wire::strata_named(&request.strata_id);
    let outcome = service
        .set_strata_credential(&caller, id, &request.server_name, request.auth_data.0)
        .await;
    Ok(Json(outcome.map_err(wire::in_auth_body)?.into()))
}
