//! One rotation at a time: a lock that ends with the process that holds it.

use std::time::Duration;

use sqlx::{Connection as _, PgConnection};
use tokio::time::timeout;

use crate::domain::Error;
use crate::domain::ids::TenantId;
use crate::store::Db;
use crate::store::error::{failed, unavailable};

/// Tells these locks from others of the database.
const CLASS: i32 = 724_196_052;

/// How long the connection and the lock may take before the database counts as away.
const TAKE: Duration = Duration::from_secs(5);
/// How long giving the lock back may take before its connection is dropped instead.
const RELEASE: Duration = Duration::from_secs(2);

const TRY: &str = "-- rotation: one at a time
    SELECT pg_try_advisory_xact_lock($1, $2)";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[TRY];

/// What is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// The root key.
    RootKey,
    /// A tenant's data key.
    TenantKey(TenantId),
}

impl Job {
    /// Two tenants of 2³² share a number: then one rotation is refused while the other runs, which harms nothing.
    fn number(self) -> i32 {
        match self {
            Self::RootKey => 0,
            Self::TenantKey(tenant) => {
                let (_, [.., a, b, c, d]) = tenant.0.as_bytes().split_at(12) else {
                    return 1;
                };
                i32::from_be_bytes([*a, *b, *c, *d])
            }
        }
    }
}

/// The right to rotate, for as long as it is held. Postgres takes it back when the connection ends: after a kill too.
#[derive(Debug)]
pub struct Alone(PgConnection);

impl Alone {
    /// Gives the right back at once.
    pub async fn release(self) {
        // Where the connection is broken, Postgres has let go already; where Postgres does not answer, it lets go when it
        // sees that the connection was closed.
        let _ = timeout(RELEASE, self.0.close()).await;
    }
}

/// Takes the right, on a connection of its own; `None` where another process has it. It is held by a transaction and
/// not by the session, so that a pooler between hands neither to somebody else.
///
/// # Errors
/// Unavailable where the database does not answer within 5 s.
pub async fn alone(db: &Db, job: Job) -> Result<Option<Alone>, Error> {
    timeout(TAKE, take(db, job))
        .await
        .map_err(|_| unavailable("the database does not answer"))?
        .map_err(failed)
}

async fn take(db: &Db, job: Job) -> Result<Option<Alone>, sqlx::Error> {
    let mut connection = PgConnection::connect_with(&db.options()).await?;
    sqlx::raw_sql("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")
        .execute(&mut connection)
        .await?;
    let taken: bool = sqlx::query_scalar(TRY)
        .bind(CLASS)
        .bind(job.number())
        .fetch_one(&mut connection)
        .await?;
    Ok(taken.then_some(Alone(connection)))
}
