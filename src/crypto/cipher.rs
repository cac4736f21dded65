//! XAES-256-GCM (<https://c2sp.org/XAES-256-GCM>) behind the two calls that this program needs.
//!
//! The nonce is 24 random bytes, so that no counter has to be kept and never repeated: 2⁸⁰ messages
//! under one key stay below a collision risk of 2⁻³².

use super::{associated_data::AssociatedData, random};
use std::fmt;
use xaes_256_gcm::{
    Nonce, Tag, Xaes256Gcm,
    aead::{AeadInOut, KeyInit},
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The number that stands for XAES-256-GCM in the second byte of every stored form.
pub(super) const ALGORITHM: u8 = 1;
/// Bytes of nonce before the ciphertext.
pub(super) const NONCE: usize = 24;
/// Bytes of authentication tag after the ciphertext.
pub(super) const TAG: usize = 16;
/// Bytes of a key.
pub(super) const KEY: usize = 32;

/// 32 key bytes in one heap place: moving the value leaves no copy behind, dropping it wipes it.
pub(super) struct KeyBytes(Box<[u8; KEY]>);

impl KeyBytes {
    /// A fresh random key.
    pub(super) fn random() -> Self {
        let mut key = Self(Box::new([0; KEY]));
        random::fill(key.0.as_mut_slice());
        key
    }

    /// A copy of `bytes`; `None` unless they are exactly 32.
    pub(super) fn copy_of(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::copy_of_array)
    }

    /// A copy of `bytes`.
    pub(super) fn copy_of_array(bytes: &[u8; KEY]) -> Self {
        let mut key = Self(Box::new([0; KEY]));
        key.0.copy_from_slice(bytes);
        key
    }

    pub(super) fn expose(&self) -> &[u8; KEY] {
        &self.0
    }
}

impl Drop for KeyBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeyBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyBytes(…)")
    }
}

/// Does not compile when the feature `zeroize` of `xaes-256-gcm`, which wipes expanded and derived
/// keys, is switched off.
const _: fn() = || {
    fn wiped_when_dropped<T: ZeroizeOnDrop>() {}
    wiped_when_dropped::<Xaes256Gcm>();
};

/// One expanded key. Wiped when dropped.
pub(super) struct Cipher(Xaes256Gcm);

impl Cipher {
    pub(super) fn new(key: &KeyBytes) -> Self {
        Self(Xaes256Gcm::new(key.expose().into()))
    }

    /// `header ‖ nonce ‖ ciphertext ‖ tag` of the joined `content`, under a fresh nonce.
    ///
    /// `None` when the content exceeds the 64 GiB of AES-GCM.
    pub(super) fn seal(
        &self,
        header: &[u8],
        bound_to: &AssociatedData,
        content: &[&[u8]],
    ) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE];
        random::fill(&mut nonce);
        self.seal_with(nonce, header, bound_to, content)
    }

    fn seal_with(
        &self,
        nonce: [u8; NONCE],
        header: &[u8],
        bound_to: &AssociatedData,
        content: &[&[u8]],
    ) -> Option<Vec<u8>> {
        let start = header.len() + NONCE;
        let length: usize = content.iter().map(|part| part.len()).sum();
        // The full capacity at once: a growing vector would leave plaintext in freed memory.
        let mut sealed = Vec::with_capacity(start + length + TAG);
        sealed.extend_from_slice(header);
        sealed.extend_from_slice(&nonce);
        for part in content {
            sealed.extend_from_slice(part);
        }
        let outcome = self.0.encrypt_inout_detached(
            &Nonce::from(nonce),
            bound_to.as_bytes(),
            (&mut sealed[start..]).into(),
        );
        let Ok(tag) = outcome else {
            sealed.zeroize();
            return None;
        };
        sealed.extend_from_slice(&tag);
        Some(sealed)
    }

    /// The content of `nonce ‖ ciphertext ‖ tag`; `None` when it is too short, was altered, or was
    /// sealed under another key or bound to something else. Which of these is not told apart.
    pub(super) fn open(
        &self,
        sealed: &[u8],
        bound_to: &AssociatedData,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>()?;
        let mut content = Zeroizing::new(ciphertext.to_vec());
        self.0
            .decrypt_inout_detached(
                &Nonce::from(*nonce),
                bound_to.as_bytes(),
                content.as_mut_slice().into(),
                &Tag::from(*tag),
            )
            .ok()?;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C2SP XAES-256-GCM.md, first vector: through our own calls, with its fixed nonce. The others
    /// (and the accumulated one) are in `tests/crypto_vectors.rs`.
    #[test]
    fn the_published_vector_seals_and_opens_through_our_calls() {
        let key = KeyBytes::copy_of(&[1; 32]).expect("32 bytes");
        let cipher = Cipher::new(&key);
        let nothing = AssociatedData::new(&[]).expect("no parts");
        let nonce = *b"ABCDEFGHIJKLMNOPQRSTUVWX";
        let expected = [
            0xce, 0x54, 0x6e, 0xf6, 0x3c, 0x9c, 0xc6, 0x07, 0x65, 0x92, 0x36, 0x09, 0xb3, 0x3a,
            0x9a, 0x19, 0x74, 0xe9, 0x6e, 0x52, 0xda, 0xf2, 0xfc, 0xf7, 0x07, 0x5e, 0x22, 0x71,
        ];

        let sealed = cipher
            .seal_with(nonce, b"head", &nothing, &[b"XAES-", b"256-GCM"])
            .expect("short content");

        assert_eq!(&sealed[..4], b"head");
        assert_eq!(&sealed[4..28], nonce);
        assert_eq!(&sealed[28..], expected);
        let opened = cipher.open(&sealed[4..], &nothing).expect("unaltered");
        assert_eq!(opened.as_slice(), b"XAES-256-GCM");
    }

    #[test]
    fn every_sealing_has_a_nonce_of_its_own() {
        let cipher = Cipher::new(&KeyBytes::random());
        let nothing = AssociatedData::new(&[]).expect("no parts");
        let nonces: std::collections::HashSet<Vec<u8>> = (0..1_000)
            .map(|_| cipher.seal(&[], &nothing, &[b"x"]).expect("short content")[..NONCE].to_vec())
            .collect();
        assert_eq!(nonces.len(), 1_000);
    }

    #[test]
    fn keys_are_exactly_32_bytes_and_never_printed() {
        assert!(KeyBytes::copy_of(&[1; 31]).is_none());
        assert!(KeyBytes::copy_of(&[1; 33]).is_none());
        assert_eq!(format!("{:?}", KeyBytes::random()), "KeyBytes(…)");
    }
}
