//! `PATCH /connected_accounts/{nanoid}`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::error::ErrorEnvelope;
use super::wire::account_answers::ChangedAccount;
use super::wire::account_change_schema::PatchConnectedAccountsByNanoidRequest;
use super::wire::{AccountChangeBody, VAL};
use crate::domain::Service;
use crate::domain::ids::ConnectedAccountId;
use crate::http::extract::{Authorized, Body, ConnectionsWrite, Param};
use crate::http::failure::Failure;

/// Update a connected account
///
/// Changes the alias, members of the credential, or both; the rest is kept. `connection.state.val` merges key by key: a
/// value sets, null removes, a value as GET shows it (masked, or with the scope `credentials:read` in the clear) is left as
/// it is. A complete credential makes the account ACTIVE, except where it is INACTIVE.
#[utoipa::path(
    patch,
    path = "/connected_accounts/{nanoid}",
    operation_id = "patchConnectedAccountsByNanoid",
    tag = CONNECTED_ACCOUNTS,
    params(("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f")),
    request_body = PatchConnectedAccountsByNanoidRequest,
    responses(
        (status = 200, description = "Successfully updated connected account", body = ChangedAccount),
        (status = 409, description = "The alias is taken", body = ErrorEnvelope),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
    body: Body<AccountChangeBody>,
) -> Result<Json<ChangedAccount>, Failure> {
    let id = id.valid()?;
    let AccountChangeBody(change) = service.of_account(&caller, &id, body.valid()).await?;
    let done = service.update_account(&caller, &id, change).await;
    let status = done.map_err(|error| error.under(&VAL.map(Into::into)))?;
    Ok(Json(ChangedAccount::new(&id, status)))
}
