//! The metrics' own listener: `/metrics`, and nothing else. It is no part of the server's router, so that what is
//! exposed to callers and what is exposed to operators can be told apart by address.

use axum::Router;
use axum::middleware::from_fn;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use super::layers;

/// The text format of Prometheus.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers GET and HEAD of `/metrics` with what `render` gives, and refuses everything else (404, 405).
pub fn metrics_router(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let metrics =
        async move || -> Response { ([(CONTENT_TYPE, FORMAT)], render()).into_response() };
    Router::new()
        .route("/metrics", get(metrics))
        .fallback(async || (StatusCode::NOT_FOUND, "not found: only /metrics is here\n"))
        .method_not_allowed_fallback(async || {
            (
                StatusCode::METHOD_NOT_ALLOWED,
                "method not allowed: use GET\n",
            )
        })
        .layer(from_fn(layers::guarded))
}
