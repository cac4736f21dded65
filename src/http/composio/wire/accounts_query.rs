//! The query of `GET /connected_accounts`. An empty value stands for an absent one: the SDKs send `limit=` for null.

use std::str::FromStr;

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::account_cursor;
use super::query::{limit, single, word};
use crate::domain::account_list::{AccountFilter, AccountOrder, AccountPageRequest};
use crate::domain::connection::Status;
use crate::domain::error::{Expected, Issue, Kind, Rule};
use crate::http::extract::FromQuery;
use crate::http::shape::Faults;
use crate::json::JsonKind;

const DEFAULT_LIMIT: u32 = 20;
/// How many different values one filter may have.
const MAX_VALUES: usize = 1_000;

/// Which connected accounts to list, and which page of them.
#[derive(Debug)]
pub(in super::super) struct AccountsQuery {
    /// Which.
    pub filter: AccountFilter,
    /// The page.
    pub page: AccountPageRequest,
}

impl FromQuery for AccountsQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let faults = &mut faults;
        let one = |name, expected, faults: &mut Faults| single(pairs, name, expected, faults);
        let toolkits = list(pairs, "toolkit_slugs", Split::Always, faults, stored);
        let statuses = list(pairs, "statuses", Split::Always, faults, status);
        let users = list(pairs, "user_ids", Split::Alone, faults, stored);
        let configs = list(
            pairs,
            "auth_config_ids",
            Split::Always,
            faults,
            read_id(Kind::AuthConfig),
        );
        let accounts = list(
            pairs,
            "connected_account_ids",
            Split::Always,
            faults,
            read_id(Kind::Connection),
        );
        let by = word(pairs, "order_by", &["created_at", "updated_at"], faults);
        let direction = word(pairs, "order_direction", &["asc", "desc"], faults);
        let kind = word(pairs, "account_type", &["PRIVATE", "SHARED", "ALL"], faults);
        let limit = one("limit", Expected::Number, faults).and_then(|text| limit(text, faults));
        let order = AccountOrder {
            by_update: by == Some("updated_at"),
            descending: direction != Some("asc"),
        };
        let cursor = one("cursor", Expected::String, faults).and_then(|text| {
            let cursor = account_cursor::decode(text).filter(|cursor| cursor.order == order);
            if cursor.is_none() {
                let expected =
                    Expected::Other("the next_cursor of an earlier answer in the same order");
                let received = JsonKind::String;
                faults.note("cursor", Rule::Type { expected, received });
            }
            cursor
        });
        let query = Self {
            filter: AccountFilter {
                toolkits,
                statuses,
                users,
                configs,
                accounts,
                // Every connection is its user's own.
                nothing: kind == Some("SHARED"),
            },
            page: AccountPageRequest {
                limit: limit.unwrap_or(DEFAULT_LIMIT),
                order,
                cursor,
            },
        };
        std::mem::take(faults).finish(Some(query))
    }
}

/// Whether a value is a list that is joined by commas.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Split {
    /// It is.
    Always,
    /// It is where the parameter stands once: the values may hold commas, so that whoever repeats it is taken at its
    /// word.
    Alone,
}

/// The different values of a filter, in either spelling of its name, repeated, comma-joined or both. A fault is noted
/// at the value's position.
fn list<T: PartialEq>(
    pairs: &[(String, String)],
    name: &'static str,
    split: Split,
    faults: &mut Faults,
    read: impl Fn(&str, &mut Faults) -> Option<T>,
) -> Vec<T> {
    let is_named = |key: &str| key.strip_suffix("[]").unwrap_or(key) == name;
    let given: Vec<&str> = pairs
        .iter()
        .filter(|(key, value)| is_named(key) && !value.is_empty())
        .map(|(_, value)| value.as_str())
        .collect();
    let texts: Vec<&str> = if split == Split::Always || given.len() == 1 {
        let parts = given.iter().flat_map(|value| value.split(','));
        parts
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect()
    } else {
        given
    };
    if texts.len() > MAX_VALUES {
        faults.note(name, Rule::TooMany { max: MAX_VALUES });
        return Vec::new();
    }
    let mut values = Vec::with_capacity(texts.len());
    faults.within(name, |faults| {
        for (index, text) in texts.into_iter().enumerate() {
            let value = faults.within(index, |faults| read(text, faults));
            values.extend(value.filter(|value| !values.contains(value)));
        }
    });
    values
}

fn stored(text: &str, faults: &mut Faults) -> Option<String> {
    if text.contains('\0') {
        faults.note_here(Rule::NulCharacter);
        return None;
    }
    Some(text.to_owned())
}

fn status(text: &str, faults: &mut Faults) -> Option<Status> {
    let status = Status::from_name(text);
    if status.is_none() {
        faults.note_here(Rule::NotOneOf(Status::names().collect()));
    }
    status
}

/// A reader of ids of things of this kind.
fn read_id<T: FromStr>(kind: Kind) -> impl Fn(&str, &mut Faults) -> Option<T> {
    move |text, faults| {
        let id = text.parse().ok();
        if id.is_none() {
            faults.note_here(Rule::IllFormedId(kind));
        }
        id
    }
}

/// The query of `GET /connected_accounts`, as the OpenAPI document shows it. Each list may be comma-joined, repeated or
/// both, and named with `[]` at its end.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the OpenAPI generator only")]
pub(in super::super) struct AccountsParameters {
    /// Only those with these toolkits.
    #[param(required = false)]
    toolkit_slugs: Vec<String>,
    /// Only those with these statuses.
    #[param(required = false, inline)]
    statuses: Vec<StatusWord>,
    /// Only those of these users. Ids that hold a comma: repeat the parameter, then none is split.
    #[param(required = false)]
    user_ids: Vec<String>,
    /// Only those under these auth configs.
    #[param(required = false)]
    auth_config_ids: Vec<String>,
    /// Only these.
    #[param(required = false)]
    connected_account_ids: Vec<String>,
    /// What they are ordered by: the default is `created_at`. By `updated_at`, one that changes meanwhile moves.
    #[param(required = false, inline)]
    order_by: OrderBy,
    /// In which direction: the default is `desc`, newest first.
    #[param(required = false, inline)]
    order_direction: OrderDirection,
    /// All connected accounts here are PRIVATE, so that SHARED finds none.
    #[param(required = false, inline)]
    account_type: AccountType,
    /// Number of items per page.
    #[param(minimum = 1, maximum = 1000, default = 20, required = false)]
    limit: u32,
    /// The `next_cursor` of the page before, in the same order.
    #[param(required = false)]
    cursor: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum OrderBy {
    CreatedAt,
    UpdatedAt,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum OrderDirection {
    Asc,
    Desc,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
enum AccountType {
    Private,
    Shared,
    All,
}

/// The status of a connected account.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum StatusWord {
    Initializing,
    Initiated,
    Active,
    Failed,
    Expired,
    Inactive,
    Revoked,
}
