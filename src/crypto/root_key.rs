//! Root keys: read, made, named by a fingerprint.

use super::{
    RootKeyError,
    cipher::{KEY, KeyBytes},
    keyed_hash,
};
use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::{array::TryFromSliceError, fmt};
use zeroize::Zeroizing;

/// Standard alphabet, padded when written, either way when read (tools differ in that).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ROOT_ID_LABEL: &[u8] = b"keyway/root-id/v1";

/// The fingerprint of a root key: 8 bytes that name it in stored bytes and messages and tell
/// nothing of the key. Printed as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RootId(pub(super) [u8; 8]);

impl RootId {
    /// The 8 bytes, as they are stored.
    pub fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl From<[u8; 8]> for RootId {
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for RootId {
    type Error = TryFromSliceError;

    /// From stored bytes, which must be exactly 8.
    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Display for RootId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for RootId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RootId({self})")
    }
}

/// 32 random bytes from which everything stored depends. Wiped when dropped; `Debug` shows the
/// fingerprint only. Files are handled by [`from_file`](Self::from_file) and
/// [`create_file`](Self::create_file).
pub struct RootKey(KeyBytes);

impl RootKey {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Self {
        Self(KeyBytes::random())
    }

    /// Reads 32 bytes of standard base64, with or without padding; white space around is ignored.
    ///
    /// # Errors
    /// When the text is empty, not base64, of another length or all zero. The error never quotes it.
    pub fn from_base64(text: &str) -> Result<Self, RootKeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(RootKeyError::Empty);
        }
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        // The cause is dropped: it would quote a character of the key.
        let length = BASE64
            .decode_slice(text, bytes.as_mut_slice())
            .map_err(|_| RootKeyError::NotBase64)?;
        let key = KeyBytes::copy_of(&bytes[..length]).ok_or(RootKeyError::WrongLength(length))?;
        if key.expose() == &[0; KEY] {
            return Err(RootKeyError::Placeholder);
        }
        Ok(Self(key))
    }

    /// The key as padded standard base64 (44 characters). For the key file and `root-key new`.
    pub fn to_base64(&self) -> Zeroizing<String> {
        // The full capacity at once: growing would leave a copy in freed memory.
        let mut text = Zeroizing::new(String::with_capacity(44));
        BASE64.encode_string(self.0.expose(), &mut text);
        text
    }

    /// The fingerprint, derived one way (HMAC-SHA-256 of a label, cut to 8 bytes).
    pub fn root_id(&self) -> RootId {
        let digest = keyed_hash::of_parts(self.0.expose(), &[ROOT_ID_LABEL]);
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        RootId(id)
    }

    pub(super) fn key(&self) -> &KeyBytes {
        &self.0
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RootKey({})", self.root_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        let key = RootKey::generate();
        let text = key.to_base64();
        assert_eq!(text.len(), 44);
        for form in [
            text.to_string(),
            format!("  {}\n", *text),
            text.trim_end_matches('=').into(),
        ] {
            let read = RootKey::from_base64(&form).expect("32 bytes");
            assert_eq!(read.root_id(), key.root_id());
        }
    }

    #[test]
    fn anything_but_32_random_bytes_is_refused_without_being_quoted() {
        let zeros = BASE64.encode([0; 32]);
        for (text, problem) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("CANARY!", "not base64"),
            ("CANARY", "not base64"),
            ("Q0FOQVJZ", "has 6 bytes"),
            (BASE64.encode([7; 31]).as_str(), "has 31 bytes"),
            (BASE64.encode([7; 33]).as_str(), "has 33 bytes"),
            (zeros.as_str(), "placeholder"),
        ] {
            let error = RootKey::from_base64(text).expect_err("refused").to_string();
            assert!(error.contains(problem), "{error}");
            assert!(error.contains("32"), "{error}");
            assert!(!error.contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn the_fingerprint_is_stable_and_all_that_debug_shows() {
        let key = RootKey::from_base64(&BASE64.encode([7; 32])).expect("32 bytes");
        let id = key.root_id();
        assert_eq!(id.to_string().len(), 16);
        assert_eq!(format!("{key:?}"), format!("RootKey({id})"));
        assert_ne!(id.as_bytes(), &[7; 8]);
        let stored = id.as_bytes().as_slice();
        assert_eq!(RootId::try_from(stored).expect("8 bytes"), id);
        assert_ne!(id, RootKey::generate().root_id());
        assert!(RootId::try_from([0_u8; 7].as_slice()).is_err());
    }
}
