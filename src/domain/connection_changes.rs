//! The rules of a connection's life apart from its credential: what may use it, and its end.

use super::caller::Caller;
use super::connection::{Connection, Update};
use super::connections::{record, record_with, usable};
use super::error::{Error, Kind};
use super::ids::ConnectionId;
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
                Box::pin(async move { delete(tx, &caller, id).await })
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
async fn delete(tx: &mut TenantTx, caller: &Caller, id: ConnectionId) -> Result<(), Error> {
    let not_found = Error::NotFound(Kind::Connection);
    let seen = usable(caller, rows::find(tx, id).await?)?;
    if integrations::lock(tx, seen.integration).await?.is_none() {
        return Err(not_found);
    }
    match rows::delete(tx, &seen).await? {
        Deletion::NotThere => Err(not_found),
        Deletion::Done { promoted: None } => record(tx, caller, "connection.delete", id).await,
        Deletion::Done {
            promoted: Some(heir),
        } => {
            let detail = serde_json::json!({ "promoted": heir.to_string() });
            record_with(tx, caller, "connection.delete", id, Some(detail)).await
        }
    }
}
