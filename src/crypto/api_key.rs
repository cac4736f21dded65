//! API keys: `kw_live_<id>_<secret>_<checksum>`, 12, 43 and 6 base62 characters.
//!
//! The id finds the row; the row holds HMAC-SHA-256(pepper, secret), so the table alone lets
//! nobody in and cannot be tried against. The secret is 256 random bits: a slow password hash
//! would protect nothing further. The checksum tells a mistyped key from an unknown one without a
//! look at the database, and lets scanners recognise leaked keys.

use super::{Secret, keyed_hash, random};
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

const PREFIX: &str = "kw_live_";
const ID: usize = 12;
const SECRET: usize = 43;
const CHECKSUM: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes of the pepper.
const PEPPER: usize = 32;

/// A key that was made just now: the only moment at which its text exists in the server. `Debug`
/// shows the id only.
pub struct ApiKey {
    text: Zeroizing<String>,
}

impl ApiKey {
    /// A fresh key: the id has 71 random bits, the secret 256.
    pub fn generate() -> Self {
        // The full capacity at once: growing would leave a copy in freed memory.
        let length = PREFIX.len() + ID + 1 + SECRET + 1 + CHECKSUM;
        let mut text = Zeroizing::new(String::with_capacity(length));
        text.push_str(PREFIX);
        push_random(&mut text, ID);
        text.push('_');
        push_random(&mut text, SECRET);
        let checksum = checksum(&text);
        text.push('_');
        text.extend(checksum.map(char::from));
        Self { text }
    }

    /// The public part, under which the row is found.
    pub fn id(&self) -> &str {
        &self.text[PREFIX.len()..PREFIX.len() + ID]
    }

    /// The key as its holder will present it, for [`Pepper::mac`].
    pub fn presented(&self) -> PresentedKey {
        PresentedKey::of_parts(self.id(), &self.text[PREFIX.len() + ID + 1..][..SECRET])
    }

    /// The whole text (71 characters), to be shown to its holder this once.
    pub fn reveal_once(self) -> Zeroizing<String> {
        self.text
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ApiKey({})", self.id())
    }
}

/// A well-formed key from a request. Its secret is wiped when dropped; `Debug` shows the id only.
pub struct PresentedKey {
    id: String,
    secret: Zeroizing<String>,
}

impl PresentedKey {
    /// Reads a key; `None` unless prefix, widths, alphabet and checksum are right.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let mut parts = rest.split('_');
        let (id, secret, sum) = (parts.next()?, parts.next()?, parts.next()?);
        let of_width = |part: &str, width| {
            part.len() == width && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let formed = parts.next().is_none()
            && of_width(id, ID)
            && of_width(secret, SECRET)
            && of_width(sum, CHECKSUM);
        if !formed || checksum(&text[..text.len() - CHECKSUM - 1]) != sum.as_bytes() {
            return None;
        }
        Some(Self::of_parts(id, secret))
    }

    fn of_parts(id: &str, secret: &str) -> Self {
        Self {
            id: id.into(),
            secret: Zeroizing::new(secret.into()),
        }
    }

    /// The public part, under which the row is found.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for PresentedKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PresentedKey({})", self.id)
    }
}

/// The server's own key for API-key digests: 32 random bytes, sealed under the root key with its
/// version, which every row carries. `Debug` shows the version only.
pub struct Pepper {
    version: i32,
    secret: Secret,
}

impl Pepper {
    /// What to compare with when no row has the presented id, so that an unknown key takes as long
    /// as a wrong one: no digest equals it but by a chance of 2⁻²⁵⁶.
    pub const NO_ROW: [u8; 32] = [0; 32];

    /// A fresh pepper.
    pub fn generate(version: i32) -> Self {
        let mut bytes = Zeroizing::new(vec![0; PEPPER]);
        random::fill(&mut bytes);
        Self {
            version,
            secret: Secret::from_bytes(bytes),
        }
    }

    /// The pepper that was opened from the store; `None` unless it has 32 bytes.
    pub fn from_secret(version: i32, secret: Secret) -> Option<Self> {
        (secret.len() == PEPPER).then_some(Self { version, secret })
    }

    /// Its version, kept beside every digest made with it.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Its bytes, for [`KeyRing::seal_server_secret`](super::KeyRing::seal_server_secret).
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// What is stored of a key: HMAC-SHA-256(pepper, secret part).
    pub fn mac(&self, key: &PresentedKey) -> [u8; 32] {
        keyed_hash::of_message(self.secret.expose(), key.secret.as_bytes())
    }

    /// Whether the key is the one of which `stored` was kept, in constant time.
    pub fn verify(&self, key: &PresentedKey, stored: &[u8]) -> bool {
        self.mac(key).ct_eq(stored).into()
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Pepper(version {})", self.version)
    }
}

/// A presented key as an error may name it: its first 3 and last 4 characters; `...` alone when it
/// has fewer than 12 characters or any that is not visible ASCII.
pub fn mask_key(presented: &str) -> String {
    if presented.len() < 12 || !presented.bytes().all(|byte| byte.is_ascii_graphic()) {
        return "...".into();
    }
    let (first, last) = (&presented[..3], &presented[presented.len() - 4..]);
    format!("{first}...{last}")
}

/// Appends uniformly random base62 digits: bytes from 248 on are left out, since they would make
/// the first digits likelier.
fn push_random(text: &mut String, mut count: usize) {
    let mut bytes = [0; 64];
    while count > 0 {
        random::fill(&mut bytes);
        for byte in bytes.iter().filter(|byte| **byte < 248).take(count) {
            text.push(char::from(DIGITS[usize::from(byte % 62)]));
            count -= 1;
        }
    }
    bytes.zeroize();
}

/// CRC-32 (IEEE) of all that precedes it, as six base62 digits, the most significant first.
fn checksum(text: &str) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [0; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests;
