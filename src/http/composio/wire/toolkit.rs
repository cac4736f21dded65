//! Toolkits as lists of this dialect show them, and their categories. Members that a toolkit lacks are left out: the
//! public TypeScript SDK takes no null for them.

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};
use utoipa::ToSchema;

use super::auth_config::timestamp;
use super::toolkit_cursor;
use crate::domain::managed_apps;
use crate::domain::scheme::Scheme;
use crate::domain::toolkit_list::ToolkitPage;
use crate::domain::toolkits::Toolkit;

/// Topics of the catalogue that are no words.
const ABBREVIATIONS: [&str; 1] = ["crm"];

/// A page of toolkits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetToolkitsResponse)]
pub(in super::super) struct ToolkitPageBody {
    /// The toolkits, in the order of their slugs.
    items: Vec<ToolkitItem>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many pages there are at this `limit`.
    total_pages: usize,
    /// The number of this page, from 1.
    current_page: u32,
    /// How many toolkits match.
    total_items: usize,
}

/// A toolkit in a list.
#[derive(Debug, Serialize, ToSchema)]
struct ToolkitItem {
    /// Its slug.
    #[schema(example = "github")]
    slug: String,
    /// The name that people read.
    name: String,
    /// Where it comes from.
    r#type: ToolkitType,
    /// How users can authenticate, the usual way first.
    #[schema(example = json!(["OAUTH2", "API_KEY"]))]
    auth_schemes: Vec<&'static str>,
    /// The schemes for which the operator of this server shares an app.
    composio_managed_auth_schemes: Vec<&'static str>,
    /// Where the provider explains how to make an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_guide_url: Option<&'static str>,
    /// Whether it can be used without authentication.
    no_auth: bool,
    /// Always false.
    #[schema(deprecated)]
    is_local_toolkit: bool,
    /// Ids of earlier versions of the API.
    deprecated: DeprecatedId,
    /// What a client shows of it.
    meta: ToolkitMeta<CategoryById>,
}

/// Where a toolkit comes from.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ToolkitType {
    /// The catalogue.
    Native,
    /// An integration of the caller's own.
    Custom,
}

/// The id of a toolkit in earlier versions of the API.
#[derive(Debug, Serialize, ToSchema)]
struct DeprecatedId {
    /// A UUID.
    #[serde(rename = "toolkitId")]
    #[schema(format = Uuid)]
    toolkit_id: String,
}

/// What a client shows of a toolkit.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ToolkitMeta<Category> {
    /// When it was made; for one of the catalogue, the catalogue's date.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed; likewise.
    #[schema(format = DateTime)]
    updated_at: String,
    /// What it is, in a sentence; may be empty.
    description: String,
    /// A picture; empty where there is none.
    logo: &'static str,
    /// The service's web site.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_url: Option<&'static str>,
    /// Its topics.
    categories: Vec<Category>,
    /// This server runs no triggers.
    triggers_count: u32,
    /// This server runs no tools.
    tools_count: u32,
    /// The only version that there is, by its date.
    #[schema(example = "20261120_00")]
    pub(super) version: String,
}

/// A topic, as lists name it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CategoryById {
    /// For the filter of the list.
    #[schema(example = "developer-tools")]
    id: String,
    /// The name that people read.
    name: String,
}

/// All topics.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetToolkitsCategoriesResponse)]
pub(in super::super) struct CategoriesBody {
    /// The topics, in alphabetical order.
    items: Vec<CategoryById>,
    /// Null: they are on one page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Always 1.
    total_pages: u32,
    /// Always 1.
    current_page: u32,
    /// How many topics there are.
    total_items: usize,
}

impl ToolkitPageBody {
    /// The page, of `limit` toolkits at most.
    pub(in super::super) fn new(page: ToolkitPage, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).max(1);
        Self {
            next_cursor: page.next.as_ref().map(toolkit_cursor::encode),
            total_pages: page.total.div_ceil(limit),
            current_page: page.number,
            total_items: page.total,
            items: page.items.into_iter().map(ToolkitItem::from).collect(),
        }
    }
}

impl From<Toolkit> for ToolkitItem {
    fn from(toolkit: Toolkit) -> Self {
        Self {
            r#type: ToolkitType::of(&toolkit),
            auth_schemes: toolkit.schemes.iter().map(Scheme::name).collect(),
            composio_managed_auth_schemes: managed_schemes(&toolkit),
            auth_guide_url: auth_guide_url(&toolkit),
            no_auth: toolkit.schemes.contains(&Scheme::None),
            is_local_toolkit: false,
            deprecated: DeprecatedId {
                toolkit_id: toolkit.id.to_string(),
            },
            meta: ToolkitMeta::new(&toolkit, CategoryById::of),
            slug: toolkit.slug,
            name: toolkit.name,
        }
    }
}

impl ToolkitType {
    pub(super) fn of(toolkit: &Toolkit) -> Self {
        match toolkit.entry {
            Some(_) => Self::Native,
            None => Self::Custom,
        }
    }
}

impl<Category> ToolkitMeta<Category> {
    pub(super) fn new(toolkit: &Toolkit, category: impl Fn(&str) -> Category) -> Self {
        let entry = toolkit.entry;
        let categories = toolkit.categories().iter();
        Self {
            created_at: timestamp(toolkit.created_at),
            updated_at: timestamp(toolkit.updated_at),
            description: toolkit.description.clone(),
            logo: entry
                .and_then(|entry| entry.logo.as_deref())
                .unwrap_or_default(),
            app_url: entry.map(|entry| entry.app_url.as_str()),
            categories: categories.map(|name| category(name)).collect(),
            triggers_count: 0,
            tools_count: 0,
            version: version(toolkit.updated_at),
        }
    }
}

impl CategoryById {
    fn of(topic: &str) -> Self {
        let (id, name) = category(topic);
        Self { id, name }
    }
}

impl FromIterator<&'static str> for CategoriesBody {
    fn from_iter<T: IntoIterator<Item = &'static str>>(topics: T) -> Self {
        let items: Vec<_> = topics.into_iter().map(CategoryById::of).collect();
        Self {
            next_cursor: None,
            total_pages: 1,
            current_page: 1,
            total_items: items.len(),
            items,
        }
    }
}

/// The schemes for which the operator shares an app.
pub(super) fn managed_schemes(toolkit: &Toolkit) -> Vec<&'static str> {
    let managed = toolkit.managed.then(|| managed_apps::SCHEME.name());
    managed.into_iter().collect()
}

pub(super) fn auth_guide_url(toolkit: &Toolkit) -> Option<&'static str> {
    toolkit.entry?.auth_guide_url.as_deref()
}

/// The identifier and the name of a topic of the catalogue.
pub(super) fn category(topic: &str) -> (String, String) {
    let name = if ABBREVIATIONS.contains(&topic) {
        topic.to_uppercase()
    } else {
        let mut rest = topic.chars();
        let first = rest.next().into_iter().flat_map(char::to_uppercase);
        first.chain(rest).collect()
    };
    (topic.replace(' ', "-"), name)
}

/// A version in the public form, a date and a number.
fn version(at: OffsetDateTime) -> String {
    let date = at.to_offset(UtcOffset::UTC).date();
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}{:02}{day:02}_00", u8::from(month))
}
