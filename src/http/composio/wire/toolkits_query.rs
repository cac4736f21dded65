//! The queries of the toolkits' routes. An empty value stands for an absent one: the SDKs send `limit=` for null.

use serde::Deserialize;
use utoipa::IntoParams;

use super::query::{boolean, limit, single, storable, word};
use super::toolkit_cursor;
use crate::domain::error::{Expected, Issue, Rule};
use crate::domain::toolkit_list::{ToolkitFilter, ToolkitPageRequest};
use crate::http::extract::FromQuery;
use crate::http::shape::Faults;
use crate::json::JsonKind;

/// As many as there can be: the SDKs read one page and call it all.
const DEFAULT_LIMIT: u32 = 1_000;
/// The longest text to search for, in characters.
const MAX_TEXT: usize = 200;

/// Which toolkits to list, and which page of them.
#[derive(Debug)]
pub(in super::super) struct ToolkitsQuery {
    /// Which.
    pub filter: ToolkitFilter,
    /// The page.
    pub page: ToolkitPageRequest,
}

impl FromQuery for ToolkitsQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let faults = &mut faults;
        let category = text(pairs, "category", faults);
        let managed_by = word(pairs, "managed_by", &["composio", "all", "project"], faults);
        let kind = word(pairs, "type", &["native", "custom", "all"], faults);
        // There is one order: use is not counted here.
        word(pairs, "sort_by", &["usage", "alphabetically"], faults);
        // No toolkit is deprecated.
        if let Some(value) = single(pairs, "include_deprecated", Expected::Boolean, faults) {
            boolean("include_deprecated", value, faults);
        }
        let search = text(pairs, "search", faults);
        let limit =
            single(pairs, "limit", Expected::Number, faults).and_then(|value| limit(value, faults));
        let cursor = single(pairs, "cursor", Expected::String, faults).and_then(|value| {
            let cursor = toolkit_cursor::decode(value);
            if cursor.is_none() {
                let expected = Expected::Other("the next_cursor of an earlier answer");
                let received = JsonKind::String;
                faults.note("cursor", Rule::Type { expected, received });
            }
            cursor
        });
        let query = Self {
            filter: ToolkitFilter {
                native: managed_by != Some("project") && kind != Some("custom"),
                custom: managed_by != Some("composio") && kind != Some("native"),
                category,
                search,
            },
            page: ToolkitPageRequest {
                limit: limit.unwrap_or(DEFAULT_LIMIT),
                cursor,
            },
        };
        std::mem::take(faults).finish(Some(query))
    }
}

/// The query of one toolkit. Its `version` may be any: what is told of authentication is the same in all.
#[derive(Debug)]
pub(in super::super) struct ToolkitQuery;

impl FromQuery for ToolkitQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        text(pairs, "version", &mut faults);
        faults.finish(Some(Self))
    }
}

/// A short text.
fn text(pairs: &[(String, String)], name: &'static str, faults: &mut Faults) -> Option<String> {
    let value = single(pairs, name, Expected::String, faults)?;
    let value = storable(name, value, faults)?;
    if value.chars().count() > MAX_TEXT {
        faults.note(name, Rule::TooLong { max: MAX_TEXT });
        return None;
    }
    Some(value)
}

/// The query of `GET /toolkits`, as the OpenAPI document shows it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the OpenAPI generator only")]
pub(in super::super) struct ToolkitsParameters {
    /// Only toolkits of this category, by its id.
    #[param(required = false)]
    category: String,
    /// `composio`: those of the catalogue; `project`: your own integrations.
    #[param(required = false, inline)]
    managed_by: ManagedBy,
    /// The same by where they come from.
    #[param(required = false, inline)]
    r#type: Provenance,
    /// Taken, and the order is that of the slugs: use is not counted.
    #[param(required = false, inline)]
    sort_by: SortBy,
    /// Taken, and without effect: no toolkit is deprecated.
    #[param(required = false, default = false)]
    include_deprecated: bool,
    /// A part of the name, of the slug or of the description, in any case.
    #[param(required = false)]
    search: String,
    /// Number of items per page.
    #[param(minimum = 1, maximum = 1000, default = 1000, required = false)]
    limit: u32,
    /// The `next_cursor` of the page before.
    #[param(required = false)]
    cursor: String,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum ManagedBy {
    Composio,
    All,
    Project,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Provenance {
    Native,
    Custom,
    All,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum SortBy {
    Usage,
    Alphabetically,
}
