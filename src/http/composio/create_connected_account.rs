//! `POST /connected_accounts`

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::new_account_schema::PostConnectedAccountsRequest;
use super::wire::{CreatedAccountBody, NewAccountBody};
use crate::domain::Service;
use crate::http::extract::{Authorized, Body, ConnectionsWrite};
use crate::http::failure::Failure;

/// Create a new connected account
///
/// Makes a connection under an auth config. A complete credential makes it ACTIVE; with an OAuth scheme and no
/// `access_token` the answer says INITIATED (the account itself stays INITIALIZING), and its user goes to `redirect_url`.
/// Connections of managed auth configs are made with `POST /connected_accounts/link`.
#[utoipa::path(
    post,
    path = "/connected_accounts",
    operation_id = "postConnectedAccounts",
    tag = CONNECTED_ACCOUNTS,
    request_body = PostConnectedAccountsRequest,
    responses((status = 201, description = "Successfully created connected account", body = CreatedAccountBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    body: Body<NewAccountBody>,
) -> Result<(StatusCode, Json<CreatedAccountBody>), Failure> {
    let NewAccountBody(new) = body.valid()?;
    let made = service.create_account(&caller, new).await;
    // What the domain finds wrong lies in this part of the body.
    let made =
        made.map_err(|error| error.under(&["connection".into(), "state".into(), "val".into()]))?;
    Ok((StatusCode::CREATED, Json(made.into())))
}
