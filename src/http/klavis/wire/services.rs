//! `servers` of strata: a union of a list of names and the word `ALL`; in a query, a list of such unions.

use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};

use super::names::{ALL, Names};
use crate::domain::Error;
use crate::domain::error::{Expected, Issue, Rule, Segment};
use crate::domain::integration::Integration;
use crate::domain::limits::strata::{MAX_SERVICES, too_many_services};
use crate::domain::strata::Services;
use crate::http::shape::Faults;
use crate::json::Json;

/// pydantic's name of the arm that is a list of names.
const LIST_ARM: &str = "list[str-enum[McpServerName]]";
/// The same of one element in a query.
const NAME_ARM: &str = "str-enum[McpServerName]";
/// pydantic's name of the arm that is the word.
const ALL_ARM: &str = "literal['ALL']";

/// `servers`: the word `ALL`, or names, which are remembered in `names`.
pub(super) fn services(json: Json, names: &mut Names, faults: &mut Faults) -> Option<Services> {
    let elements = match json {
        Json::String(word) if word.as_str() == ALL => return Some(Services::All),
        other => list(other),
    };
    let elements = match elements {
        Ok(elements) => elements,
        Err(rule) => {
            faults.note(LIST_ARM, rule);
            faults.note(ALL_ARM, Rule::NotTheWord(ALL));
            return None;
        }
    };
    let (first, known) = (names.count(), faults.count());
    let read: Vec<Option<String>> = faults.within(LIST_ARM, |faults| {
        let elements = elements.into_iter().enumerate();
        elements
            .map(|(index, json)| faults.within(index, |faults| names.read(json, faults)))
            .collect()
    });
    if faults.count() == known {
        faults.within(ALL_ARM, |faults| names.or_all(first, faults.place()));
    } else {
        faults.note(ALL_ARM, Rule::NotTheWord(ALL));
    }
    read.into_iter().collect::<Option<_>>().map(Services::Named)
}

/// The elements of an array that is not too long.
fn list(json: Json) -> Result<Vec<Json>, Rule> {
    match json {
        Json::Array(elements) => too_many_services(elements.len()).map_or(Ok(elements), Err),
        other => Err(Rule::Type {
            expected: Expected::Array,
            received: other.kind(),
        }),
    }
}

/// The domain's issues with what is put into a strata, at the places where the body has them.
pub(in crate::http::klavis) fn at_body_names(error: Error) -> Error {
    let Error::Invalid(found) = error else {
        return error;
    };
    let arm = |arm: &'static str| vec![Segment::from("body"), "servers".into(), arm.into()];
    let mut issues: Vec<Issue> = Vec::with_capacity(found.len() + 1);
    let mut in_list = 0;
    for issue in found {
        let (first, rest) = match issue.path.split_first() {
            Some((Segment::Key(first), rest)) => (first.as_ref(), rest),
            _ => ("", &issue.path[..]),
        };
        let path = match first {
            "services" => {
                in_list = issues.len() + 1;
                [arm(LIST_ARM).as_slice(), rest].concat()
            }
            "external" => [&["body".into(), "externalServers".into()], rest].concat(),
            _ => [&["body".into()], &issue.path[..]].concat(),
        };
        issues.push(Issue::new(path, issue.rule));
    }
    if in_list > 0 {
        issues.insert(in_list, Issue::new(arm(ALL_ARM), Rule::NotTheWord(ALL)));
    }
    Error::Invalid(issues)
}

/// `servers` of a query: every element is a name, which is remembered in `names`, or the word. One word is for all.
pub(in crate::http::klavis) fn services_in_query<'a>(
    values: impl Iterator<Item = &'a str>,
    names: &mut Names,
) -> Result<Services, Vec<Issue>> {
    let mut faults = Faults::default();
    let mut read = Vec::new();
    let mut all = false;
    faults.within("query", |faults| {
        faults.within("servers", |faults| {
            for (index, value) in values.enumerate() {
                if let Some(rule) = too_many_services(index + 1) {
                    faults.note_here(rule);
                    break;
                }
                if value == ALL {
                    all = true;
                    continue;
                }
                faults.within(index, |faults| {
                    read.extend(one_in_query(value, names, faults));
                });
            }
        });
    });
    faults.finish(Some(if all {
        Services::All
    } else {
        Services::Named(read)
    }))
}

fn one_in_query(value: &str, names: &mut Names, faults: &mut Faults) -> Option<String> {
    let first = names.count();
    let name = faults.within(NAME_ARM, |faults| names.read(Json::from(value), faults));
    if name.is_some() {
        faults.within(ALL_ARM, |faults| names.or_all(first, faults.place()));
    } else {
        faults.note(ALL_ARM, Rule::NotTheWord(ALL));
    }
    name
}

/// The domain's issues with what is taken out of a strata, at the places where the query has them.
pub(in crate::http::klavis) fn at_query_names(error: Error) -> Error {
    let Error::Invalid(found) = error else {
        return error;
    };
    let placed = found.into_iter().flat_map(|issue| {
        let index = issue.path.last().cloned().unwrap_or(Segment::Index(0));
        let at =
            |arm: &'static str| vec!["query".into(), "servers".into(), index.clone(), arm.into()];
        [
            Issue::new(at(NAME_ARM), issue.rule),
            Issue::new(at(ALL_ARM), Rule::NotTheWord(ALL)),
        ]
    });
    Error::Invalid(placed.collect())
}

/// The names of integrations as Klavis spells them, else their own.
pub(in crate::http::klavis) fn klavis_names(integrations: &[Integration]) -> Vec<String> {
    let names = integrations.iter().map(Integration::klavis_name);
    names.map(str::to_owned).collect()
}

/// The schema of `servers` in a body.
pub(in crate::http::klavis) fn services_schema() -> RefOr<Schema> {
    let of = |kind| ObjectBuilder::new().schema_type(kind);
    let names = ArrayBuilder::new()
        .items(of(Type::String))
        .max_items(Some(MAX_SERVICES));
    let union = AnyOfBuilder::new()
        .item(names)
        .item(of(Type::String).enum_values(Some([ALL])))
        .item(of(Type::Null))
        .description(Some(
            "Names of servers in any spelling, or ALL for every integration of yours that the catalogue knows",
        ));
    RefOr::T(Schema::AnyOf(union.build()))
}
