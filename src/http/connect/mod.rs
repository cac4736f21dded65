//! The hosted connect page, `/connect/{link_token}`: HTML for people, on their phones too, without JavaScript.
//!
//! The page belongs to no dialect. Whoever holds the link is let in; it is used once and ends after ten minutes. No secret
//! is ever rendered, not even the one that was typed just now.

mod answer;
mod form;
mod guard;
mod pages;
mod show;
mod submit;
mod wording;

use axum::Router;
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::get;
use http::HeaderValue;
use http::header::STRICT_TRANSPORT_SECURITY;

pub(super) use guard::is_https;

use super::Context;
use crate::domain::{Error, Service};

/// Where the pages are.
const PLACE: &str = "/connect";
/// Two years, as the preload list asks for; without subdomains, which are not ours to say.
const TRANSPORT: &str = "max-age=63072000";

/// `/connect/{link_token}`.
pub(super) fn routes() -> Router<Service> {
    Router::new().route(
        "/connect/{link_token}",
        get(show::handler).post(submit::handler),
    )
}

/// Whether a path is for people: then its failures are pages too.
pub(super) fn owns(path: &str) -> bool {
    let rest = path.strip_prefix(PLACE);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A failure as a page. `Allow` is put on by a layer.
pub(super) fn render(error: &Error, context: &Context<'_>) -> Response {
    wording::failure(error, context.request_id)
}

/// Has browsers come by https only from now on. Put it around everything, where that is how this server is reached.
pub(super) fn by_https_only(router: Router) -> Router {
    router.layer(from_fn(
        async |request: axum::extract::Request, next: axum::middleware::Next| {
            let is_ours = owns(request.uri().path());
            let mut response = next.run(request).await;
            if is_ours {
                let always = HeaderValue::from_static(TRANSPORT);
                response
                    .headers_mut()
                    .insert(STRICT_TRANSPORT_SECURITY, always);
            }
            response
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_and_what_is_under_it_are_for_people() {
        for path in ["/connect", "/connect/", "/connect/lk_x", "/connect//a/b"] {
            assert!(owns(path), "{path}");
        }
        for path in ["/", "/connected", "/api/v3/connect", "/connectx/y"] {
            assert!(!owns(path), "{path}");
        }
    }
}
