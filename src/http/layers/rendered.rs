//! Failures become answers, in the words of the path's dialect; on the pages for people, pages.

use std::error::Error as StdError;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::header::ALLOW;

use super::RequestId;
use crate::domain::Error;
use crate::http::{Context, connect, dialect_of};

/// Replaces a response that carries a failure by the dialect's rendering of it, or by a page. `Allow`, which only the router
/// knows, stays.
pub(super) async fn rendered(request: Request, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let id = request.extensions().get::<RequestId>().cloned();
    let response = next.run(request).await;
    let Some(error) = response.extensions().get::<Arc<Error>>() else {
        return response;
    };
    log(error);
    let context = Context {
        request_id: id.as_ref().map_or("", RequestId::as_str),
        path: uri.path(),
        method: &method,
    };
    let mut answer = if connect::owns(uri.path()) {
        connect::render(error, &context)
    } else {
        (dialect_of(uri.path()).render)(error, &context)
    };
    if let Some(allow) = response.headers().get(ALLOW) {
        answer.headers_mut().insert(ALLOW, allow.clone());
    }
    answer
}

/// What the operator must know; the request id is on the span. A refusal of the caller's own making is no event.
fn log(error: &Error) {
    match error {
        Error::Internal(cause) => tracing::error!(cause = chain(cause.as_ref()), "internal error"),
        Error::Unavailable { reason, .. } => tracing::warn!(%reason, "unavailable"),
        Error::TimedOut => tracing::warn!("timed out"),
        _ => {}
    }
}

/// The cause and what caused it, as they display themselves: never their `Debug`, which can hold values.
fn chain(cause: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(Some(cause), |cause| (*cause).source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
