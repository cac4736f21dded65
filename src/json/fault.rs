//! Why a text was refused as JSON, in our own words: a parser's messages may repeat the input.

use std::fmt;

use jiter::{JiterError, JiterErrorType, JsonErrorType};

/// Why a text was refused as JSON. Holds no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonFault {
    /// The class of fault, which decides the answer's status.
    pub kind: JsonFaultKind,
    /// How many characters (code points, without the byte order mark) lie before the place where
    /// the parser stopped.
    pub index: usize,
    /// A fixed sentence for the client.
    pub reason: &'static str,
}

/// The class of a [`JsonFault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonFaultKind {
    /// No bytes at all (white space only is `Syntax`).
    Empty,
    /// Not UTF-8.
    Encoding,
    /// Outside the grammar of RFC 8259, `NaN` and `Infinity` included.
    Syntax,
    /// An object has a key twice, after unescaping.
    DuplicateKey,
    /// An escape such as `\ud800` that is half a character.
    LoneSurrogate,
    /// Nested beyond [`MAX_DEPTH`](super::MAX_DEPTH).
    TooDeep,
    /// A number beyond [`MAX_DIGITS`](super::MAX_DIGITS).
    NumberTooLong,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at character {})", self.reason, self.index)
    }
}

impl std::error::Error for JsonFault {}

/// A fault at a byte offset.
pub(super) struct Stop {
    kind: JsonFaultKind,
    at: usize,
    reason: &'static str,
}

impl Stop {
    pub(super) fn new(kind: JsonFaultKind, at: usize, reason: &'static str) -> Self {
        Self { kind, at, reason }
    }

    pub(super) fn in_text(self, text: &[u8]) -> JsonFault {
        let before = text.get(..self.at).unwrap_or(text);
        // Every character has one byte that is not a continuation byte (0b10xx_xxxx).
        let index = before.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
        JsonFault {
            kind: self.kind,
            index,
            reason: self.reason,
        }
    }
}

pub(super) const NOT_UTF8: &str = "the text is not UTF-8";
pub(super) const TOO_DEEP: &str = "nested too deeply";
pub(super) const TWICE: &str = "an object has the same key twice";
pub(super) const TOO_LONG: &str = "a number has too many digits";
const SURROGATE: &str = "an escape is half of a surrogate pair";

/// Our own words for the parser's error.
pub(super) fn stop(error: JiterError) -> Stop {
    use JsonErrorType as E;
    let JiterErrorType::JsonError(cause) = error.error_type else {
        return Stop::new(
            JsonFaultKind::Syntax,
            error.index,
            "expected another kind of value",
        );
    };
    let (kind, reason) = match cause {
        E::EofWhileParsingList | E::EofWhileParsingObject => {
            (JsonFaultKind::Syntax, "the text ends inside a container")
        }
        E::EofWhileParsingString => (JsonFaultKind::Syntax, "the text ends inside a string"),
        E::EofWhileParsingValue => (
            JsonFaultKind::Syntax,
            "the text ends where a value is expected",
        ),
        E::ExpectedColon => (JsonFaultKind::Syntax, "expected a colon"),
        E::ExpectedListCommaOrEnd => (
            JsonFaultKind::Syntax,
            "expected a comma or the end of the array",
        ),
        E::ExpectedObjectCommaOrEnd => (
            JsonFaultKind::Syntax,
            "expected a comma or the end of the object",
        ),
        E::KeyMustBeAString => (JsonFaultKind::Syntax, "expected a key in double quotes"),
        E::TrailingComma => (JsonFaultKind::Syntax, "a comma before the end"),
        E::TrailingCharacters => (JsonFaultKind::Syntax, "more text after the value"),
        E::InvalidEscape => (JsonFaultKind::Syntax, "invalid escape"),
        E::ControlCharacterWhileParsingString => {
            (JsonFaultKind::Syntax, "a control character inside a string")
        }
        E::InvalidNumber => (JsonFaultKind::Syntax, "invalid number"),
        E::NumberOutOfRange => (JsonFaultKind::NumberTooLong, TOO_LONG),
        E::LoneLeadingSurrogateInHexEscape | E::UnexpectedEndOfHexEscape => {
            (JsonFaultKind::LoneSurrogate, SURROGATE)
        }
        E::InvalidUnicodeCodePoint => (JsonFaultKind::Encoding, NOT_UTF8),
        E::DuplicateKey(_) => (JsonFaultKind::DuplicateKey, TWICE),
        E::RecursionLimitExceeded => (JsonFaultKind::TooDeep, TOO_DEEP),
        _ => (JsonFaultKind::Syntax, "expected a value"),
    };
    Stop::new(kind, error.index, reason)
}
