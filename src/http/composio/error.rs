//! Every failure as this dialect's envelope, always complete (contract/composio "Conventions").

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer;
use crate::domain::Error;
use crate::domain::rate_limits::{Period, Rate};
use crate::http::dialect::Context;
use crate::http::failure::{retry_after, whole_seconds};

/// The SDKs repeat 408, 409, 429 and 5xx three times unless this header says otherwise.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");
/// Of a 429: how many requests the limit allows, how many of them are left, and in what time.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit");
pub(super) const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
pub(super) const WINDOW_SIZE: HeaderName = HeaderName::from_static("x-ratelimit-window-size");
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
    message: String,
}

/// The failure on the wire.
pub(super) fn render(error: &Error, context: &Context<'_>) -> Response {
    if let Error::RateLimited {
        rate, retry_after, ..
    } = error
    {
        return rate_limited(*rate, *retry_after);
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

/// 429 has no envelope here; the SDKs read the headers. The public text counts in minutes, and so does ours where the
/// limit does.
fn rate_limited(rate: Rate, retry_after: Duration) -> Response {
    let (window, size) = match rate.period() {
        Period::Second => ("1 seconds", "1s"),
        Period::Minute => ("1 minutes", "60s"),
        Period::Hour => ("60 minutes", "3600s"),
    };
    let body = RateLimitBody {
        message: format!(
            "Rate limit exceeded. Limit: {} requests per {window}",
            rate.count()
        ),
    };
    let mut response = (StatusCode::TOO_MANY_REQUESTS, Json(body)).into_response();
    let headers = response.headers_mut();
    headers.insert(LIMIT, rate.count().into());
    headers.insert(REMAINING, HeaderValue::from_static("0"));
    headers.insert(WINDOW_SIZE, HeaderValue::from_static(size));
    headers.insert(RETRY_AFTER, whole_seconds(retry_after).into());
    response
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
