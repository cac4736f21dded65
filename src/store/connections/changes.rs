//! Changes of one connection: its alias, its status, what it may do, its end, and who stands in for it then.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{ALIAS_INDEX, user_hash};
use crate::domain::Error;
use crate::domain::connection::{Connection, Status};
use crate::domain::error::Refusal;
use crate::domain::ids::ConnectionId;
use crate::store::TenantTx;
use crate::store::error::{failed, is_taken};

pub(super) const SET_READ_ONLY: &str = "-- connections: set read only
    UPDATE connections SET read_only = $3, updated_at = now() WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const LOCK_WITH_HEIR: &str = "-- connections: lock one and the oldest other of its pair
    SELECT connection_id, is_primary, created_at FROM connections WHERE tenant_id = $1 AND connection_id = ANY (ARRAY[$4,
        (SELECT connection_id FROM connections
        WHERE tenant_id = $1 AND integration_id = $2 AND user_hash = $3 AND connection_id <> $4
        ORDER BY created_at, connection_id LIMIT 1)]::uuid[])
    ORDER BY connection_id FOR UPDATE";
pub(super) const DELETE: &str = "-- connections: delete
    DELETE FROM connections WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const PROMOTE: &str = "-- connections: promote one
    UPDATE connections SET is_primary = true, updated_at = now() WHERE tenant_id = $1 AND connection_id = $2";

pub(super) const SET_ALIAS: &str = "-- connections: set alias
    UPDATE connections SET alias = $3, updated_at = now() WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const SET_STATUS: &str = "-- connections: set status
    UPDATE connections SET status = $3, status_reason = $4, updated_at = now()
    WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const CHANGE_CREDENTIAL: &str = "-- connections: change credential
    UPDATE connections SET generation = $3, sealed_credential = $4, status = $5, status_reason = $6, updated_at = now()
    WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const END_LINKS: &str = "-- link_tokens: end those of a connection
    DELETE FROM link_tokens WHERE tenant_id = $1 AND connection_id = $2";

/// One of the live connections of a pair (integration, user).
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
struct OfPair {
    connection_id: Uuid,
    is_primary: bool,
    created_at: OffsetDateTime,
}

/// What a deletion did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The connection was gone already.
    NotThere,
    /// It is gone with its sealed bytes; where it was the primary one of its pair, the oldest that was left took its
    /// place.
    Done {
        /// The new primary one.
        promoted: Option<ConnectionId>,
    },
}

/// Sets whether only reading tools may use the connection.
pub async fn set_read_only(
    tx: &mut TenantTx,
    id: ConnectionId,
    read_only: bool,
) -> Result<(), Error> {
    sqlx::query(SET_READ_ONLY)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(read_only)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Sets or clears the alias; refused where another connection of the same integration and user has it. The caller holds
/// the integration, so that no two changes wait for each other's aliases.
pub async fn set_alias(
    tx: &mut TenantTx,
    id: ConnectionId,
    alias: Option<&str>,
) -> Result<(), Error> {
    let done = sqlx::query(SET_ALIAS)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(alias)
        .execute(tx.connection())
        .await;
    match done {
        Ok(_) => Ok(()),
        Err(error) if is_taken(&error, ALIAS_INDEX) => Err(Error::Refused(Refusal::AliasTaken)),
        Err(error) => Err(failed(error)),
    }
}

/// What a connection is, and why.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Its status.
    pub status: Status,
    /// Why the status is what it is.
    pub reason: Option<&'a str>,
}

/// Sets the status with its reason and leaves the credential as it is.
pub async fn set_status(
    tx: &mut TenantTx,
    id: ConnectionId,
    standing: Standing<'_>,
) -> Result<(), Error> {
    sqlx::query(SET_STATUS)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(standing.status.name())
        .bind(standing.reason)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Replaces (or, with `None`, destroys) the credential and sets the status with its reason.
pub async fn change_credential(
    tx: &mut TenantTx,
    id: ConnectionId,
    sealed: Option<(Uuid, Vec<u8>)>,
    standing: Standing<'_>,
) -> Result<(), Error> {
    let (generation, bytes) = sealed.unzip();
    sqlx::query(CHANGE_CREDENTIAL)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(generation)
        .bind(bytes)
        .bind(standing.status.name())
        .bind(standing.reason)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Destroys the links to the page of a connection, with what they carry.
pub async fn end_links(tx: &mut TenantTx, id: ConnectionId) -> Result<(), Error> {
    on(tx, END_LINKS, id).await
}

/// Destroys one connection, which need not be there any more. A pair that has connections after it has exactly one
/// primary connection.
///
/// The caller holds the integration, as whoever makes or retires its connections does: so none is added to the pair
/// meanwhile, and the heir stays the oldest. Who replaces a credential or deletes the user holds connections only; the two
/// are locked in the order of their ids, so that two such never wait for each other.
pub async fn delete(tx: &mut TenantTx, connection: &Connection) -> Result<Deletion, Error> {
    let pair: Vec<OfPair> = sqlx::query_as(LOCK_WITH_HEIR)
        .bind(tx.tenant().0)
        .bind(connection.integration.0)
        .bind(user_hash(&connection.user_id))
        .bind(connection.id.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let Some(gone) = pair.iter().find(|row| row.connection_id == connection.id.0) else {
        return Ok(Deletion::NotThere);
    };
    let heir = pair
        .iter()
        .filter(|row| gone.is_primary && row.connection_id != gone.connection_id)
        .min_by_key(|row| (row.created_at, row.connection_id));
    let promoted = heir.map(|row| ConnectionId(row.connection_id));
    on(tx, DELETE, connection.id).await?;
    if let Some(heir) = promoted {
        on(tx, PROMOTE, heir).await?;
    }
    Ok(Deletion::Done { promoted })
}

async fn on(tx: &mut TenantTx, statement: &'static str, id: ConnectionId) -> Result<(), Error> {
    sqlx::query(statement)
        .bind(tx.tenant().0)
        .bind(id.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
