//! What changes of a connected account answer.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::connection::Status;
use crate::domain::ids::{ConnectedAccountId, RevokeJobId};

/// What a change answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatchConnectedAccountsByNanoidResponse)]
pub(in super::super) struct ChangedAccount {
    /// Always true.
    success: bool,
    /// The account's id.
    #[schema(example = "ca_1a2b3c4d5e6f")]
    id: String,
    /// Its status after the change.
    #[schema(example = "ACTIVE")]
    status: &'static str,
}

impl ChangedAccount {
    /// The answer for this account and the status that it has now.
    pub(in super::super) fn new(id: &ConnectedAccountId, status: Status) -> Self {
        Self {
            success: true,
            id: id.to_string(),
            status: status.name(),
        }
    }
}

/// What switching an account answers. Never empty: both Python SDKs raise on an empty body.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PatchConnectedAccountsByNanoIdStatusResponse)]
pub(in super::super) struct SwitchedAccount {
    /// Always true.
    success: bool,
}

impl SwitchedAccount {
    /// The answer.
    pub(in super::super) fn done() -> Self {
        Self { success: true }
    }
}

/// What a revocation answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostConnectedAccountsByNanoidRevokeResponse)]
pub(in super::super) struct RevokedAccount {
    /// The kinds of tokens that were revoked at the provider: none, as this server revokes nothing there.
    revoked_tokens: Vec<&'static str>,
    #[schema(inline)]
    connected_account: Revoked,
}

/// An account after its revocation.
#[derive(Debug, Serialize, ToSchema)]
struct Revoked {
    /// Its id.
    #[schema(example = "ca_1a2b3c4d5e6f")]
    id: String,
    /// Its status.
    #[schema(example = "REVOKED")]
    status: &'static str,
}

impl RevokedAccount {
    /// The answer for this account.
    pub(in super::super) fn of(id: &ConnectedAccountId) -> Self {
        Self {
            revoked_tokens: Vec::new(),
            connected_account: Revoked {
                id: id.to_string(),
                status: Status::Revoked.name(),
            },
        }
    }
}

/// What a deletion answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeleteConnectedAccountsByNanoidResponse)]
pub(in super::super) struct DeletedAccount {
    /// Always true.
    success: bool,
    /// What to name where revocation was asked for; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "pj_V1StGXR8_Z5j")]
    revoke_job_id: Option<String>,
}

impl DeletedAccount {
    /// The answer, with the revocation that was asked for.
    pub(in super::super) fn new(revocation: Option<&RevokeJobId>) -> Self {
        Self {
            success: true,
            revoke_job_id: revocation.map(RevokeJobId::to_string),
        }
    }
}
