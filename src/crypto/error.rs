//! What can go wrong with keys and sealed bytes. No message carries a secret, a key or an input.

use super::RootId;
use std::path::PathBuf;
use thiserror::Error;
use uuid::Uuid;

/// Why a value could not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    /// The place belongs to another tenant than the keys.
    #[error(
        "sealing a cell of tenant {place} with the keys of tenant {keys}: load the keys of the row's own tenant"
    )]
    WrongTenant {
        /// The tenant of the row.
        place: Uuid,
        /// The tenant whose keys were used.
        keys: Uuid,
    },
    /// The table, row or column name is longer than 65,535 bytes.
    #[error(
        "sealing a cell whose table, row or column name exceeds 65,535 bytes: use the row's id as its name"
    )]
    PlaceTooLong,
    /// The content is larger than AES-GCM can seal in one piece.
    #[error("sealing more than 64 GiB in one cell: store it in smaller pieces")]
    TooLarge,
}

/// Why sealed bytes did not open.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Too short for any sealed form.
    #[error(
        "opening sealed bytes of {0} bytes: too short to be whole; restore the row from a backup"
    )]
    Truncated(usize),
    /// The version or algorithm byte is not one that this program writes at such a place.
    #[error(
        "opening sealed bytes of version {version:#04x}, algorithm {algorithm}: not known here; run the release that wrote them, or restore the row"
    )]
    UnknownForm {
        /// The first byte.
        version: u8,
        /// The second byte.
        algorithm: u8,
    },
    /// The header names a data key that the tenant does not have.
    #[error("opening a cell sealed under data key {0}, which is not among the tenant's data keys")]
    UnknownDataKey(u32),
    /// The header names a root key that is not configured.
    #[error(
        "opening bytes sealed under root key {0}, which is not configured: add that root key, for decryption only or as the active one"
    )]
    UnknownRootKey(RootId),
    /// The canary is that of another root key than the one asked for.
    #[error(
        "opening the canary of root key {expected}: the bytes belong to root key {found}; restore the row"
    )]
    OtherRootKey {
        /// The root key whose canary was asked for.
        expected: RootId,
        /// The root key that the bytes name.
        found: RootId,
    },
    /// The place belongs to another tenant than the keys.
    #[error(
        "opening a cell of tenant {place} with the keys of tenant {keys}: load the keys of the row's own tenant"
    )]
    WrongTenant {
        /// The tenant of the row.
        place: Uuid,
        /// The tenant whose keys were used.
        keys: Uuid,
    },
    /// The bytes were altered, or sealed for another place, or under another key of the same id.
    #[error(
        "opening sealed bytes failed authentication: they were altered, moved from another row, or sealed under another key; restore the row"
    )]
    Refused,
    /// The bytes are authentic, but not of the generation that the row names.
    #[error(
        "opening a credential of another generation than its row: the two were not written together; restore the row"
    )]
    WrongGeneration,
}

/// Why a tenant's data keys cannot be used together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TenantKeysError {
    /// The active key is not in the list.
    #[error("loading a tenant's data keys: the active one ({0}) is not among them")]
    NoActiveKey(u32),
    /// Two keys have one id.
    #[error("loading a tenant's data keys: two of them have the id {0}")]
    DuplicateKey(u32),
    /// A key was unwrapped for another tenant.
    #[error("loading the data keys of tenant {tenant}: key {id} belongs to another tenant")]
    OtherTenant {
        /// The tenant whose keys were to be loaded.
        tenant: Uuid,
        /// The id of the foreign key.
        id: u32,
    },
}

/// Why a root key could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootKeyError {
    /// The text is empty.
    #[error(
        "the root key is empty: it must be 32 random bytes as base64 (`keyway root-key new` makes one)"
    )]
    Empty,
    /// The text is not base64.
    #[error(
        "the root key is not base64: it must be 32 random bytes as base64 (`keyway root-key new` makes one)"
    )]
    NotBase64,
    /// The text is base64 of another number of bytes.
    #[error(
        "the root key has {0} bytes: it must be exactly 32 random bytes as base64 (`keyway root-key new` makes one)"
    )]
    WrongLength(usize),
    /// All 32 bytes are zero.
    #[error(
        "the root key is 32 zero bytes, a placeholder: `keyway root-key new` makes a random one"
    )]
    Placeholder,
    /// The content of the named file is not a root key.
    #[error("reading the root key file {}: {source}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        source: Box<RootKeyError>,
    },
    /// The file can be read by more than its owner.
    #[error("the root key file {} can be read by group or others (mode {mode:04o}): run `chmod 0400 {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a regular file, or too large to hold a key.
    #[error("the root key file {} is not a regular file of at most 4,096 bytes: name the file that holds the key", path.display())]
    NotAKeyFile {
        /// What was named.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{attempt} the root key file {}: {source}", path.display())]
    Io {
        /// `opening`, `reading`, `creating` …
        attempt: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
}
