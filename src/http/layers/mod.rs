//! What surrounds every request: its id, its span, the rendering of failures, its time limit, the end of a panic, and
//! what is measured of it.

mod deadline;
mod headers;
mod measured;
mod normal;
mod rendered;
mod request_id;
mod spanned;

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;

pub use deadline::Within;
pub(super) use headers::guarded;
pub use measured::measured;
pub(super) use measured::{Owner, note};
pub use request_id::RequestId;

use super::failure::Failure;
use crate::domain::Error;

/// How long an answer may take, where nothing else is said.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Puts all layers around `router`. From the outside in: spelling of the path, request id, headers of every answer,
/// span, rendering of failures, time limit, panics; so a panic and a time-out are failures like any other, with a
/// request id, in the words of the path's dialect.
pub fn all(router: Router, request_timeout: Duration) -> Router {
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(request_timeout, deadline::bounded))
        .layer(from_fn(rendered::rendered))
        .layer(from_fn(spanned::spanned))
        .layer(from_fn(headers::guarded))
        .layer(from_fn(request_id::assigned))
        .layer(from_fn(normal::normalised))
}

/// A panic becomes an internal error. Its message is dropped: it can hold what was being worked on. Where it
/// happened is the panic hook's to say.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    Failure(Error::internal("a handler panicked")).into_response()
}
