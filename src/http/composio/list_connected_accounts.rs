//! `GET /connected_accounts`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::{AccountPageBody, AccountsParameters, AccountsQuery};
use crate::domain::Service;
use crate::http::extract::{Authorized, ConnectionsRead, Query};
use crate::http::failure::Failure;

/// List connected accounts with optional filters
///
/// Newest first. A page stays where it is when connected accounts are made or deleted meanwhile. Secrets are masked,
/// whatever the key may read.
#[utoipa::path(
    get,
    path = "/connected_accounts",
    operation_id = "getConnectedAccounts",
    tag = CONNECTED_ACCOUNTS,
    params(AccountsParameters),
    responses((status = 200, description = "Successfully retrieved connected accounts", body = AccountPageBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    query: Query<AccountsQuery>,
) -> Result<Json<AccountPageBody>, Failure> {
    let AccountsQuery { filter, page } = query.valid()?;
    let limit = page.limit;
    Ok(Json(AccountPageBody::new(
        service.connected_accounts(&caller, filter, page).await?,
        limit,
    )))
}
