//! From a database failure to the domain's error: what is temporary, what wants another attempt, what is our fault.

use std::time::Duration;

use crate::domain::Error;
use crate::domain::error::KeyFault;

/// The reason of an [`Error::Unavailable`] that another attempt may cure (deadlock, serialization).
pub(super) const WANTS_RETRY: &str = "the database asked for another attempt";
/// What the function `require_living_tenant` of the schema raises.
const NO_LIVING_TENANT: &str = "KW404";
/// When a caller should try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A part that is away for now.
pub(super) fn unavailable(reason: &'static str) -> Error {
    Error::Unavailable {
        reason: reason.into(),
        retry_after: RETRY_AFTER,
    }
}

/// Ends a transaction that met a state which another one is just changing: it is begun anew, holding nothing, a few
/// times; then the caller is told to try again.
pub fn begin_anew() -> Error {
    unavailable(WANTS_RETRY)
}

/// What a failed statement or connection means.
pub(super) fn failed(error: sqlx::Error) -> Error {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        Some("40001" | "40P01") => unavailable(WANTS_RETRY),
        Some("55P03") => unavailable("a row stayed locked by another request"),
        Some("57014") => unavailable("a statement took too long"),
        Some("53100") => unavailable("the disk of the database is full"),
        Some("53200" | "53300" | "53400") => {
            unavailable("the database has no room for another connection")
        }
        Some("23503") if meets_no_tenant(&error) => tenant_is_gone(),
        Some("23503") if meets_no_user(&error) => unavailable(WANTS_RETRY),
        Some(NO_LIVING_TENANT) => tenant_is_gone(),
        Some("25P02" | "25P03") => unavailable("the transaction was ended by the database"),
        Some("25006") => unavailable("the database takes no writes (it is a standby)"),
        Some(code) if code.starts_with("08") || code.starts_with("57P") => {
            unavailable("the database went away")
        }
        Some(_) => Error::internal(error),
        None => match error {
            sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::Io(_)
            | sqlx::Error::BeginFailed => unavailable("the database cannot be reached"),
            other => Error::internal(other),
        },
    }
}

/// The tenant was deleted, and this server still remembers the caller's key (for 5 s at most): a key that is none any
/// more, and no fault of ours.
pub(super) fn tenant_is_gone() -> Error {
    Error::Unauthenticated(KeyFault::Unknown {
        hint: "...".to_owned(),
    })
}

/// Whether a row was refused because its tenant has no row any more.
fn meets_no_tenant(error: &sqlx::Error) -> bool {
    constraint(error).is_some_and(|constraint| constraint.ends_with("_tenant_id_fkey"))
}

/// Whether a row was refused because its user was deleted just now (or a user, because it got a row just now): the next
/// attempt sees that.
fn meets_no_user(error: &sqlx::Error) -> bool {
    constraint(error).is_some_and(|constraint| constraint.ends_with("_tenant_id_user_hash_fkey"))
}

fn constraint(error: &sqlx::Error) -> Option<&str> {
    error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::constraint)
}

/// Whether the connection itself is of no use any more: the database went away, or this session was ended.
pub(super) fn is_broken(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P")),
        _ => false,
    }
}

/// Whether a statement met a unique constraint of this name.
pub(super) fn is_taken(error: &sqlx::Error, constraint: &str) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation() && error.constraint() == Some(constraint))
}
