//! `POST /connected_accounts/link`

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::new_account_schema::PostConnectedAccountsLinkRequest;
use super::wire::{CreatedLinkBody, NewLinkBody};
use crate::domain::Service;
use crate::http::extract::{Authorized, Body, ConnectionsWrite};
use crate::http::failure::Failure;

/// Create a new authentication link session for the user
///
/// Makes a connection that waits, INITIALIZING, and a link to the page on which its user completes it. The link can be
/// used once, for 10 minutes.
#[utoipa::path(
    post,
    path = "/connected_accounts/link",
    operation_id = "postConnectedAccountsLink",
    tag = CONNECTED_ACCOUNTS,
    request_body = PostConnectedAccountsLinkRequest,
    responses((status = 201, description = "Successfully created the link", body = CreatedLinkBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<NewLinkBody>,
) -> Result<(StatusCode, Json<CreatedLinkBody>), Failure> {
    let NewLinkBody(new) = body.valid()?;
    let made = service.create_link(&caller, new).await;
    // What the domain finds wrong lies in this part of the body.
    let made = made.map_err(|error| error.under(&["connection_data".into()]))?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
