//! Why a command failed, and its exit code.

use crate::bench::BenchError;
use crate::config::ConfigError;
use crate::domain::Error;
use crate::domain::rotation::RotationError;
use crate::store::embedded::EmbeddedError;
use crate::store::keys::UnlockError;
use crate::store::provision::ProvisionError;

/// The exit code of a wrong configuration (sysexits `EX_CONFIG`): trying again will not help. The root key does not
/// fit, tenants are not isolated, the schema is another version's.
pub(super) const CONFIGURATION: u8 = 78;
/// The exit code of a command line that is not understood, as clap's.
pub(super) const USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    #[error(transparent)]
    Provision(#[from] ProvisionError),
    #[error(transparent)]
    Unlock(#[from] UnlockError),
    #[error("{0}")]
    Domain(#[from] Error),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error(transparent)]
    Bench(#[from] BenchError),
    /// The message says everything.
    #[error("{0}")]
    Said(String),
    /// As `Said`, for a configuration that must not run.
    #[error("{0}")]
    Refused(String),
    /// A command was used wrongly.
    #[error("{0}")]
    Usage(String),
    /// Findings were printed already.
    #[error("")]
    Unhealthy,
}

impl Failure {
    pub(super) fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_)
            | Self::Refused(_)
            | Self::Unlock(UnlockError::WrongRootKey { .. } | UnlockError::Damaged { .. })
            | Self::Rotation(RotationError::Unfit(
                UnlockError::WrongRootKey { .. } | UnlockError::Damaged { .. },
            ))
            | Self::Provision(ProvisionError::MayNotMigrate { .. } | ProvisionError::Newer(_)) => {
                CONFIGURATION
            }
            Self::Usage(_)
            | Self::Bench(BenchError::Usage(_))
            | Self::Provision(ProvisionError::LoginName) => USAGE,
            Self::Embedded(_)
            | Self::Provision(_)
            | Self::Unlock(_)
            | Self::Domain(_)
            | Self::Rotation(_)
            | Self::Bench(_)
            | Self::Said(_)
            | Self::Unhealthy => 1,
        }
    }
}
