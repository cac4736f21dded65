//! One limit over many keys.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::{Quota, RateLimiter};

/// Counts requests by key and refuses those beyond the quota.
pub(super) struct Limiter<K, C: Clock>
where
    K: Clone + Eq + Hash,
{
    quota: Quota,
    counted: Counted<K>,
    gcra: RateLimiter<K, Counted<K>, C, NoOpMiddleware<C::Instant>>,
}

impl<K: Clone + Eq + Hash, C: Clock> Limiter<K, C> {
    pub(super) fn new(quota: Quota, clock: C) -> Self {
        let counted = Counted(Arc::default());
        Self {
            quota,
            counted: counted.clone(),
            gcra: RateLimiter::new(quota, counted, clock),
        }
    }

    /// Counts one request, or says how long it is until one is let through. A refused one is not counted.
    pub(super) fn take(&self, key: &K) -> Result<(), Duration> {
        self.gcra
            .check_key(key)
            .map_err(|refused| refused.wait_time_from(self.gcra.clock().now()))
    }

    /// Undoes one [`take`](Self::take) that counted.
    pub(super) fn give_back(&self, key: &K) {
        if let Some(due) = self.counted.all().get_mut(key) {
            *due = due.saturating_sub(self.quota.replenish_interval().into());
        }
    }

    /// Forgets the keys that have their whole quota again.
    pub(super) fn forget_idle(&self) {
        self.gcra.retain_recent();
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.gcra.len()
    }
}

/// For each key the time at which it has its whole quota again, since the start of the limiter. The crate's own store
/// cannot take a request back.
struct Counted<K>(Arc<Mutex<HashMap<K, Nanos>>>);

impl<K> Counted<K> {
    fn all(&self) -> MutexGuard<'_, HashMap<K, Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Clone for Counted<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Clone + Eq + Hash> StateStore for Counted<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut all = self.all();
        if let Some(due) = all.get_mut(key) {
            let (outcome, next) = measure(Some(*due))?;
            *due = next;
            return Ok(outcome);
        }
        let (outcome, next) = measure(None)?;
        all.insert(key.clone(), next);
        Ok(outcome)
    }
}

impl<K: Clone + Eq + Hash> ShrinkableKeyedStateStore<K> for Counted<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        let mut all = self.all();
        all.retain(|_, due| *due >= drop_below);
        // Not to the bone, since the next requests would make it grow again.
        let room = all.len() * 2;
        all.shrink_to(room);
    }

    fn len(&self) -> usize {
        self.all().len()
    }

    fn is_empty(&self) -> bool {
        self.all().is_empty()
    }
}
