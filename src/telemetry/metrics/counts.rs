//! Numbers of events on hot paths: one atomic addition each (a few nanoseconds), whether or not anybody asks for
//! metrics. They become series when metrics are rendered, so that it does not matter who was first, the event or the
//! recorder.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::counter;

/// Events of one kind since the process began.
#[derive(Debug)]
pub struct Count {
    name: &'static str,
    labels: &'static [(&'static str, &'static str)],
    events: AtomicU64,
}

impl Count {
    const fn new(name: &'static str, labels: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            name,
            labels,
            events: AtomicU64::new(0),
        }
    }

    /// So many more.
    pub fn add(&self, events: u64) {
        self.events.fetch_add(events, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    fn publish(&self) {
        counter!(self.name, self.labels).absolute(self.get());
    }
}

/// Secrets sealed under a tenant's data key.
pub static SEALED: Count = Count::new("keyway_sealed_total", &[]);
/// Sealed secrets opened.
pub static OPENED: Count = Count::new("keyway_opened_total", &[]);
/// Sealed secrets that did not open: altered, moved, or of another generation than their row.
pub static UNOPENED: Count = Count::new("keyway_open_failures_total", &[("reason", "refused")]);
/// Sealed secrets that name a data key which is not among the tenant's keys in memory. A rotation by another server
/// makes such, once each, before the keys are read anew.
pub static UNOPENED_WITHOUT_KEY: Count =
    Count::new("keyway_open_failures_total", &[("reason", "unknown_key")]);
/// Credentials that were opened in the clear for a hand-out.
pub static HANDED_OUT: Count = Count::new("keyway_credentials_handed_out_total", &[]);
/// Rows written to the audit log, by whatever statement or function.
pub static AUDIT_ROWS: Count = Count::new("keyway_audit_rows_total", &[]);

const RATE_LIMITED: &str = "keyway_rate_limited_total";
/// Requests beyond the rate limit of their API key.
pub static RATE_LIMITED_BY_KEY: Count = Count::new(RATE_LIMITED, &[("by", "key")]);
/// Requests beyond the rate limit of their tenant.
pub static RATE_LIMITED_BY_TENANT: Count = Count::new(RATE_LIMITED, &[("by", "tenant")]);

const LOOKUPS: &str = "keyway_key_cache_lookups_total";
/// A tenant's data keys were in memory.
pub static DATA_KEY_HITS: Count = Count::new(LOOKUPS, &[("cache", "data_key"), ("outcome", "hit")]);
/// A tenant's data keys had to be read and unwrapped.
pub static DATA_KEY_MISSES: Count =
    Count::new(LOOKUPS, &[("cache", "data_key"), ("outcome", "miss")]);
/// An API key's row was in memory.
pub static API_KEY_HITS: Count = Count::new(LOOKUPS, &[("cache", "api_key"), ("outcome", "hit")]);
/// An API key's row had to be read.
pub static API_KEY_MISSES: Count =
    Count::new(LOOKUPS, &[("cache", "api_key"), ("outcome", "miss")]);

/// Hands every number to the recorder.
pub(super) fn publish() {
    let all = [
        &SEALED,
        &OPENED,
        &UNOPENED,
        &UNOPENED_WITHOUT_KEY,
        &HANDED_OUT,
        &AUDIT_ROWS,
        &RATE_LIMITED_BY_KEY,
        &RATE_LIMITED_BY_TENANT,
        &DATA_KEY_HITS,
        &DATA_KEY_MISSES,
        &API_KEY_HITS,
        &API_KEY_MISSES,
    ];
    all.into_iter().for_each(Count::publish);
}
