//! Audit rows of hand-outs that are written a little later, many at once (`KEYWAY_AUDIT_READS=batched`).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::domain::ids::ConnectionId;
use crate::domain::{Caller, Error};
use crate::store::error::failed;
use crate::store::{Access, Db};

/// How long rows gather before they are written.
const GATHER: Duration = Duration::from_millis(250);
/// Rows older than this that are still unwritten make hand-outs wait for theirs again.
const OLDEST: Duration = Duration::from_millis(900);
/// The same from this many rows on.
const MOST: usize = 50_000;
/// How long the end of the server tries to write them.
const FLUSH: Duration = Duration::from_secs(4);
/// How many rows are written by one statement.
const BATCH: usize = 1_000;

/// In the role of the jobs, which may append for every tenant: one statement for all of them. A deleted tenant's rows
/// are left out; a batch whose commit was not confirmed is sent again.
pub(super) const APPEND: &str = "-- audit_log: append hand-outs
    INSERT INTO audit_log (tenant_id, audit_id, at, key_id, action, object_kind, object_id, request_id)
    SELECT h.tenant_id, h.audit_id, now() - make_interval(secs => h.age), h.key_id, 'connection.hand_out', 'connection',
        h.connection_id::text, h.request_id
    FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::float8[])
        AS h (tenant_id, connection_id, audit_id, key_id, request_id, age)
    WHERE (SELECT t.deleted_at IS NULL FROM tenants t WHERE t.tenant_id = h.tenant_id)
    ON CONFLICT (tenant_id, audit_id) DO NOTHING";

/// One row to write.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    tenant: Uuid,
    connection: Uuid,
    audit: Uuid,
    key: String,
    request: String,
    at: Instant,
}

impl Entry {
    pub(super) fn new(caller: &Caller, connection: ConnectionId, audit: Uuid) -> Self {
        Self {
            tenant: caller.tenant.0,
            connection: connection.0,
            audit,
            key: caller.key.0.clone(),
            request: caller.request_id.clone(),
            at: Instant::now(),
        }
    }
}

/// The rows that wait.
#[derive(Debug, Default)]
pub(in crate::store) struct Later {
    waiting: Mutex<Waiting>,
    /// Held by whoever writes: rows are taken out only once they are written.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Since when the oldest one waits.
    since: Option<Instant>,
    /// Whether a task is there that writes.
    attended: bool,
}

impl Later {
    /// Whether one more row may wait.
    pub(super) fn accepts(&self) -> bool {
        let waiting = self.lock();
        waiting.entries.len() < MOST && waiting.since.is_none_or(|since| since.elapsed() < OLDEST)
    }

    /// Keeps a row, and sees to it that it is written.
    pub(super) fn keep(&self, db: &Db, entry: Entry) {
        let mut waiting = self.lock();
        waiting.entries.push(entry);
        waiting.since.get_or_insert_with(Instant::now);
        if !waiting.attended {
            waiting.attended = true;
            drop(waiting);
            tokio::spawn(write(db.clone()));
        }
    }

    /// Writes what waits, before the database is closed; tries for 4 s.
    pub(in crate::store) async fn flush(&self, db: &Db) {
        let writing = async {
            while !self.lock().entries.is_empty() {
                if let Err(error) = append(db).await {
                    tracing::warn!(%error, "writing the audit rows of the last hand-outs failed");
                    sleep(GATHER).await;
                }
            }
        };
        if timeout(FLUSH, writing).await.is_err() {
            let rows = self.lock().entries.len();
            tracing::error!(
                rows,
                "the audit rows of the last hand-outs could not be written"
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes until nothing waits.
async fn write(db: Db) {
    let mut failing = false;
    loop {
        sleep(GATHER).await;
        match append(&db).await {
            Ok(()) => failing = false,
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "audit rows of hand-outs could not be written; until they are, hand-outs wait for theirs");
                }
                failing = true;
            }
        }
        let mut waiting = db.later().lock();
        if waiting.entries.is_empty() {
            waiting.attended = false;
            return;
        }
    }
}

/// Writes what waits at its beginning. What was not confirmed waits on and is sent again: a row is written once.
async fn append(db: &Db) -> Result<(), Error> {
    let _writing = db.later().writing.lock().await;
    let until = Instant::now();
    let mut left = db.later().lock().entries.len();
    while left > 0 {
        let batch: Vec<Entry> = {
            let waiting = db.later().lock();
            waiting
                .entries
                .iter()
                .take(BATCH.min(left))
                .cloned()
                .collect()
        };
        let count = batch.len();
        append_batch(db, batch).await?;
        let mut waiting = db.later().lock();
        waiting.entries.drain(..count);
        left -= count;
    }
    let mut waiting = db.later().lock();
    waiting.since = (!waiting.entries.is_empty()).then_some(until);
    Ok(())
}

async fn append_batch(db: &Db, batch: Vec<Entry>) -> Result<(), Error> {
    let batch = std::sync::Arc::new(batch);
    db.jobs(Access::Write, move |tx| {
        let batch = std::sync::Arc::clone(&batch);
        Box::pin(async move {
            sqlx::query(APPEND)
                .bind(batch.iter().map(|row| row.tenant).collect::<Vec<_>>())
                .bind(batch.iter().map(|row| row.connection).collect::<Vec<_>>())
                .bind(batch.iter().map(|row| row.audit).collect::<Vec<_>>())
                .bind(batch.iter().map(|row| row.key.clone()).collect::<Vec<_>>())
                .bind(
                    batch
                        .iter()
                        .map(|row| row.request.clone())
                        .collect::<Vec<_>>(),
                )
                .bind(
                    batch
                        .iter()
                        .map(|row| row.at.elapsed().as_secs_f64())
                        .collect::<Vec<_>>(),
                )
                .execute(tx.connection())
                .await
                .map(|_| ())
                .map_err(failed)
        })
    })
    .await
}
