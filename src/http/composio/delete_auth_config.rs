//! `DELETE /auth_configs/{nanoid}`

use axum::Json;
use axum::extract::State;

use super::document::{AUTH_CONFIGS, Failures};
use super::error::ErrorEnvelope;
use super::wire::{Deleted, RevokeQuery};
use crate::domain::Service;
use crate::domain::auth_config_deletion::AuthConfigDeletion;
use crate::domain::ids::{AuthConfigId, RevokeJobId};
use crate::http::extract::{AuthConfigsWrite, Authorized, IfMatch, Param, Query};
use crate::http::failure::Failure;

/// Delete an authentication configuration
///
/// Its connected accounts go with it, and every secret of both is destroyed at once. There is no body: one that is sent
/// is ignored.
#[utoipa::path(
    delete,
    path = "/auth_configs/{nanoid}",
    operation_id = "deleteAuthConfigsByNanoid",
    tag = AUTH_CONFIGS,
    params(
        ("nanoid" = String, Path, description = "The unique identifier of the authentication configuration to delete", example = "ac_V1StGXR8_Z5j"),
        ("revoke_on_delete" = Option<bool>, Query, description = "Whether to revoke the credentials at the provider, too. It is written down with the `revoke_job_id` of the answer; this server does not do it yet"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read; the deletion is refused when it is out of date")
    ),
    responses(
        (status = 200, description = "Successfully deleted auth config", body = Deleted),
        (status = 412, description = "Changed since the ETag in If-Match was read", body = ErrorEnvelope),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsWrite>,
    State(service): State<Service>,
    id: Param<AuthConfigId>,
    query: Query<RevokeQuery>,
    IfMatch(if_match): IfMatch,
) -> Result<Json<Deleted>, Failure> {
    let id = id.valid()?;
    let revocation = query.valid()?.revoke.then(RevokeJobId::new);
    let answer = Deleted::new(revocation.as_ref());
    let deletion = AuthConfigDeletion {
        id,
        if_match,
        revocation,
    };
    service.delete_auth_config(&caller, deletion).await?;
    Ok(Json(answer))
}
