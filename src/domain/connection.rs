//! Connections: one user's credential under one auth config.

use time::OffsetDateTime;
use validator::Validate;

use super::ids::{AuthConfigUuid, ConnectedAccountId, ConnectionId, IntegrationId};
use super::integration::Integration;
use super::limits;
use super::scheme::Scheme;
use crate::crypto::Plain;

/// One user's credential under one auth config, apart from the secret.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Its id (Klavis: the instance's id).
    pub id: ConnectionId,
    /// Its id on Composio's wire.
    pub account: ConnectedAccountId,
    /// Under which config.
    pub auth_config: AuthConfigUuid,
    /// Of which integration.
    pub integration: IntegrationId,
    /// Whose, in the tenant's own words.
    pub user_id: String,
    /// Whether it is the one that stands for (integration, user).
    pub is_primary: bool,
    /// Its status.
    pub status: Status,
    /// Why the status is what it is, where that is worth saying.
    pub status_reason: Option<String>,
    /// What tells it apart from the user's other connections with the integration, unique among them.
    pub alias: Option<String>,
    /// Whether a credential is stored.
    pub has_credential: bool,
    /// The platform that the tenant named at creation.
    pub platform: Option<String>,
    /// Whether only reading tools may use it.
    pub read_only: bool,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl Connection {
    /// Whether it has a credential and is ready.
    pub fn is_ready(&self) -> bool {
        self.status == Status::Active && self.has_credential
    }
}

/// The status of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// No credential yet.
    Initializing,
    /// A redirect to the provider is pending.
    Initiated,
    /// Ready.
    Active,
    /// Switched off.
    Inactive,
    /// The credential ran out and cannot be refreshed.
    Expired,
    /// The last attempt to connect failed.
    Failed,
    /// Revoked at the provider.
    Revoked,
}

impl Status {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Initializing, "INITIALIZING"),
        (Self::Initiated, "INITIATED"),
        (Self::Active, "ACTIVE"),
        (Self::Inactive, "INACTIVE"),
        (Self::Expired, "EXPIRED"),
        (Self::Failed, "FAILED"),
        (Self::Revoked, "REVOKED"),
    ];

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(status, _)| *status)
    }

    /// All names, in the order of the published list.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(_, name)| *name)
    }

    /// Its name on the wire and in tables.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(status, _)| *status == self)
            .map_or("INITIALIZING", |(_, name)| name)
    }
}

/// What it takes to make the primary connection of (service, user).
#[derive(Debug, Validate)]
pub struct NewInstance {
    /// Any name of the service.
    pub service: String,
    /// Whose: 1 to 2,048 characters.
    #[validate(custom(function = limits::user_id))]
    pub user_id: String,
    /// The platform that the tenant named: 1 to 2,048 characters.
    #[validate(custom(function = limits::user_id))]
    pub platform: Option<String>,
    /// Whether only reading tools may use it.
    pub read_only: bool,
}

/// A connection as Klavis shows it.
#[derive(Debug)]
pub struct Instance {
    /// The connection.
    pub connection: Connection,
    /// Its integration.
    pub integration: Integration,
    /// The scheme of its own config.
    pub scheme: Scheme,
    /// Where its MCP server is.
    pub server_url: String,
    /// Where the user agrees at the provider; none while there is no OAuth engine or no client.
    pub oauth_url: Option<String>,
}

impl Instance {
    /// Whether a credential is needed.
    pub fn auth_needed(&self) -> bool {
        self.scheme != Scheme::None
    }

    /// Whether the connection is ready.
    pub fn is_authenticated(&self) -> bool {
        self.connection.is_ready()
    }
}

/// A connection after a change that was asked for.
#[derive(Debug)]
pub struct Update {
    /// The connection as it is now.
    pub connection: Connection,
    /// Whether anything was changed.
    pub changed: bool,
}

/// How a set-auth ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetOutcome {
    /// The credential was replaced and the connection is ACTIVE.
    Stored,
    /// There was nothing to store, so nothing was changed.
    NothingToStore,
    /// The scheme takes no credential, so nothing was changed.
    NoAuthentication,
}

/// What a hand-out gives: the secret in the clear, with its audit row written.
#[derive(Debug)]
pub struct HandedOut {
    /// The credential, a JSON object; none where the connection has none.
    pub credential: Option<Plain>,
}
