//! The items of a 422 in pydantic's words (version 2.14; texts measured). An item never carries `input`: what was
//! sent may be a secret.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::domain::error::{Expected, Issue, Rule, Segment};
use crate::json::JsonFault;

const NO_OBJECT: &str = "Input should be a valid dictionary or object to extract fields from";
const NO_UUID: &str = "expected 32 hexadecimal digits, with hyphens or without";
const NO_SERVER: &str = "the name of a server in the catalogue or of an integration of yours";
const NO_OAUTH_SERVER: &str =
    "the name of a server that authenticates with OAuth, or of an integration of yours";

/// The body of a 422: everything that is wrong with the request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HTTPValidationError, title = "HTTPValidationError")]
pub(super) struct HttpValidationError {
    /// All faults, in the order in which the model declares its fields, unknown keys after them.
    #[schema(required = false)]
    pub detail: Vec<ValidationError>,
}

/// One fault of a request.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(title = "ValidationError")]
pub(super) struct ValidationError {
    /// The rule's name.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: &'static str,
    /// Where: `body`, `path` or `query`, then keys and indices.
    #[schema(schema_with = location)]
    loc: Vec<Step>,
    /// The rule in words.
    #[schema(value_type = String)]
    msg: Cow<'static, str>,
    /// What was submitted. Never filled, since it can be a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    input: Option<Value>,
    /// The rule's parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, required = false)]
    ctx: Option<Value>,
}

/// One step of a location.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
enum Step {
    Key(Cow<'static, str>),
    Index(usize),
}

impl From<&Segment> for Step {
    fn from(segment: &Segment) -> Self {
        match segment {
            Segment::Key(key) => Self::Key(key.clone()),
            Segment::Index(index) => Self::Index(*index),
        }
    }
}

impl ValidationError {
    /// A broken rule; the issue's path begins with `body`, `path` or `query`.
    pub fn of(issue: &Issue) -> Self {
        let (kind, msg, ctx) = worded(&issue.rule);
        Self {
            kind,
            loc: issue.path.iter().map(Step::from).collect(),
            msg,
            input: None,
            ctx,
        }
    }

    /// The id in the path is no UUID.
    pub fn path_id() -> Self {
        Self::of(&Issue::new(
            vec!["path".into(), "instanceId".into()],
            Rule::NotAUuid,
        ))
    }

    /// There is no body.
    pub fn no_body() -> Self {
        Self::of(&Issue::at("body", Rule::Required))
    }

    /// The body has another media type than JSON, so it counts as bytes, which are no object.
    pub fn no_json() -> Self {
        let loc = vec![Step::Key("body".into())];
        Self {
            kind: "model_attributes_type",
            loc,
            msg: NO_OBJECT.into(),
            input: None,
            ctx: None,
        }
    }

    /// The body is not JSON from a certain character on.
    pub fn bad_json(fault: &JsonFault) -> Self {
        let loc = vec![Step::Key("body".into()), Step::Index(fault.index)];
        let ctx = Some(json!({ "error": fault.reason }));
        Self {
            kind: "json_invalid",
            loc,
            msg: "JSON decode error".into(),
            input: None,
            ctx,
        }
    }
}

/// pydantic's type, message and context of a rule.
type Worded = (&'static str, Cow<'static, str>, Option<Value>);

fn worded(rule: &Rule) -> Worded {
    let plain = |kind, msg: &'static str| (kind, msg.into(), None);
    match rule {
        Rule::Required => plain("missing", "Field required"),
        Rule::UnknownKey => plain("extra_forbidden", "Extra inputs are not permitted"),
        Rule::Type { expected, .. } => {
            let (kind, msg) = wrong_type(*expected);
            plain(kind, msg)
        }
        Rule::NotABoolean => plain(
            "bool_parsing",
            "Input should be a valid boolean, unable to interpret input",
        ),
        Rule::NotAnInteger => plain(
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
        ),
        Rule::NotANumber => plain(
            "float_parsing",
            "Input should be a valid number, unable to parse string as a number",
        ),
        Rule::NotAUuid => (
            "uuid_parsing",
            format!("Input should be a valid UUID, {NO_UUID}").into(),
            Some(json!({"error": NO_UUID})),
        ),
        Rule::UnknownService => no_member(NO_SERVER),
        Rule::NoOAuthService => no_member(NO_OAUTH_SERVER),
        Rule::NotOneOf(words) => no_member(&listed(words)),
        Rule::TooShort { min } => (
            "string_too_short",
            format!("String should have at least {}", characters(*min)).into(),
            Some(json!({ "min_length": min })),
        ),
        Rule::TooLong { max } => (
            "string_too_long",
            format!("String should have at most {}", characters(*max)).into(),
            Some(json!({ "max_length": max })),
        ),
        Rule::TooManyBytes { max } => value_error(format!("more than {max} bytes altogether")),
        Rule::TooMany { max } => (
            "too_long",
            format!("List should have at most {max} items after validation").into(),
            Some(json!({ "field_type": "List", "max_length": max })),
        ),
        Rule::OutOfRange { min, max } => {
            value_error(format!("the value is not between {min} and {max}"))
        }
        Rule::AtLeast { min } => (
            "greater_than_equal",
            format!("Input should be greater than or equal to {min}").into(),
            Some(json!({ "ge": min })),
        ),
        Rule::AtMost { max } => (
            "less_than_equal",
            format!("Input should be less than or equal to {max}").into(),
            Some(json!({ "le": max })),
        ),
        Rule::NotTheWord(word) => (
            "literal_error",
            format!("Input should be '{word}'").into(),
            Some(json!({ "expected": format!("'{word}'") })),
        ),
        Rule::TooManyDigits => plain(
            "int_parsing_size",
            "Unable to parse input string as an integer, exceeded maximum size",
        ),
        Rule::IllFormedId(_) => value_error("the id does not have its form"),
        Rule::NotASlug => {
            value_error("not a slug: letters, digits, - and _, a letter or digit first")
        }
        Rule::ReservedSlug => value_error("the name is reserved"),
        Rule::Duplicate => value_error("the same key stands twice"),
        Rule::NotAUrl => value_error("not an absolute https URL without user info and fragment"),
        Rule::NulCharacter => value_error("the text holds U+0000, which cannot be stored"),
        Rule::NotWith(words) => value_error(*words),
    }
}

/// Of an enum. So are the names of servers to pydantic; ours are too many to list.
fn no_member(expected: &str) -> Worded {
    let msg = format!("Input should be {expected}").into();
    ("enum", msg, Some(json!({ "expected": expected })))
}

fn wrong_type(expected: Expected) -> (&'static str, &'static str) {
    match expected {
        Expected::String | Expected::StringOrStrings => {
            ("string_type", "Input should be a valid string")
        }
        Expected::Boolean => ("bool_type", "Input should be a valid boolean"),
        Expected::Number => ("float_type", "Input should be a valid number"),
        Expected::Array => ("list_type", "Input should be a valid list"),
        Expected::Map => ("dict_type", "Input should be a valid dictionary"),
        Expected::Object | Expected::Other(_) => ("model_attributes_type", NO_OBJECT),
    }
}

fn value_error(reason: impl Into<Cow<'static, str>>) -> Worded {
    let reason = reason.into();
    let msg = format!("Value error, {reason}");
    ("value_error", msg.into(), Some(json!({ "error": reason })))
}

/// `'a', 'b' or 'c'`.
fn listed(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

fn characters(count: usize) -> String {
    format!("{count} character{}", if count == 1 { "" } else { "s" })
}

/// FastAPI's schema of a location.
fn location() -> RefOr<Schema> {
    let of = |kind| ObjectBuilder::new().schema_type(kind).build();
    let step = AnyOfBuilder::new()
        .item(of(Type::String))
        .item(of(Type::Integer));
    ArrayBuilder::new()
        .title(Some("Location"))
        .items(step)
        .build()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonKind;

    fn item(rule: Rule) -> Value {
        serde_json::to_value(ValidationError::of(&Issue::new(
            vec!["body".into(), 0.into()],
            rule,
        )))
        .expect("JSON")
    }

    #[test]
    fn items_have_the_measured_words_and_no_input() {
        assert_eq!(
            item(Rule::NotOneOf(Cow::Borrowed(&["SSE", "StreamableHttp"]))),
            json!({
                "type": "enum", "loc": ["body", 0], "msg": "Input should be 'SSE' or 'StreamableHttp'",
                "ctx": {"expected": "'SSE' or 'StreamableHttp'"},
            })
        );
        assert_eq!(
            item(Rule::TooShort { min: 1 }),
            json!({
                "type": "string_too_short", "loc": ["body", 0], "msg": "String should have at least 1 character",
                "ctx": {"min_length": 1},
            })
        );
        assert_eq!(
            item(Rule::Type {
                expected: Expected::Map,
                received: JsonKind::Null
            }),
            json!({"type": "dict_type", "loc": ["body", 0], "msg": "Input should be a valid dictionary"})
        );
        assert_eq!(item(Rule::NulCharacter)["type"], "value_error");
    }

    #[test]
    fn words_are_listed_as_pydantic_lists_them() {
        assert_eq!(listed(&["a"]), "'a'");
        assert_eq!(listed(&["a", "b", "c"]), "'a', 'b' or 'c'");
    }
}
