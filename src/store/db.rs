//! The only way into the database: transactions in tasks of their own, each in one role.

mod access;
mod disk;
mod meter;
mod own;
mod presence;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

pub use access::Access;
use access::limits;
pub use disk::DISK_FLOOR;
pub use meter::DbGauges;
use meter::{Meter, Role};

use super::audit::Later;
use super::error::{WANTS_RETRY, failed, unavailable};
use super::hot::Lanes;
use super::transaction::{Held, Scoped, ServerTx, TenantTx};
use crate::domain::Error;
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
    meter: Meter,
    lanes: Lanes,
    later: Later,
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("connections", &self.inner.pool.size())
            .finish()
    }
}

impl Db {
    /// Opens a pool. Nothing is connected yet; the first transaction finds out whether the database answers.
    pub fn new(options: PgConnectOptions) -> Self {
        let lanes = Lanes::new(options.clone());
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
            meter: Meter::default(),
            lanes,
            later: Later::default(),
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
        // What reads sees one moment, however many statements it takes.
        let mode = if read_only {
            " ISOLATION LEVEL REPEATABLE READ READ ONLY"
        } else {
            ""
        };
        let statement = format!(
            "BEGIN{mode}; SET LOCAL ROLE keyway_tenant; SET LOCAL app.tenant_id = '{id}'; \
             SELECT require_living_tenant(){limits}",
            id = tenant.0,
            limits = limits(access),
        );
        self.run(
            (Role::Tenant, statement),
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
        self.server(Role::Jobs, "keyway_jobs", access, work).await
    }

    /// Runs `work` in one transaction of the role `keyway_auth`, which can read what authenticates a caller.
    pub async fn auth<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        self.server(Role::Auth, "keyway_auth", Access::Read, work)
            .await
    }

    /// Runs `work` in one transaction without any role: the login itself, which can read the catalogue only.
    pub(super) async fn bare<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        let statement = format!("BEGIN READ ONLY{}", limits(Access::Read));
        self.run((Role::Login, statement), Access::Read, ServerTx::new, work)
            .await
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

    /// Waits until what runs has ended, then closes the connections: at most 4 s each for the calls of the hot paths, for
    /// audit rows that wait and for transactions. What is still running then is rolled back, or unknown, and was
    /// acknowledged to nobody. The database is of no use after.
    pub async fn close(&self) {
        self.inner.lanes.close().await;
        self.inner.later.flush(self).await;
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

    async fn server<T, F>(
        &self,
        role: Role,
        name: &str,
        access: Access,
        work: F,
    ) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'a> Fn(&'a mut ServerTx) -> BoxFuture<'a, Result<T, Error>> + Send + Sync + 'static,
    {
        let statement = format!("BEGIN; SET LOCAL ROLE {name}{}", limits(access));
        self.run((role, statement), access, ServerTx::new, work)
            .await
    }

    async fn run<X, T, F>(
        &self,
        (role, begin): (Role, String),
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
            let waiting = db.inner.meter.waiting(access);
            let turn = timeout(ACQUIRE, turns.acquire()).await;
            drop(waiting);
            let Ok(Ok(_turn)) = turn else {
                db.inner.meter.timed_out(access);
                return Err(unavailable("no database connection became free in time"));
            };
            let mut attempt = 1;
            loop {
                let outcome = db.attempt(&begin, limit, &scope, &work).await;
                db.inner.meter.ended(role, &outcome);
                match outcome {
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
