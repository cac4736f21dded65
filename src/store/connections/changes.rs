//! Changes of one connection other than of its credential: what it may do, its end, and who stands in for it then.

use time::OffsetDateTime;
use uuid::Uuid;

use super::user_hash;
use crate::domain::Error;
use crate::domain::connection::Connection;
use crate::domain::ids::ConnectionId;
use crate::store::TenantTx;
use crate::store::error::failed;

pub(super) const SET_READ_ONLY: &str = "-- connections: set read only
    UPDATE connections SET read_only = $3, updated_at = now() WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const LOCK_PAIR: &str = "-- connections: lock those of a pair
    SELECT connection_id, is_primary, created_at FROM connections
    WHERE tenant_id = $1 AND integration_id = $2 AND user_hash = $3 ORDER BY connection_id FOR UPDATE";
pub(super) const DELETE: &str = "-- connections: delete
    DELETE FROM connections WHERE tenant_id = $1 AND connection_id = $2";
pub(super) const PROMOTE: &str = "-- connections: promote one
    UPDATE connections SET is_primary = true, updated_at = now() WHERE tenant_id = $1 AND connection_id = $2";

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

/// Destroys one connection, which need not be there any more. A pair that has connections after it has exactly one
/// primary connection.
///
/// The caller holds the integration, as whoever makes or retires its connections does: so none is added to the pair
/// meanwhile. Who replaces a credential or deletes the user holds connections only; all of the pair are locked, in the
/// order of their ids, so that two such never wait for each other.
pub async fn delete(tx: &mut TenantTx, connection: &Connection) -> Result<Deletion, Error> {
    let pair: Vec<OfPair> = sqlx::query_as(LOCK_PAIR)
        .bind(tx.tenant().0)
        .bind(connection.integration.0)
        .bind(user_hash(&connection.user_id))
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
