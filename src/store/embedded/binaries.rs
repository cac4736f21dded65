//! Finds the `PostgreSQL` server programs of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::EmbeddedError;

/// The oldest major version that the embedded Postgres is run on.
pub const MINIMUM_MAJOR: u32 = 15;

/// A directory that holds `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgBinaries {
    directory: PathBuf,
}

impl PgBinaries {
    fn in_directory(directory: &Path) -> Option<Self> {
        let holds = |program: &str| directory.join(program).is_file();
        (directory.is_absolute() && holds("initdb") && holds("postgres")).then(|| Self {
            directory: directory.to_owned(),
        })
    }

    /// The directory, absolute.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    /// The major version that `postgres --version` tells. Runs the program once (about 5 ms).
    pub fn major(&self) -> Result<u32, EmbeddedError> {
        let program = self.postgres();
        let broken = |detail: String| EmbeddedError::BinaryBroken {
            program: program.clone(),
            detail,
        };
        let output = Command::new(&program)
            .arg("--version")
            .output()
            .map_err(|error| broken(error.to_string()))?;
        parse_major(&output.stdout)
            .ok_or_else(|| broken("`--version` did not answer a version".to_owned()))
    }
}

/// The best server programs of this machine: those in `explicit` (`KEYWAY_PG_BIN_DIR`) or nothing
/// else; otherwise the first found in `PATH`, where packages put them (the highest version first),
/// or by `pg_config`.
///
/// # Errors
/// `BinaryDirectory` when `explicit` lacks a program, `BinariesMissing` when there are none at
/// all, `TooOld` when every one found is older than [`MINIMUM_MAJOR`].
pub fn find_binaries(explicit: Option<&Path>) -> Result<PgBinaries, EmbeddedError> {
    pick(&candidates(explicit)?, None, Path::new(""))
}

/// Everything that was found, best first; never empty.
pub(super) fn candidates(explicit: Option<&Path>) -> Result<Vec<PgBinaries>, EmbeddedError> {
    if let Some(directory) = explicit {
        return std::path::absolute(directory)
            .ok()
            .and_then(|absolute| PgBinaries::in_directory(&absolute))
            .map(|found| vec![found])
            .ok_or_else(|| EmbeddedError::BinaryDirectory(directory.to_owned()));
    }
    let mut found = Vec::new();
    for directory in searched() {
        if let Some(binaries) = PgBinaries::in_directory(&directory)
            && !found.contains(&binaries)
        {
            found.push(binaries);
        }
    }
    if found.is_empty() {
        found.extend(told_by_pg_config().and_then(|told| PgBinaries::in_directory(&told)));
    }
    if found.is_empty() {
        return Err(EmbeddedError::BinariesMissing {
            install: install_command(),
        });
    }
    Ok(found)
}

/// The candidate to run: of the major version that made the cluster (`made_by`) when there is
/// one, else the first that is new enough.
pub(super) fn pick(
    candidates: &[PgBinaries],
    made_by: Option<&str>,
    data: &Path,
) -> Result<PgBinaries, EmbeddedError> {
    let mut seen = Vec::new();
    let mut failure = None;
    for candidate in candidates {
        match candidate.major() {
            Ok(major) => {
                let fits = made_by.map_or(major >= MINIMUM_MAJOR, |made| made == major.to_string());
                if fits {
                    return Ok(candidate.clone());
                }
                seen.push((major, candidate));
            }
            Err(error) => failure = Some(error),
        }
    }
    let Some((found, candidate)) = seen.first() else {
        return Err(failure.unwrap_or(EmbeddedError::BinariesMissing {
            install: install_command(),
        }));
    };
    Err(match made_by {
        Some(made_by) => EmbeddedError::OtherVersion {
            data: data.to_owned(),
            made_by: made_by.to_owned(),
            installed: seen
                .iter()
                .map(|(major, _)| major.to_string())
                .collect::<Vec<_>>()
                .join(", "),
        },
        None => EmbeddedError::TooOld {
            found: *found,
            minimum: MINIMUM_MAJOR,
            directory: candidate.directory.clone(),
            install: install_command(),
        },
    })
}

fn searched() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = std::env::var_os("PATH")
        .map(|path| std::env::split_paths(&path).collect())
        .unwrap_or_default();
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/usr/lib", "postgresql", "bin"),
        ("/usr/libexec", "postgresql", ""),
    ] {
        directories.extend(versions(Path::new(parent), prefix, suffix));
    }
    directories.push(PathBuf::from("/usr/local/pgsql/bin"));
    directories
}

fn told_by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    Some(PathBuf::from(line.trim()))
}

/// The `parent/<prefix>…/suffix` directories, the highest number first.
fn versions(parent: &Path, prefix: &str, suffix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_prefix(prefix)?;
            Some((leading_number(rest)?, entry.path().join(suffix)))
        })
        .collect();
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, directory)| directory).collect()
}

/// `17` of `17`, `@17` or `17.2`; 0 of an empty rest (Homebrew's plain `postgresql`).
fn leading_number(rest: &str) -> Option<u32> {
    let digits = rest.strip_prefix('@').unwrap_or(rest);
    let end = digits
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(digits.len());
    if rest.is_empty() {
        return Some(0);
    }
    digits[..end].parse().ok()
}

fn parse_major(output: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(output).ok()?;
    let version = text.split_once("(PostgreSQL) ")?.1;
    leading_number(version).filter(|major| *major > 0)
}

/// The command that installs the server programs on this platform.
fn install_command() -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17";
    }
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let ids: Vec<&str> = release
        .lines()
        .filter_map(|line| {
            line.strip_prefix("ID=")
                .or_else(|| line.strip_prefix("ID_LIKE="))
        })
        .flat_map(|ids| ids.trim_matches('"').split(' '))
        .collect();
    let is = |id: &str| ids.contains(&id);
    if is("fedora") || is("rhel") || is("centos") {
        "sudo dnf install -y postgresql-server"
    } else if is("alpine") {
        "apk add postgresql"
    } else if is("arch") {
        "sudo pacman -S postgresql"
    } else if is("suse") || is("opensuse") {
        "sudo zypper install -y postgresql-server"
    } else {
        "sudo apt-get install -y postgresql"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_packages_print() {
        let debian = b"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n";
        assert_eq!(parse_major(debian), Some(15));
        assert_eq!(parse_major(b"postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_major(b"something else\n"), None);
    }

    #[test]
    fn directory_names_sort_by_number() {
        assert_eq!(leading_number("9.6"), Some(9));
        assert_eq!(leading_number("@17"), Some(17));
        assert_eq!(leading_number(""), Some(0));
        assert_eq!(leading_number("-common"), None);
    }

    #[test]
    fn an_explicit_directory_without_programs_is_refused() {
        let error = find_binaries(Some(Path::new("/"))).expect_err("no programs there");
        assert!(error.to_string().contains("KEYWAY_PG_BIN_DIR is /"));
    }
}
