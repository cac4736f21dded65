//! The one entrance to the rules: every dialect calls its methods and nothing below them. This file holds who calls;
//! the rules of each kind of thing are in the module of that name.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::Entry;
use moka::future::Cache;

use super::caller::{Caller, Scope};
use super::declared_rules::RulesSeen;
use super::error::{Error, KeyFault};
use super::ids::{IntegrationId, KeyId, TenantId};
use super::managed_apps::ManagedApps;
use super::rate_limits::{RateLimiters, RateLimits};
use super::tenants::operator;
use crate::crypto::{Pepper, PresentedKey, mask_key};
use crate::store::api_keys::StoredKey;
pub use crate::store::audit::AuditReads;
use crate::store::keys::Vault;
use crate::store::{Access, Db, audit, links, retirement};
use crate::telemetry::metrics::counts::{API_KEY_HITS, API_KEY_MISSES};

/// How long a key's row is believed: a revocation is seen by every server within 5 s.
const KEY_LIFETIME: Duration = Duration::from_secs(4);
/// How long a link is known after its end.
const ENDED_LINKS: Duration = Duration::from_hours(1);
/// How many keys are remembered.
const KEYS: u64 = 10_000;

/// What the operator set that the rules need.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Begins every URL that we hand out, without a slash at its end.
    pub public_url: String,
    /// Hosts (`host` or `host:port`) whose OAuth URLs may be http.
    pub egress_allow: Vec<String>,
    /// How long retired connections can be restored; zero destroys them at once.
    pub retention: Duration,
    /// When the audit rows of hand-outs are written.
    pub audit_reads: AuditReads,
    /// How often a key and a tenant may ask this server.
    pub rate_limits: RateLimits,
    /// The operator's shared OAuth apps.
    pub managed_apps: Arc<ManagedApps>,
}

/// The service: the rules over one store. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    vault: Vault,
    settings: Settings,
    keys: Cache<String, Arc<Vec<StoredKey>>>,
    rules: RulesSeen,
    rate_limiters: RateLimiters,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

impl Service {
    /// The service over an unlocked store.
    pub fn new(vault: Vault, settings: Settings) -> Self {
        let keys = Cache::builder()
            .max_capacity(KEYS)
            .time_to_live(KEY_LIFETIME)
            .build();
        let rate_limiters = RateLimiters::new(settings.rate_limits);
        Self {
            inner: Arc::new(Inner {
                vault,
                settings,
                keys,
                rules: RulesSeen::new(),
                rate_limiters,
            }),
        }
    }

    /// What the operator set.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(super) fn rules(&self) -> &RulesSeen {
        &self.inner.rules
    }

    pub(super) fn rate_limiters(&self) -> &RateLimiters {
        &self.inner.rate_limiters
    }

    pub(super) fn vault(&self) -> &Vault {
        &self.inner.vault
    }

    pub(super) fn db(&self) -> &Db {
        self.inner.vault.db()
    }

    /// Who presents this key: the whole text after `Bearer `, or of the key's own header. `request_id` goes into the
    /// audit rows of what the caller does.
    pub async fn authenticate(&self, presented: &str, request_id: &str) -> Result<Caller, Error> {
        let unknown = || {
            Error::Unauthenticated(KeyFault::Unknown {
                hint: mask_key(presented),
            })
        };
        let key = PresentedKey::parse(presented).ok_or_else(unknown)?;
        let rows = self.stored_keys(key.id()).await?;
        let Some(row) = rows.iter().find(|row| self.is_of(&key, row)) else {
            if rows.is_empty() {
                // An unknown id costs the same as a wrong secret.
                self.vault().newest_pepper()?.verify(&key, &Pepper::NO_ROW);
            }
            return Err(unknown());
        };
        if row.revoked_at.is_some() {
            return Err(unknown());
        }
        if row.expired {
            return Err(Error::Unauthenticated(KeyFault::Expired));
        }
        Ok(Caller {
            tenant: TenantId(row.tenant_id),
            key: KeyId(row.key_id.clone()),
            scopes: row
                .scopes
                .iter()
                .filter_map(|name| name.parse::<Scope>().ok())
                .collect(),
            integrations: row
                .integrations
                .as_ref()
                .map(|ids| ids.iter().copied().map(IntegrationId).collect()),
            request_id: request_id.to_owned(),
        })
    }

    fn is_of(&self, key: &PresentedKey, row: &StoredKey) -> bool {
        self.vault()
            .pepper(row.pepper_version)
            .is_some_and(|pepper| pepper.verify(key, &row.mac))
    }

    /// The rows of a key id, from memory or from the store; many callers at once cause one look-up.
    async fn stored_keys(&self, id: &str) -> Result<Arc<Vec<StoredKey>>, Error> {
        let look_up = async { self.db().find_api_keys(id.to_owned()).await.map(Arc::new) };
        let found = self
            .inner
            .keys
            .entry_by_ref(id)
            .or_try_insert_with(look_up)
            .await;
        let is_hit = found.as_ref().is_ok_and(|entry| !entry.is_fresh());
        let count = if is_hit {
            &API_KEY_HITS
        } else {
            &API_KEY_MISSES
        };
        count.add(1);
        found
            .map(Entry::into_value)
            .map_err(|shared| shared.duplicate())
    }

    /// Whether the database answers; the key ring is open since the start.
    pub async fn ready(&self) -> Result<(), Error> {
        self.db().ping().await
    }

    /// Destroys retired connections that are older than the retention and links that ended an hour ago, finishes the rotations of data keys whose time
    /// has come, and forgets keys that were unwrapped too long ago and whoever has not asked for long. Run now and
    /// then, on every server.
    pub async fn tidy(&self) -> Result<(), Error> {
        self.vault().sweep();
        self.rate_limiters().forget_idle();
        while self.purge().await? > 0 {}
        while self.wipe_links().await? > 0 {}
        while self.purge_links().await? > 0 {}
        self.finish_rotations().await
    }

    /// Destroys one batch of retired connections, with an audit row for each tenant; says how many went.
    async fn purge(&self) -> Result<i64, Error> {
        let retention = self.settings().retention;
        self.db()
            .jobs(Access::Write, move |tx| {
                Box::pin(async move {
                    let gone = retirement::purge(tx, retention).await?;
                    for (tenant, count) in &gone {
                        let event = audit::Event {
                            action: "connection.purge",
                            object_kind: "tenant",
                            object_id: &tenant.to_string(),
                            detail: Some(serde_json::json!({ "connections": count })),
                        };
                        audit::append_as_server(tx, &operator(*tenant), event).await?;
                    }
                    Ok(gone.iter().map(|(_, count)| count).sum())
                })
            })
            .await
    }

    /// Destroys what came with one batch of links whose time has passed; says with how many.
    async fn wipe_links(&self) -> Result<u64, Error> {
        self.db()
            .jobs(Access::Write, |tx| Box::pin(links::wipe_expired(tx)))
            .await
    }

    /// Destroys one batch of links whose users have been told long enough why they lead nowhere; says how many went.
    async fn purge_links(&self) -> Result<u64, Error> {
        self.db()
            .jobs(Access::Write, |tx| Box::pin(links::purge(tx, ENDED_LINKS)))
            .await
    }

    /// Waits until every running transaction has ended; the service is of no use after.
    pub async fn close(&self) {
        self.db().close().await;
    }
}
