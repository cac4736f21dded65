//! Where the root key comes from.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::StoreSettings;
use super::next_root_key::NextRootKey;
use crate::crypto::{KeyRing, RootId, RootKey, RootKeyError};

/// The key itself, in the environment only: arguments can be seen by every user of the machine.
const ROOT_KEY: &str = "KEYWAY_ROOT_KEY";

/// Where the root key comes from, and where a new one would go.
#[derive(Debug)]
pub enum RootKeySource {
    /// A ring of configured keys.
    Configured(KeyRing),
    /// Nothing is configured and the default file is not there: a new key may be made in it.
    ToBeMade(PathBuf),
}

impl StoreSettings {
    /// The root keys as configured: the active one from `KEYWAY_ROOT_KEY_FILE`, `KEYWAY_ROOT_KEY` or the default
    /// file, the others from `KEYWAY_OLD_ROOT_KEY_FILES`.
    ///
    /// Beside the default file, `root.key.next` is a rotation that was begun: it is the active one then.
    pub fn root_keys(&self) -> Result<RootKeySource, ConfigError> {
        let default_file = self.data_dir().join("root.key");
        let mut beside = None;
        let active = match (&self.root_key_file, std::env::var_os(ROOT_KEY)) {
            (Some(_), Some(_)) => return Err(ConfigError::TwoRootKeys),
            (Some(file), None) => from_file("KEYWAY_ROOT_KEY_FILE", file)?,
            (None, Some(text)) => {
                let text = Zeroizing::new(text.into_string().unwrap_or_else(|_| "?".to_owned()));
                RootKey::from_base64(&text).map_err(refused(ROOT_KEY))?
            }
            (None, None) if self.database_url.is_some() => return Err(ConfigError::NoRootKey),
            (None, None) => match std::fs::symlink_metadata(&default_file) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Ok(RootKeySource::ToBeMade(default_file));
                }
                // There, or out of reach, which reading it tells.
                _ => {
                    let key = from_file("--data-dir", &default_file)?;
                    match NextRootKey::beside(default_file).key()? {
                        Some(next) => {
                            beside = Some(key);
                            next
                        }
                        None => key,
                    }
                }
            },
        };
        let others = self
            .old_root_key_files
            .iter()
            .map(|file| from_file("KEYWAY_OLD_ROOT_KEY_FILES", file));
        let mut others = others.collect::<Result<Vec<_>, _>>()?;
        others.extend(beside);
        Ok(RootKeySource::Configured(KeyRing::new(&active, &others)))
    }
}

impl StoreSettings {
    /// The rotation of the default root key file, where that is the one in use.
    pub fn next_root_key(&self) -> Option<NextRootKey> {
        let is_default = self.root_key_file.is_none()
            && self.database_url.is_none()
            && std::env::var_os(ROOT_KEY).is_none();
        is_default.then(|| NextRootKey::beside(self.data_dir().join("root.key")))
    }
}

pub(super) fn from_file(setting: &'static str, file: &Path) -> Result<RootKey, ConfigError> {
    RootKey::from_file(file).map_err(refused(setting))
}

pub(super) fn refused(setting: &'static str) -> impl FnOnce(RootKeyError) -> ConfigError {
    move |source| ConfigError::RootKey { setting, source }
}

/// A setting with a value that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The root key cannot be read or made.
    #[error("{setting}: {source}")]
    RootKey {
        /// The setting that names it.
        setting: &'static str,
        /// What is wrong.
        source: RootKeyError,
    },
    /// Both ways to give the root key are set.
    #[error("KEYWAY_ROOT_KEY_FILE and KEYWAY_ROOT_KEY are both set: set one, the file for choice")]
    TwoRootKeys,
    /// Everything is sealed under a root key that the file of the next one does not hold.
    #[error(
        "--data-dir: everything is sealed under the root key {root}, and {} does not hold it: put that key's file back \
         there, then run this again", path.display()
    )]
    NotTheNextRootKey {
        /// The file of the next root key.
        path: PathBuf,
        /// The root key that seals.
        root: RootId,
    },
    /// No root key for a Postgres of the user's own.
    #[error(
        "no root key: with DATABASE_URL set, name the root key's file with KEYWAY_ROOT_KEY_FILE; for a new \
         installation `(umask 077 && keyway root-key new > root.key)` makes one. Keep a copy in a safe place: \
         without it nothing that was stored can be read"
    )]
    NoRootKey,
    /// The file of the operator's OAuth apps cannot be used.
    #[error("KEYWAY_MANAGED_APPS_FILE: {place}: {what}")]
    ManagedApps {
        /// The file, and the line where there is one.
        place: String,
        /// What is wrong, and what to change. Never a value.
        what: String,
    },
    /// The database URL cannot be read.
    #[error("DATABASE_URL is not a Postgres URL such as postgres://keyway@localhost/keyway")]
    DatabaseUrl,
}
