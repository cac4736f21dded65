//! The configured root keys, and everything that is sealed directly under one.

use super::{
    OpenError, RootId, RootKey, Secret,
    associated_data::AssociatedData,
    cipher::{ALGORITHM, Cipher, KeyBytes, NONCE, TAG},
};
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// A kind of bytes sealed under a root key: its first byte and its label keep the kinds apart.
struct Kind {
    version: u8,
    label: &'static [u8],
}

const DATA_KEY: Kind = Kind {
    version: 0x81,
    label: b"keyway/dek/v1",
};
const CANARY: Kind = Kind {
    version: 0x82,
    label: b"keyway/canary/v1",
};
const SERVER_SECRET: Kind = Kind {
    version: 0x83,
    label: b"keyway/server-secret/v1",
};
/// What every canary contains: that it opens is what counts.
const CANARY_CONTENT: &[u8; 16] = b"keyway canary ok";
/// Version, algorithm, root id.
const HEADER: usize = 2 + 8;

/// A tenant's data key, unwrapped. Wiped when dropped; `Debug` shows the id only.
pub struct DataKey {
    pub(super) tenant: Uuid,
    pub(super) id: u32,
    pub(super) key: KeyBytes,
}

impl DataKey {
    /// Its number within the tenant: 1, 2, …
    pub fn id(&self) -> u32 {
        self.id
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DataKey({})", self.id)
    }
}

/// The root keys: the active one seals, all of them open. Which one opens is read from the bytes.
pub struct KeyRing {
    active: RootId,
    ciphers: Vec<(RootId, Cipher)>,
}

impl KeyRing {
    /// A ring that seals under `active` and opens under `active` and `others`. A key that is given
    /// twice counts once.
    pub fn new(active: &RootKey, others: &[RootKey]) -> Self {
        let mut ciphers: Vec<(RootId, Cipher)> = Vec::with_capacity(1 + others.len());
        for root in std::iter::once(active).chain(others) {
            let id = root.root_id();
            if ciphers.iter().all(|(known, _)| *known != id) {
                ciphers.push((id, Cipher::new(root.key())));
            }
        }
        Self {
            active: active.root_id(),
            ciphers,
        }
    }

    /// The fingerprint of the key that seals.
    pub fn active_id(&self) -> RootId {
        self.active
    }

    /// The fingerprints of all keys, the active one first.
    pub fn ids(&self) -> Vec<RootId> {
        self.ciphers.iter().map(|(id, _)| *id).collect()
    }

    /// Whether the root key of this fingerprint is configured.
    pub fn holds(&self, id: RootId) -> bool {
        self.cipher(id).is_ok()
    }

    /// The fingerprint in the header of bytes that were sealed under a root key; `None` when they
    /// are of no such form. The header is authenticated only when the bytes are opened.
    pub fn named_in(sealed: &[u8]) -> Option<RootId> {
        let (&[version, _], rest) = sealed.split_first_chunk::<2>()?;
        let known = [DATA_KEY, CANARY, SERVER_SECRET];
        known.iter().find(|kind| kind.version == version)?;
        rest.first_chunk::<8>().map(|id| RootId(*id))
    }

    /// Makes data key number `data_key` of `tenant` and wraps it (82 bytes) under the active root.
    ///
    /// # Panics
    /// Never: the active root key is in the ring.
    pub fn new_data_key(&self, tenant: Uuid, data_key: u32) -> (DataKey, Vec<u8>) {
        self.new_data_key_under(self.active, tenant, data_key)
            .expect("the active key is in the ring")
    }

    /// As [`new_data_key`](Self::new_data_key), wrapped under any root key of the ring: until a
    /// rotation begins, servers that do not hold the next root key yet must open what others make.
    ///
    /// # Errors
    /// When the root key `root` is not configured.
    pub fn new_data_key_under(
        &self,
        root: RootId,
        tenant: Uuid,
        data_key: u32,
    ) -> Result<(DataKey, Vec<u8>), OpenError> {
        let key = KeyBytes::random();
        let facts: [&[u8]; 2] = [tenant.as_bytes(), &data_key.to_be_bytes()];
        let wrapped = self.seal(root, &DATA_KEY, &facts, key.expose())?;
        let data_key = DataKey {
            tenant,
            id: data_key,
            key,
        };
        Ok((data_key, wrapped))
    }

    /// Unwraps data key number `data_key` of `tenant`.
    ///
    /// # Errors
    /// When the bytes are not a wrapped data key, name a root key that is not configured, were
    /// altered, or are another tenant's or another number's.
    pub fn unwrap_data_key(
        &self,
        tenant: Uuid,
        data_key: u32,
        wrapped: &[u8],
    ) -> Result<DataKey, OpenError> {
        let facts: [&[u8]; 2] = [tenant.as_bytes(), &data_key.to_be_bytes()];
        let key = self.open(&DATA_KEY, &facts, wrapped)?;
        Ok(DataKey {
            tenant,
            id: data_key,
            key: KeyBytes::copy_of(&key).ok_or(OpenError::Refused)?,
        })
    }

    /// Seals the canary of the active root key, which later proves that the same key is configured.
    ///
    /// # Panics
    /// Never: the active root key is in the ring.
    pub fn seal_canary(&self) -> Vec<u8> {
        self.seal(self.active, &CANARY, &[], CANARY_CONTENT)
            .expect("the active key is in the ring")
    }

    /// Opens the canary of the root key `id`.
    ///
    /// # Errors
    /// When the bytes are not a canary, name another root key than `id` or one that is not
    /// configured, or were altered.
    pub fn open_canary(&self, id: RootId, sealed: &[u8]) -> Result<(), OpenError> {
        match Self::named_in(sealed) {
            Some(found) if found != id => Err(OpenError::OtherRootKey {
                expected: id,
                found,
            }),
            _ => match self.open(&CANARY, &[], sealed)?.as_slice() {
                content if content == CANARY_CONTENT => Ok(()),
                _ => Err(OpenError::Refused),
            },
        }
    }

    /// Seals a secret of the server itself (the API-key pepper …) under its name and version.
    ///
    /// # Panics
    /// When the name, which is a constant of this program, exceeds 65,535 bytes.
    pub fn seal_server_secret(&self, name: &str, version: i32, secret: &Secret) -> Vec<u8> {
        self.seal_server_secret_under(self.active, name, version, secret)
            .expect("the active key is in the ring")
    }

    /// As [`seal_server_secret`](Self::seal_server_secret), under any root key of the ring.
    ///
    /// # Errors
    /// When the root key `root` is not configured.
    ///
    /// # Panics
    /// When the name, which is a constant of this program, exceeds 65,535 bytes.
    pub fn seal_server_secret_under(
        &self,
        root: RootId,
        name: &str,
        version: i32,
        secret: &Secret,
    ) -> Result<Vec<u8>, OpenError> {
        let facts: [&[u8]; 2] = [name.as_bytes(), &version.to_be_bytes()];
        self.seal(root, &SERVER_SECRET, &facts, secret.expose())
    }

    /// Opens a secret of the server itself.
    ///
    /// # Errors
    /// When the bytes are not a server secret, name a root key that is not configured, were
    /// altered, or belong to another name or version.
    pub fn open_server_secret(
        &self,
        name: &str,
        version: i32,
        sealed: &[u8],
    ) -> Result<Secret, OpenError> {
        let facts: [&[u8]; 2] = [name.as_bytes(), &version.to_be_bytes()];
        self.open(&SERVER_SECRET, &facts, sealed)
            .map(Secret::from_bytes)
    }

    fn cipher(&self, id: RootId) -> Result<&Cipher, OpenError> {
        self.ciphers
            .iter()
            .find_map(|(known, cipher)| (*known == id).then_some(cipher))
            .ok_or(OpenError::UnknownRootKey(id))
    }

    /// Fails only where `root` is not in the ring.
    fn seal(
        &self,
        root: RootId,
        kind: &Kind,
        facts: &[&[u8]],
        content: &[u8],
    ) -> Result<Vec<u8>, OpenError> {
        let mut header = [0; HEADER];
        header[..2].copy_from_slice(&[kind.version, ALGORITHM]);
        header[2..].copy_from_slice(&root.0);
        let cipher = self.cipher(root)?;
        let sealed = bound_to(kind, facts, root)
            .and_then(|bound_to| cipher.seal(&header, &bound_to, &[content]));
        Ok(sealed.expect("names and content are far below their limits"))
    }

    fn open(
        &self,
        kind: &Kind,
        facts: &[&[u8]],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if let [version, algorithm, ..] = *sealed
            && (version, algorithm) != (kind.version, ALGORITHM)
        {
            return Err(OpenError::UnknownForm { version, algorithm });
        }
        if sealed.len() < HEADER + NONCE + TAG {
            return Err(OpenError::Truncated(sealed.len()));
        }
        let id = Self::named_in(sealed).ok_or(OpenError::Truncated(sealed.len()))?;
        let cipher = self.cipher(id)?;
        bound_to(kind, facts, id)
            .and_then(|bound_to| cipher.open(&sealed[HEADER..], &bound_to))
            .ok_or(OpenError::Refused)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("KeyRing").field(&self.ids()).finish()
    }
}

fn bound_to(kind: &Kind, facts: &[&[u8]], root: RootId) -> Option<AssociatedData> {
    let mut parts: Vec<&[u8]> = vec![kind.label];
    let (version, algorithm) = ([kind.version], [ALGORITHM]);
    parts.extend([version.as_slice(), algorithm.as_slice()]);
    parts.extend_from_slice(facts);
    parts.push(&root.0);
    AssociatedData::new(&parts)
}

mod rewrap;
#[cfg(test)]
mod tests;
