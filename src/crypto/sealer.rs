//! A tenant's data keys: sealing and opening cells, and the index of secrets that must be found.

use super::{
    DataKey, OpenError, Place, SealError, Secret, TenantKeysError,
    cipher::{ALGORITHM, Cipher, KeyBytes, NONCE, TAG},
    keyed_hash,
};
use crate::telemetry::metrics::counts::{OPENED, SEALED, UNOPENED, UNOPENED_WITHOUT_KEY};
use std::fmt;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

/// The first byte of a sealed cell.
const VERSION: u8 = 0x01;
/// Version, algorithm, data key id.
const HEADER: usize = 2 + 4;
/// Bytes of the generation that precedes a connection's credential.
const GENERATION: usize = 16;
const INDEX_KEY_LABEL: &[u8] = b"keyway/index-key/v1";

/// All data keys of one tenant: the active one seals, the one that a cell's header names opens.
pub struct TenantKeys {
    tenant: Uuid,
    active: u32,
    ciphers: Vec<(u32, Cipher)>,
    index_key: KeyBytes,
}

impl TenantKeys {
    /// The keys of `tenant`, of which number `active` seals.
    ///
    /// # Errors
    /// When `active` is not among them, two have one number, or one is another tenant's.
    pub fn new(tenant: Uuid, active: u32, mut keys: Vec<DataKey>) -> Result<Self, TenantKeysError> {
        keys.sort_by_key(DataKey::id);
        if let Some(foreign) = keys.iter().find(|key| key.tenant != tenant) {
            let id = foreign.id;
            return Err(TenantKeysError::OtherTenant { tenant, id });
        }
        if let Some(pair) = keys.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(TenantKeysError::DuplicateKey(pair[0].id));
        }
        let first = keys.first().ok_or(TenantKeysError::NoActiveKey(active))?;
        if keys.iter().all(|key| key.id != active) {
            return Err(TenantKeysError::NoActiveKey(active));
        }
        let index_key = Zeroizing::new(keyed_hash::of_parts(
            first.key.expose(),
            &[INDEX_KEY_LABEL, tenant.as_bytes()],
        ));
        Ok(Self {
            tenant,
            active,
            index_key: KeyBytes::copy_of_array(&index_key),
            ciphers: keys
                .iter()
                .map(|key| (key.id, Cipher::new(&key.key)))
                .collect(),
        })
    }

    /// Whose keys these are.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// The number of the key that seals.
    pub fn active(&self) -> u32 {
        self.active
    }

    /// Seals a cell for its place (46 bytes longer than the content).
    ///
    /// # Errors
    /// When the place is another tenant's or its names exceed 65,535 bytes.
    pub fn seal(&self, place: &Place, secret: &Secret) -> Result<Vec<u8>, SealError> {
        self.seal_parts(place, &[secret.expose()])
    }

    /// Opens the cell at `place`.
    ///
    /// # Errors
    /// When the place is another tenant's, or the bytes are not of a known form, name a data key
    /// that the tenant does not have, were altered, or were sealed for another place.
    pub fn open(&self, place: &Place, sealed: &[u8]) -> Result<Secret, OpenError> {
        counted(self.open_bytes(place, sealed))
    }

    /// Seals a connection's credential together with the `generation` of its row (62 bytes longer
    /// than the content).
    ///
    /// # Errors
    /// As [`seal`](Self::seal).
    pub fn seal_credential(
        &self,
        place: &Place,
        generation: Uuid,
        credential: &Secret,
    ) -> Result<Vec<u8>, SealError> {
        self.seal_parts(place, &[generation.as_bytes(), credential.expose()])
    }

    /// Opens a connection's credential, which must have been sealed together with `generation`:
    /// bytes of an earlier credential of the same row do not pass for the present one.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the generation inside is another.
    pub fn open_credential(
        &self,
        place: &Place,
        generation: Uuid,
        sealed: &[u8],
    ) -> Result<Secret, OpenError> {
        let opened = self.open_bytes(place, sealed);
        counted(opened.and_then(|content| without_generation(content, generation)))
    }

    /// The cell at `place`, sealed anew under the active key; `None` where it is under that key
    /// already. The content, a generation included, stays what it was and leaves only sealed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    ///
    /// # Panics
    /// Never: what opened at this place can be sealed there again.
    pub fn reseal(&self, place: &Place, sealed: &[u8]) -> Result<Option<Vec<u8>>, OpenError> {
        if Self::named_in(sealed) == Some(self.active) {
            return Ok(None);
        }
        let content = self.open_bytes(place, sealed)?;
        let resealed = self.seal_parts(place, &[&content]);
        Ok(Some(resealed.expect("the cell has just opened here")))
    }

    /// The number of the data key in a cell's header; `None` when the bytes are no cell. It is
    /// authenticated only when the cell is opened.
    pub fn named_in(sealed: &[u8]) -> Option<u32> {
        match sealed.first_chunk::<HEADER>()? {
            [VERSION, ALGORITHM, id @ ..] => Some(u32::from_be_bytes(*id)),
            _ => None,
        }
    }

    /// The value of an index column: the same for the same `label` and `value` of this tenant,
    /// unlinkable between tenants and labels (HMAC-SHA-256 under a key of the tenant's own).
    ///
    /// The index key is derived from the tenant's **first** data key, the one with the lowest
    /// number. A rotation must therefore keep that key's wrapped row (re-wrapped, not used to seal
    /// any more) for as long as index columns made under it exist; whoever removes it must rewrite
    /// every index column of the tenant in the same transaction and have all servers forget their
    /// cached keys, or those secrets are no longer found.
    pub fn index(&self, label: &'static str, value: &str) -> [u8; 32] {
        keyed_hash::of_parts(
            self.index_key.expose(),
            &[label.as_bytes(), value.as_bytes()],
        )
    }

    fn seal_parts(&self, place: &Place, content: &[&[u8]]) -> Result<Vec<u8>, SealError> {
        if place.tenant != self.tenant {
            return Err(SealError::WrongTenant {
                place: place.tenant,
                keys: self.tenant,
            });
        }
        let bound_to = place
            .associated_data(VERSION, self.active)
            .ok_or(SealError::PlaceTooLong)?;
        let mut header = [VERSION, ALGORITHM, 0, 0, 0, 0];
        header[2..].copy_from_slice(&self.active.to_be_bytes());
        let sealed = self
            .cipher(self.active)
            .expect("new() has found the active key among the keys")
            .seal(&header, &bound_to, content)
            .ok_or(SealError::TooLarge)?;
        SEALED.add(1);
        Ok(sealed)
    }

    fn open_bytes(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if place.tenant != self.tenant {
            return Err(OpenError::WrongTenant {
                place: place.tenant,
                keys: self.tenant,
            });
        }
        if let [version, algorithm, ..] = *sealed
            && (version, algorithm) != (VERSION, ALGORITHM)
        {
            return Err(OpenError::UnknownForm { version, algorithm });
        }
        let (header, body) = sealed
            .split_first_chunk::<HEADER>()
            .filter(|(_, body)| body.len() >= NONCE + TAG)
            .ok_or(OpenError::Truncated(sealed.len()))?;
        let [_, _, id @ ..] = *header;
        let id = u32::from_be_bytes(id);
        let cipher = self.cipher(id).ok_or(OpenError::UnknownDataKey(id))?;
        place
            .associated_data(VERSION, id)
            .and_then(|bound_to| cipher.open(body, &bound_to))
            .ok_or(OpenError::Refused)
    }

    fn cipher(&self, id: u32) -> Option<&Cipher> {
        self.ciphers
            .iter()
            .find_map(|(known, cipher)| (*known == id).then_some(cipher))
    }
}

/// The content behind its generation, which must be this one.
fn without_generation(
    mut content: Zeroizing<Vec<u8>>,
    generation: Uuid,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let same = content
        .first_chunk::<GENERATION>()
        .is_some_and(|inner| inner.ct_eq(generation.as_bytes()).into());
    if !same {
        return Err(OpenError::WrongGeneration);
    }
    content.drain(..GENERATION);
    Ok(content)
}

/// Whatever became of the opening is in the metrics.
fn counted(opened: Result<Zeroizing<Vec<u8>>, OpenError>) -> Result<Secret, OpenError> {
    let count = match opened {
        Ok(_) => &OPENED,
        Err(OpenError::UnknownDataKey(_)) => &UNOPENED_WITHOUT_KEY,
        Err(_) => &UNOPENED,
    };
    count.add(1);
    opened.map(Secret::from_bytes)
}

impl fmt::Debug for TenantKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TenantKeys")
            .field("tenant", &self.tenant)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
