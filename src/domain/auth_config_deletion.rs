//! The end of an auth config, with everything that lies under it.

use super::auth_configs::precondition;
use super::caller::Caller;
use super::error::{Error, Kind};
use super::ids::{AuthConfigId, RevokeJobId};
use super::service::Service;
use crate::store::auth_config_deletion as store;
use crate::store::auth_configs as rows;
use crate::store::{Access, TenantTx, audit, integrations};

/// Which auth config is to go.
#[derive(Debug, Clone)]
pub struct AuthConfigDeletion {
    /// Its id.
    pub id: AuthConfigId,
    /// The entity tag that the caller saw (`If-Match`).
    pub if_match: Option<String>,
    /// The revocation at the provider that was asked for. It is written down, and done by nobody here: what this server
    /// held is destroyed.
    pub revocation: Option<RevokeJobId>,
}

impl Service {
    /// Ends an auth config and destroys every sealed byte under it at once: its cells, its connections, live and retired,
    /// with their links. Where it was the default one, the oldest one that is left becomes that; each user whose primary
    /// connection went and who has others gets the oldest of them as the primary one.
    pub async fn delete_auth_config(
        &self,
        caller: &Caller,
        deletion: AuthConfigDeletion,
    ) -> Result<(), Error> {
        if self.end(caller, deletion.clone(), Access::Write).await? {
            return Ok(());
        }
        // So many connections go with it that it gets the turn and the time of a big write.
        if self.end(caller, deletion, Access::BigWrite).await? {
            Ok(())
        } else {
            Err(Error::internal("a big write was refused as too big"))
        }
    }

    /// `false` where more goes with the config than `access` is for; nothing was changed then.
    async fn end(
        &self,
        caller: &Caller,
        deletion: AuthConfigDeletion,
        access: Access,
    ) -> Result<bool, Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, access, move |tx| {
                let (caller, deletion) = (caller.clone(), deletion.clone());
                Box::pin(async move { end(tx, &caller, &deletion, access).await })
            })
            .await
    }
}

/// The integration is held first, as by whoever makes connections or configs of it, so that no two of them ever wait for
/// each other.
async fn end(
    tx: &mut TenantTx,
    caller: &Caller,
    deletion: &AuthConfigDeletion,
    access: Access,
) -> Result<bool, Error> {
    let not_found = || Error::NotFound(Kind::AuthConfig);
    let seen = rows::find(tx, &deletion.id)
        .await?
        .filter(|config| caller.may_use(config.integration))
        .ok_or_else(not_found)?;
    integrations::lock(tx, seen.integration)
        .await?
        .ok_or_else(not_found)?;
    let config = rows::lock(tx, &deletion.id).await?.ok_or_else(not_found)?;
    precondition(deletion.if_match.as_deref(), &config.etag())?;
    if access == Access::Write && store::is_big(tx, config.integration, config.uuid).await? {
        return Ok(false);
    }
    let destroyed = store::end(tx, config.integration, config.uuid).await?;
    let new_default = if config.is_default {
        store::promote(tx, config.integration).await?
    } else {
        None
    };
    let event = audit::Event {
        action: "auth_config.delete",
        object_kind: "auth_config",
        object_id: config.id.as_str(),
        detail: Some(serde_json::json!({
            "connections": destroyed.connections,
            "retired_connections": destroyed.retired,
            "connections_promoted": destroyed.promoted,
            "new_default": new_default,
            "revoke_job_id": deletion.revocation.as_ref().map(RevokeJobId::as_str),
        })),
    };
    audit::append(tx, caller, event).await?;
    Ok(true)
}
