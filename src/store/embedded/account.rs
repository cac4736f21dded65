//! The account that runs Postgres, which refuses to be root.

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::EmbeddedError;

/// The account that Postgres and initdb run as: our own, or `postgres` when we are root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Account {
    /// User and group to switch to; `None` keeps our own.
    switch: Option<(u32, u32)>,
}

impl Account {
    /// Decides by the effective user. As root it asks `id` for the account, so that directory
    /// services answer too.
    pub(super) fn choose() -> Result<Self, EmbeddedError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self { switch: None });
        }
        let (Some(user), Some(group)) = (id_of("-u"), id_of("-g")) else {
            return Err(EmbeddedError::NoAccount);
        };
        if user == 0 {
            return Err(EmbeddedError::NoAccount);
        }
        Ok(Self {
            switch: Some((user, group)),
        })
    }

    fn user(self) -> u32 {
        self.switch
            .map_or_else(|| rustix::process::geteuid().as_raw(), |(user, _)| user)
    }

    /// A command that runs under this account, in `/`, with an environment of `PATH` only, so
    /// that no `PG…` variable of ours reaches it. Switching the user from root also drops every
    /// supplementary group (the standard library's documented behaviour of `uid`).
    pub(super) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir("/").stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if let Some((user, group)) = self.switch {
            command.uid(user).gid(group);
        }
        command
    }

    /// Hands a directory or file that we have just made to this account. Never follows a link.
    pub(super) fn give(self, path: &Path) -> Result<(), EmbeddedError> {
        let Some((user, group)) = self.switch else {
            return Ok(());
        };
        std::os::unix::fs::lchown(path, Some(user), Some(group))
            .map_err(EmbeddedError::io("could not change the owner of", path))
    }

    /// Refuses a cluster of another account, which Postgres itself would refuse less clearly.
    pub(super) fn check_owner(self, data: &Path) -> Result<(), EmbeddedError> {
        let owner = std::fs::symlink_metadata(data)
            .map_err(EmbeddedError::io("could not read", data))?
            .uid();
        let runs_as = self.user();
        if owner == runs_as {
            return Ok(());
        }
        Err(EmbeddedError::WrongOwner {
            data: data.to_owned(),
            owner,
            runs_as,
        })
    }

    /// Checks that this account can run `program` and enter `directory`, by doing it once; names
    /// the first directory on the way that it cannot enter. Nothing to check without a switch.
    pub(super) fn check_reach(self, program: &Path, directory: &Path) -> Result<(), EmbeddedError> {
        if self.switch.is_none() || self.enters(program, directory)? {
            return Ok(());
        }
        if !self.enters(program, Path::new("/"))? {
            return Err(EmbeddedError::NotExecutable(program.to_owned()));
        }
        let mut on_the_way: Vec<&Path> = directory.ancestors().collect();
        on_the_way.reverse();
        for ancestor in on_the_way {
            if !self.enters(program, ancestor)? {
                return Err(EmbeddedError::Unreachable(ancestor.to_owned()));
            }
        }
        Ok(())
    }

    fn enters(self, program: &Path, directory: &Path) -> Result<bool, EmbeddedError> {
        let ran = self
            .command(program)
            .arg("--version")
            .current_dir(directory)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match ran {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(error) => Err(EmbeddedError::io("could not run", program)(error)),
        }
    }
}

fn id_of(flag: &str) -> Option<u32> {
    let output = Command::new("id")
        .args([flag, "postgres"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
