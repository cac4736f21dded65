//! The next root key of the embedded Postgres: a file beside the default one, which takes its place when everything is
//! sealed under it. At no moment is there only one copy of a key that something is sealed under, or none.
//!
//! The next file goes last, when the operator was told: where it holds the key in use, a run was cut short before that.

use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::root_key::{ConfigError, from_file, refused};
use crate::crypto::{RootId, RootKey, RootKeyError};

const SETTING: &str = "--data-dir";

/// A rotation of the default root key file.
#[derive(Debug, Clone)]
pub struct NextRootKey {
    current: PathBuf,
    next: PathBuf,
}

impl NextRootKey {
    pub(super) fn beside(current: PathBuf) -> Self {
        let next = current.with_extension("key.next");
        Self { current, next }
    }

    /// The file of the root key in use.
    pub fn current(&self) -> &Path {
        &self.current
    }

    /// The file of the next one.
    pub fn next(&self) -> &Path {
        &self.next
    }

    /// The next root key, where a rotation was begun. An empty file is what a crash left before there was a key in it,
    /// and so none.
    pub(super) fn key(&self) -> Result<Option<RootKey>, ConfigError> {
        if is_missing(&self.next) {
            return Ok(None);
        }
        // There, or out of reach, which reading it tells.
        from_file(SETTING, &self.next).map(Some)
    }

    /// Makes the next root key where no rotation was begun, on disk before this returns, for the account that the
    /// current one belongs to. Says whether it did.
    pub fn prepare(&self) -> Result<bool, ConfigError> {
        let _alone = self.alone()?;
        // Nothing to rotate from is refused, and never made up.
        from_file(SETTING, &self.current)?;
        if self.key()?.is_some() {
            RootKey::give_file_like(&self.next, &self.current).map_err(refused(SETTING))?;
            return Ok(false);
        }
        self.make(&RootKey::generate(), &self.next)?;
        Ok(true)
    }

    /// Puts the next root key, which must be `root`, in the place of the current one, of which a copy stays beside it
    /// under its fingerprint. Cut short anywhere, it can be run again, and both keys are there. Answers with the copy's
    /// file; with none where `root` is the current one already.
    pub fn install(&self, root: RootId) -> Result<Option<PathBuf>, ConfigError> {
        let _alone = self.alone()?;
        let old = from_file(SETTING, &self.current)?;
        if old.root_id() == root {
            return Ok(None);
        }
        let next = self.key()?;
        let Some(new) = next.filter(|next| next.root_id() == root) else {
            let path = self.next.clone();
            return Err(ConfigError::NotTheNextRootKey { path, root });
        };
        let kept = self
            .current
            .with_extension(format!("key.{}", old.root_id()));
        if is_missing(&kept) {
            self.make(&old, &kept)?;
        }
        let copy = from_file(SETTING, &kept)?;
        if copy.root_id() != old.root_id() {
            let source = RootKeyError::NotAKeyFile { path: kept };
            return Err(refused(SETTING)(source));
        }
        new.replace_file_like(&self.current, &self.current)
            .map_err(refused(SETTING))?;
        Ok(Some(kept))
    }

    /// Removes the next file of a rotation to `root`, which is in its place and of which the operator was told: from now
    /// on another rotation may begin.
    pub fn end(&self, root: RootId) -> Result<(), ConfigError> {
        let _alone = self.alone()?;
        let is_root = |key: &RootKey| key.root_id() == root;
        let is_next = self.key()?.as_ref().is_some_and(is_root);
        if is_next && is_root(&from_file(SETTING, &self.current)?) {
            let removed =
                fs::remove_file(&self.next).and_then(|()| File::open(self.directory())?.sync_all());
            removed.map_err(|source| Self::failed("removing", &self.next, source))?;
        }
        Ok(())
    }

    /// Writes a key file that is missing.
    fn make(&self, key: &RootKey, path: &Path) -> Result<(), ConfigError> {
        let made = match fs::symlink_metadata(path) {
            Ok(facts) if is_empty(&facts) => key.replace_file_like(path, &self.current),
            _ => key.create_file_like(path, &self.current),
        };
        made.map_err(refused(SETTING))
    }

    /// Keeps other processes from changing these files, until it is dropped.
    fn alone(&self) -> Result<File, ConfigError> {
        let lock = || {
            let directory = File::open(self.directory())?;
            flock(&directory, FlockOperation::LockExclusive)?;
            Ok(directory)
        };
        lock().map_err(|source| Self::failed("locking the directory of", &self.current, source))
    }

    fn directory(&self) -> &Path {
        match self.current.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    fn failed(attempt: &'static str, path: &Path, source: std::io::Error) -> ConfigError {
        refused(SETTING)(RootKeyError::Io {
            attempt,
            path: path.to_owned(),
            source,
        })
    }
}

/// Whether no file is there, or one without any content.
fn is_missing(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(facts) => is_empty(&facts),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

fn is_empty(facts: &Metadata) -> bool {
    facts.is_file() && facts.len() == 0
}

#[cfg(test)]
mod tests;
