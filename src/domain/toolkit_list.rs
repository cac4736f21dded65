//! Pages of toolkits, and their topics.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::caller::Caller;
use super::catalogue::{Catalogue, Entry, MatchKey, match_key};
use super::error::Error;
use super::service::Service;
use super::toolkits::{Toolkit, is_shadowed};
use crate::store::{Access, integrations};

/// Which toolkits to list.
#[derive(Debug)]
pub struct ToolkitFilter {
    /// Those of the catalogue.
    pub native: bool,
    /// The tenant's own.
    pub custom: bool,
    /// Only those of this topic, in any spelling.
    pub category: Option<String>,
    /// Part of the name, of the slug or of the description, without case.
    pub search: Option<String>,
}

impl ToolkitFilter {
    /// Whether the toolkit is one of them.
    pub fn takes(&self, toolkit: &Toolkit) -> bool {
        let wanted = match toolkit.entry {
            Some(_) => self.native,
            None => self.custom,
        };
        let of_category = |wanted: &String| {
            let wanted = match_key(wanted);
            let mut categories = toolkit.categories().iter();
            categories.any(|category| match_key(category) == wanted)
        };
        let holds = |part: &String| {
            let part = part.to_lowercase();
            [&toolkit.name, &toolkit.slug, &toolkit.description]
                .iter()
                .any(|text| text.to_lowercase().contains(&part))
        };
        wanted
            && self.category.as_ref().is_none_or(of_category)
            && self.search.as_ref().is_none_or(holds)
    }
}

/// A page of the list: which one, and how long.
#[derive(Debug, Clone)]
pub struct ToolkitPageRequest {
    /// 1 to 1,000.
    pub limit: u32,
    /// The cursor of the page before.
    pub cursor: Option<ToolkitCursor>,
}

/// A place in the list, which is in the order of the slugs: stable while integrations are made and deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolkitCursor {
    /// The slug after which the page begins.
    pub after: String,
    /// The number of the page that begins there, from 1.
    pub page: u32,
}

/// One page of the list.
#[derive(Debug)]
pub struct ToolkitPage {
    /// The toolkits.
    pub items: Vec<Toolkit>,
    /// The next page, if there is one.
    pub next: Option<ToolkitCursor>,
    /// All toolkits that match.
    pub total: usize,
    /// The number of this page, from 1.
    pub number: u32,
}

impl Service {
    /// One page of the toolkits that match, in the order of their slugs.
    pub async fn toolkit_page(
        &self,
        caller: &Caller,
        filter: &ToolkitFilter,
        page: &ToolkitPageRequest,
    ) -> Result<ToolkitPage, Error> {
        let mut items = self.toolkits(caller).await?;
        items.retain(|toolkit| filter.takes(toolkit));
        Ok(cut(items, page))
    }

    /// The topics of the toolkits that the caller can name, as the catalogue spells them, in alphabetical order.
    pub async fn toolkit_categories(&self, caller: &Caller) -> Result<Vec<&'static str>, Error> {
        let categories: BTreeSet<_> = if caller.integrations.is_none() {
            // Only integrations of the catalogue's names matter, however many others there are.
            let entries = self.open_entries(caller).await?.into_iter();
            entries.flat_map(|entry| &entry.categories).collect()
        } else {
            let toolkits = self.toolkits(caller).await?;
            toolkits.iter().flat_map(Toolkit::categories).collect()
        };
        Ok(categories.into_iter().map(String::as_str).collect())
    }

    /// The catalogue but for what the tenant's own integrations shadow.
    async fn open_entries(&self, caller: &Caller) -> Result<Vec<&'static Entry>, Error> {
        let keys = Arc::new(keys_of_entries());
        let found = self
            .db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let keys = Arc::clone(&keys);
                Box::pin(async move { integrations::find_by_keys(tx, &keys).await })
            })
            .await?;
        let own = found
            .iter()
            .filter(|integration| integration.catalogue_entry().is_none());
        let taken = own
            .filter_map(|integration| MatchKey::of(&integration.slug))
            .collect();
        let entries = Catalogue::built_in().entries().iter();
        Ok(entries
            .filter(|entry| !is_shadowed(entry, &taken))
            .collect())
    }
}

/// The match keys of all names under which entries of the catalogue are shown.
fn keys_of_entries() -> Vec<String> {
    let entries = Catalogue::built_in().entries().iter();
    let names = entries.flat_map(|entry| [entry.toolkit_slug(), &entry.slug]);
    let keys: BTreeSet<_> = names.filter_map(MatchKey::of).collect();
    keys.into_iter().map(|key| key.to_string()).collect()
}

/// The page of toolkits that are in the order of their slugs.
fn cut(mut items: Vec<Toolkit>, page: &ToolkitPageRequest) -> ToolkitPage {
    let total = items.len();
    let (after, number) = match &page.cursor {
        Some(cursor) => (cursor.after.as_str(), cursor.page),
        None => ("", 1),
    };
    let begin = items.partition_point(|toolkit| toolkit.slug.as_str() <= after);
    items.drain(..begin);
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| more).map(|last| ToolkitCursor {
        after: last.slug.clone(),
        page: number + 1,
    });
    ToolkitPage {
        items,
        next,
        total,
        number,
    }
}
