//! Links whose time has passed: what came with them goes at once, they themselves once their users have been told.

use std::time::Duration;

use crate::domain::Error;
use crate::store::ServerTx;
use crate::store::error::failed;

// What is being used just now loses what came with it by that.
pub(super) const WIPE: &str = "-- link_tokens: wipe what came with expired ones
    UPDATE link_tokens SET sealed_data = NULL WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM link_tokens
        WHERE expires_at <= now() AND sealed_data IS NOT NULL ORDER BY expires_at LIMIT 1000
        FOR UPDATE SKIP LOCKED))";
// By their places in the table: looking 1,000 of them up by key costs more than reading a table of small rows.
// What goes with its connection just now is left to whoever deletes that, so that the two never wait for each other.
pub(super) const PURGE: &str = "-- link_tokens: purge
    DELETE FROM link_tokens WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM link_tokens
        WHERE expires_at < now() - make_interval(secs => $1) ORDER BY expires_at LIMIT 1000
        FOR UPDATE SKIP LOCKED))";

/// Destroys what came with at most 1,000 links whose time has passed; says with how many. The links stay: see [`purge`].
pub async fn wipe_expired(tx: &mut ServerTx) -> Result<u64, Error> {
    sqlx::query(WIPE)
        .execute(tx.connection())
        .await
        .map(|done| done.rows_affected())
        .map_err(failed)
}

/// Destroys at most 1,000 links that ended longer than `kept` ago; says how many.
pub async fn purge(tx: &mut ServerTx, kept: Duration) -> Result<u64, Error> {
    sqlx::query(PURGE)
        .bind(kept.as_secs_f64())
        .execute(tx.connection())
        .await
        .map(|done| done.rows_affected())
        .map_err(failed)
}
