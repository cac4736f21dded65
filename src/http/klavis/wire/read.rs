//! pydantic's rules for single values, as FastAPI applies them to a JSON body (lax mode, measured with pydantic
//! 2.14). Fields are read in the order in which the model declares them, so that faults come out in that order.

use std::borrow::Cow;

use crate::domain::error::{Expected, Issue, Rule};
use crate::domain::limits::broken_by_user_id;
use crate::http::shape::{Faults, Members, string};
use crate::json::Json;

/// The numbers that pydantic still reads as an integer when they are written as a float: below 2⁶³.
const INTEGERS_BELOW: f64 = 9_223_372_036_854_775_808.0;

/// A model at the top of the body; `read` takes its fields. Further keys are ignored, as pydantic does by default.
pub(in crate::http::klavis) fn model<T>(
    json: Json,
    read: impl FnOnce(&mut Members, &mut Faults) -> Option<T>,
) -> Result<T, Vec<Issue>> {
    let mut faults = Faults::default();
    let value = faults.within("body", |faults| {
        let mut members = faults.object(json)?;
        read(&mut members, faults)
    });
    faults.finish(value)
}

/// `None` for null, else what `read` makes of it.
pub(in crate::http::klavis) fn null_or<T>(
    read: impl FnOnce(Json, &mut Faults) -> Option<T>,
) -> impl FnOnce(Json, &mut Faults) -> Option<Option<T>> {
    |json, faults| {
        if json.is_null() {
            Some(None)
        } else {
            read(json, faults).map(Some)
        }
    }
}

/// A string; nothing else is made one.
pub(in crate::http::klavis) fn text(json: Json, faults: &mut Faults) -> Option<String> {
    string(json, faults)
}

/// A user's id, or the name of a platform, which has the same limits.
pub(in crate::http::klavis) fn user_id(json: Json, faults: &mut Faults) -> Option<String> {
    let text = string(json, faults)?;
    if let Some(broken) = broken_by_user_id(&text) {
        faults.note_here(broken);
        return None;
    }
    Some(text)
}

/// A string of at least one character, which is compared and never stored.
pub(in crate::http::klavis) fn any_text_of_one(json: Json, faults: &mut Faults) -> Option<String> {
    let text = string(json, faults)?;
    if text.is_empty() {
        faults.note_here(Rule::TooShort { min: 1 });
        return None;
    }
    Some(text)
}

/// The name of a service: to pydantic a member of an enum, so that anything but a string is none either.
pub(in crate::http::klavis) fn service_name(json: Json, faults: &mut Faults) -> Option<String> {
    match json {
        Json::String(text) if !text.contains('\0') => Some(text.to_string()),
        _ => {
            faults.note_here(Rule::UnknownService);
            None
        }
    }
}

/// One of these words, to the letter.
pub(in crate::http::klavis) fn one_of(
    words: &'static [&'static str],
) -> impl FnOnce(Json, &mut Faults) -> Option<&'static str> {
    |json, faults| {
        let word = words
            .iter()
            .copied()
            .find(|word| json.as_str() == Some(word));
        if word.is_none() {
            faults.note_here(Rule::NotOneOf(Cow::Borrowed(words)));
        }
        word
    }
}

/// A boolean, or what pydantic takes for one: 0 and 1 (also as floats), and the words below in any case. A number or
/// text that stands for none is `bool_parsing`; a fraction, a number beyond 64 bits and every other value `bool_type`.
pub(in crate::http::klavis) fn boolean(json: Json, faults: &mut Faults) -> Option<bool> {
    let received = json.kind();
    let understood = match json {
        Json::Bool(value) => Some(Some(value)),
        Json::String(text) => Some(word(&text)),
        Json::Number(number) => whole(&number).map(Whole::truth),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    };
    match understood {
        Some(Some(value)) => return Some(value),
        Some(None) => faults.note_here(Rule::NotABoolean),
        None => faults.note_here(Rule::Type {
            expected: Expected::Boolean,
            received,
        }),
    }
    None
}

fn word(text: &str) -> Option<bool> {
    let is_among = |words: [&str; 6]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_among(["1", "on", "t", "true", "y", "yes"]) {
        Some(true)
    } else {
        is_among(["0", "off", "f", "false", "n", "no"]).then_some(false)
    }
}

/// Whether a whole number is 1 (true), 0 (false) or another one.
enum Whole {
    Zero,
    One,
    Other,
}

impl Whole {
    fn truth(self) -> Option<bool> {
        match self {
            Self::Zero => Some(false),
            Self::One => Some(true),
            Self::Other => None,
        }
    }
}

/// The number as an integer of 64 bits, if it is one.
fn whole(written: &str) -> Option<Whole> {
    if !written.contains(['.', 'e', 'E']) {
        return written.parse::<i64>().ok().map(|integer| match integer {
            0 => Whole::Zero,
            1 => Whole::One,
            _ => Whole::Other,
        });
    }
    let float = written
        .parse::<f64>()
        .ok()
        .filter(|float| float.abs() < INTEGERS_BELOW && float.fract() == 0.0)?;
    // A whole number between -0.5 and 0.5 is zero, one between 0.5 and 1.5 is one.
    Some(if float.abs() < 0.5 {
        Whole::Zero
    } else if (float - 1.0).abs() < 0.5 {
        Whole::One
    } else {
        Whole::Other
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(text: &str, read: impl FnOnce(Json, &mut Faults) -> Option<T>) -> Result<T, Rule> {
        let mut faults = Faults::default();
        let value = read(Json::parse(text.as_bytes()).expect("JSON"), &mut faults);
        faults
            .finish(value)
            .map_err(|mut issues| issues.remove(0).rule)
    }

    /// Measured with pydantic 2.14 on what Python's `json` makes of each text.
    #[test]
    fn booleans_are_those_that_pydantic_takes() {
        let yes = r#"true "true" "TRUE" "tRuE" "1" "y" "Yes" "oN" "t" 1 1.0 1e0 10e-1 0.1e1 100000000000000000000e-20"#;
        for text in yes.split(' ') {
            assert_eq!(read(text, boolean), Ok(true), "{text}");
        }
        let no = r#"false "f" "N" "No" "OFF" "0" 0 -0 0.0 -0.0 1e-400 0e999999"#;
        for text in no.split(' ') {
            assert_eq!(read(text, boolean), Ok(false), "{text}");
        }
        for text in [
            "\" true\"",
            "\"01\"",
            "\"1.0\"",
            "\"\"",
            "\"-0\"",
            "\"\\u0000\"",
            "\"x\"",
        ] {
            assert_eq!(read(text, boolean), Err(Rule::NotABoolean), "{text}");
        }
        for text in "2 -1 2.0 1e18 9223372036854775807 -9223372036854775808 9223372036854774784.0"
            .split(' ')
        {
            assert_eq!(read(text, boolean), Err(Rule::NotABoolean), "{text}");
        }
        let neither = "1.5 5e-324 1e400 -1e400 1e19 1e30 9223372036854775808 -9223372036854775809 \
                       9223372036854775807.0 -9223372036854775808.0 null [] {} [true]";
        for text in neither.split_whitespace() {
            let rule = read(text, boolean).expect_err(text);
            assert!(
                matches!(
                    rule,
                    Rule::Type {
                        expected: Expected::Boolean,
                        ..
                    }
                ),
                "{text}: {rule:?}"
            );
        }
    }

    #[test]
    fn texts_are_never_made_of_other_values() {
        for json in ["1", "1.5", "true", "null", "[]", "{}"] {
            let rule = read(json, user_id).expect_err(json);
            assert!(
                matches!(
                    rule,
                    Rule::Type {
                        expected: Expected::String,
                        ..
                    }
                ),
                "{json}"
            );
            assert_eq!(
                read(json, service_name),
                Err(Rule::UnknownService),
                "{json}"
            );
        }
        assert_eq!(read("\"\"", user_id), Err(Rule::TooShort { min: 1 }));
        assert_eq!(read("\"a\\u0000\"", user_id), Err(Rule::NulCharacter));
        assert_eq!(read("\" \"", user_id), Ok(" ".into()));
        assert_eq!(read("\"\"", text), Ok(String::new()));
        let longest = "🔑".repeat(2_048);
        assert_eq!(
            read(&format!("\"{longest}\""), user_id),
            Ok(longest.clone())
        );
        assert_eq!(
            read(&format!("\"{longest}u\""), user_id),
            Err(Rule::TooLong { max: 2_048 })
        );
        assert_eq!(read("null", null_or(user_id)), Ok(None));
        assert_eq!(
            read("\"\"", null_or(user_id)),
            Err(Rule::TooShort { min: 1 })
        );
    }

    #[test]
    fn a_word_is_taken_to_the_letter() {
        const WORDS: &[&str] = &["SSE", "StreamableHttp"];
        assert_eq!(read("\"SSE\"", one_of(WORDS)), Ok("SSE"));
        for json in ["\"sse\"", "\" SSE\"", "null", "1", "[\"SSE\"]"] {
            assert_eq!(
                read(json, one_of(WORDS)),
                Err(Rule::NotOneOf(Cow::Borrowed(WORDS))),
                "{json}"
            );
        }
    }
}
