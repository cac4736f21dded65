//! Setting a login's password without telling it: what travels, and what the database's log and statistics may keep,
//! is the verifier that the database would have made of it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::error::ProvisionError;

/// As many rounds as Postgres itself makes (RFC 7677 section 4: at least 4096).
const ROUNDS: u32 = 4_096;

type Bytes = Zeroizing<[u8; 32]>;

/// The SCRAM-SHA-256 verifier of a password (RFC 5802 section 3), in the form that `ALTER ROLE … PASSWORD` takes.
///
/// # Errors
/// `Password` where it is not printable ASCII, which every client prepares alike (RFC 4013).
pub(super) fn verifier(password: &str) -> Result<String, ProvisionError> {
    if password.is_empty() || !password.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(ProvisionError::Password);
    }
    let salt: [u8; 16] = rand::random();
    Ok(of(password, &salt))
}

fn of(password: &str, salt: &[u8]) -> String {
    let salted = salted(password.as_bytes(), salt);
    let client_key = keyed(&*salted, &[b"Client Key"]);
    let stored_key = Sha256::digest(*client_key);
    let server_key = keyed(&*salted, &[b"Server Key"]);
    format!(
        "SCRAM-SHA-256${ROUNDS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored_key),
        STANDARD.encode(*server_key)
    )
}

/// `Hi` of RFC 5802 section 2.2.
fn salted(password: &[u8], salt: &[u8]) -> Bytes {
    let mut last = keyed(password, &[salt, &1_u32.to_be_bytes()]);
    let mut sum = last.clone();
    for _ in 1..ROUNDS {
        last = keyed(password, &[last.as_slice()]);
        for (sum, last) in sum.iter_mut().zip(last.iter()) {
            *sum ^= last;
        }
    }
    sum
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Bytes {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_that_of_rfc_7677() {
        // Section 3: user, password `pencil`, and this salt; the server's signature there fits this server key.
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").expect("base64");
        assert_eq!(
            of("pencil", &salt),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn only_printable_ascii_is_taken() {
        for bad in ["", "päss", "a\tb", "a\0"] {
            assert!(verifier(bad).is_err());
        }
        assert_ne!(verifier("same").ok(), verifier("same").ok());
    }
}
