//! The content of a secret, closed to the rest of the program.

use super::{Audited, Plain, view};
use crate::json::Json;
use crate::telemetry::metrics::counts::HANDED_OUT;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes, mostly the JSON text of a sealed cell. Wiped when dropped.
///
/// Only `crypto` reads them. The rest of the program may seal them, compare them, show what
/// [`view`](Self::view) allows, and give them away with [`hand_out`](Self::hand_out), which asks
/// for the proof of an audit row.
///
/// ```
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// ```
/// It is not cloned:
/// ```compile_fail,E0599
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// let second: Secret = secret.clone();
/// ```
/// not printed:
/// ```compile_fail,E0277
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// println!("{secret}");
/// ```
/// not serialised:
/// ```compile_fail,E0277
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// let text = serde_json::to_string(&secret);
/// ```
/// its bytes are out of reach:
/// ```compile_fail,E0624
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// let bytes = secret.expose();
/// ```
/// and it is not handed out without an audit row:
/// ```compile_fail,E0061
/// use keyway::crypto::Secret;
/// let secret = Secret::from(String::from("sk-live-1"));
/// let plain = secret.hand_out();
/// ```
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The JSON text of `value`, as it is stored in a cell.
    pub fn json(value: &Json) -> Self {
        Self(value.to_bytes())
    }

    /// Takes bytes over without a copy.
    pub(in crate::crypto) fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes. Private to `crypto`, which is what makes the promises of this type hold.
    pub(in crate::crypto) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is exactly the text `other`, in a time that depends on the lengths only.
    ///
    /// A cell holds JSON text: a string value is compared with its quotes and escapes.
    pub fn same_as(&self, other: &str) -> bool {
        self.0.ct_eq(other.as_bytes()).into()
    }

    /// What may be shown of the cell called `name` without a hand-out: public names (`client_id`,
    /// `scopes` …) and plain URLs as they are, of any other string its first 4 characters and
    /// `...` when it has at least 12, else `...`.
    pub fn view(&self, name: &str) -> Json {
        view::masked(name, &self.0)
    }

    /// Gives the content away; it takes the proof that the audit row of this hand-out exists.
    pub fn hand_out(self, _audited: &Audited) -> Plain {
        HANDED_OUT.add(1);
        self.into_plain()
    }

    /// The content for the outside, without a proof: for `crypto`'s own forms of a hand-out that has one.
    pub(in crate::crypto) fn into_plain(self) -> Plain {
        Plain::new(self.0)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text.into_bytes()))
    }
}

impl From<Zeroizing<String>> for Secret {
    fn from(mut text: Zeroizing<String>) -> Self {
        Self::from(std::mem::take(&mut *text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_is_of_the_whole_text() {
        let secret = Secret::from(Zeroizing::new(String::from("abc")));
        assert!(secret.same_as("abc"));
        assert!(!secret.same_as("abd"));
        assert!(!secret.same_as("ab"));
        assert!(!secret.same_as("abcd"));
        assert_eq!((secret.len(), secret.is_empty()), (3, false));
    }

    #[test]
    fn debug_shows_nothing_of_the_content() {
        let secret = Secret::from(String::from("CANARY"));
        assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(…) Secret(…)");
    }

    #[test]
    fn a_json_value_is_kept_as_its_text() {
        let json = Json::parse(br#"{"a":1.10,"b":["x"]}"#).expect("valid JSON");
        assert!(Secret::json(&json).same_as(r#"{"a":1.10,"b":["x"]}"#));
    }
}
