//! Broken rules of an input: where, and which. Never the value.

use std::borrow::Cow;
use std::fmt;

use super::error::Kind;
use crate::json::JsonKind;

/// One rule that the input breaks, and where. It never carries the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Where, from the top of the input.
    pub path: Vec<Segment>,
    /// Which rule.
    pub rule: Rule,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// An element of a list.
    Index(usize),
    /// A member of an object.
    Key(Cow<'static, str>),
}

impl From<&'static str> for Segment {
    fn from(key: &'static str) -> Self {
        Self::Key(Cow::Borrowed(key))
    }
}

impl From<String> for Segment {
    fn from(key: String) -> Self {
        Self::Key(Cow::Owned(key))
    }
}

impl From<usize> for Segment {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => index.fmt(f),
            Self::Key(key) => f.write_str(key),
        }
    }
}

/// The rules that an input can break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A member that must be there is not.
    Required,
    /// The value is of another JSON type.
    Type {
        /// What is taken.
        expected: Expected,
        /// What came.
        received: JsonKind,
    },
    /// The member is not known here.
    UnknownKey,
    /// Not one of the words that are taken.
    NotOneOf(Cow<'static, [&'static str]>),
    /// The name answers to no service that this caller can use.
    UnknownService,
    /// The name answers to a service that does not use OAuth.
    NoOAuthService,
    /// More characters than taken, in UTF-16 units where the dialect says so.
    TooLong {
        /// The largest length.
        max: usize,
    },
    /// More bytes altogether than taken, once sealed.
    TooManyBytes {
        /// The largest number.
        max: usize,
    },
    /// Fewer characters than needed.
    TooShort {
        /// The smallest length.
        min: usize,
    },
    /// More elements than taken.
    TooMany {
        /// The largest number.
        max: usize,
    },
    /// A number outside its range.
    OutOfRange {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// A number below the smallest that is taken.
    AtLeast {
        /// The smallest value.
        min: i64,
    },
    /// A number above the largest that is taken.
    AtMost {
        /// The largest value.
        max: i64,
    },
    /// Not this one word.
    NotTheWord(&'static str),
    /// A text that holds an integer of more digits than taken.
    TooManyDigits,
    /// A text that should hold an integer and does not.
    NotAnInteger,
    /// A text or number that should stand for a boolean and does not.
    NotABoolean,
    /// A text that should be a UUID and is not.
    NotAUuid,
    /// A text that should be the id of such a thing and does not have its form.
    IllFormedId(Kind),
    /// A text that should be a number and is not.
    NotANumber,
    /// Not a slug, `[A-Za-z0-9][A-Za-z0-9_-]*`.
    NotASlug,
    /// A slug that would become a property of every JavaScript object.
    ReservedSlug,
    /// The same key a second time, compared without case after NFC.
    Duplicate,
    /// Not an absolute `https` URL without user info or fragment.
    NotAUrl,
    /// The text holds U+0000, which cannot be stored.
    NulCharacter,
    /// The member does not go with another one; the words say which.
    NotWith(&'static str),
}

/// What a value should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A string.
    String,
    /// A boolean.
    Boolean,
    /// A number.
    Number,
    /// An array.
    Array,
    /// A map from string to anything.
    Map,
    /// An object with known members.
    Object,
    /// A string or an array of strings.
    StringOrStrings,
    /// A string, or an object that describes one, as the words say.
    Other(&'static str),
}

impl Issue {
    /// An issue at this path.
    pub fn new(path: Vec<Segment>, rule: Rule) -> Self {
        Self { path, rule }
    }

    /// An issue with one member of the top object.
    pub fn at(key: impl Into<Segment>, rule: Rule) -> Self {
        Self {
            path: vec![key.into()],
            rule,
        }
    }
}
