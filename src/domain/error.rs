//! The one error of the house. A dialect words it; nothing below `http` knows how it looks on the wire.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::time::Duration;

use super::caller::Scope;
pub use super::issue::{Expected, Issue, Rule, Segment};
pub use super::rate_limits::{Limited, Rate};
use crate::json::JsonFault;

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller did not prove who it is.
    #[error("authentication failed: {0:?}")]
    Unauthenticated(KeyFault),
    /// The key lacks a scope.
    #[error("the API key lacks the scope {0}")]
    MissingScope(Scope),
    /// The key is limited to other integrations, in the dialect that says so openly (Langdock 403).
    #[error("the API key has no access to this integration")]
    NoAccess,
    /// The key is limited to some integrations and so may not make one.
    #[error("an API key that is limited to some integrations cannot make one")]
    LimitedKey,
    /// The request came from a browser, which this dialect refuses.
    #[error("the request came from a browser")]
    Browser,
    /// The thing does not exist for this caller: unknown, deleted and another tenant's are one.
    #[error("{0:?} not found")]
    NotFound(Kind),
    /// No such path.
    #[error("no such route")]
    NoRoute,
    /// The path exists, the method does not. The `Allow` header is the router's.
    #[error("the method is not allowed here")]
    MethodNotAllowed,
    /// The id in the path does not have its form.
    #[error("ill-formed id of a {0:?}")]
    IllFormedId(Kind),
    /// A word in the path that is no id breaks a rule.
    #[error("the path breaks {} rules", .0.len())]
    InvalidPath(Vec<Issue>),
    /// The body was refused before it was understood.
    #[error("the body cannot be read: {0:?}")]
    Body(BodyFault),
    /// The input breaks one or more rules: all of them at once.
    #[error("the input breaks {} rules", .0.len())]
    Invalid(Vec<Issue>),
    /// The state of things forbids the change.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The precondition (`If-Match`) does not hold any more.
    #[error("the precondition does not hold: the object was changed meanwhile")]
    PreconditionFailed,
    /// What was asked for is not built; the text says what.
    #[error("not implemented: {0}")]
    NotImplemented(&'static str),
    /// The caller asked too often; nothing remains for now.
    #[error("the rate limit of the {} is exceeded: {rate}", by.name())]
    RateLimited {
        /// Whose limit it met.
        by: Limited,
        /// The limit.
        rate: Rate,
        /// When one request is let through again.
        retry_after: Duration,
    },
    /// A part that the server needs is away for now (the database, as a rule).
    #[error("temporarily unavailable: {reason}")]
    Unavailable {
        /// What is away, for the log.
        reason: Cow<'static, str>,
        /// When to try again.
        retry_after: Duration,
    },
    /// The request took too long.
    #[error("the request took too long")]
    TimedOut,
    /// Our own fault. The cause goes to the log and nowhere else.
    #[error("internal error: {0}")]
    Internal(#[source] Box<dyn StdError + Send + Sync>),
}

/// What was wrong with the credential of the request itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// None was sent.
    Missing,
    /// More than one was sent, where the dialect takes exactly one. The count.
    Ambiguous(usize),
    /// It is not a live key; `hint` is the masked key (first three and last four characters), safe to show.
    Unknown {
        /// The masked key.
        hint: String,
    },
    /// It was a live key once.
    Expired,
}

/// The kinds of things that a request can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A tenant.
    Tenant,
    /// An integration.
    Integration,
    /// A name that no integration and no catalogue entry answers to.
    Service,
    /// An auth config.
    AuthConfig,
    /// A connection.
    Connection,
    /// An API key.
    ApiKey,
    /// A user of the tenant.
    User,
    /// A named group of one user's connections.
    Strata,
    /// An OAuth client, by its client id.
    WhiteLabel,
}

/// Why a body could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyFault {
    /// It is larger than the route takes.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// It did not arrive in time, or broke off.
    Incomplete,
    /// The content type is missing or another one.
    MediaType,
    /// It is encoded in a way (`Content-Encoding`) that we do not take.
    Encoding,
    /// There is none, and one is needed.
    Empty,
    /// It is not the JSON that we take.
    Json(JsonFault),
}

/// State that forbids a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The auth config is disabled: no new connections.
    AuthConfigDisabled,
    /// The `type` of the change is not that of the stored auth config.
    AuthConfigTypeMismatch {
        /// Whether the stored one is managed.
        managed: bool,
    },
    /// The operator has no shared OAuth app for this catalogue entry.
    NoManagedApp {
        /// The toolkit's slug.
        toolkit: String,
    },
    /// The catalogue entry needs no authentication.
    NoAuthApp {
        /// The toolkit's slug.
        toolkit: String,
    },
    /// OAuth client members are missing.
    MissingClientMember {
        /// The display name of the first missing member.
        field: &'static str,
        /// The scheme's name.
        scheme: &'static str,
        /// The toolkit's slug.
        toolkit: String,
    },
    /// The operator's app is used: the user connects on a page, a credential is not taken.
    ManagedNeedsLink,
    /// The credential was said to be of another scheme than the auth config's.
    OtherScheme {
        /// The auth config's scheme.
        expected: &'static str,
    },
    /// The connection has no credential yet, or none any more, so it cannot be switched on or off.
    NoCredential,
    /// The connection's credential has ended; only a new one makes it ready again.
    Ended {
        /// The status's name.
        status: &'static str,
    },
    /// What a connection of this scheme and config needs is missing: its display names.
    MissingFields(Vec<String>),
    /// The scheme's credentials are not refreshed.
    NotRefreshable {
        /// The scheme's name.
        scheme: &'static str,
    },
    /// Other users were named who may use the connection, which is its own user's alone.
    OnlyForShared,
    /// Another connection of the same user and integration has the alias.
    AliasTaken,
    /// A name is taken.
    NameTaken,
    /// Free disk space is below the floor: writes and hand-outs wait (embedded Postgres).
    DiskFull,
}

impl Error {
    /// Our own fault, with its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The same error with the paths of its issues put under `prefix`.
    #[must_use]
    pub fn under(self, prefix: &[Segment]) -> Self {
        match self {
            Self::Invalid(issues) => Self::Invalid(
                issues
                    .into_iter()
                    .map(|issue| Issue {
                        path: [prefix, &issue.path].concat(),
                        rule: issue.rule,
                    })
                    .collect(),
            ),
            other => other,
        }
    }

    /// The same answer for another caller that waited for the same work. An internal cause stays with the first.
    pub(super) fn duplicate(&self) -> Self {
        match self {
            Self::Unavailable {
                reason,
                retry_after,
            } => Self::Unavailable {
                reason: reason.clone(),
                retry_after: *retry_after,
            },
            other => Self::internal(other.to_string()),
        }
    }

    /// `Err` when there is at least one issue.
    pub fn when_any(issues: Vec<Issue>) -> Result<(), Self> {
        if issues.is_empty() {
            Ok(())
        } else {
            Err(Self::Invalid(issues))
        }
    }
}
