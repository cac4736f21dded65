//! A dialect as plain data: what the rest of `http` needs to know of one wire API.

use axum::response::Response;
use http::HeaderMap;
use utoipa_axum::router::OpenApiRouter;

use crate::domain::error::KeyFault;
use crate::domain::{Error, Service};

/// One wire API. Authentication, the rendering of every failure and the OpenAPI document follow from its entry in
/// [`DIALECTS`](super::DIALECTS).
#[derive(Debug)]
pub struct Dialect {
    /// Its name: of the OpenAPI file, in spans and in metrics.
    pub name: &'static str,
    /// Where it is mounted; `""` is the root and takes every path that no other prefix takes.
    pub prefixes: &'static [&'static str],
    /// Its routes, without the prefix, each wired together with its documentation.
    pub routes: fn() -> OpenApiRouter<Service>,
    /// Title, security scheme and whatever else its OpenAPI document says apart from the routes.
    pub document: fn() -> utoipa::openapi::OpenApi,
    /// The text of the API key that the request presents.
    pub api_key: fn(&HeaderMap) -> Result<String, KeyFault>,
    /// Refuses a request before authentication (browser origins); most dialects refuse none.
    pub admit: fn(&HeaderMap) -> Result<(), Error>,
    /// Whether a path that a route would take is not there, whoever asks and however: a route that one of several
    /// prefixes does not have.
    pub hides: fn(&str) -> bool,
    /// Whether a GET route answers HEAD too.
    pub head: bool,
    /// Whether a body that is said to be encoded (`Content-Encoding`) is refused for that alone. Otherwise it is
    /// taken as it came, so that one which is encoded indeed is no JSON.
    pub refuses_encoded: bool,
    /// The failure on the wire: status, headers and body. The request id header is set by a layer, for all.
    pub render: fn(&Error, &Context<'_>) -> Response,
}

/// What a failure's rendering may name besides the failure itself.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The request's id, as in `x-request-id`.
    pub request_id: &'a str,
    /// The path as it was asked for.
    pub path: &'a str,
    /// The method as it was asked for.
    pub method: &'a http::Method,
}

impl Dialect {
    /// The prefix under which this dialect owns `path`, the longest one.
    pub fn owns(&self, path: &str) -> Option<&'static str> {
        self.prefixes
            .iter()
            .copied()
            .filter(|prefix| {
                path.strip_prefix(prefix)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .max_by_key(|prefix| prefix.len())
    }
}
