//! The wire: dialects as plain data over one domain layer. What is here knows the domain and never the store.

mod composio;
mod connect;
mod dialect;
mod docs;
pub mod extract;
mod failure;
mod health;
mod klavis;
mod langdock;
pub mod layers;
mod metrics;
mod openapi;
mod routes;
pub mod serve;
mod shape;

pub use dialect::{Context, Dialect};
pub use failure::{Failure, retry_after, whole_seconds};
pub use metrics::metrics_router;
pub use openapi::{openapi, openapi_json};
pub use routes::router;

/// Every wire dialect. A further one is a folder, a `mod` line and an entry here.
pub static DIALECTS: [&Dialect; 3] = [&klavis::DIALECT, &composio::DIALECT, &langdock::DIALECT];

/// The dialect that owns `path`: the one with the longest prefix. What no prefix takes belongs to the dialect at the
/// root, so that every path of the server has words for its failures.
pub fn dialect_of(path: &str) -> &'static Dialect {
    let owned =
        |dialect: &&'static Dialect| dialect.owns(path).map(|prefix| (prefix.len(), *dialect));
    DIALECTS
        .iter()
        .filter_map(owned)
        .max_by_key(|(length, _)| *length)
        .map_or(DIALECTS[0], |(_, dialect)| dialect)
}

/// The dialect of this name, as in `openapi/<name>.json`.
pub fn dialect_named(name: &str) -> Option<&'static Dialect> {
    DIALECTS.into_iter().find(|dialect| dialect.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_owns_a_path() {
        for (path, name) in [
            ("/api/v3/auth_configs", "composio"),
            ("/api/v3.1/auth_configs/ac_x", "composio"),
            ("/api/v3", "composio"),
            ("/integrations/v1/create", "langdock"),
            ("/api/public/integrations/v1/create", "langdock"),
            ("/mcp-server/instance/create", "klavis"),
            ("/api/v33/auth_configs", "klavis"),
            ("/", "klavis"),
            ("*", "klavis"),
        ] {
            assert_eq!(dialect_of(path).name, name, "{path}");
        }
    }

    #[test]
    fn prefixes_belong_to_one_dialect_each() {
        let mut prefixes: Vec<_> = DIALECTS
            .iter()
            .flat_map(|dialect| dialect.prefixes)
            .collect();
        prefixes.sort_unstable();
        let count = prefixes.len();
        prefixes.dedup();
        assert_eq!(prefixes.len(), count);
    }
}
