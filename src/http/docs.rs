//! The references, for readers and for generators of clients: `/docs` and `/openapi/<dialect>.json`. Nothing is
//! loaded from another host.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use utoipa_swagger_ui::{Config, SwaggerUi, Url};

use super::failure::Failure;
use super::{DIALECTS, openapi_json};
use crate::domain::{Error, Service};

/// Only what the page brings along; `style-src` because Swagger UI puts styles into its elements, `data:` because
/// its icons are such URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// `/docs`, and `/openapi/<dialect>.json` for each dialect.
pub(super) fn routes() -> Router<Service> {
    DIALECTS
        .iter()
        .zip(PATHS.iter())
        .fold(page(), |router, (dialect, path)| {
            let document = Bytes::from(openapi_json(dialect.name).unwrap_or_default());
            router.route(path, get(async move || document_answer(document)))
        })
}

/// Where each dialect's document is.
static PATHS: LazyLock<[String; DIALECTS.len()]> =
    LazyLock::new(|| DIALECTS.map(|dialect| format!("/openapi/{}.json", dialect.name)));

fn document_answer(document: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, document).into_response()
}

/// Swagger UI with the dialects to choose from. The online validator that it would ask is off.
fn page() -> Router<Service> {
    let references = DIALECTS
        .iter()
        .zip(PATHS.iter())
        .map(|(dialect, path)| Url::new(dialect.name, path));
    let config = Config::new(references)
        .validator_url("none")
        .display_operation_id(true);
    Router::from(SwaggerUi::new("/docs").config(config)).layer(from_fn(confined))
}

/// Puts the policy on the page and its parts; a part that is not there is an unknown route like any other.
async fn confined(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_client_error() {
        return Failure(Error::NoRoute).into_response();
    }
    if response.status().is_server_error() {
        return Failure(Error::internal(
            "the reference page could not be put together",
        ))
        .into_response();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
