//! A secret on its way out, against the proof of its audit row.

use serde::{Serialize, Serializer, ser::Error};
use serde_json::value::RawValue;
use std::fmt;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Proof that the audit row of a hand-out exists, in the transaction that reads the secret.
///
/// Only the store's audit module may make one, after it has written the row (a test of the layers
/// looks for other uses of [`Audited::by`]).
#[derive(Debug)]
pub struct Audited {
    audit_id: Uuid,
}

impl Audited {
    /// The proof for the audit row `audit_id`, which must have been written.
    pub fn by(audit_id: Uuid) -> Self {
        Self { audit_id }
    }

    /// A proof of nothing, for tests of what is made of a hand-out.
    #[cfg(test)]
    pub(crate) fn of_a_test() -> Self {
        Self::by(Uuid::nil())
    }

    /// The audit row's id.
    pub fn audit_id(&self) -> Uuid {
        self.audit_id
    }
}

/// The content of a handed-out secret. Wiped when dropped; all it can do is to be serialised into
/// a response, as the JSON that was stored: number texts, member order and escapes are kept.
///
/// Serialising fails when the content is not JSON (which a cell never is) or when the serialiser
/// is not that of `serde_json`, which alone can pass raw JSON on.
///
/// ```compile_fail,E0277
/// use keyway::crypto::{Audited, Secret};
/// let plain = Secret::from(String::from("{}")).hand_out(&Audited::by(uuid::Uuid::nil()));
/// println!("{plain}");
/// ```
pub struct Plain(Zeroizing<Vec<u8>>);

impl Plain {
    pub(super) fn new(content: Zeroizing<Vec<u8>>) -> Self {
        Self(content)
    }
}

impl Serialize for Plain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The cause is dropped: serde's own words could quote the content.
        serde_json::from_slice::<&RawValue>(&self.0)
            .map_err(|_| S::Error::custom("the content of a sealed cell is not JSON text"))?
            .serialize(serializer)
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plain(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Secret;

    fn plain(text: &str) -> Plain {
        Secret::from(String::from(text)).hand_out(&Audited::by(Uuid::nil()))
    }

    #[test]
    fn the_json_comes_out_as_it_was_stored() {
        for text in [
            r#"{"b":1,"a":2,"b":3}"#,
            "123456789012345678901234567890.10",
            r#""\u0000\/é""#,
            "[]",
            "1e400",
        ] {
            let written = serde_json::to_string(&vec![plain(text)]).expect("valid JSON");
            assert_eq!(written, format!("[{text}]"));
        }
    }

    #[test]
    fn deep_nesting_does_not_exhaust_the_stack() {
        let text = "[".repeat(50_000) + &"]".repeat(50_000);
        assert_eq!(
            serde_json::to_string(&plain(&text)).expect("valid JSON"),
            text
        );
    }

    #[test]
    fn what_is_not_json_is_refused_without_its_words() {
        for text in ["CANARY", "", "{\"a\":CANARY}", "1 CANARY"] {
            let error = serde_json::to_string(&plain(text)).expect_err("not JSON");
            assert!(!error.to_string().contains("CANARY"), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_content() {
        assert_eq!(format!("{:?}", plain("\"CANARY\"")), "Plain(…)");
    }
}
