//! Paths that differ from a route in their last slash only.

use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode, Uri};
use utoipa_axum::router::OpenApiRouter;

use crate::domain::{Error, Service};
use crate::http::failure::Failure;

/// Routes the other spelling of every documented path to [`redirect`]. The original does so for every method, before
/// it looks at a key.
pub(super) fn with_other_spellings(router: OpenApiRouter<Service>) -> OpenApiRouter<Service> {
    let paths: Vec<String> = router.get_openapi().paths.paths.keys().cloned().collect();
    paths.iter().fold(router, |router, path| {
        let other = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        router.route(&other, any(redirect))
    })
}

/// 307 to the path with the slash or without it; the query stays. The location is relative, so that neither the
/// `Host` header nor a prefix that a proxy took away matters.
async fn redirect(uri: Uri) -> Response {
    match HeaderValue::from_str(&relative(&uri)) {
        Ok(location) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response(),
        Err(_) => Failure(Error::NoRoute).into_response(),
    }
}

/// The other spelling, seen from this one (RFC 3986 section 5.2).
fn relative(uri: &Uri) -> String {
    let path = uri.path();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let mut location = match path.strip_suffix('/') {
        Some(without) => format!("../{}", last(without)),
        None => format!("{}/", last(path)),
    };
    if let Some(query) = uri.query().filter(|query| !query.is_empty()) {
        location.push('?');
        location.push_str(query);
    }
    location
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_spelling_is_seen_from_this_one() {
        for (asked, location) in [
            ("/user", "user/"),
            ("/user?page_size=3&x=%20", "user/?page_size=3&x=%20"),
            ("/user/u/", "../u"),
            ("/user/a:b%2F/?", "../a:b%2F"),
            ("/mcp-server/instance/set-auth/?a", "../set-auth?a"),
        ] {
            let uri: Uri = asked.parse().expect("a URI");
            assert_eq!(relative(&uri), location, "{asked}");
        }
    }
}
