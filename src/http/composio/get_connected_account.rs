//! `GET /connected_accounts/{nanoid}`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::AccountBody;
use crate::domain::Service;
use crate::domain::ids::ConnectedAccountId;
use crate::http::extract::{Authorized, ConnectionsRead, Param};
use crate::http::failure::Failure;

/// Get connected account details by ID
///
/// To a key with the scope `credentials:read` this hands the credential out: `state.val` and `data` are in the clear, and
/// the hand-out is audited. To any other they are masked.
#[utoipa::path(
    get,
    path = "/connected_accounts/{nanoid}",
    operation_id = "getConnectedAccountsByNanoid",
    tag = CONNECTED_ACCOUNTS,
    params(("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f")),
    responses((status = 200, description = "Successfully retrieved connected account details", body = AccountBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsRead>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
) -> Result<Json<AccountBody>, Failure> {
    let view = service.connected_account(&caller, &id.valid()?).await?;
    Ok(Json(AccountBody::from(view)))
}
