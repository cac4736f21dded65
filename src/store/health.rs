//! Facts about the database for `keyway doctor`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Db;
use super::error::failed;
use crate::domain::Error;

const MISSING_ROLES: &str = "-- health: roles that the login cannot switch to
    SELECT wanted.name FROM unnest(ARRAY['keyway_owner', 'keyway_tenant', 'keyway_auth', 'keyway_jobs']) AS wanted(name)
    LEFT JOIN pg_roles r ON r.rolname = wanted.name
    WHERE r.oid IS NULL OR NOT pg_has_role(session_user, r.oid, 'MEMBER')";
const CLOCK: &str = "-- health: clock
    SELECT extract(epoch FROM clock_timestamp())::float8";

/// The roles that are not there, or that the login may not switch to.
pub async fn missing_roles(db: &Db) -> Result<Vec<String>, Error> {
    db.bare(|tx| {
        Box::pin(async move {
            sqlx::query_scalar(MISSING_ROLES)
                .fetch_all(tx.connection())
                .await
                .map_err(failed)
        })
    })
    .await
}

/// By how many seconds the database's clock is ahead of this machine's.
pub async fn clock_skew(db: &Db) -> Result<f64, Error> {
    let theirs: f64 = db
        .bare(|tx| {
            Box::pin(async move {
                sqlx::query_scalar(CLOCK)
                    .fetch_one(tx.connection())
                    .await
                    .map_err(failed)
            })
        })
        .await?;
    let ours = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(Error::internal)?
        .as_secs_f64();
    Ok(theirs - ours)
}
