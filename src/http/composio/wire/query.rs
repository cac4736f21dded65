//! The query of `GET /auth_configs`. An empty value stands for an absent one: the SDKs send `limit=` for null.

use super::cursor;
use crate::domain::auth_config::{AuthConfigFilter, Cursor, PageRequest};
use crate::domain::error::{Expected, Issue, Rule};
use crate::http::extract::FromQuery;
use crate::http::shape::Faults;
use crate::json::JsonKind;

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 1_000;
/// How many different toolkits one list may be asked for.
const MAX_TOOLKITS: usize = 100;
/// The longest text to search for, in characters.
const MAX_SEARCH: usize = 200;

/// Which auth configs to list, and which page of them.
#[derive(Debug)]
pub(in super::super) struct AuthConfigsQuery {
    /// Which.
    pub filter: AuthConfigFilter,
    /// The page.
    pub page: PageRequest,
}

impl FromQuery for AuthConfigsQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let one = |name, expected, faults: &mut Faults| single(pairs, name, expected, faults);
        let managed = one("is_composio_managed", Expected::Boolean, &mut faults);
        let managed = managed.and_then(|text| boolean("is_composio_managed", text, &mut faults));
        let show_disabled = one("show_disabled", Expected::Boolean, &mut faults);
        let show_disabled =
            show_disabled.and_then(|text| boolean("show_disabled", text, &mut faults));
        let search = one("search", Expected::String, &mut faults)
            .and_then(|text| storable("search", text, &mut faults));
        if search
            .as_ref()
            .is_some_and(|text| text.chars().count() > MAX_SEARCH)
        {
            faults.note("search", Rule::TooLong { max: MAX_SEARCH });
        }
        let limit =
            one("limit", Expected::Number, &mut faults).and_then(|text| limit(text, &mut faults));
        let cursor =
            one("cursor", Expected::String, &mut faults).and_then(|text| cursor(text, &mut faults));
        let toolkits = toolkits(pairs, &mut faults);
        faults.finish(Some(Self {
            filter: AuthConfigFilter {
                managed,
                toolkits,
                show_disabled: show_disabled.unwrap_or(false),
                search,
            },
            page: PageRequest {
                limit: limit.unwrap_or(DEFAULT_LIMIT),
                cursor,
            },
        }))
    }
}

/// The value of a parameter that may stand once.
pub(super) fn single<'a>(
    pairs: &'a [(String, String)],
    name: &'static str,
    expected: Expected,
    faults: &mut Faults,
) -> Option<&'a str> {
    let mut values = pairs
        .iter()
        .filter(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.as_str());
    let value = values.next()?;
    if values.next().is_some() {
        faults.note(
            name,
            Rule::Type {
                expected,
                received: JsonKind::Array,
            },
        );
        return None;
    }
    Some(value)
}

pub(super) fn boolean(name: &'static str, text: &str, faults: &mut Faults) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => {
            faults.note(name, Rule::NotABoolean);
            None
        }
    }
}

/// One of some words.
pub(super) fn word(
    pairs: &[(String, String)],
    name: &'static str,
    words: &'static [&'static str],
    faults: &mut Faults,
) -> Option<&'static str> {
    let value = single(pairs, name, Expected::String, faults)?;
    let known = words.iter().copied().find(|known| *known == value);
    if known.is_none() {
        faults.note(name, Rule::NotOneOf(words.into()));
    }
    known
}

pub(super) fn storable(name: &'static str, text: &str, faults: &mut Faults) -> Option<String> {
    if text.contains('\0') {
        faults.note(name, Rule::NulCharacter);
        return None;
    }
    Some(text.to_owned())
}

/// A whole number in any form that JavaScript reads as one: the SDKs type it as a float and may write `20.0`.
pub(super) fn limit(text: &str, faults: &mut Faults) -> Option<u32> {
    let rule = match text.trim().parse::<f64>() {
        Ok(number) if number.is_nan() => Rule::NotANumber,
        Ok(number) if !(1.0..=f64::from(MAX_LIMIT)).contains(&number) => Rule::OutOfRange {
            min: 1,
            max: i64::from(MAX_LIMIT),
        },
        Ok(number) if number.fract() != 0.0 => Rule::NotAnInteger,
        // Without fraction and in range, so that its digits are those of a `u32`.
        Ok(number) => return format!("{number:.0}").parse().ok(),
        Err(_) => Rule::NotANumber,
    };
    faults.note("limit", rule);
    None
}

fn cursor(text: &str, faults: &mut Faults) -> Option<Cursor> {
    let cursor = cursor::decode(text);
    if cursor.is_none() {
        let expected = Expected::Other("the next_cursor of an earlier answer");
        faults.note(
            "cursor",
            Rule::Type {
                expected,
                received: JsonKind::String,
            },
        );
    }
    cursor
}

/// `toolkit_slug`, comma-joined, repeated or both.
fn toolkits(pairs: &[(String, String)], faults: &mut Faults) -> Vec<String> {
    let values = pairs.iter().filter(|(key, _)| key == "toolkit_slug");
    let slugs = values
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .filter(|slug| !slug.is_empty());
    let mut toolkits: Vec<String> = slugs
        .filter_map(|slug| storable("toolkit_slug", slug, faults))
        .collect();
    toolkits.sort();
    toolkits.dedup();
    if toolkits.len() > MAX_TOOLKITS {
        faults.note("toolkit_slug", Rule::TooMany { max: MAX_TOOLKITS });
    }
    toolkits
}
