//! A tenant of a test, holding one API key.

use std::sync::Arc;
use std::time::Duration;

use keyway::domain::caller::Expiry;
use keyway::domain::ids::TenantId;
use keyway::domain::tenants::NewApiKey;
use keyway::domain::{Scope, Service};
use time::OffsetDateTime;

use super::client::{Client, Key, Line};

/// A tenant, and one of its keys.
pub struct Tenant {
    pub id: TenantId,
    pub key: String,
    pub key_id: String,
    service: Service,
    line: Arc<Line>,
}

impl Tenant {
    pub(super) async fn make(name: &str, service: Service, line: Arc<Line>) -> Self {
        let id = service.create_tenant(name).await.unwrap();
        let keyless = Self {
            id,
            key: String::new(),
            key_id: String::new(),
            service,
            line,
        };
        keyless.with_key(default_key()).await
    }

    /// The same tenant with a new key that has these scopes only, by name.
    pub async fn with_scopes(&self, scopes: &[&str]) -> Self {
        let scopes: Vec<Scope> = scopes.iter().map(|name| name.parse().unwrap()).collect();
        assert!(
            !scopes.is_empty(),
            "a key without a list of scopes has nearly all of them"
        );
        self.with_key(NewApiKey {
            scopes,
            ..default_key()
        })
        .await
    }

    /// The same tenant with a new key of the default scopes that sees these integrations only, by UUID.
    pub async fn limited_to(&self, integrations: &[impl ToString]) -> Self {
        let integrations = integrations
            .iter()
            .map(|id| id.to_string().parse().unwrap())
            .collect();
        self.with_key(NewApiKey {
            integrations: Some(integrations),
            ..default_key()
        })
        .await
    }

    /// The same tenant with a new key whose time has passed.
    pub async fn with_expiry_passed(&self) -> Self {
        let passed = OffsetDateTime::now_utc() - Duration::from_secs(1);
        self.with_key(NewApiKey {
            expiry: Some(Expiry::At(passed)),
            ..default_key()
        })
        .await
    }

    /// Revokes this key. A server that has just used it sees that within 5 s.
    pub async fn revoke(&self) {
        self.service
            .revoke_key(self.id, &self.key_id)
            .await
            .unwrap();
    }

    async fn with_key(&self, new: NewApiKey) -> Self {
        let made = self.service.create_key(self.id, new).await.unwrap();
        let key = made.api_key.to_string();
        self.line.keep_secret(&key);
        Self {
            id: self.id,
            key,
            key_id: made.id.to_string(),
            service: self.service.clone(),
            line: Arc::clone(&self.line),
        }
    }

    /// A client that speaks to the Klavis dialect as this tenant.
    pub fn klavis(&self) -> Client {
        self.bearer()
    }

    /// A client that speaks to the Composio dialect as this tenant.
    pub fn composio(&self) -> Client {
        Client::new(
            Arc::clone(&self.line),
            Some(Key::of("x-api-key", &self.key)),
        )
    }

    /// A client that speaks to the Langdock dialect as this tenant.
    pub fn langdock(&self) -> Client {
        self.bearer()
    }

    fn bearer(&self) -> Client {
        let key = format!("Bearer {}", self.key);
        Client::new(Arc::clone(&self.line), Some(Key::of("authorization", &key)))
    }
}

/// A key with the default scopes, unlimited, without an end.
fn default_key() -> NewApiKey {
    NewApiKey {
        name: "test".to_owned(),
        scopes: Vec::new(),
        integrations: None,
        expiry: None,
    }
}
