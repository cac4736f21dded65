//! What the transactions of a [`Db`] do, in numbers: kept as plain atomics while they run, and read when somebody
//! asks.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use metrics::{counter, gauge};

use tokio::sync::Semaphore;

use super::{Access, BIG_TURNS, Db, TURNS};
use crate::domain::Error;
use crate::store::error::WANTS_RETRY;

/// In which role a transaction runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Tenant,
    Jobs,
    Auth,
    /// The login itself.
    Login,
}

/// How an attempt at a transaction ended.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Committed,
    /// By us: a rule of the domain refused it.
    RolledBack,
    /// Against another transaction (deadlock, serialization).
    Lost,
    Unavailable,
    Failed,
}

// In the order of the two enums.
const ROLES: [&str; 4] = ["tenant", "jobs", "auth", "login"];
const OUTCOMES: [&str; 5] = ["committed", "rolled_back", "lost", "unavailable", "failed"];
/// Turns of the short transactions, and of those that may take long.
const KINDS: [&str; 2] = ["short", "big"];

/// The numbers of one [`Db`].
#[derive(Debug, Default)]
pub(super) struct Meter {
    ended: [[AtomicU64; OUTCOMES.len()]; ROLES.len()],
    waiting: [AtomicUsize; KINDS.len()],
    timed_out: [AtomicU64; KINDS.len()],
}

/// One transaction that waits for its turn, until it is dropped.
pub(super) struct Waiting<'a>(&'a AtomicUsize);

impl Meter {
    pub(super) fn waiting(&self, access: Access) -> Waiting<'_> {
        let waiting = &self.waiting[turn(access)];
        waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(waiting)
    }

    pub(super) fn timed_out(&self, access: Access) {
        self.timed_out[turn(access)].fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt at a transaction has ended like this.
    pub(super) fn ended<T>(&self, role: Role, outcome: &Result<T, Error>) {
        let outcome = match outcome {
            Ok(_) => Outcome::Committed,
            Err(Error::Unavailable { reason, .. }) if *reason == WANTS_RETRY => Outcome::Lost,
            Err(Error::Unavailable { .. } | Error::TimedOut) => Outcome::Unavailable,
            Err(Error::Internal(_)) => Outcome::Failed,
            Err(_) => Outcome::RolledBack,
        };
        self.ended[role as usize][outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn turn(access: Access) -> usize {
    usize::from(access == Access::BigWrite)
}

/// What a [`Db`] is doing, and has done since it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbGauges {
    connections: usize,
    idle: usize,
    turns: [usize; KINDS.len()],
    in_use: [usize; KINDS.len()],
    waiting: [usize; KINDS.len()],
    timed_out: [u64; KINDS.len()],
    ended: [[u64; OUTCOMES.len()]; ROLES.len()],
}

impl Db {
    /// What the pool and the transactions are doing.
    pub fn gauges(&self) -> DbGauges {
        let (inner, meter) = (&self.inner, &self.inner.meter);
        let turns = [TURNS as usize, BIG_TURNS as usize];
        let free = [&inner.turns, &inner.big_turns].map(Semaphore::available_permits);
        let counts = |counts: &[AtomicU64; OUTCOMES.len()]| counts.each_ref().map(read);
        DbGauges {
            connections: inner.pool.size() as usize,
            idle: inner.pool.num_idle(),
            turns,
            in_use: std::array::from_fn(|kind| turns[kind].saturating_sub(free[kind])),
            waiting: meter.waiting.each_ref().map(|n| n.load(Ordering::Relaxed)),
            timed_out: meter.timed_out.each_ref().map(read),
            ended: meter.ended.each_ref().map(counts),
        }
    }
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

impl DbGauges {
    /// Hands the numbers to the recorder of metrics.
    pub fn publish(&self) {
        gauge!("keyway_db_connections").set(number(self.connections));
        gauge!("keyway_db_connections_idle").set(number(self.idle));
        for (index, kind) in KINDS.into_iter().enumerate() {
            gauge!("keyway_db_turns", "turn" => kind).set(number(self.turns[index]));
            gauge!("keyway_db_turns_in_use", "turn" => kind).set(number(self.in_use[index]));
            gauge!("keyway_db_turns_waiting", "turn" => kind).set(number(self.waiting[index]));
            counter!("keyway_db_acquire_timeouts_total", "turn" => kind)
                .absolute(self.timed_out[index]);
        }
        for (role, ended) in ROLES.into_iter().zip(self.ended) {
            for (outcome, count) in OUTCOMES.into_iter().zip(ended) {
                counter!("keyway_db_transactions_total", "kind" => role, "outcome" => outcome)
                    .absolute(count);
            }
        }
    }
}

/// There are never so many that an f64 would not hold them.
fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}
