//! Whether the server lives and whether it can work: for load balancers and orchestrators.

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::failure::retry_after;
use crate::domain::{Error, Service};

/// How long readiness may take to find out; a probe that waits longer learns nothing more.
const PATIENCE: Duration = Duration::from_secs(2);

/// `/livez` and `/readyz`.
pub(super) fn routes() -> Router<Service> {
    Router::new()
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
}

/// The process answers. It asks nobody else, so that a database that is away does not get the server restarted.
async fn alive() -> Response {
    Json(json!({ "status": "alive" })).into_response()
}

/// The database and the key ring answer: 200, else 503. Why not is in the log.
async fn ready(State(service): State<Service>) -> Response {
    match tokio::time::timeout(PATIENCE, service.ready())
        .await
        .unwrap_or(Err(Error::TimedOut))
    {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            let again = retry_after(&error).unwrap_or(HeaderValue::from_static("1"));
            let body = Json(json!({ "status": "unavailable" }));
            (
                StatusCode::SERVICE_UNAVAILABLE,
                [(RETRY_AFTER, again)],
                body,
            )
                .into_response()
        }
    }
}
