//! What a broken rule is called on this wire: plain words, never the value.

use crate::domain::error::{Expected, Rule};

/// A message that reads on after the name of the member.
pub(super) fn words(rule: &Rule) -> String {
    match rule {
        Rule::Required => "is required".to_owned(),
        Rule::Type { expected, received } => format!("must be {}, not {received}", kind(*expected)),
        Rule::UnknownKey => "is not known here".to_owned(),
        Rule::NotOneOf(known) => format!("must be one of {}", known.join(", ")),
        Rule::TooLong { max } => format!("must have at most {max} characters (UTF-16 units)"),
        Rule::TooShort { min: 1 } => "must not be empty".to_owned(),
        Rule::TooShort { min } => format!("must have at least {min} characters (UTF-16 units)"),
        Rule::TooManyBytes { max } => format!("must have at most {max} bytes altogether"),
        Rule::TooMany { max } => format!("must have at most {max} elements"),
        Rule::NotASlug => {
            "must begin with a letter A-Z, a-z or a digit and go on with these, \"_\" and \"-\" only".to_owned()
        }
        Rule::ReservedSlug => "is a reserved word of JavaScript objects: choose another one".to_owned(),
        Rule::Duplicate => "is the slug of an earlier field too (upper and lower case count as the same)".to_owned(),
        Rule::NotAUrl => "must be an absolute https URL without user info or fragment (http only for hosts that the \
             operator's egress allow-list names)"
            .to_owned(),
        Rule::NulCharacter => "must not hold the character U+0000".to_owned(),
        Rule::NotWith(other) => format!("does not go with {other}"),
        _ => "is not valid here".to_owned(),
    }
}

fn kind(expected: Expected) -> &'static str {
    match expected {
        Expected::String => "a string",
        Expected::Boolean => "a boolean",
        Expected::Number => "a number",
        Expected::Array => "an array",
        Expected::Map | Expected::Object => "an object",
        Expected::StringOrStrings => "a string or an array of strings",
        Expected::Other(words) => words,
    }
}
