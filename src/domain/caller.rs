//! Who calls, and what it may do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::error::Error;
use super::ids::{IntegrationId, KeyId, TenantId};

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Langdock's integrations API.
    IntegrationApi,
    /// Langdock's assistants API, which may list integrations.
    AssistantApi,
    /// Read auth configs.
    AuthConfigsRead,
    /// Change auth configs.
    AuthConfigsWrite,
    /// Read connections, never their secrets.
    ConnectionsRead,
    /// Make and change connections.
    ConnectionsWrite,
    /// Read secrets: the only scope that reveals one.
    CredentialsRead,
    /// Manage the tenant's keys and read its audit log.
    TenantAdmin,
}

impl Scope {
    /// Every scope, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::IntegrationApi,
        Self::AssistantApi,
        Self::AuthConfigsRead,
        Self::AuthConfigsWrite,
        Self::ConnectionsRead,
        Self::ConnectionsWrite,
        Self::CredentialsRead,
        Self::TenantAdmin,
    ];

    /// What a key gets that is made without a list: everything but `tenant:admin`.
    pub fn default_set() -> Vec<Self> {
        Self::ALL
            .into_iter()
            .filter(|scope| *scope != Self::TenantAdmin)
            .collect()
    }

    /// The scope's name, as on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::IntegrationApi => "INTEGRATION_API",
            Self::AssistantApi => "ASSISTANT_API",
            Self::AuthConfigsRead => "auth_configs:read",
            Self::AuthConfigsWrite => "auth_configs:write",
            Self::ConnectionsRead => "connections:read",
            Self::ConnectionsWrite => "connections:write",
            Self::CredentialsRead => "credentials:read",
            Self::TenantAdmin => "tenant:admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a scope; the scopes are INTEGRATION_API, ASSISTANT_API, auth_configs:read, auth_configs:write, connections:read, connections:write, credentials:read, tenant:admin"
)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or(UnknownScope)
    }
}

/// When an API key ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expiry {
    /// At this moment.
    At(OffsetDateTime),
    /// This long after it is made, by the database's clock, which also judges it.
    After(Duration),
}

/// One authenticated caller: an argument of every method that touches a tenant's data.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Whose data.
    pub tenant: TenantId,
    /// With which key.
    pub key: KeyId,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// The integrations that the key is limited to, if it is.
    pub integrations: Option<Vec<IntegrationId>>,
    /// The request that this is, for the audit row.
    pub request_id: String,
}

impl Caller {
    /// Whether the key has the scope.
    pub fn has(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Refuses a key that lacks the scope.
    pub fn require(&self, scope: Scope) -> Result<(), Error> {
        if self.has(scope) {
            Ok(())
        } else {
            Err(Error::MissingScope(scope))
        }
    }

    /// Whether the key may see this integration.
    pub fn may_use(&self, integration: IntegrationId) -> bool {
        self.integrations
            .as_ref()
            .is_none_or(|list| list.contains(&integration))
    }

    /// The integrations that the key is limited to, if it is, as rows are found by them.
    pub fn allowed(&self) -> Option<Vec<Uuid>> {
        let ids = self.integrations.as_ref()?;
        Some(ids.iter().map(|IntegrationId(id)| *id).collect())
    }

    /// Refuses a key that is limited to some integrations: it may not make one.
    pub fn require_unlimited(&self) -> Result<(), Error> {
        if self.integrations.is_none() {
            Ok(())
        } else {
            Err(Error::LimitedKey)
        }
    }
}
