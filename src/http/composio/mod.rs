//! The Composio dialect: `/api/v3` and `/api/v3.1`, one contract under both.

mod answer;
mod auth_config_status;
mod connected_account_status;
mod create_auth_config;
mod create_connected_account;
mod create_link;
mod delete_auth_config;
mod delete_connected_account;
mod document;
mod error;
mod get_auth_config;
mod get_connected_account;
mod get_toolkit;
mod list_auth_configs;
mod list_connected_accounts;
mod list_toolkit_categories;
mod list_toolkits;
mod refresh_connected_account;
mod refusals;
mod revoke_connected_account;
mod update_auth_config;
mod update_connected_account;
mod wire;
mod wording;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::crypto::mask_key;
use crate::domain::Service;
use crate::domain::error::KeyFault;
use crate::http::dialect::Dialect;

/// The dialect, for the table of dialects.
pub(super) const DIALECT: Dialect = Dialect {
    name: "composio",
    prefixes: &["/api/v3", "/api/v3.1"],
    routes,
    document: document::document,
    api_key,
    admit: |_| Ok(()),
    hides: revoke_connected_account::is_hidden,
    head: true,
    refuses_encoded: true,
    render: error::render,
};

/// The headers that carry a key here; equal in rank.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-user-api-key"];

fn routes() -> OpenApiRouter<Service> {
    OpenApiRouter::new()
        .routes(routes!(
            list_auth_configs::handler,
            create_auth_config::handler
        ))
        .routes(routes!(
            get_auth_config::handler,
            update_auth_config::handler,
            delete_auth_config::handler
        ))
        .routes(routes!(auth_config_status::handler))
        .routes(routes!(list_toolkits::handler))
        .routes(routes!(list_toolkit_categories::handler))
        .routes(routes!(get_toolkit::handler))
        .routes(routes!(
            list_connected_accounts::handler,
            create_connected_account::handler
        ))
        .routes(routes!(create_link::handler))
        .routes(routes!(
            get_connected_account::handler,
            update_connected_account::handler,
            delete_connected_account::handler
        ))
        .routes(routes!(connected_account_status::handler))
        .routes(routes!(refresh_connected_account::handler))
        .routes(routes!(revoke_connected_account::handler))
}

/// The one key of the request. Composio takes exactly one credential header and counts `authorization` among them,
/// though it carries no key of this dialect.
fn api_key(headers: &HeaderMap) -> Result<String, KeyFault> {
    let keys: Vec<_> = KEY_HEADERS
        .iter()
        .flat_map(|name| headers.get_all(*name))
        .collect();
    let sent = keys.len() + headers.get_all(AUTHORIZATION).iter().count();
    match keys.first() {
        _ if sent > 1 => Err(KeyFault::Ambiguous(sent)),
        None => Err(KeyFault::Missing),
        Some(value) => match value.to_str().map(str::trim) {
            Ok("") => Err(KeyFault::Missing),
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(KeyFault::Unknown { hint: mask_key("") }),
        },
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn either_header_carries_the_key() {
        assert_eq!(api_key(&headers(&[("x-api-key", "k")])), Ok("k".to_owned()));
        assert_eq!(
            api_key(&headers(&[("x-user-api-key", " k ")])),
            Ok("k".to_owned())
        );
    }

    #[test]
    fn none_is_missing_and_a_bearer_alone_is_no_key_here() {
        assert_eq!(api_key(&headers(&[])), Err(KeyFault::Missing));
        assert_eq!(
            api_key(&headers(&[("x-api-key", "")])),
            Err(KeyFault::Missing)
        );
        assert_eq!(
            api_key(&headers(&[("authorization", "Bearer k")])),
            Err(KeyFault::Missing)
        );
    }

    #[test]
    fn a_second_credential_header_of_any_kind_is_ambiguous() {
        for second in ["x-api-key", "x-user-api-key", "authorization"] {
            assert_eq!(
                api_key(&headers(&[("x-api-key", "k"), (second, "k")])),
                Err(KeyFault::Ambiguous(2)),
                "{second}"
            );
        }
    }

    #[test]
    fn a_key_of_other_bytes_than_ascii_is_unknown_and_not_repeated() {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", HeaderValue::from_bytes(b"k\xff").unwrap());
        assert_eq!(
            api_key(&headers),
            Err(KeyFault::Unknown {
                hint: "...".to_owned()
            })
        );
    }
}
