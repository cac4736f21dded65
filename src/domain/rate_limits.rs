//! How often a key and a tenant may ask. Each server counts alone, in its memory, so that counting costs no round trip
//! and a database that is away stops nobody from being refused.
//!
//! A limit of `600/m` lets 600 requests through at once and gives one back every 100 ms (the generic cell rate
//! algorithm): in the long run 600 a minute, and within one minute never more than twice that.

mod limiter;
#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};

use super::caller::Caller;
use super::error::Error;
use super::ids::{KeyId, TenantId};
use super::service::Service;
use crate::telemetry::metrics::counts::{RATE_LIMITED_BY_KEY, RATE_LIMITED_BY_TENANT};
use limiter::Limiter;

/// The largest count: a request that is given back in less than a microsecond is no limit any more.
const MOST: u32 = 1_000_000;

/// So many requests in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    count: NonZeroU32,
    period: Period,
}

/// The time that a rate counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
}

impl Period {
    /// Its length in seconds.
    pub fn seconds(self) -> u32 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
        }
    }
}

impl Rate {
    /// How many requests: in the long run within the period, and at once after a rest.
    pub fn count(self) -> u32 {
        self.count.get()
    }

    /// The time in which the whole count comes back.
    pub fn period(self) -> Period {
        self.period
    }

    fn quota(self) -> Quota {
        match self.period {
            Period::Second => Quota::per_second(self.count),
            Period::Minute => Quota::per_minute(self.count),
            Period::Hour => Quota::per_hour(self.count),
        }
    }
}

/// As it is set: `600/m`.
impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.period {
            Period::Second => 's',
            Period::Minute => 'm',
            Period::Hour => 'h',
        };
        write!(f, "{}/{unit}", self.count)
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a rate such as 600/m, 10/s or 5000/h, of 1 to {MOST} requests")]
pub struct NoRate;

impl FromStr for Rate {
    type Err = NoRate;

    /// `<count>/<s|m|h>`; a count alone is one a minute.
    fn from_str(text: &str) -> Result<Self, NoRate> {
        let (count, period) = match text.split_once('/') {
            None => (text, Period::Minute),
            Some((count, "s")) => (count, Period::Second),
            Some((count, "m")) => (count, Period::Minute),
            Some((count, "h")) => (count, Period::Hour),
            Some(_) => return Err(NoRate),
        };
        // Rust's own parser would take a plus sign too.
        if !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoRate);
        }
        let count = count.parse().map_err(|_| NoRate)?;
        if count > MOST {
            return Err(NoRate);
        }
        let count = NonZeroU32::new(count).ok_or(NoRate)?;
        Ok(Self { count, period })
    }
}

/// The limits that the operator set; by default there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimits {
    /// Of each API key.
    pub key: Option<Rate>,
    /// Of all keys of a tenant together.
    pub tenant: Option<Rate>,
}

/// Whose limit a request met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// That of the API key.
    Key,
    /// That of the whole tenant.
    Tenant,
}

impl Limited {
    /// The word for it, in metrics and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Tenant => "tenant",
        }
    }
}

/// What both limits have counted. A limit that is off holds nothing.
pub(super) struct RateLimiters<C: Clock = MonotonicClock> {
    key: Option<Limit<(TenantId, KeyId), C>>,
    tenant: Option<Limit<TenantId, C>>,
}

struct Limit<K, C: Clock>
where
    K: Clone + Eq + std::hash::Hash,
{
    rate: Rate,
    limiter: Limiter<K, C>,
}

impl<K: Clone + Eq + std::hash::Hash, C: Clock> Limit<K, C> {
    fn new(rate: Rate, clock: C) -> Self {
        let limiter = Limiter::new(rate.quota(), clock);
        Self { rate, limiter }
    }

    fn take(&self, key: &K, by: Limited) -> Result<(), Error> {
        let refused = |retry_after: Duration| Error::RateLimited {
            by,
            rate: self.rate,
            retry_after,
        };
        self.limiter.take(key).map_err(refused)
    }
}

impl RateLimiters {
    pub(super) fn new(limits: RateLimits) -> Self {
        Self::by_clock(limits, &MonotonicClock)
    }
}

impl<C: Clock + Clone> RateLimiters<C> {
    fn by_clock(limits: RateLimits, clock: &C) -> Self {
        Self {
            key: limits.key.map(|rate| Limit::new(rate, clock.clone())),
            tenant: limits.tenant.map(|rate| Limit::new(rate, clock.clone())),
        }
    }
}

impl<C: Clock> RateLimiters<C> {
    /// Counts one request of the caller, or refuses it. What is refused counts nowhere: neither where it was refused
    /// nor at the other limit.
    fn take(&self, caller: &Caller) -> Result<(), Error> {
        let key = self.key.as_ref().map(|limit| {
            let id = (caller.tenant, caller.key.clone());
            (limit, id)
        });
        if let Some((limit, id)) = &key {
            let taken = limit.take(id, Limited::Key);
            taken.inspect_err(|_| RATE_LIMITED_BY_KEY.add(1))?;
        }
        let Some(tenant) = &self.tenant else {
            return Ok(());
        };
        tenant
            .take(&caller.tenant, Limited::Tenant)
            .inspect_err(|_| {
                RATE_LIMITED_BY_TENANT.add(1);
                if let Some((limit, id)) = &key {
                    limit.limiter.give_back(id);
                }
            })
    }

    /// Forgets who has its whole count again: who has not asked for as long as the period.
    pub(super) fn forget_idle(&self) {
        if let Some(limit) = &self.key {
            limit.limiter.forget_idle();
        }
        if let Some(limit) = &self.tenant {
            limit.limiter.forget_idle();
        }
    }
}

impl Service {
    /// Counts this request of the caller, or refuses it with [`Error::RateLimited`]. Once per request, before any work
    /// is done for it. Without limits it does nothing.
    pub fn count_request(&self, caller: &Caller) -> Result<(), Error> {
        self.rate_limiters().take(caller)
    }
}
