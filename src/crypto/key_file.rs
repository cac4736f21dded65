//! Root keys in files: refused where others could read them, written so that a crash cannot lose
//! a key that was used.

mod placing;

use super::private_file::{self, Refused};
use super::{RootKey, RootKeyError};
use placing::{GIVING, beside, give, place, sync_directory_of};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

/// More than any text form of a key; keeps a wrongly named large file out of memory.
const LARGEST: u64 = 4_096;

impl RootKey {
    /// Reads the key (base64) from a regular file that only its owner can read. Files under
    /// `/run/secrets` (where symbolic links lead counts) may have any permissions.
    ///
    /// # Errors
    /// When the file cannot be opened, is not a regular file of at most 4,096 bytes, can be read,
    /// written or executed by group or others, or does not hold a key. Errors name the path, never
    /// the content.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, RootKeyError> {
        let path = path.as_ref();
        let text = private_file::read(path, LARGEST).map_err(|refused| {
            let path = path.to_path_buf();
            match refused {
                Refused::Io { attempt, source } => RootKeyError::Io {
                    attempt,
                    path,
                    source,
                },
                Refused::NotAFile => RootKeyError::NotAKeyFile { path },
                Refused::Exposed { mode } => RootKeyError::Exposed { path, mode },
            }
        })?;
        str::from_utf8(&text)
            .map_err(|_| RootKeyError::NotBase64)
            .and_then(Self::from_base64)
            .map_err(|source| RootKeyError::Content {
                path: path.into(),
                source: Box::new(source),
            })
    }

    /// Writes the key to a new file with mode 0400 and returns when file and directory are on
    /// disk, so that nothing is ever sealed under a key that a power cut could take. The file
    /// appears in one step with its content.
    ///
    /// # Errors
    /// When the file exists (it is never replaced) or the operating system refuses.
    pub fn create_file(&self, path: impl AsRef<Path>) -> Result<(), RootKeyError> {
        self.create(path.as_ref(), None, Taken::Refused)
    }

    /// As [`create_file`](Self::create_file), for the account that `like` belongs to: the one that
    /// reads both.
    ///
    /// # Errors
    /// Also when this process may not give files to that account.
    pub fn create_file_like(&self, path: &Path, like: &Path) -> Result<(), RootKeyError> {
        self.create(path, Some(like), Taken::Refused)
    }

    /// As [`create_file_like`](Self::create_file_like), in the place of what is there.
    ///
    /// # Errors
    /// As there, but for a file that exists.
    pub fn replace_file_like(&self, path: &Path, like: &Path) -> Result<(), RootKeyError> {
        self.create(path, Some(like), Taken::Replaced)
    }

    fn create(&self, path: &Path, like: Option<&Path>, taken: Taken) -> Result<(), RootKeyError> {
        let failed = |attempt| {
            move |source| RootKeyError::Io {
                attempt,
                path: path.into(),
                source,
            }
        };
        let owner = like.map(fs::metadata).transpose();
        let owner = owner.map_err(failed("finding the owner of"))?;
        let new = beside(path);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o400)
            .open(&new)
            .map_err(failed("creating"))?;
        let made = match owner {
            Some(owner) => give(&file, &owner).map_err(failed(GIVING)),
            None => Ok(()),
        };
        let made = made.and_then(|()| {
            self.write_durably(file).map_err(failed("writing"))?;
            match taken {
                Taken::Refused => place(&new, path),
                Taken::Replaced => fs::rename(&new, path),
            }
            .map_err(failed("creating"))
        });
        if made.is_err() {
            // The first failure is what the operator must see.
            let _ = fs::remove_file(&new);
        }
        made?;
        sync_directory_of(path).map_err(failed("writing"))
    }

    /// Gives a key file to the account that `like` belongs to.
    ///
    /// # Errors
    /// When this process may not.
    pub fn give_file_like(path: &Path, like: &Path) -> Result<(), RootKeyError> {
        let give = || give(&File::open(path)?, &fs::metadata(like)?);
        give().map_err(|source| RootKeyError::Io {
            attempt: GIVING,
            path: path.into(),
            source,
        })
    }

    fn write_durably(&self, mut file: File) -> std::io::Result<()> {
        file.write_all(self.to_base64().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    }
}

/// What becomes of a file that is there.
#[derive(Clone, Copy)]
enum Taken {
    Refused,
    Replaced,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;

    /// A directory of its own for one test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("keyway-{}", uuid::Uuid::new_v4()));
            fs::create_dir(&path).expect("a writable temporary directory");
            Self(path)
        }

        fn file(&self, content: &[u8], mode: u32) -> PathBuf {
            let path = self.0.join(uuid::Uuid::new_v4().to_string());
            fs::write(&path, content).expect("writable");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("own file");
            path
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_created_file_is_for_the_owner_only_and_reads_back() {
        let scratch = Scratch::new();
        let (key, path) = (RootKey::generate(), scratch.0.join("root.key"));

        key.create_file(&path).expect("a new file");

        let mode = fs::metadata(&path).expect("exists").mode() & 0o7777;
        assert_eq!(mode, 0o400);
        let read = RootKey::from_file(&path).expect("readable by its owner");
        assert_eq!(read.root_id(), key.root_id());
    }

    #[test]
    fn an_existing_file_is_never_replaced() {
        let scratch = Scratch::new();
        let path = scratch.file(b"precious", 0o600);
        assert!(RootKey::generate().create_file(&path).is_err());
        assert_eq!(fs::read(&path).expect("still there"), b"precious");
        let files = fs::read_dir(&scratch.0).expect("readable");
        assert_eq!(files.count(), 1, "no other file is left");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_remedy() {
        let scratch = Scratch::new();
        let text = RootKey::generate().to_base64();
        for mode in [0o440, 0o404, 0o644, 0o620, 0o777] {
            let path = scratch.file(text.as_bytes(), mode);
            let error = RootKey::from_file(&path).expect_err("exposed").to_string();
            assert!(
                error.contains(&format!("chmod 0400 {}", path.display())),
                "{error}"
            );
            assert!(!error.contains(text.as_str()));
        }
        for mode in [0o400, 0o600] {
            assert!(RootKey::from_file(scratch.file(text.as_bytes(), mode)).is_ok());
        }
    }

    #[test]
    fn links_are_followed_to_the_file_that_counts() {
        let scratch = Scratch::new();
        let exposed = scratch.file(RootKey::generate().to_base64().as_bytes(), 0o644);
        let link = scratch.0.join("link");
        symlink(&exposed, &link).expect("links are supported");
        let error = RootKey::from_file(&link).expect_err("exposed");
        assert!(matches!(error, RootKeyError::Exposed { .. }), "{error}");
    }

    #[test]
    fn what_is_not_a_key_file_is_refused_without_its_content() {
        let scratch = Scratch::new();
        for content in [b"".as_slice(), b"CANARY", b"\xff\xfe", &[b'A'; 5_000]] {
            let path = scratch.file(content, 0o400);
            let error = RootKey::from_file(&path).expect_err("no key").to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
        assert!(matches!(
            RootKey::from_file(&scratch.0),
            Err(RootKeyError::NotAKeyFile { .. })
        ));
        assert!(matches!(
            RootKey::from_file(scratch.0.join("absent")),
            Err(RootKeyError::Io { .. })
        ));
    }
}
