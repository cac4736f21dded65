//! A JSON number as text.

use std::fmt;
use std::ops::Deref;

use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A JSON number in its written form (`1e2` stays `1e2`), zeroized on drop: a PIN may be one.
///
/// Only text that follows RFC 8259 section 6 gets in, so writing it gives valid JSON. Derefs to
/// `str`; parse that for a value.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(Zeroizing<Box<str>>);

impl Number {
    /// The number with this written form; `None` when the text is not a JSON number.
    pub fn new(text: &str) -> Option<Self> {
        let starts_like_one = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let whole = text.ends_with(|c: char| c.is_ascii_digit());
        (starts_like_one && whole && serde_json::from_str::<&RawValue>(text).is_ok())
            .then(|| Self::trusted(text))
    }

    /// For text that a JSON parser has already found to be a number.
    pub(super) fn trusted(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The written form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` when the number fits neither an integer type nor a finite `f64`.
    pub(super) fn to_serde(&self) -> Option<serde_json::Number> {
        let text = self.as_str();
        if text.contains(['.', 'e', 'E']) {
            return serde_json::Number::from_f64(text.parse().ok()?);
        }
        let signed = text.parse::<i64>().ok().map(serde_json::Number::from);
        signed.or_else(|| text.parse::<u64>().ok().map(serde_json::Number::from))
    }
}

impl Deref for Number {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Number(…)")
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Borrowed, so no copy of the digits is made.
        serde_json::from_str::<&RawValue>(self)
            .map_err(|_| S::Error::custom("a number is not valid JSON"))?
            .serialize(serializer)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::trusted(&value.to_string())
    }
}

impl From<serde_json::Number> for Number {
    fn from(number: serde_json::Number) -> Self {
        Self::trusted(&number.to_string())
    }
}
