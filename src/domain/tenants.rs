//! Tenants and their API keys.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::caller::{Caller, Expiry, Scope};
use super::error::{Error, Issue, Kind, Rule};
use super::ids::{KeyId, TenantId};
use super::service::Service;
use crate::crypto::ApiKey;
use crate::store::api_keys::{self, NewKey, StoredKey};
use crate::store::tenants::{self, Tenant};
use crate::store::{Access, audit};

/// How long the rows of a deleted tenant are waited for.
const SWEEP_PATIENCE: Duration = Duration::from_secs(15);
/// The longest name of a tenant or key, in characters.
const MAX_NAME: usize = 100;

/// What it takes to make an API key.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// Its name, for people.
    pub name: String,
    /// What it may do; empty means everything but `tenant:admin`.
    pub scopes: Vec<Scope>,
    /// The integrations it is limited to.
    pub integrations: Option<Vec<Uuid>>,
    /// When it ends.
    pub expiry: Option<Expiry>,
}

/// A key that was just made: the only time that it can be shown.
#[derive(Debug)]
pub struct MadeApiKey {
    /// Its public part.
    pub id: KeyId,
    /// The key itself.
    pub api_key: Zeroizing<String>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires_at: Option<OffsetDateTime>,
}

fn check_name(name: &str) -> Result<(), Error> {
    let rule = match name.chars().count() {
        0 => Rule::TooShort { min: 1 },
        count if count > MAX_NAME => Rule::TooLong { max: MAX_NAME },
        _ if name.chars().any(char::is_control) => Rule::NulCharacter,
        _ => return Ok(()),
    };
    Err(Error::Invalid(vec![Issue::at("name", rule)]))
}

/// Who acts when the operator does, on the command line.
pub(super) fn operator(tenant: TenantId) -> Caller {
    Caller {
        tenant,
        key: KeyId("operator".into()),
        scopes: Scope::ALL.to_vec(),
        integrations: None,
        request_id: Uuid::now_v7().to_string(),
    }
}

impl Service {
    /// Makes a tenant with its first data key. The name is unique among the living.
    pub async fn create_tenant(&self, name: &str) -> Result<TenantId, Error> {
        check_name(name)?;
        let (vault, name, id) = (self.vault().clone(), name.to_owned(), TenantId::new());
        self.db()
            .jobs(Access::Write, move |tx| {
                let (vault, name) = (vault.clone(), name.clone());
                Box::pin(async move {
                    tenants::insert(tx, id, &name).await?;
                    vault.add_first_data_key(tx, id).await?;
                    let event = audit::Event {
                        action: "tenant.create",
                        object_kind: "tenant",
                        object_id: &id.to_string(),
                        detail: Some(serde_json::json!({ "name": name })),
                    };
                    audit::append_as_server(tx, &operator(id), event).await
                })
            })
            .await?;
        Ok(id)
    }

    /// The living tenants, by name.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, Error> {
        self.db()
            .jobs(Access::Read, |tx| Box::pin(tenants::list(tx)))
            .await
    }

    /// The living tenant of this name.
    pub async fn tenant_named(&self, name: &str) -> Result<TenantId, Error> {
        let name = name.to_owned();
        let found = self
            .db()
            .jobs(Access::Read, move |tx| {
                let name = name.clone();
                Box::pin(async move { tenants::find(tx, &name).await })
            })
            .await?;
        found
            .map(|tenant| TenantId(tenant.id))
            .ok_or(Error::NotFound(Kind::Tenant))
    }

    /// Destroys a tenant: its data keys and API keys at once, so that nothing of it can be opened or used, then its
    /// rows in batches. A run that was cut short is finished by the next deletion or by [`Service::sweep_tenants`].
    pub async fn delete_tenant(&self, name: &str) -> Result<TenantId, Error> {
        let name = name.to_owned();
        let deleted = self
            .db()
            .jobs(Access::Write, move |tx| {
                let name = name.clone();
                Box::pin(async move { tenants::delete(tx, &name).await })
            })
            .await?;
        let Some(tenant) = deleted else {
            self.sweep_tenants().await?;
            return Err(Error::NotFound(Kind::Tenant));
        };
        self.vault().forget(tenant);
        tracing::warn!(%tenant, "a tenant was deleted: its keys are destroyed, its rows follow");
        // A server that tidies at this moment, or a request that began before, may hold a row back for a while.
        let deadline = Instant::now() + SWEEP_PATIENCE;
        loop {
            let swept = self.sweep_tenants().await;
            if !self.doomed().await?.contains(&tenant) {
                return Ok(tenant);
            }
            if Instant::now() > deadline {
                swept?;
                return Err(Error::Unavailable {
                    reason:
                        "the tenant is deleted and its keys are destroyed, but some of its rows \
                             are still in use; the server destroys them within minutes"
                            .into(),
                    retry_after: Duration::from_mins(1),
                });
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    async fn doomed(&self) -> Result<Vec<TenantId>, Error> {
        self.db()
            .jobs(Access::Read, |tx| Box::pin(tenants::doomed(tx)))
            .await
    }

    /// Destroys the rows that deleted tenants still have. One tenant's failure does not keep the others' rows; the
    /// last one is answered.
    pub async fn sweep_tenants(&self) -> Result<(), Error> {
        let doomed = self.doomed().await?;
        let mut outcome = Ok(());
        for tenant in doomed {
            if let Err(error) = self.sweep_tenant(tenant).await {
                outcome = Err(error);
            }
        }
        outcome
    }

    async fn sweep_tenant(&self, tenant: TenantId) -> Result<(), Error> {
        let sweep = || {
            self.db().jobs(Access::Write, move |tx| {
                Box::pin(tenants::sweep(tx, tenant))
            })
        };
        while sweep().await? > 0 {}
        Ok(())
    }

    /// Makes an API key for a tenant.
    pub async fn create_key(&self, tenant: TenantId, new: NewApiKey) -> Result<MadeApiKey, Error> {
        check_name(&new.name)?;
        let scopes = if new.scopes.is_empty() {
            Scope::default_set()
        } else {
            new.scopes
        };
        let key = ApiKey::generate();
        let pepper = self.vault().newest_pepper()?;
        let row = NewKey {
            key_id: key.id().to_owned(),
            name: new.name,
            mac: pepper.mac(&key.presented()),
            pepper_version: pepper.version(),
            scopes: scopes.clone(),
            integrations: new.integrations,
            expiry: new.expiry,
        };
        let id = KeyId(row.key_id.clone());
        let expires_at = self
            .db()
            .tenant(tenant, Access::Write, move |tx| {
                let row = row.clone();
                Box::pin(async move {
                    let expires_at = api_keys::insert(tx, &row).await?;
                    let event = key_event("api_key.create", &row.key_id);
                    audit::append(tx, &operator(tenant), event).await?;
                    Ok(expires_at)
                })
            })
            .await?;
        Ok(MadeApiKey {
            id,
            api_key: key.reveal_once(),
            scopes,
            expires_at,
        })
    }

    /// The keys of a tenant, oldest first, revoked ones too.
    pub async fn api_keys(&self, tenant: TenantId) -> Result<Vec<StoredKey>, Error> {
        self.db()
            .tenant(tenant, Access::Read, |tx| Box::pin(api_keys::list(tx)))
            .await
    }

    /// Ends a key. Every server sees it within 5 s.
    pub async fn revoke_key(&self, tenant: TenantId, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.db()
            .tenant(tenant, Access::Write, move |tx| {
                let id = id.clone();
                Box::pin(async move {
                    if !api_keys::revoke(tx, &id).await? {
                        return Err(Error::NotFound(Kind::ApiKey));
                    }
                    audit::append(tx, &operator(tenant), key_event("api_key.revoke", &id))
                        .await
                        .map(|_| ())
                })
            })
            .await
    }
}

fn key_event<'a>(action: &'static str, key_id: &'a str) -> audit::Event<'a> {
    audit::Event {
        action,
        object_kind: "api_key",
        object_id: key_id,
        detail: None,
    }
}
