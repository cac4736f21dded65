//! `DELETE /connected_accounts/{nanoid}`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::RevokeQuery;
use super::wire::account_answers::DeletedAccount;
use crate::domain::Service;
use crate::domain::ids::{ConnectedAccountId, RevokeJobId};
use crate::http::extract::{Authorized, ConnectionsWrite, Param, Query};
use crate::http::failure::Failure;

/// Delete a connected account
///
/// Destroys it with its credential at once. With `revoke_on_delete` the answer carries a `revoke_job_id`, which stands in
/// the audit log; this server revokes nothing at the provider. A body is not read.
#[utoipa::path(
    delete,
    path = "/connected_accounts/{nanoid}",
    operation_id = "deleteConnectedAccountsByNanoid",
    tag = CONNECTED_ACCOUNTS,
    params(
        ("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f"),
        ("revoke_on_delete" = Option<bool>, Query, description = "Whether revocation at the provider is asked for; false by default")
    ),
    responses((status = 200, description = "Successfully deleted connected account", body = DeletedAccount), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
    query: Query<RevokeQuery>,
) -> Result<Json<DeletedAccount>, Failure> {
    let id = id.valid()?;
    let RevokeQuery { revoke } = service.of_account(&caller, &id, query.valid()).await?;
    let revocation = revoke.then(RevokeJobId::new);
    service
        .delete_account(&caller, &id, revocation.clone())
        .await?;
    Ok(Json(DeletedAccount::new(revocation.as_ref())))
}
