//! Everything that touches a key or the content of a secret.
//!
//! A root key (from the operator) wraps one or more data keys per tenant; a data key seals single
//! cells. All sealing is XAES-256-GCM with a random 24-byte nonce and associated data that names
//! the cell, so bytes that were altered or moved to another row do not open. The content of a
//! [`Secret`] is readable inside this module only: the rest of the program can seal it, show what
//! [`Secret::view`] allows, or hand it out against the proof of an audit row.
//!
//! Forms of stored bytes (all integers big endian; every form carries the id of its key, which is
//! never found by trial):
//!
//! | first byte | what | layout |
//! |---|---|---|
//! | `0x01` | a cell | version, algorithm, data key id (4), nonce (24), ciphertext, tag (16) |
//! | `0x81` | a wrapped data key | version, algorithm, root id (8), nonce (24), ciphertext (32), tag (16) |
//! | `0x82` | the canary of a root key | version, algorithm, root id (8), nonce (24), ciphertext (16), tag (16) |
//! | `0x83` | a server secret | version, algorithm, root id (8), nonce (24), ciphertext, tag (16) |

mod api_key;
mod associated_data;
mod cipher;
mod error;
mod harden;
mod key_cache;
mod key_file;
mod key_ring;
mod keyed_hash;
mod members;
mod place;
mod plain;
mod private_file;
mod random;
mod root_key;
mod sealer;
mod secret;
mod shapes;
mod view;

pub use api_key::{ApiKey, Pepper, PresentedKey, mask_key};
pub use error::{OpenError, RootKeyError, SealError, TenantKeysError};
pub use harden::harden_process;
pub use key_cache::KeyCache;
pub use key_ring::{DataKey, KeyRing};
pub use members::Changed;
pub use place::Place;
pub use plain::{Audited, Plain};
pub use private_file::SecretFileError;
pub use root_key::{RootId, RootKey};
pub use sealer::TenantKeys;
pub use secret::Secret;
