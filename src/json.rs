//! A JSON tree for request bodies and for sealed credentials: nothing that was written is lost
//! (numbers keep their text, objects their order), duplicate keys are refused rather than
//! silently dropped, content is wiped from memory on drop and never shown by `Debug`.

mod convert;
mod fault;
mod forms;
mod number;
mod object;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};

use zeroize::Zeroizing;

pub use fault::{JsonFault, JsonFaultKind};
pub use forms::Form;
pub use number::Number;
pub use object::Object;
pub use parse::{MAX_DEPTH, MAX_DIGITS};

/// One JSON value. Strings, keys and numbers are zeroized on drop.
///
/// Equality is structural: objects compare without regard to order, numbers by their written
/// form (`1.0` is not `1`). The comparison is not constant-time: never compare secrets with it
/// to authenticate a caller.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number in the form in which it was written.
    Number(Number),
    /// A string, unescaped. It may hold U+0000, see [`Json::has_nul`].
    String(Zeroizing<String>),
    /// A list of values.
    Array(Vec<Json>),
    /// Unique keys in the order in which they were written.
    Object(Object),
}

/// What a [`Json`] is, without its content; `Display` gives the JSON name (`"object"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonKind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// Any number.
    Number,
    /// Any string.
    String,
    /// A list.
    Array,
    /// A map with string keys.
    Object,
}

impl fmt::Display for JsonKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        })
    }
}

impl Json {
    /// Parses one JSON text (RFC 8259), UTF-8 with or without a byte order mark.
    ///
    /// Total: any bytes give a value or a fault, without recursion. Refused beyond the grammar:
    /// duplicate keys (compared unescaped), lone surrogates, nesting beyond [`MAX_DEPTH`],
    /// numbers beyond [`MAX_DIGITS`]. `"\u0000"` is accepted.
    pub fn parse(text: &[u8]) -> Result<Self, JsonFault> {
        parse::parse(text)
    }

    /// What this value is.
    pub fn kind(&self) -> JsonKind {
        match self {
            Self::Null => JsonKind::Null,
            Self::Bool(_) => JsonKind::Boolean,
            Self::Number(_) => JsonKind::Number,
            Self::String(_) => JsonKind::String,
            Self::Array(_) => JsonKind::Array,
            Self::Object(_) => JsonKind::Object,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The boolean, if it is one (no coercion, here and below).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number's written form, if it is one.
    pub fn as_number(&self) -> Option<&str> {
        match self {
            Self::Number(number) => Some(number.as_str()),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The elements, if it is an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The object, if it is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The object for changing, if it is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether a string or a key anywhere inside holds U+0000, which Postgres refuses in `text`
    /// and `jsonb`. Ask before storing as either; sealed bytes may hold it.
    pub fn has_nul(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => false,
            Self::String(text) => text_has_nul(text),
            Self::Array(items) => items.iter().any(Self::has_nul),
            Self::Object(object) => object.iter().any(|(k, v)| text_has_nul(k) || v.has_nul()),
        }
    }

    /// The compact JSON text, in the written order. The buffer is allocated once at its exact
    /// size, so that growing leaves no copy behind.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut length = Length(0);
        write(self, &mut length);
        let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
        write(self, &mut *bytes);
        bytes
    }

    /// The value as `serde_json` holds it, or `None` where a number does not fit (an integer
    /// outside `i64` and `u64`, a fraction that is no finite `f64`). The copy is not zeroized:
    /// for content that is not secret.
    pub fn to_value(&self) -> Option<serde_json::Value> {
        Some(match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(number) => serde_json::Value::Number(number.to_serde()?),
            Self::String(text) => text.as_str().into(),
            Self::Array(items) => items.iter().map(Self::to_value).collect::<Option<_>>()?,
            Self::Object(object) => object
                .iter()
                .map(|(key, value)| Some((key.to_owned(), value.to_value()?)))
                .collect::<Option<_>>()?,
        })
    }
}

/// Whether a text holds U+0000, which Postgres refuses in `text` and `jsonb`.
pub fn text_has_nul(text: &str) -> bool {
    text.as_bytes().contains(&0)
}

fn write(json: &Json, into: &mut impl Write) {
    serde_json::to_writer(into, json).expect("numbers are valid and memory takes every byte");
}

/// Counts what is written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows the kind only: a tree may hold secrets anywhere, keys included.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Json({})", self.kind())
    }
}
