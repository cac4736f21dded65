//! Transactions in their roles: what the functions of the store run on.
//!
//! sqlx's own transactions are not used: cancelled or failing while they begin, they give a connection back to the pool
//! with a transaction open on it (security, fact 1). Here a connection goes back only after COMMIT or ROLLBACK was
//! confirmed; in every other case, a panic and a time-out included, it is closed, and Postgres rolls back.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres};
use tokio::time::timeout;

use super::error::is_broken;
use crate::domain::ids::TenantId;

/// How long a ROLLBACK may take before the connection is closed instead.
const ROLLBACK: Duration = Duration::from_secs(1);

/// A connection with a transaction open on it.
#[derive(Debug)]
pub(super) struct Held(Option<PoolConnection<Postgres>>);

impl Held {
    /// Opens a transaction with `statement`, which begins it and sets its role. A connection that turns out to be dead
    /// (the database was restarted) is closed and another one taken: nothing was done on it yet.
    pub(super) async fn begin(pool: &PgPool, statement: &str) -> Result<Self, sqlx::Error> {
        loop {
            let mut held = Self(Some(pool.acquire().await?));
            // Built from constants and a UUID only.
            let statement = sqlx::raw_sql(AssertSqlSafe(statement.to_owned()));
            match statement.execute(held.connection()).await {
                Ok(_) => return Ok(held),
                Err(error) if is_broken(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection, for the statements of the transaction.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0
            .as_mut()
            .expect("taken only by the methods that consume it")
    }

    /// Commits. The SELECT before it fails where a statement failed whose error was not passed on: COMMIT alone would
    /// answer such a transaction with ROLLBACK and no error.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        let done = sqlx::raw_sql("SELECT 1; COMMIT")
            .execute(self.connection())
            .await;
        if done.is_ok() {
            self.0.take();
        }
        done.map(|_| ())
    }

    /// Rolls back. A connection that cannot is closed.
    pub(super) async fn roll_back(mut self) {
        let done = timeout(
            ROLLBACK,
            sqlx::raw_sql("ROLLBACK").execute(self.connection()),
        );
        if matches!(done.await, Ok(Ok(_))) {
            self.0.take();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// One transaction of one tenant: the role is `keyway_tenant`, so that row-level security binds it.
#[derive(Debug)]
pub struct TenantTx {
    held: Held,
    tenant: TenantId,
}

/// One transaction of the server itself, in the role `keyway_jobs` or `keyway_auth`.
#[derive(Debug)]
pub struct ServerTx {
    held: Held,
}

impl TenantTx {
    pub(super) fn new(held: Held, tenant: TenantId) -> Self {
        Self { held, tenant }
    }

    /// Whose transaction this is.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.held.connection()
    }
}

impl ServerTx {
    pub(super) fn new(held: Held) -> Self {
        Self { held }
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.held.connection()
    }
}

/// A transaction in its role.
pub(super) trait Scoped: Send {
    fn into_held(self) -> Held;
}

impl Scoped for TenantTx {
    fn into_held(self) -> Held {
        self.held
    }
}

impl Scoped for ServerTx {
    fn into_held(self) -> Held {
        self.held
    }
}
