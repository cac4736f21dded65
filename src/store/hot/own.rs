//! A connection that one lane's task owns alone: no transaction is ever begun on it, it is never lent, and no call on
//! it is cancelled but by closing it.

use std::fmt;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::Query;
use sqlx::{Connection as _, PgConnection, Postgres};
use tokio::time::timeout;

use super::super::coalesce::Failure;
use super::super::error::{failed, is_broken, unavailable};
use crate::domain::Error;

/// How long connecting may take, its first statement included.
const CONNECT: Duration = Duration::from_millis(900);
/// How long a connection may take to say that it still answers.
const PING: Duration = Duration::from_millis(300);
/// After this long without a call the connection is asked whether it still answers (the database may have been
/// restarted): what breaks within a call is unknown and answered 503.
const IDLE: Duration = Duration::from_secs(1);
/// The limits that an explicit transaction sets for itself (`store::db`).
const LIMITS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s'";

/// The connection, made when it is first needed and again after it broke.
pub(super) struct Own {
    options: PgConnectOptions,
    connection: Option<PgConnection>,
    used: Instant,
}

impl Own {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            connection: None,
            used: Instant::now(),
        }
    }

    /// Runs one statement in a transaction of its own and answers with all its rows.
    ///
    /// All of them, also where one is expected: Postgres commits after the last row and says so last of all; whoever
    /// stops at the first row takes a change for done whose commit can still fail.
    pub(super) async fn rows(
        &mut self,
        query: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Failure> {
        let mut connection = self.ready().await.map_err(Failure::Broken)?;
        let rows = query.fetch_all(&mut connection).await;
        self.used = Instant::now();
        match rows {
            Ok(rows) => {
                self.connection = Some(connection);
                Ok(rows)
            }
            Err(error) if is_refusal(&error) => {
                self.connection = Some(connection);
                Err(Failure::Refused(failed(error)))
            }
            Err(error) => Err(Failure::Broken(failed(error))),
        }
    }

    /// The same for a statement that changes nothing: where a connection that was there turns out to be broken, a new
    /// one is asked once more. Only at once, so that both together take no longer than an idle one that does not answer.
    pub(super) async fn read<'q>(
        &mut self,
        query: impl Fn() -> Query<'q, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, Failure> {
        let (was_there, begun) = (self.connection.is_some(), Instant::now());
        match self.rows(query()).await {
            Err(Failure::Broken(_)) if was_there && begun.elapsed() < PING => {
                self.rows(query()).await
            }
            outcome => outcome,
        }
    }

    /// The connection, taken out: whoever does not put it back has broken it.
    async fn ready(&mut self) -> Result<PgConnection, Error> {
        if let Some(mut connection) = self.connection.take() {
            let answers = async {
                self.used.elapsed() < IDLE
                    || matches!(timeout(PING, connection.ping()).await, Ok(Ok(())))
            };
            if answers.await {
                return Ok(connection);
            }
        }
        connect(&self.options).await
    }

    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("connected", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}

/// Whether Postgres reported an error before the commit and the session goes on. What is neither that nor a broken
/// connection (an answer that cannot be decoded) leaves the outcome unknown.
fn is_refusal(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(_)) && !is_broken(error)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, Error> {
    let connecting = async {
        let mut connection = PgConnection::connect_with(options).await?;
        sqlx::raw_sql(LIMITS).execute(&mut connection).await?;
        Ok(connection)
    };
    match timeout(CONNECT, connecting).await {
        Ok(made) => made.map_err(failed),
        Err(_) => Err(unavailable("the database does not answer")),
    }
}
