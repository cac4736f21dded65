//! HMAC-SHA-256 (RFC 2104): fingerprints, derived keys, index values, API-key digests.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// HMAC-SHA-256 of the parts, each preceded by its length (8 bytes, big endian), so that no two
/// different lists of parts are the same message.
pub(super) fn of_parts(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = keyed(key);
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA-256 of exactly `message`.
pub(super) fn of_message(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = keyed(key);
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC is defined for keys of every length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_published_vector_holds() {
        let expected = [
            0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24, 0x26, 0x08, 0x95,
            0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9,
            0x64, 0xec, 0x38, 0x43,
        ];
        assert_eq!(
            of_message(b"Jefe", b"what do ya want for nothing?"),
            expected
        );
    }

    #[test]
    fn moving_a_byte_between_parts_changes_the_result() {
        assert_ne!(
            of_parts(b"key", &[b"ab", b"c"]),
            of_parts(b"key", &[b"a", b"bc"])
        );
    }
}
