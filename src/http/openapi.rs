//! The `OpenAPI` document of a dialect, generated from the routes that answer.

use utoipa::openapi::{OpenApi, Server};

use super::{Dialect, dialect_named};

/// The document: what the dialect says of itself, the paths of its routes once, and its prefixes as servers. A
/// path that some of them do not have names those that do.
pub fn openapi(dialect: &Dialect) -> OpenApi {
    let mut document = (dialect.document)().merge_from((dialect.routes)().into_openapi());
    let at = |prefix: &&str| Server::new(if prefix.is_empty() { "/" } else { prefix });
    document.servers = Some(dialect.prefixes.iter().map(at).collect());
    for (path, item) in &mut document.paths.paths {
        let shown = |prefix: &&&str| !(dialect.hides)(&format!("{prefix}{path}"));
        let servers: Vec<_> = dialect.prefixes.iter().filter(shown).map(at).collect();
        if servers.len() < dialect.prefixes.len() {
            item.servers = Some(servers);
        }
    }
    document
}

/// The document of the dialect of this name as it stands in `openapi/<name>.json`: indented, with a newline at its
/// end. `None` where no dialect has the name.
pub fn openapi_json(name: &str) -> Option<String> {
    let document = openapi(dialect_named(name)?);
    let mut text = document.to_pretty_json().ok()?;
    text.push('\n');
    Some(text)
}
