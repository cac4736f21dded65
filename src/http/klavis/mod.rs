//! The Klavis dialect (contract: the Klavis OpenAPI document and its public SDKs): FastAPI's envelope, camelCase
//! names, no prefix. An instance is the primary connection of one user with one service.

mod create_instance;
mod delete_instance_auth;
mod document;
mod error;
mod failures;
mod get_instance;
mod get_instance_auth;
mod no_instance;
mod set_instance_auth;
mod validation;
mod wire;

use axum::routing::get;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::domain::Service;
use crate::domain::error::KeyFault;
use crate::http::dialect::Dialect;

/// The dialect, as data.
pub(super) const DIALECT: Dialect = Dialect {
    name: "klavis",
    prefixes: &[""],
    routes,
    document: document::document,
    api_key,
    admit: |_| Ok(()),
    head: false,
    render: error::render,
};

/// The words that stand where `{instanceId}` stands in other routes. The router prefers them, so the methods of an
/// instance must be routed there too: they name one by an ill-formed id (422), they are no wrong methods.
const NO_INSTANCE_IDS: [&str; 2] = [
    "/mcp-server/instance/create",
    "/mcp-server/instance/set-auth",
];

fn routes() -> OpenApiRouter<Service> {
    let documented = OpenApiRouter::new()
        .routes(routes!(create_instance::handler))
        .routes(routes!(set_instance_auth::handler))
        .routes(routes!(get_instance::handler))
        .routes(routes!(
            get_instance_auth::handler,
            delete_instance_auth::handler
        ));
    NO_INSTANCE_IDS
        .into_iter()
        .fold(documented, |router, path| {
            let no_instance = get(get_instance::handler)
                .patch(no_instance::changed)
                .delete(no_instance::deleted);
            router.route(path, no_instance)
        })
}

/// The key after `Bearer` (RFC 6750 section 2.1): the scheme in any case, up to the first space; the rest trimmed;
/// the first of several headers.
fn api_key(headers: &HeaderMap) -> Result<String, KeyFault> {
    let header = headers.get(AUTHORIZATION).ok_or(KeyFault::Missing)?;
    let text = String::from_utf8_lossy(header.as_bytes());
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => {
            Ok(key.trim().to_owned())
        }
        _ => Err(KeyFault::Missing),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn key_of(values: &[&'static str]) -> Result<String, KeyFault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_static(value));
        }
        api_key(&headers)
    }

    #[test]
    fn the_first_header_counts_and_its_scheme_has_no_case() {
        for value in ["Bearer k", "bearer k", "bEaReR   k ", "BEARER k"] {
            assert_eq!(
                key_of(&[value, "Bearer other"]),
                Ok("k".to_owned()),
                "{value}"
            );
        }
        assert_eq!(key_of(&["Bearer a b"]), Ok("a b".to_owned()));
    }

    #[test]
    fn nothing_else_is_a_key() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer    ",
            "Token k",
            "k",
            "Bearer\tk",
            " Bearer k",
        ] {
            assert_eq!(key_of(&[value]), Err(KeyFault::Missing), "{value}");
        }
        assert_eq!(key_of(&[]), Err(KeyFault::Missing));
        assert_eq!(key_of(&["Token k", "Bearer k"]), Err(KeyFault::Missing));
    }
}
