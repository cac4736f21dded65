//! `PATCH /auth_configs/{nanoid}`

use axum::Json;
use axum::extract::State;

use super::document::{AUTH_CONFIGS, Failures};
use super::error::ErrorEnvelope;
use super::wire::change_schema::PatchAuthConfigsByNanoidRequest;
use super::wire::{AuthConfigChangeBody, Done, WRAPPER};
use crate::domain::Service;
use crate::domain::ids::AuthConfigId;
use crate::http::extract::{AuthConfigsWrite, Authorized, Body, IfMatch, Param};
use crate::http::failure::Failure;

/// Update an authentication configuration
///
/// Changes what is named and keeps the rest. `credentials` and `shared_credentials` merge key by key: a value sets,
/// null removes, a masked value (as GET shows it) is left as it is. The wrapped form
/// `{"auth_config": {…}}` is taken too; there `type` may be left out.
#[utoipa::path(
    patch,
    path = "/auth_configs/{nanoid}",
    operation_id = "patchAuthConfigsByNanoid",
    tag = AUTH_CONFIGS,
    params(
        ("nanoid" = String, Path, description = "The unique identifier of the authentication configuration to update", example = "ac_V1StGXR8_Z5j"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read; the change is refused when it is out of date")
    ),
    request_body = PatchAuthConfigsByNanoidRequest,
    responses(
        (status = 200, description = "Successfully updated auth config", body = Done),
        (status = 412, description = "Changed since the ETag in If-Match was read", body = ErrorEnvelope),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsWrite>,
    State(service): State<Service>,
    id: Param<AuthConfigId>,
    IfMatch(if_match): IfMatch,
    body: Body<AuthConfigChangeBody>,
) -> Result<Json<Done>, Failure> {
    let id = id.valid()?;
    let mut wrapped = false;
    let read = |managed| {
        let body = body.valid()?;
        let is_wrapped = body.is_wrapped();
        let change = body.read(managed, if_match)?;
        wrapped = is_wrapped;
        Ok(change)
    };
    let done = service.update_auth_config(&caller, &id, read).await;
    // What is wrong beyond the body itself lies in this part of it.
    done.map_err(|error| {
        if wrapped {
            error.under(&[WRAPPER.into()])
        } else {
            error
        }
    })?;
    Ok(Json(Done::new("Auth config updated successfully")))
}
