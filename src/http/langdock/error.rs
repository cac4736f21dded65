//! How a failure looks on this wire (contract/langdock, "Conventions").

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::{issue_words, rate_limit};
use crate::domain::error::{BodyFault, Issue, Kind, Refusal, Segment};
use crate::domain::{Error, Scope};
use crate::http::{Context, retry_after};

/// A failure. `errors` is there where the body is at fault: every problem at once.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErrorResponse {
    /// What is wrong, in a sentence.
    message: String,
    /// Every problem of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Problem>,
}

/// One problem of the body. The value is never repeated.
#[derive(Debug, Serialize, ToSchema)]
struct Problem {
    /// Where: names of members and indices of elements, empty for the body itself.
    path: Vec<Step>,
    /// What is wrong there.
    message: String,
}

/// A member's name or an element's index.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Step {
    Member(String),
    Element(usize),
}

/// The key lacks a scope.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct InsufficientScopes {
    /// Always `INSUFFICIENT_SCOPES`.
    error: &'static str,
    /// What is wrong, in a sentence.
    message: String,
    details: MissingScopes,
}

/// What the key would need.
#[derive(Debug, Serialize, ToSchema)]
struct MissingScopes {
    /// The scopes that it lacks.
    missing: Vec<&'static str>,
}

/// The answer to a failed request.
pub(super) fn render(error: &Error, _: &Context<'_>) -> Response {
    let (status, message) = match error {
        Error::Invalid(issues) | Error::InvalidPath(issues) => return invalid(issues),
        Error::Body(fault) => return unreadable(fault),
        Error::MissingScope(scope) => return insufficient(*scope),
        Error::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "Invalid or missing API key"),
        Error::NoAccess => (StatusCode::FORBIDDEN, "No access to this integration"),
        Error::LimitedKey => (
            StatusCode::FORBIDDEN,
            "This API key is limited to some integrations and cannot create one",
        ),
        Error::Browser => (
            StatusCode::FORBIDDEN,
            "Requests from browsers are blocked to protect your API key",
        ),
        Error::NotFound(kind) => (StatusCode::NOT_FOUND, not_found(*kind)),
        Error::NoRoute => (StatusCode::NOT_FOUND, "No such endpoint"),
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method not allowed"),
        Error::IllFormedId(Kind::Integration) => {
            (StatusCode::BAD_REQUEST, "Invalid integration ID format")
        }
        Error::IllFormedId(_) => (StatusCode::BAD_REQUEST, "Invalid ID format"),
        Error::Refused(refusal) => refused(refusal),
        Error::PreconditionFailed => (
            StatusCode::PRECONDITION_FAILED,
            "The integration was changed meanwhile: get it again and retry with its ETag",
        ),
        Error::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "This is not available yet"),
        Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded"),
        Error::Unavailable { .. } => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Temporarily unavailable, try again later",
        ),
        Error::TimedOut => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The request took too long, try again later",
        ),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal server error"),
    };
    let mut response = plain(status, message);
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let soon = || (status == StatusCode::SERVICE_UNAVAILABLE).then(|| HeaderValue::from(1));
    if let Some(wait) = retry_after(error).or_else(soon) {
        headers.insert(RETRY_AFTER, wait);
    }
    if let Error::RateLimited {
        by,
        rate,
        retry_after,
    } = error
    {
        rate_limit::tell(headers, *by, *rate, *retry_after);
    }
    response
}

fn plain(status: StatusCode, message: &str) -> Response {
    (
        status,
        Json(ErrorResponse {
            message: message.to_owned(),
            errors: Vec::new(),
        }),
    )
        .into_response()
}

fn invalid(issues: &[Issue]) -> Response {
    let errors = issues.iter().map(|issue| Problem {
        path: issue.path.iter().map(Step::from).collect(),
        message: issue_words::words(&issue.rule),
    });
    bad_body("Invalid request body", errors.collect())
}

fn unreadable(fault: &BodyFault) -> Response {
    let message = match fault {
        BodyFault::TooLarge { limit } => {
            let message = format!("The request body is larger than {limit} bytes");
            return plain(StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        BodyFault::MediaType => {
            return plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The Content-Type must be application/json",
            );
        }
        BodyFault::Encoding => {
            return plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The request body must not have a Content-Encoding",
            );
        }
        BodyFault::Incomplete => {
            return plain(
                StatusCode::REQUEST_TIMEOUT,
                "The request body did not arrive completely or in time",
            );
        }
        BodyFault::Empty => "must be a JSON object, but there is no body".to_owned(),
        BodyFault::Json(fault) => format!("is not JSON that can be taken: {fault}"),
    };
    bad_body(
        "Invalid request body",
        vec![Problem {
            path: Vec::new(),
            message,
        }],
    )
}

fn bad_body(message: &str, errors: Vec<Problem>) -> Response {
    (
        StatusCode::BAD_REQUEST,
        Json(ErrorResponse {
            message: message.to_owned(),
            errors,
        }),
    )
        .into_response()
}

fn insufficient(scope: Scope) -> Response {
    let body = InsufficientScopes {
        error: "INSUFFICIENT_SCOPES",
        message: format!("This API key lacks the scope {scope}"),
        details: MissingScopes {
            missing: vec![scope.name()],
        },
    };
    (StatusCode::FORBIDDEN, Json(body)).into_response()
}

fn not_found(kind: Kind) -> &'static str {
    match kind {
        Kind::Integration | Kind::Service => "Integration not found",
        Kind::AuthConfig => "Auth configuration not found",
        Kind::Connection => "Connection not found",
        Kind::Tenant => "Workspace not found",
        Kind::ApiKey => "API key not found",
        Kind::User | Kind::Strata | Kind::WhiteLabel => "Not found",
    }
}

fn refused(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::NameTaken => (StatusCode::CONFLICT, "The name is taken already"),
        Refusal::DiskFull => (
            StatusCode::SERVICE_UNAVAILABLE,
            "The server has too little free disk space to write",
        ),
        _ => (
            StatusCode::CONFLICT,
            "The integration's auth configuration does not allow this now",
        ),
    }
}

impl From<&Segment> for Step {
    fn from(segment: &Segment) -> Self {
        match segment {
            Segment::Index(index) => Self::Element(*index),
            Segment::Key(key) => Self::Member(key.clone().into_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::error::Limited;

    /// Status and `Retry-After` of the answer to `error`.
    fn answer(error: &Error) -> (u16, Option<String>) {
        let context = Context {
            request_id: "r",
            path: "/integrations/v1/create",
            method: &http::Method::POST,
        };
        let response = render(error, &context);
        let wait = response.headers().get(RETRY_AFTER);
        let wait = wait.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), wait)
    }

    #[test]
    fn failures_that_pass_say_when_to_try_again() {
        let (reason, retry_after) = ("database".into(), Duration::from_secs(2));
        let away = Error::Unavailable {
            reason,
            retry_after,
        };
        let soon = |seconds: &str| Some(seconds.to_owned());
        assert_eq!(answer(&away), (503, soon("2")));
        let too_often = Error::RateLimited {
            by: Limited::Key,
            rate: "600/m".parse().unwrap(),
            retry_after,
        };
        assert_eq!(answer(&too_often), (429, soon("2")));
        assert_eq!(answer(&Error::TimedOut), (503, soon("1")));
        assert_eq!(answer(&Error::Refused(Refusal::DiskFull)), (503, soon("1")));
    }

    #[test]
    fn other_failures_have_the_status_of_the_contract() {
        for (error, status) in [
            (Error::internal("cause"), 500),
            (Error::PreconditionFailed, 412),
            (Error::Refused(Refusal::NameTaken), 409),
            (Error::Body(BodyFault::Encoding), 415),
            (Error::Body(BodyFault::Incomplete), 408),
            (Error::LimitedKey, 403),
        ] {
            assert_eq!(answer(&error), (status, None), "{error:?}");
        }
    }
}
