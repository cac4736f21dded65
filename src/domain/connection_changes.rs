//! The rules of a connection's life apart from its credential: what may use it, and its end.

use std::sync::Arc;

use super::caller::Caller;
use super::connection::{Connection, Update};
use super::connections::{record_with, usable};
use super::error::{Error, Kind};
use super::ids::{ConnectedAccountId, ConnectionId, RevokeJobId};
use super::service::Service;
use crate::store::connections::{self as rows, Deletion};
use crate::store::{Access, TenantTx, integrations};

impl Service {
    /// Says whether only reading tools may use the connection. Without `read_only`, or where it is so already, nothing
    /// is changed and nothing is audited.
    pub async fn update_connection(
        &self,
        caller: &Caller,
        id: ConnectionId,
        read_only: Option<bool>,
    ) -> Result<Update, Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let caller = caller.clone();
                Box::pin(async move { update(tx, &caller, id, read_only).await })
            })
            .await
    }

    /// Destroys a connection with its sealed bytes, at once. Where it was the primary one of its pair (integration,
    /// user), the oldest one that is left becomes that. The user stays.
    pub async fn delete_connection(&self, caller: &Caller, id: ConnectionId) -> Result<(), Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let caller = caller.clone();
                Box::pin(async move {
                    let seen = usable(&caller, rows::find(tx, id).await?)?;
                    delete(tx, &caller, &seen, None).await
                })
            })
            .await
    }

    /// [`Service::delete_connection`], by its id on Composio's wire. A revocation at the provider that was asked for
    /// stands in the audit row; nothing is revoked there.
    pub async fn delete_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        revocation: Option<RevokeJobId>,
    ) -> Result<(), Error> {
        let caller = caller.clone();
        let asked = Arc::new((id.clone(), revocation));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, asked) = (caller.clone(), Arc::clone(&asked));
                Box::pin(async move {
                    let (id, revocation) = &*asked;
                    let seen = usable(&caller, rows::find_account(tx, id).await?)?;
                    delete(tx, &caller, &seen, revocation.as_ref()).await
                })
            })
            .await
    }
}

async fn update(
    tx: &mut TenantTx,
    caller: &Caller,
    id: ConnectionId,
    read_only: Option<bool>,
) -> Result<Update, Error> {
    let connection = usable(caller, rows::lock(tx, id).await?)?;
    let wanted = read_only.unwrap_or(connection.read_only);
    let changed = wanted != connection.read_only;
    if changed {
        rows::set_read_only(tx, id, wanted).await?;
        let detail = serde_json::json!({ "read_only": wanted });
        record_with(tx, caller, "connection.update", id, Some(detail)).await?;
    }
    let connection = Connection {
        read_only: wanted,
        ..connection
    };
    Ok(Update {
        connection,
        changed,
    })
}

/// The integration is held first, as by whoever makes its connections or retires them, so that no two of them ever wait
/// for each other, and nobody adds to a pair whose primary connection is just going.
async fn delete(
    tx: &mut TenantTx,
    caller: &Caller,
    seen: &Connection,
    revocation: Option<&RevokeJobId>,
) -> Result<(), Error> {
    let not_found = || Error::NotFound(Kind::Connection);
    let integration = integrations::lock(tx, seen.integration).await?;
    integration.ok_or_else(not_found)?;
    let Deletion::Done { promoted } = rows::delete(tx, seen).await? else {
        return Err(not_found());
    };
    let mut detail = serde_json::Map::new();
    if let Some(heir) = promoted {
        detail.insert("promoted".to_owned(), heir.to_string().into());
    }
    if let Some(job) = revocation {
        detail.insert("revoke_job_id".to_owned(), job.as_str().into());
    }
    let detail = (!detail.is_empty()).then(|| detail.into());
    record_with(tx, caller, "connection.delete", seen.id, detail).await
}
