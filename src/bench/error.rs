//! Why a bench could not be run, or is not to be believed.

use std::fmt::Display;

use crate::crypto::{RootKeyError, SealError, TenantKeysError};
use crate::domain::Error;
use crate::store::embedded::EmbeddedError;
use crate::store::keys::UnlockError;
use crate::store::provision::ProvisionError;

/// Why a bench failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The private Postgres.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// Its schema.
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    /// Its keys.
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    /// The store.
    #[error("{0}")]
    Store(#[from] Error),
    /// The root key of the run.
    #[error("making the bench's root key: {0}")]
    RootKey(#[from] RootKeyError),
    /// The keys of a tenant that is seeded.
    #[error("making a tenant's keys: {0}")]
    TenantKeys(#[from] TenantKeysError),
    /// A credential that is seeded.
    #[error("sealing a credential to seed: {0}")]
    Seal(#[from] SealError),
    /// An option that cannot be.
    #[error("{0}")]
    Usage(String),
    /// pgbench is nowhere.
    #[error(
        "pgbench was not found beside the server programs in {directory} and not in PATH: it is in the package \
         `postgresql` on Debian, Ubuntu and Homebrew, in `postgresql-contrib` on Fedora and Alpine"
    )]
    NoPgbench {
        /// Where the server programs are.
        directory: String,
    },
    /// The control run had answers that were not the refusal that its ids get.
    #[error(
        "the control run of {path} asked for ids that are not the caller's, and {other} of {requests} answers were not \
         the refusal that such ids get, status {status} (the first: {first}): the checks of this bench, or the server, \
         cannot be trusted"
    )]
    Control {
        /// Which path.
        path: &'static str,
        /// Other answers, and none.
        other: u64,
        /// Requests.
        requests: u64,
        /// How they are refused.
        status: u16,
        /// What the first of the others was.
        first: String,
    },
    /// Something else, in words.
    #[error("{0}")]
    Said(String),
    /// Asked to stop.
    #[error("stopped before the end; no result was written")]
    Stopped,
}

/// For `map_err`: what was attempted, and what it met.
pub(super) fn attempting<E: Display>(what: impl Display) -> impl FnOnce(E) -> BenchError {
    move |error| BenchError::Said(format!("{what}: {error}"))
}
