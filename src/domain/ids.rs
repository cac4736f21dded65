//! The identifiers of the model. Each is a newtype, made in the application and parsed once, at the edge.

use std::fmt;
use std::str::FromStr;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use rand::{Rng as _, RngExt as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The alphabet of Composio's ids (nanoid's default): 64 characters, so that six random bits make one.
const NANOID: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
/// Characters after the prefix of an `ac_…` or `ca_…` id: 72 bits, unguessable.
const NANOID_LENGTH: usize = 12;
/// Characters after the prefix of a link token: 192 bits, for who has it may give a connection its credential.
const LINK_TOKEN_LENGTH: usize = 32;
const LINK_TOKEN_PREFIX: &str = "lk_";

/// What is said of an id that does not have its form. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id does not have the form that this kind of id has")]
pub struct IllFormedId;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id: UUID version 7 (RFC 9562), so that rows made together lie together.
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IllFormedId;

            /// Takes the hyphenated and the simple form, in either case.
            fn from_str(text: &str) -> Result<Self, IllFormedId> {
                match text.len() {
                    32 | 36 => Uuid::try_parse(text).map(Self).map_err(|_| IllFormedId),
                    _ => Err(IllFormedId),
                }
            }
        }
    };
}

macro_rules! nano_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// A new, unguessable id.
            pub fn new() -> Self {
                Self(format!("{}{}", $prefix, nanoid()))
            }

            /// The id as it stands on the wire.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IllFormedId;

            fn from_str(text: &str) -> Result<Self, IllFormedId> {
                match text.strip_prefix($prefix) {
                    Some(rest)
                        if rest.len() == NANOID_LENGTH && rest.bytes().all(|byte| NANOID.contains(&byte)) =>
                    {
                        Ok(Self(text.to_owned()))
                    }
                    _ => Err(IllFormedId),
                }
            }
        }
    };
}

uuid_id!(
    /// A tenant: who owns everything below; the unit of isolation and of encryption.
    TenantId
);
uuid_id!(
    /// An integration: a third-party service as one tenant uses it.
    IntegrationId
);
uuid_id!(
    /// A connection: one user's credential under one auth config. Klavis calls it an instance.
    ConnectionId
);
uuid_id!(
    /// The row id of an auth config (Composio's `uuid`).
    AuthConfigUuid
);
uuid_id!(
    /// A strata: a named group of one user's connections.
    StrataId
);
uuid_id!(
    /// One line of the audit log.
    AuditId
);
nano_id!(
    /// An auth config as Composio names it: `ac_` and 12 characters.
    AuthConfigId,
    "ac_"
);
nano_id!(
    /// A connection as Composio names it: `ca_` and 12 characters.
    ConnectedAccountId,
    "ca_"
);
nano_id!(
    /// A revocation at the provider that a deletion asked for: `pj_` and 12 characters. It stands in the audit log.
    RevokeJobId,
    "pj_"
);

impl StrataId {
    /// The id of no strata: what a text names that has not the form of an id, where it may be any text.
    pub const NOBODYS: Self = Self(Uuid::nil());
}

/// The public part of an API key: 12 base62 characters, by which the key's row is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What leads to the hosted connect page of one connection: `lk_` and 32 characters. It lets its bearer in, so that only
/// its hash is stored and `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(Zeroizing<String>);

impl LinkToken {
    /// A new token, its randomness the operating system's.
    ///
    /// # Panics
    /// When the operating system has no randomness to give.
    pub fn new() -> Self {
        let mut bytes = Zeroizing::new([0; LINK_TOKEN_LENGTH]);
        UnwrapErr(SysRng).fill_bytes(bytes.as_mut_slice());
        // The full capacity at once: growing would leave a copy in freed memory.
        let capacity = LINK_TOKEN_PREFIX.len() + LINK_TOKEN_LENGTH;
        let mut text = Zeroizing::new(String::with_capacity(capacity));
        text.push_str(LINK_TOKEN_PREFIX);
        text.extend(bytes.iter().copied().map(nanoid_character));
        Self(text)
    }

    /// The token as it stands in the URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of the token, by which its row is found. It is too random to be tried, so that no slow hash is needed.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl Default for LinkToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

impl FromStr for LinkToken {
    type Err = IllFormedId;

    fn from_str(text: &str) -> Result<Self, IllFormedId> {
        match text.strip_prefix(LINK_TOKEN_PREFIX) {
            Some(rest)
                if rest.len() == LINK_TOKEN_LENGTH
                    && rest.bytes().all(|byte| NANOID.contains(&byte)) =>
            {
                Ok(Self(Zeroizing::new(text.to_owned())))
            }
            _ => Err(IllFormedId),
        }
    }
}

/// `length` random characters of `a–z0–9`, for names that we make up.
pub fn random_suffix(length: usize) -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut random = rand::rng();
    (0..length)
        .map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())]))
        .collect()
}

fn nanoid() -> String {
    let bytes: [u8; NANOID_LENGTH] = rand::rng().random();
    bytes.iter().copied().map(nanoid_character).collect()
}

fn nanoid_character(byte: u8) -> char {
    char::from(NANOID[usize::from(byte & 63)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_ids_parse_and_are_different() {
        let (one, other) = (AuthConfigId::new(), AuthConfigId::new());
        assert_eq!(one.as_str().parse(), Ok(one.clone()));
        assert_ne!(one, other);
        assert_eq!(ConnectionId::new().to_string().len(), 36);
    }

    #[test]
    fn a_link_token_parses_back_to_its_hash_and_is_not_shown() {
        let token = LinkToken::new();
        assert_eq!(token.as_str().len(), 35);
        let parsed: LinkToken = token.as_str().parse().unwrap();
        assert_eq!(parsed.hash(), token.hash());
        assert_ne!(token.hash(), LinkToken::new().hash());
        assert_eq!(format!("{token:?}"), "LinkToken(…)");
        for text in [
            "",
            "lk_",
            &token.as_str()[..34],
            &format!("{}A", token.as_str()),
            "lk_!",
        ] {
            assert_eq!(text.parse::<LinkToken>(), Err(IllFormedId), "{text}");
        }
    }

    #[test]
    fn ill_formed_ids_are_refused() {
        for text in [
            "",
            "ac_",
            "ac_short",
            "ca_abcdefghijkl",
            "ac_abcdefghijk!",
            "ac_abcdefghijklm",
        ] {
            assert_eq!(text.parse::<AuthConfigId>(), Err(IllFormedId), "{text}");
        }
        for text in [
            "",
            "zz",
            "urn:uuid:2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21",
            "{2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21}",
        ] {
            assert_eq!(text.parse::<ConnectionId>(), Err(IllFormedId), "{text}");
        }
    }
}
