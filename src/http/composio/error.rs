//! Every failure as this dialect's envelope, always complete (contract/composio "Conventions").

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer;
use crate::domain::Error;
use crate::http::dialect::Context;
use crate::http::failure::retry_after;

/// The SDKs repeat 408, 409, 429 and 5xx three times unless this header says otherwise.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// `Retry-After` of a 503 that names no time, such as a request that took too long.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// What every failure but 429 answers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error)]
pub(super) struct ErrorEnvelope {
    #[schema(inline)]
    error: ErrorBody,
}

/// The failure, its members always all there.
#[derive(Debug, Serialize, ToSchema)]
struct ErrorBody {
    /// What was attempted and why it was not done.
    message: String,
    /// The number of this kind of failure.
    code: u32,
    /// The name of this kind of failure.
    slug: &'static str,
    /// The HTTP status.
    status: u16,
    /// The request, as in the header `x-request-id`.
    request_id: String,
    /// What to change.
    suggested_fix: String,
    /// Every fault of the input, one a line.
    errors: Vec<String>,
}

/// What a 429 answers, without the envelope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RateLimit)]
pub(super) struct RateLimitBody {
    /// What happened.
    message: &'static str,
}

/// The failure on the wire.
pub(super) fn render(error: &Error, context: &Context<'_>) -> Response {
    if let Error::RateLimited { .. } = error {
        return rate_limited(error);
    }
    let answer = answer::to(error, context);
    let mut response = (
        answer.status,
        Json(ErrorEnvelope {
            error: ErrorBody {
                message: answer.message.into_owned(),
                code: answer.code,
                slug: answer.slug,
                status: answer.status.as_u16(),
                request_id: context.request_id.to_owned(),
                suggested_fix: answer.fix.into_owned(),
                errors: answer.errors,
            },
        }),
    )
        .into_response();
    if answer.status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, retry_after(error).unwrap_or(SOON));
    }
    if matches!(
        answer.status,
        StatusCode::CONFLICT | StatusCode::NOT_IMPLEMENTED
    ) {
        response
            .headers_mut()
            .insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    }
    response
}

/// 429 has no envelope here; the SDKs read the headers.
fn rate_limited(error: &Error) -> Response {
    let mut response = (
        StatusCode::TOO_MANY_REQUESTS,
        Json(RateLimitBody {
            message: "Rate limit exceeded",
        }),
    )
        .into_response();
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    headers.insert("x-ratelimit-window-size", HeaderValue::from_static("60s"));
    headers.insert(RETRY_AFTER, retry_after(error).unwrap_or(SOON));
    response
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
