//! The `OpenAPI` document of a dialect, generated from the routes that answer.

use utoipa::openapi::{OpenApi, Server};

use super::{Dialect, dialect_named};

/// The document: what the dialect says of itself, the paths of its routes once, and its prefixes as servers.
pub fn openapi(dialect: &Dialect) -> OpenApi {
    let mut document = (dialect.document)().merge_from((dialect.routes)().into_openapi());
    let at = |prefix: &&str| Server::new(if prefix.is_empty() { "/" } else { prefix });
    document.servers = Some(dialect.prefixes.iter().map(at).collect());
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
