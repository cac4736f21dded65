//! Strata: named groups of one user's connections, and of MCP servers that are nobody's integration.

use std::collections::HashMap;

use validator::Validate;

use super::ids::{IntegrationId, StrataId};
use super::integration::Integration;
use super::limits::{strata as limits, user_id};
use crate::json::Object;

/// The services that a change of a strata is about.
#[derive(Debug)]
pub enum Services {
    /// These, by any of their names; none is fine.
    Named(Vec<String>),
    /// Put in: every integration of the tenant that answers to a name of the catalogue. Taken out: whatever is in it.
    /// To a limited key, those that it may use.
    All,
}

impl Default for Services {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

/// An MCP server to put into a strata. One of the same name is replaced, its headers too.
#[derive(Debug, Validate)]
#[validate(schema(function = limits::number_of_headers, skip_on_field_errors = false))]
pub struct NewExternalServer {
    /// 1 to 255 characters.
    #[validate(custom(function = limits::external_name))]
    pub name: String,
    /// 1 to 2,048 characters.
    #[validate(custom(function = limits::external_url))]
    pub url: String,
    /// What a client sends there: at most 100, sealed and never shown again.
    pub headers: Option<Object>,
}

/// What is put into a strata.
#[derive(Debug, Default, Validate)]
#[validate(schema(function = limits::services_put_in, skip_on_field_errors = false))]
#[validate(schema(function = limits::number_of_external, skip_on_field_errors = false))]
pub struct Additions {
    /// The services, at most 200 names.
    pub services: Services,
    /// The other servers, at most 100. A limited key may put none in: they are no integration in its list.
    #[validate(nested)]
    pub external: Vec<NewExternalServer>,
}

/// What it takes to make a strata.
#[derive(Debug, Validate)]
pub struct NewStrata {
    /// Whose: 1 to 2,048 characters.
    #[validate(custom(function = user_id))]
    pub user_id: String,
    /// Whether its MCP server offers tools that authenticate the user.
    pub auth_handling: bool,
    /// What is in it from the beginning; its limits are its own.
    pub additions: Additions,
}

/// What is taken out of a strata.
#[derive(Debug, Default, Validate)]
#[validate(schema(function = limits::services_taken_out, skip_on_field_errors = false))]
pub struct Removals {
    /// The services, at most 200 names.
    pub services: Services,
    /// The names of external servers, separated by commas. Where one has the whole text as its name, only that one is
    /// meant. To a limited key, all are unknown.
    pub external: Option<String>,
}

/// An MCP server that is nobody's integration, without its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalServer {
    /// Its name, unique in its strata.
    pub name: String,
    /// Where it is.
    pub url: String,
}

/// A strata with what is in it, or with what was put into it.
#[derive(Debug)]
pub struct Strata {
    /// Its id.
    pub id: StrataId,
    /// Where its MCP server is.
    pub url: String,
    /// The services, apart from those that the caller may not use.
    pub services: Vec<Integration>,
    /// The other servers; to a limited key, none.
    pub external: Vec<ExternalServer>,
    /// Where the user enters what the connections with some of the services need: of those that are not ready. To a
    /// caller that may not change connections, none.
    pub pages: HashMap<IntegrationId, String>,
}

/// What was taken out of a strata.
#[derive(Debug)]
pub struct Removed {
    /// The services that were in it.
    pub services: Vec<Integration>,
    /// The names of the external servers that were in it.
    pub external: Vec<String>,
}

/// The answer to what concerns one service of a strata.
#[derive(Debug)]
pub enum OfMember<T> {
    /// The service is in the strata.
    Member(T),
    /// It is not. Its name as Klavis spells it where Klavis knows the service, else our own name.
    Outside(String),
}

/// Each name once, at its first place and with what was said of it last.
pub(super) fn each_once(servers: Vec<NewExternalServer>) -> Vec<NewExternalServer> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<NewExternalServer> = Vec::with_capacity(servers.len());
    for server in servers {
        if let Some(&place) = places.get(&server.name) {
            kept[place] = server;
        } else {
            places.insert(server.name.clone(), kept.len());
            kept.push(server);
        }
    }
    kept
}

/// Those of `present` that the text names: see [`Removals::external`].
pub(super) fn named_in(text: &str, present: &[ExternalServer]) -> Vec<String> {
    let has = |name: &str| present.iter().any(|server| server.name == name);
    if has(text) {
        return vec![text.to_owned()];
    }
    let mut named: Vec<String> = Vec::new();
    for part in text.split(',') {
        let name = if has(part) { part } else { part.trim() };
        if has(name) && named.iter().all(|known| known != name) {
            named.push(name.to_owned());
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    fn present(names: &[&str]) -> Vec<ExternalServer> {
        let server = |name: &&str| ExternalServer {
            name: (*name).to_owned(),
            url: "https://mcp.example".to_owned(),
        };
        names.iter().map(server).collect()
    }

    #[test]
    fn names_are_separated_by_commas_but_where_one_name_holds_them() {
        let here = present(&["a", "b", "a,c", " d "]);
        for (text, named) in [
            ("a", vec!["a"]),
            ("b,a,b", vec!["b", "a"]),
            ("a,b", vec!["a", "b"]),
            (" a , nobody,b ", vec!["a", "b"]),
            ("a,c", vec!["a,c"]),
            (" d ,a", vec![" d ", "a"]),
            ("", vec![]),
            (",,", vec![]),
            ("A", vec![]),
        ] {
            assert_eq!(named_in(text, &here), named, "{text}");
        }
    }

    #[test]
    fn the_last_word_on_a_name_counts_at_its_first_place() {
        let server = |name: &str, url: &str| NewExternalServer {
            name: name.to_owned(),
            url: url.to_owned(),
            headers: None,
        };
        let kept = each_once(vec![server("a", "1"), server("b", "2"), server("a", "3")]);
        let kept: Vec<_> = kept
            .iter()
            .map(|server| (server.name.as_str(), server.url.as_str()))
            .collect();
        assert_eq!(kept, [("a", "3"), ("b", "2")]);
    }
}
