//! How a new file gets its owner and its name: in one step, with its content, and never in the place of another.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::{
    fs::{self, File, Metadata},
    os::unix::fs::{MetadataExt, fchown},
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// What could not be done where the account may not be given files.
pub(super) const GIVING: &str = "giving the server's account (run this as it, or as root)";

/// Gives the file to the owner that `owner` tells.
pub(super) fn give(file: &File, owner: &Metadata) -> std::io::Result<()> {
    if file.metadata()?.uid() == owner.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

/// Gives the file its name, unless that is taken.
pub(super) fn place(new: &Path, path: &Path) -> std::io::Result<()> {
    match renameat_with(CWD, new, CWD, path, RenameFlags::NOREPLACE) {
        // A file system that does not know it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            fs::hard_link(new, path)?;
            fs::remove_file(new)
        }
        placed => Ok(placed?),
    }
}

/// A name of its own in the same directory.
pub(super) fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}", Uuid::new_v4()))
}

/// Returns when what was made or renamed beside this file is on disk.
pub(super) fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}
