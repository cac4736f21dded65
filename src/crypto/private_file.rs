//! Files that hold a secret: refused where others than their owner could read them.

use super::Secret;
use crate::json::Json;
use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::MetadataExt,
    path::Path,
};
use zeroize::Zeroizing;

/// Where container platforms mount secrets, with permissions that the operator cannot choose.
const MOUNTED_SECRETS: &str = "/run/secrets";
/// More than any secret of an OAuth client.
const LARGEST: u64 = 4_096;

/// Why such a file was not read. Carries nothing of its content.
#[derive(Debug)]
pub(super) enum Refused {
    /// The operating system refused.
    Io {
        /// `opening` or `reading`.
        attempt: &'static str,
        /// Its answer.
        source: std::io::Error,
    },
    /// Not a regular file, or too large a one.
    NotAFile,
    /// It can be read, written or executed by group or others.
    Exposed {
        /// Its permission bits.
        mode: u32,
    },
}

/// The bytes of a regular file of at most `largest` bytes that only its owner can use. Files under
/// `/run/secrets` (where symbolic links lead counts) may have any permissions.
pub(super) fn read(path: &Path, largest: u64) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let failed = |attempt| move |source| Refused::Io { attempt, source };
    // Checked and opened by its real name, and the permissions are those of the opened file: a
    // link that changes in between cannot swap the file.
    let real = fs::canonicalize(path).map_err(failed("opening"))?;
    if !fs::metadata(&real).map_err(failed("opening"))?.is_file() {
        return Err(Refused::NotAFile);
    }
    let file = File::open(&real).map_err(failed("opening"))?;
    let facts = file.metadata().map_err(failed("opening"))?;
    if !facts.is_file() || facts.len() > largest {
        return Err(Refused::NotAFile);
    }
    let mode = facts.mode() & 0o7777;
    if mode & 0o077 != 0 && !real.starts_with(MOUNTED_SECRETS) {
        return Err(Refused::Exposed { mode });
    }
    let capacity = usize::try_from(largest).unwrap_or(usize::MAX);
    let mut content = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(largest)
        .read_to_end(&mut content)
        .map_err(failed("reading"))?;
    Ok(content)
}

/// Why the file of a secret cannot be used: the remedy, never the content. Nor the path: where that is asked for, the
/// secret itself may have been put by mistake.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The operating system refused.
    #[error("{attempt} the secret file: {source}")]
    Io {
        /// `opening` or `reading`.
        attempt: &'static str,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// Not a regular file, or too large to hold a secret.
    #[error(
        "what is named is not a regular file of at most 4,096 bytes: name the file that holds the secret"
    )]
    NotASecretFile,
    /// The file can be read by more than its owner.
    #[error(
        "the secret file can be read by group or others (mode {mode:04o}): run `chmod 0400` on it"
    )]
    Exposed {
        /// Its permission bits.
        mode: u32,
    },
    /// There is nothing in it.
    #[error("the secret file is empty: put the secret into it")]
    Empty,
    /// Something else than one line of text.
    #[error("the secret file must hold one line of text, the secret")]
    NotOneLine,
}

impl Secret {
    /// The only line of a file that only its owner can read, without its end, as the JSON text of
    /// a string: what a cell of the same member holds. The rule is that of root key files.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a regular file of at most 4,096 bytes, can be used by
    /// group or others outside `/run/secrets`, is empty, or holds more than one line of text.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretFileError> {
        let content = read(path.as_ref(), LARGEST).map_err(|refused| match refused {
            Refused::Io { attempt, source } => SecretFileError::Io { attempt, source },
            Refused::NotAFile => SecretFileError::NotASecretFile,
            Refused::Exposed { mode } => SecretFileError::Exposed { mode },
        })?;
        let text = str::from_utf8(&content).map(|text| text.trim_end_matches(['\r', '\n']));
        match text {
            Ok(line) if line.trim().is_empty() => Err(SecretFileError::Empty),
            Ok(line) if !line.contains(char::is_control) => {
                Ok(Self::json(&Json::String(Zeroizing::new(line.to_owned()))))
            }
            _ => Err(SecretFileError::NotOneLine),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// The secret of a file with this content and these permissions.
    fn secret(content: &[u8], mode: u32) -> Result<Secret, String> {
        let name = format!("keyway-secret-{}", uuid::Uuid::new_v4());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, content).expect("a writable temporary directory");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
        let read = Secret::from_file(&path).map_err(|error| error.to_string());
        fs::remove_file(&path).expect("own file");
        read
    }

    #[test]
    fn the_line_is_kept_without_its_end_as_a_json_string() {
        for content in ["s3 \"cret", "s3 \"cret\n", "s3 \"cret\r\n", "s3 \"cret\n\n"] {
            let read = secret(content.as_bytes(), 0o400).expect("one line");
            assert!(read.same_as(r#""s3 \"cret""#), "{content:?}");
        }
    }

    #[test]
    fn what_holds_no_single_line_is_refused_without_its_content() {
        for (content, said) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"  \n", "is empty"),
            (b"CANARY\nCANARY\n", "one line of text"),
            (b"CANARY\0", "one line of text"),
            (b"CANARY\xff", "one line of text"),
            (&[b'A'; 4_097], "at most 4,096 bytes"),
        ] {
            let error = secret(content, 0o600).expect_err("no secret");
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        for mode in [0o440, 0o404, 0o644, 0o620] {
            let error = secret(b"CANARY", mode).expect_err("exposed");
            assert!(error.contains("run `chmod 0400` on it"), "{error}");
            assert!(!error.contains("keyway-secret"), "{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }
}
