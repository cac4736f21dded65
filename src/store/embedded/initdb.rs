//! Makes a new cluster: in `data.new.*`, renamed when it is whole, so that `data` is never half made.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

use super::account::Account;
use super::binaries::PgBinaries;
use super::error::EmbeddedError;
use super::guard::Profile;
use super::layout::{self, Layout};
use super::orphan;
use super::process::bound_to_guard;

/// Written into a new cluster; the operator's to change afterwards.
const TUNABLES: &str = "\n# Keyway's defaults for a new cluster; yours to change.\n\
    max_connections = 100\n\
    shared_buffers = 128MB\n\
    max_wal_size = 512MB\n\
    max_parallel_workers_per_gather = 0\n\
    jit = off\n";

/// Makes the cluster. Text is compared by bytes (`C`), which no later system library reorders;
/// characters are classified as UTF-8 where the system has `C.UTF-8`. Cancelling it kills initdb.
pub(super) async fn make_cluster(
    layout: &Layout,
    binaries: &PgBinaries,
    account: Account,
    profile: Profile,
) -> Result<(), EmbeddedError> {
    let fresh = layout.data_in_the_making();
    let mut result = Ok(());
    for character_type in ["C.UTF-8", "C"] {
        remove(&fresh)?;
        layout::make_directory(&fresh, 0o700)?;
        account.give(&fresh)?;
        result = initdb(&fresh, binaries, account, profile, character_type).await;
        if result.is_ok() {
            break;
        }
    }
    result?;
    finish(layout, &fresh).map_err(EmbeddedError::io(
        "could not finish the new database",
        &fresh,
    ))?;
    // Last, when whoever worked on them has most likely ended. The new cluster does not need it.
    for unfinished in layout.unfinished() {
        orphan::let_end(&unfinished).await;
        drop(remove(&unfinished));
    }
    Ok(())
}

async fn initdb(
    fresh: &Path,
    binaries: &PgBinaries,
    account: Account,
    profile: Profile,
    character_type: &str,
) -> Result<(), EmbeddedError> {
    let mut command = bound_to_guard(account, &binaries.initdb());
    command
        .arg("--pgdata")
        .arg(fresh)
        .args(["--username", "postgres", "--auth", "trust"])
        .args(["--encoding", "UTF8", "--locale", "C", "--lc-ctype"])
        .arg(character_type)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.arg(match profile {
        Profile::Serve => "--data-checksums",
        Profile::Test => "--no-sync",
    });
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await
        .map_err(EmbeddedError::io("could not run", &binaries.initdb()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(EmbeddedError::Initdb {
        directory: fresh.to_owned(),
        detail: last_lines(&String::from_utf8_lossy(&output.stderr)),
    })
}

fn finish(layout: &Layout, fresh: &Path) -> io::Result<()> {
    let mut settings = OpenOptions::new()
        .append(true)
        .open(fresh.join("postgresql.conf"))?;
    settings.write_all(TUNABLES.as_bytes())?;
    settings.sync_all()?;
    std::fs::rename(fresh, layout.data())?;
    File::open(layout.home())?.sync_all()
}

fn remove(directory: &Path) -> Result<(), EmbeddedError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EmbeddedError::io(
            "could not remove the unfinished database",
            directory,
        )(error)),
        _ => Ok(()),
    }
}

/// The last three lines that say something, as one line.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(3)..].join(" / ")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_end_of_a_log_is_kept_on_one_line() {
        assert_eq!(super::last_lines("a\nb\n\n c \nd\n"), "b / c / d");
        assert_eq!(super::last_lines(""), "");
    }
}
