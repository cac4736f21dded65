//! `GET /auth_configs/{nanoid}`

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::ETAG;

use super::document::{AUTH_CONFIGS, Failures};
use super::wire::AuthConfigBody;
use crate::domain::Service;
use crate::domain::ids::AuthConfigId;
use crate::http::extract::{AuthConfigsRead, Authorized, Param};
use crate::http::failure::Failure;

/// Get single authentication configuration by ID
///
/// Secrets are masked. The `ETag` of the answer can be sent as `If-Match` of a change.
#[utoipa::path(
    get,
    path = "/auth_configs/{nanoid}",
    operation_id = "getAuthConfigsByNanoid",
    tag = AUTH_CONFIGS,
    params(("nanoid" = String, Path, description = "The unique identifier of the authentication configuration to retrieve", example = "ac_V1StGXR8_Z5j")),
    responses(
        (status = 200, description = "Successfully fetched auth config", body = AuthConfigBody,
            headers(("ETag" = String, description = "Changes with every change of the auth config"))),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsRead>,
    State(service): State<Service>,
    id: Param<AuthConfigId>,
) -> Result<impl IntoResponse, Failure> {
    let view = service.auth_config(&caller, &id.valid()?).await?;
    Ok((
        [(ETAG, view.config.etag())],
        Json(AuthConfigBody::from(view)),
    ))
}
