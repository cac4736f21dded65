//! `POST /connected_accounts/{nanoid}/revoke`

use axum::Json;
use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::wire::RevokedAccount;
use crate::domain::Service;
use crate::domain::ids::ConnectedAccountId;
use crate::http::extract::{Authorized, ConnectionsWrite, Param};
use crate::http::failure::Failure;

/// The prefix that does not have this route.
const WITHOUT: &str = "/api/v3/connected_accounts/";

/// Whether `path` asks for this route where it is not: the public service has it since version 3.1.
pub(super) fn is_hidden(path: &str) -> bool {
    let rest = path.strip_prefix(WITHOUT);
    rest.and_then(|rest| rest.strip_suffix("/revoke"))
        .is_some_and(|id| !id.contains('/'))
}

/// Revoke a connected account
///
/// Destroys the credential at once; the account stays, `REVOKED`, until it gets a new credential. This server revokes
/// nothing at the provider, so that `revoked_tokens` is empty. A body is not read.
#[utoipa::path(
    post,
    path = "/connected_accounts/{nanoid}/revoke",
    operation_id = "postConnectedAccountsByNanoidRevoke",
    tag = CONNECTED_ACCOUNTS,
    params(("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f")),
    responses((status = 200, description = "The account is revoked", body = RevokedAccount), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
) -> Result<Json<RevokedAccount>, Failure> {
    let id = id.valid()?;
    service.revoke_account(&caller, &id).await?;
    Ok(Json(RevokedAccount::of(&id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_route_under_the_older_prefix_is_hidden() {
        for (path, hidden) in [
            ("/api/v3/connected_accounts/ca_x/revoke", true),
            ("/api/v3/connected_accounts/anything/revoke", true),
            ("/api/v3/connected_accounts/{nanoid}/revoke", true),
            ("/api/v3.1/connected_accounts/ca_x/revoke", false),
            ("/api/v3/connected_accounts/revoke", false),
            ("/api/v3/connected_accounts/ca_x/refresh", false),
        ] {
            assert_eq!(is_hidden(path), hidden, "{path}");
        }
    }
}
