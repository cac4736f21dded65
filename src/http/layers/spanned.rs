//! One span per request, and one line when it is answered. Never a header, a query or a body.

use std::time::Instant;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use tracing::Instrument as _;
use tracing::field::Empty;

use super::RequestId;
use crate::http::dialect_of;

/// Runs the request within its span. `route` is recorded by the router, `tenant` by `Authorized`, the rest here.
pub(super) async fn spanned(request: Request, next: Next) -> Response {
    let span = tracing::info_span!(
        "request",
        request_id = RequestId::of(request.extensions()),
        dialect = dialect_of(request.uri().path()).name,
        method = method_name(request.method()),
        route = Empty,
        tenant = Empty,
        status = Empty,
        duration_ms = Empty,
    );
    answered(request, next).instrument(span).await
}

async fn answered(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let response = next.run(request).await;
    let span = tracing::Span::current();
    span.record("status", response.status().as_u16());
    span.record("duration_ms", begun.elapsed().as_secs_f64() * 1_000.0);
    tracing::info!("answered");
    response
}

/// The method, if it is a registered one: any other is text that the caller chose.
pub(super) fn method_name(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 9] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::PUT, "PUT"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::CONNECT, "CONNECT"),
        (Method::TRACE, "TRACE"),
    ];
    KNOWN
        .iter()
        .find(|(known, _)| known == method)
        .map_or("other", |(_, name)| name)
}
