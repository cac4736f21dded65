//! `GET /auth_configs`

use axum::Json;
use axum::extract::State;

use super::document::{AUTH_CONFIGS, Failures};
use super::wire::schema::AuthConfigsParameters;
use super::wire::{AuthConfigPage, AuthConfigsQuery};
use crate::domain::Service;
use crate::http::extract::{AuthConfigsRead, Authorized, Query};
use crate::http::failure::Failure;

/// List authentication configurations with optional filters
///
/// Newest first. A page stays where it is when auth configs are made or deleted meanwhile.
#[utoipa::path(
    get,
    path = "/auth_configs",
    operation_id = "getAuthConfigs",
    tag = AUTH_CONFIGS,
    params(AuthConfigsParameters),
    responses((status = 200, description = "Successfully fetched auth configs", body = AuthConfigPage), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsRead>,
    State(service): State<Service>,
    query: Query<AuthConfigsQuery>,
) -> Result<Json<AuthConfigPage>, Failure> {
    let AuthConfigsQuery { filter, page } = query.valid()?;
    let limit = page.limit;
    Ok(Json(AuthConfigPage::new(
        service.auth_configs(&caller, filter, page).await?,
        limit,
    )))
}
