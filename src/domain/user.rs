//! Users: whose connections there are, in the tenant's own words.

use time::OffsetDateTime;

use super::connection::Connection;
use super::integration::Integration;
use crate::crypto::Plain;

/// A user of the tenant, made with the first connection.
#[derive(Debug, Clone)]
pub struct User {
    /// What the tenant calls the user.
    pub id: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
}

/// A user, and what their connections' audit rows say.
#[derive(Debug, Clone)]
pub struct UserDetail {
    /// The user.
    pub user: User,
    /// When a credential of theirs was last handed out or a connection of theirs changed; its making does not count.
    pub last_used_at: Option<OffsetDateTime>,
}

/// A page of users, first made first.
#[derive(Debug)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// All users that the caller can see.
    pub total: i64,
}

/// One service of a user, and how they stand with it.
#[derive(Debug)]
pub struct UserService {
    /// The name as Klavis spells it where Klavis knows the service, else our own name.
    pub service_name: String,
    /// The user's primary connection with it, if there is one.
    pub connection: Option<Connection>,
}

/// A user's credential with one service, handed out against its audit row.
#[derive(Debug)]
pub struct UserCredential {
    /// The service's name, as in [`UserService`].
    pub service_name: String,
    /// The credential; none where none is stored.
    pub credential: Option<Plain>,
    /// Whether the connection is ready.
    pub is_authenticated: bool,
}

/// A service that a user is connected to.
#[derive(Debug)]
pub struct ConnectedService {
    /// The service.
    pub integration: Integration,
    /// The user's primary connection with it.
    pub connection: Connection,
}

/// How much was destroyed with a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destroyed {
    /// Live connections.
    pub connections: u64,
    /// Retired connections.
    pub retired: u64,
    /// Named groups of connections.
    pub strata: u64,
}
