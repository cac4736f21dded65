//! The only way into the database: transactions in tasks of their own, each in one role.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::error::{WANTS_RETRY, failed, unavailable};
use super::transaction::{Held, Scoped, ServerTx, TenantTx};
use crate::domain::Error;
use crate::domain::error::Refusal;
use crate::domain::ids::TenantId;

/// How many transactions run at once.
const TURNS: u32 = 14;
/// How many of the kind that may take long run beside them, so that they never take all turns.
const BIG_TURNS: u32 = 2;
/// How long a transaction waits for its turn, and then for a connection.
const ACQUIRE: Duration = Duration::from_millis(500);
/// How long the first round trip may take, a connection's making included, before the database counts as away.
const BEGIN: Duration = Duration::from_millis(1_200);
/// How long the rest of a transaction may take. The database's own limits are stricter; this one holds where the
/// database does not answer any more.
const WORK: Duration = Duration::from_secs(8);
/// The same for [`Access::BigWrite`].
const BIG_WORK: Duration = Duration::from_secs(65);
/// How long [`Db::close`] waits for running transactions.
const CLOSE: Duration = Duration::from_secs(4);
/// How often a transaction that lost against another one is tried.
const ATTEMPTS: usize = 3;
/// Below this many free bytes the embedded Postgres takes no writes: out of space is a panic for its log.
pub const DISK_FLOOR: u64 = 128 * 1024 * 1024;

/// The database. Cheap to clone; the pool is private.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    turns: Semaphore,
    big_turns: Semaphore,
    tasks: TaskTracker,
    disk_low: AtomicBool,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("connections", &self.inner.pool.size())
            .finish()
    }
}

/// What a transaction does to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Read,
    /// Something: refused while the disk is nearly full.
    Write,
    /// Very much: as `Write`, with 60 s instead of 5 s for a statement.
    BigWrite,
}

impl Db {
    /// Opens a pool. Nothing is connected yet; the first transaction finds out whether the database answers.
    pub fn new(options: PgConnectOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(TURNS + BIG_TURNS)
            .acquire_timeout(ACQUIRE)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let inner = Inner {
            pool,
            turns: Semaphore::new(TURNS as usize),
            big_turns: Semaphore::new(BIG_TURNS as usize),
            tasks: TaskTracker::new(),
            disk_low: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Runs `work` in one transaction of `tenant`, in a task of its own that a dropped request cannot cancel. The
    /// transaction commits when `work` answers `Ok`; it is tried again, at most three times in all, when the
    /// database says that it lost against another one.
    pub async fn tenant<T, F>(&self, tenant: TenantId, access: Access, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut TenantTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        self.writable(access)?;
        // A deleted tenant is nobody's from that moment on, whatever a server remembers of its keys.
        let read_only = access == Access::Read;
        let mode = if read_only { " READ ONLY" } else { "" };
        let statement = format!(
            "BEGIN{mode}; SET LOCAL ROLE keyway_tenant; SET LOCAL app.tenant_id = '{id}'; \
             SELECT require_living_tenant(){limits}",
            id = tenant.0,
            limits = limits(access),
        );
        self.run(
            statement,
            access,
            move |held| TenantTx::new(held, tenant),
            work,
        )
        .await
    }

    /// Runs `work` in one transaction of the role `keyway_jobs`.
    pub async fn jobs<T, F>(&self, access: Access, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        self.writable(access)?;
        self.server("keyway_jobs", access, work).await
    }

    /// Runs `work` in one transaction of the role `keyway_auth`, which can read what authenticates a caller.
    pub async fn auth<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        self.server("keyway_auth", Access::Read, work).await
    }

    /// Runs `work` in one transaction without any role: the login itself, which can read the catalogue only.
    pub(super) async fn bare<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        let statement = format!("BEGIN READ ONLY{}", limits(Access::Read));
        self.run(statement, Access::Read, ServerTx::new, work).await
    }

    /// Whether the database answers, within two seconds.
    pub async fn ping(&self) -> Result<(), Error> {
        self.auth(|tx| {
            Box::pin(async move {
                sqlx::raw_sql("SELECT 1")
                    .execute(tx.connection())
                    .await
                    .map(|_| ())
                    .map_err(failed)
            })
        })
        .await
    }

    /// Tells the store whether the disk under an embedded Postgres is nearly full.
    pub fn set_disk_low(&self, low: bool) {
        if self.inner.disk_low.swap(low, Ordering::Relaxed) != low {
            if low {
                tracing::error!(
                    "less than {DISK_FLOOR} bytes are free on the disk of the data directory: writes are refused until there is more"
                );
            } else {
                tracing::info!("the disk of the data directory has room again: writes are taken");
            }
        }
    }

    /// Refuses what writes while the disk is nearly full. A hand-out writes its audit row and so is refused too.
    fn writable(&self, access: Access) -> Result<(), Error> {
        if access != Access::Read && self.inner.disk_low.load(Ordering::Relaxed) {
            return Err(Error::Refused(Refusal::DiskFull));
        }
        Ok(())
    }

    /// Waits until the running transactions have ended, at most 4 s, then closes the connections; what is still
    /// running is rolled back and was acknowledged to nobody. The database is of no use after.
    pub async fn close(&self) {
        self.inner.turns.close();
        self.inner.big_turns.close();
        self.inner.tasks.close();
        let ended = async {
            self.inner.tasks.wait().await;
            self.inner.pool.close().await;
        };
        if timeout(CLOSE, ended).await.is_err() {
            tracing::warn!(
                "transactions were still running and are left to the database to roll back"
            );
        }
    }

    async fn server<T, F>(&self, role: &str, access: Access, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        let statement = format!("BEGIN; SET LOCAL ROLE {role}{}", limits(access));
        self.run(statement, access, ServerTx::new, work).await
    }

    async fn run<X, T, F>(
        &self,
        begin: String,
        access: Access,
        scope: impl Fn(Held) -> X + Send + Sync + 'static,
        work: F,
    ) -> Result<T, Error>
    where
        X: Scoped,
        T: Send + 'static,
        F: for<'a> Fn(&'a mut X) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        let db = self.clone();
        let task = async move {
            let (turns, limit) = match access {
                Access::Read | Access::Write => (&db.inner.turns, WORK),
                Access::BigWrite => (&db.inner.big_turns, BIG_WORK),
            };
            // The turn is held inside the task: work that nobody waits for any more still counts.
            let Ok(Ok(_turn)) = timeout(ACQUIRE, turns.acquire()).await else {
                return Err(unavailable("no database connection became free in time"));
            };
            let mut attempt = 1;
            loop {
                match db.attempt(&begin, limit, &scope, &work).await {
                    Err(Error::Unavailable { reason, .. })
                        if reason == WANTS_RETRY && attempt < ATTEMPTS =>
                    {
                        attempt += 1;
                    }
                    outcome => return outcome,
                }
            }
        };
        let task = self.inner.tasks.spawn(task.in_current_span());
        // A panic's message can hold what was being worked on.
        task.await
            .map_err(|_| Error::internal("a database task ended by a panic"))?
    }

    async fn attempt<X, T, F>(
        &self,
        begin: &str,
        limit: Duration,
        scope: &(impl Fn(Held) -> X + Sync),
        work: &F,
    ) -> Result<T, Error>
    where
        X: Scoped,
        F: for<'a> Fn(&'a mut X) -> BoxFuture<'a, Result<T, Error>> + Sync,
    {
        let away = |_| unavailable("the database does not answer");
        let held = timeout(BEGIN, Held::begin(&self.inner.pool, begin))
            .await
            .map_err(away)?
            .map_err(failed)?;
        let mut scoped = scope(held);
        let done = async {
            match work(&mut scoped).await {
                Ok(value) => scoped
                    .into_held()
                    .commit()
                    .await
                    .map_err(failed)
                    .map(|()| value),
                Err(error) => {
                    scoped.into_held().roll_back().await;
                    Err(error)
                }
            }
        };
        timeout(limit, done).await.map_err(away)?
    }
}

/// The time limits of a transaction, as statements to append to its `BEGIN`.
fn limits(access: Access) -> &'static str {
    match access {
        Access::Read | Access::Write => {
            "; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5s'; \
             SET LOCAL idle_in_transaction_session_timeout = '10s'"
        }
        Access::BigWrite => {
            "; SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '60s'; \
             SET LOCAL idle_in_transaction_session_timeout = '10s'"
        }
    }
}
