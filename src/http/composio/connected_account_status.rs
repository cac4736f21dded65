//! `PATCH /connected_accounts/{nanoid}/status`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::SwitchBody;
use super::wire::account_answers::SwitchedAccount;
use super::wire::account_change_schema::PatchConnectedAccountsByNanoIdStatusRequest;
use crate::domain::Service;
use crate::domain::ids::ConnectedAccountId;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, Param};
use crate::http::failure::Failure;

/// Enable or disable a connected account
///
/// `true` makes it ACTIVE, `false` INACTIVE. An account without a credential, or whose credential has ended (EXPIRED,
/// FAILED, REVOKED), is refused.
#[utoipa::path(
    patch,
    path = "/connected_accounts/{nanoid}/status",
    operation_id = "patchConnectedAccountsByNanoIdStatus",
    tag = CONNECTED_ACCOUNTS,
    params(("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f")),
    request_body = PatchConnectedAccountsByNanoIdStatusRequest,
    responses((status = 200, description = "Successfully updated connected account status", body = SwitchedAccount), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
    body: Body<SwitchBody>,
) -> Result<Json<SwitchedAccount>, Failure> {
    let id = id.valid()?;
    let SwitchBody { enabled } = service.of_account(&caller, &id, body.valid()).await?;
    service.switch_account(&caller, &id, enabled).await?;
    Ok(Json(SwitchedAccount::done()))
}
