//! Broken rules in the words of zod, in which this dialect answers (contract/composio "Conventions"). Never a value.

use crate::domain::error::{BodyFault, Expected, Issue, Kind, Rule, Segment};

/// The first step to an issue that lies in the query of a route that takes a body too. A member of a body that has this
/// name is unknown, and has no other steps after it.
pub(super) const QUERY: &str = "?";

/// `Error in <part>.<path>: <text>`; `part` is where the input was found: `payload`, `query` or `params`.
pub(super) fn line(part: &str, issue: &Issue) -> String {
    let (part, path) = match issue.path.as_slice() {
        [Segment::Key(first), path @ ..] if first == QUERY && !path.is_empty() => ("query", path),
        path => (part, path),
    };
    let mut place = part.to_owned();
    for segment in path {
        place.push('.');
        place.push_str(&segment.to_string());
    }
    format!("Error in {place}: {}", text(issue))
}

/// The line for a body that could not be read as JSON.
pub(super) fn unreadable(fault: &BodyFault) -> String {
    let text = match fault {
        BodyFault::Empty => "Required".to_owned(),
        BodyFault::Json(fault) => format!("Invalid JSON: {fault}"),
        BodyFault::Incomplete => "The body did not arrive completely".to_owned(),
        BodyFault::TooLarge { limit } => format!("The body is larger than {limit} bytes"),
        BodyFault::MediaType => "The content-type must be application/json".to_owned(),
        BodyFault::Encoding => "The body must come without content-encoding".to_owned(),
    };
    format!("Error in payload: {text}")
}

fn text(issue: &Issue) -> String {
    match &issue.rule {
        Rule::Required => "Required".to_owned(),
        Rule::Type {
            expected: Expected::StringOrStrings,
            received,
        } => {
            format!("Invalid input: expected string or array of strings, received {received}")
        }
        Rule::Type { expected, received } => {
            format!("Expected {}, received {received}", expected_name(*expected))
        }
        Rule::UnknownKey => "Unrecognized key".to_owned(),
        Rule::NotOneOf(words) => not_one_of(issue, words),
        Rule::TooLong { max } => format!("String must contain at most {max} character(s)"),
        Rule::TooShort { min } => format!("String must contain at least {min} character(s)"),
        Rule::TooManyBytes { max } => format!("Values must have at most {max} byte(s) altogether"),
        Rule::TooMany { max } => format!("Array must contain at most {max} element(s)"),
        Rule::OutOfRange { min, max } => {
            format!("Number must be greater than or equal to {min} and less than or equal to {max}")
        }
        Rule::AtLeast { min } => format!("Number must be greater than or equal to {min}"),
        Rule::AtMost { max } => format!("Number must be less than or equal to {max}"),
        Rule::NotTheWord(word) => format!("Invalid literal value, expected \"{word}\""),
        Rule::TooManyDigits => "The integer has too many digits".to_owned(),
        Rule::NotAnInteger => "Expected integer, received float".to_owned(),
        Rule::NotANumber => "Expected number, received nan".to_owned(),
        Rule::NotABoolean => "Expected boolean, received string".to_owned(),
        Rule::NotAUuid => "Invalid uuid".to_owned(),
        Rule::IllFormedId(kind) => ill_formed_id(*kind).to_owned(),
        Rule::NotAUrl => "Invalid url".to_owned(),
        Rule::NotASlug => "Invalid slug".to_owned(),
        Rule::ReservedSlug => "The slug is a reserved word".to_owned(),
        Rule::Duplicate => "Duplicate key".to_owned(),
        Rule::UnknownService => "Unknown toolkit".to_owned(),
        Rule::NoOAuthService => "The toolkit does not use OAuth".to_owned(),
        Rule::NulCharacter => "The text must not contain the character U+0000".to_owned(),
        Rule::NotWith(words) => format!("Does not go with {words}"),
    }
}

/// The words for an id that does not have its form.
pub(super) fn ill_formed_id(kind: Kind) -> &'static str {
    match kind {
        Kind::AuthConfig => "Invalid auth config id",
        Kind::Connection => "Invalid connected account id",
        _ => "Invalid id",
    }
}

/// zod tells a discriminator (`type` here) from other enums.
fn not_one_of(issue: &Issue, words: &[&str]) -> String {
    let what = match issue.path.last() {
        Some(Segment::Key(key)) if key == "type" => "discriminator",
        _ => "enum",
    };
    let words: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    format!("Invalid {what} value. Expected {}", words.join(" | "))
}

fn expected_name(expected: Expected) -> &'static str {
    match expected {
        Expected::String => "string",
        Expected::Boolean => "boolean",
        Expected::Number => "number",
        Expected::Array => "array",
        Expected::Map | Expected::Object => "object",
        Expected::StringOrStrings => "string or array of strings",
        Expected::Other(words) => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonKind;

    #[test]
    fn paths_are_joined_with_dots_and_texts_are_zods() {
        let element = Issue::new(
            vec![
                "tool_access_config".into(),
                "tools_available_for_execution".into(),
                0.into(),
            ],
            Rule::Type {
                expected: Expected::String,
                received: JsonKind::Number,
            },
        );
        assert_eq!(
            line("payload", &element),
            "Error in payload.tool_access_config.tools_available_for_execution.0: Expected string, received number"
        );
        assert_eq!(
            line("payload", &Issue::at("type", Rule::Required)),
            "Error in payload.type: Required"
        );
        assert_eq!(
            line("payload", &Issue::at("x", Rule::UnknownKey)),
            "Error in payload.x: Unrecognized key"
        );
        assert_eq!(
            line("payload", &Issue::at("name", Rule::TooShort { min: 1 })),
            "Error in payload.name: String must contain at least 1 character(s)"
        );
    }

    #[test]
    fn a_discriminator_is_told_from_another_enum() {
        let words = || Rule::NotOneOf(["custom", "default"].as_slice().into());
        assert_eq!(
            line("payload", &Issue::at("type", words())),
            "Error in payload.type: Invalid discriminator value. Expected 'custom' | 'default'"
        );
        assert_eq!(
            line("payload", &Issue::at("authScheme", words())),
            "Error in payload.authScheme: Invalid enum value. Expected 'custom' | 'default'"
        );
    }

    #[test]
    fn the_body_itself_has_no_path() {
        let issue = Issue::new(
            Vec::new(),
            Rule::Type {
                expected: Expected::Object,
                received: JsonKind::Array,
            },
        );
        assert_eq!(
            line("payload", &issue),
            "Error in payload: Expected object, received array"
        );
        assert_eq!(unreadable(&BodyFault::Empty), "Error in payload: Required");
    }
}
