//! Unwrapped data keys kept for a while, so that a hot tenant does not unwrap on every request.
//!
//! A plain map under a lock and not a concurrent cache: those free removed entries at some later
//! time of their own, and a key that was forgotten must be wiped then and there.

use super::TenantKeys;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};
use uuid::Uuid;

/// How many tenants' keys are kept at most.
const TENANTS: usize = 1_024;
/// How long after loading they are used at most.
const LIFETIME: Duration = Duration::from_mins(5);

struct Entry {
    since: Instant,
    keys: Arc<TenantKeys>,
}

/// The data keys of up to 1,024 tenants, each for up to 5 minutes after it was put in (use does
/// not prolong that, so a rotation or deletion done by another server is seen within that time).
/// Keys only: no opened secret is ever kept.
///
/// Removed keys are wiped at once, or when the last request that still holds them ends. A request
/// that read the keys before an [`invalidate`](Self::invalidate) may put them back after it; they
/// then stay for the 5 minutes, which is why nothing may rely on an invalidation alone.
pub struct KeyCache {
    tenants: usize,
    lifetime: Duration,
    entries: RwLock<HashMap<Uuid, Entry>>,
}

impl KeyCache {
    /// An empty cache.
    pub fn new() -> Self {
        Self::with(TENANTS, LIFETIME)
    }

    fn with(tenants: usize, lifetime: Duration) -> Self {
        Self {
            tenants,
            lifetime,
            entries: RwLock::default(),
        }
    }

    /// The tenant's keys, when they are there and fresh.
    pub fn get(&self, tenant: Uuid) -> Option<Arc<TenantKeys>> {
        self.read()
            .get(&tenant)
            .filter(|entry| entry.since.elapsed() < self.lifetime)
            .map(|entry| Arc::clone(&entry.keys))
    }

    /// Keeps the keys under their own tenant, in the place of earlier ones. A full cache lets go
    /// of the keys that were put in first.
    pub fn insert(&self, keys: Arc<TenantKeys>) {
        let since = Instant::now();
        let mut entries = self.write();
        if entries.len() >= self.tenants && !entries.contains_key(&keys.tenant()) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.since);
            if let Some(tenant) = oldest.map(|(tenant, _)| *tenant) {
                entries.remove(&tenant);
            }
        }
        entries.insert(keys.tenant(), Entry { since, keys });
    }

    /// Forgets the tenant's keys: after a rotation or the tenant's deletion.
    pub fn invalidate(&self, tenant: Uuid) {
        self.write().remove(&tenant);
    }

    /// Lets go of the keys whose time is over. Expired keys are never used, but only this takes
    /// them out of memory while their tenant is idle: call it once a minute.
    pub fn sweep(&self) {
        self.write()
            .retain(|_, entry| entry.since.elapsed() < self.lifetime);
    }

    // A panic elsewhere cannot leave the map half changed, so a poisoned lock is taken all the
    // same.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<Uuid, Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Uuid, Entry>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for KeyCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KeyCache({} tenants)", self.read().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{KeyRing, RootKey};

    fn keys(count: usize) -> Vec<Arc<TenantKeys>> {
        let ring = KeyRing::new(&RootKey::generate(), &[]);
        (0..count)
            .map(|_| {
                let tenant = Uuid::new_v4();
                let (key, _) = ring.new_data_key(tenant, 1);
                Arc::new(TenantKeys::new(tenant, 1, vec![key]).expect("one key"))
            })
            .collect()
    }

    fn kept(all: &[Arc<TenantKeys>]) -> usize {
        all.iter()
            .filter(|keys| Arc::strong_count(keys) > 1)
            .count()
    }

    #[test]
    fn keys_are_found_until_they_are_invalidated() {
        let (cache, all) = (KeyCache::new(), keys(2));
        for keys in &all {
            cache.insert(Arc::clone(keys));
        }
        cache.invalidate(all[0].tenant());
        assert!(cache.get(all[0].tenant()).is_none());
        assert_eq!(Arc::strong_count(&all[0]), 1);
        let found = cache.get(all[1].tenant()).expect("kept");
        assert!(Arc::ptr_eq(&found, &all[1]));
    }

    #[test]
    fn a_full_cache_lets_go_of_the_oldest_keys() {
        let (cache, all) = (KeyCache::with(4, LIFETIME), keys(20));
        for keys in &all {
            cache.insert(Arc::clone(keys));
            cache.insert(Arc::clone(keys));
        }
        assert_eq!(kept(&all), 4);
        assert_eq!(kept(&all[16..]), 4);
        assert_eq!(format!("{cache:?}"), "KeyCache(4 tenants)");
    }

    #[test]
    fn expired_keys_are_not_used_and_leave_with_the_next_sweep() {
        let (cache, all) = (KeyCache::with(4, Duration::from_millis(20)), keys(3));
        for keys in &all {
            cache.insert(Arc::clone(keys));
        }
        std::thread::sleep(Duration::from_millis(40));
        assert!(all.iter().all(|keys| cache.get(keys.tenant()).is_none()));
        cache.sweep();
        assert_eq!(kept(&all), 0);
    }
}
