//! `GET /user/{userId}/integrations`: the services with a published Klavis name that a user is connected to.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{Failures, NoUser};
use crate::domain::Service;
use crate::domain::user::ConnectedService;
use crate::http::extract::{Authorized, ConnectionsRead, PathTexts};
use crate::http::failure::Failure;

/// What a user is connected to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "GetUserIntegrationsResponse")]
pub(super) struct GetUserIntegrationsResponse {
    /// The servers, by their slugs.
    integrations: Vec<UserIntegration>,
}

// The member names are the published ones, with an underscore where most of this dialect's answers are in camel case.
/// A server that a user is connected to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Integration, title = "Integration")]
struct UserIntegration {
    /// The server's name as Klavis spells it.
    name: &'static str,
    /// Whether the user has a credential and is ready.
    is_authenticated: bool,
}

impl UserIntegration {
    /// Nothing where Klavis has published no name: clients know a closed list of them and fail at any other.
    fn of(connected: &ConnectedService) -> Option<Self> {
        let entry = connected.integration.catalogue_entry()?;
        Some(Self {
            name: entry.klavis.as_deref()?,
            is_authenticated: connected.connection.is_ready(),
        })
    }
}

#[utoipa::path(
    get,
    path = "/user/{userId}/integrations",
    tag = "user",
    operation_id = "getUserIntegrations",
    summary = "Get User Integrations",
    description = "Lists the servers that a user has an instance of, and whether each is ready. Servers of your own, \
                   which Klavis has no name for, are left out.",
    security(("HTTPBearer" = [])),
    params(("userId" = String, Path, description = "The user, in your own words")),
    responses(
        (status = 200, description = "Successful Response", body = GetUserIntegrationsResponse),
        Failures,
        NoUser
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    path: PathTexts<1>,
) -> Result<Json<GetUserIntegrationsResponse>, Failure> {
    let [user_id] = path.0;
    let connected = service.services_of_user(&caller, &user_id).await?;
    Ok(Json(GetUserIntegrationsResponse {
        integrations: connected.iter().filter_map(UserIntegration::of).collect(),
    }))
}
