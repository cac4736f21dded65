//! The Klavis dialect (contract: the Klavis OpenAPI document and its public SDKs): FastAPI's envelope, camelCase
//! names, no prefix. An instance is the primary connection of one user with one service.

mod add_to_strata;
mod authorize;
mod create_instance;
mod create_self_hosted_instance;
mod create_strata;
mod delete_instance;
mod delete_instance_auth;
mod delete_strata_auth;
mod document;
mod error;
mod failures;
mod get_instance;
mod get_instance_auth;
mod get_strata;
mod get_strata_auth;
mod list_servers;
mod remove_from_strata;
mod set_instance_auth;
mod set_strata_auth;
mod slashes;
mod update_instance;
mod user_delete;
mod user_delete_auth;
mod user_get;
mod user_get_auth;
mod user_integrations;
mod user_list;
mod user_set_auth;
mod validation;
mod white_label_create;
mod white_label_get;
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
    hides: |_| false,
    head: false,
    refuses_encoded: false,
    render: error::render,
};

/// The words that stand where `{instanceId}` stands in other routes. The router prefers them, so the methods of an
/// instance must be routed there too: they name one by an ill-formed id (422), they are no wrong methods.
const NO_INSTANCE_IDS: [&str; 2] = [
    "/mcp-server/instance/create",
    "/mcp-server/instance/set-auth",
];

/// The words that stand where `{strataId}` stands in another route: asked for with GET, they name no strata (404).
const NO_STRATA_IDS: [&str; 3] = [
    "/mcp-server/strata/create",
    "/mcp-server/strata/add",
    "/mcp-server/strata/set-auth",
];

/// The word that stands where `{userId}` stands in another route: asked for with these methods, it is a user's id.
const A_USER_ID: &str = "/user/set-auth";

fn routes() -> OpenApiRouter<Service> {
    let documented = OpenApiRouter::new()
        .routes(routes!(create_instance::handler))
        .routes(routes!(create_self_hosted_instance::handler))
        .routes(routes!(set_instance_auth::handler))
        .routes(routes!(
            get_instance::handler,
            update_instance::handler,
            delete_instance::handler
        ))
        .routes(routes!(
            get_instance_auth::handler,
            delete_instance_auth::handler
        ))
        .routes(routes!(list_servers::handler))
        .routes(routes!(user_list::handler))
        .routes(routes!(user_set_auth::handler))
        .routes(routes!(user_get::handler, user_delete::handler))
        .routes(routes!(user_integrations::handler))
        .routes(routes!(user_get_auth::handler, user_delete_auth::handler))
        .route(
            A_USER_ID,
            get(user_get::handler).delete(user_delete::handler),
        )
        .routes(routes!(create_strata::handler))
        .routes(routes!(add_to_strata::handler))
        .routes(routes!(set_strata_auth::handler))
        .routes(routes!(remove_from_strata::handler))
        .routes(routes!(get_strata::handler))
        .routes(routes!(
            get_strata_auth::handler,
            delete_strata_auth::handler
        ))
        .routes(routes!(authorize::handler))
        .routes(routes!(white_label_create::handler))
        .routes(routes!(white_label_get::handler));
    let documented = slashes::with_other_spellings(documented);
    let documented = NO_STRATA_IDS.into_iter().fold(documented, |router, path| {
        router.route(path, get(get_strata::handler))
    });
    NO_INSTANCE_IDS
        .into_iter()
        .fold(documented, |router, path| {
            let no_instance = get(get_instance::handler)
                .patch(update_instance::handler)
                .delete(delete_instance::handler);
            router.route(path, no_instance)
        })
}

/// The key after `Bearer` (RFC 6750 section 2.1): the scheme in any case, up to the first space; the rest trimmed;
/// the first of several headers.
fn api_key(headers: &HeaderMap) -> Result<String, KeyFault> {
    let header = headers.get(AUTHORIZATION).ok_or(KeyFault::Missing)?;
    // Header values are ISO 8859-1 to the original, so that its white space is trimmed too.
    let text: String = header.as_bytes().iter().copied().map(char::from).collect();
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
        let mut headers = HeaderMap::new();
        let spaced = HeaderValue::from_bytes(b"Bearer \xA0k\xA0").expect("a value");
        headers.append(AUTHORIZATION, spaced);
        assert_eq!(api_key(&headers), Ok("k".to_owned()));
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
