//! `POST /auth_configs`

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::document::{AUTH_CONFIGS, Failures};
use super::wire::schema::PostAuthConfigsRequest;
use super::wire::{CreatedBody, NewAuthConfigBody};
use crate::domain::Service;
use crate::http::extract::{AuthConfigsWrite, Authorized, Body};
use crate::http::failure::Failure;

/// Create new authentication configuration
///
/// Makes an auth config for a toolkit: with the caller's own app or keys (`use_custom_auth`), or with the app that the
/// operator of this server has configured for the toolkit (`use_composio_managed_auth`, the default).
#[utoipa::path(
    post,
    path = "/auth_configs",
    operation_id = "postAuthConfigs",
    tag = AUTH_CONFIGS,
    request_body = PostAuthConfigsRequest,
    responses((status = 201, description = "Successfully created auth config", body = CreatedBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsWrite>,
    State(service): State<Service>,
    body: Body<NewAuthConfigBody>,
) -> Result<(StatusCode, Json<CreatedBody>), Failure> {
    let NewAuthConfigBody(new) = body.valid()?;
    let made = service.create_auth_config(&caller, new).await;
    // What the domain finds wrong lies in this part of the body.
    let view = made.map_err(|error| error.under(&["auth_config".into()]))?;
    Ok((StatusCode::CREATED, Json(view.into())))
}
