//! Every failure on Klavis' wire: `{"detail": text}`, or FastAPI's list for a 422.

use std::borrow::Cow;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::validation::{HttpValidationError, ValidationError};
use crate::domain::Error;
use crate::domain::error::{BodyFault, KeyFault, Kind, Refusal};
use crate::http::dialect::Context;
use crate::http::failure::retry_after;
use crate::json::JsonFaultKind;

/// The body of every failure but 422.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(title = "ErrorResponse")]
pub(super) struct ErrorResponse {
    /// What went wrong.
    detail: Cow<'static, str>,
}

/// The failure as an answer.
pub(super) fn render(error: &Error, _: &Context<'_>) -> Response {
    let mut response = match answer(error) {
        Answer::Text(status, detail) => (status, Json(ErrorResponse { detail })).into_response(),
        Answer::List(detail) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            Json(HttpValidationError { detail }),
        )
            .into_response(),
    };
    if matches!(
        error,
        Error::Unauthenticated(KeyFault::Missing | KeyFault::Ambiguous(_))
    ) {
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let unavailable = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let shortly = unavailable.then(|| HeaderValue::from_static("1"));
    if let Some(wait) = retry_after(error).or(shortly) {
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    response
}

enum Answer {
    Text(StatusCode, Cow<'static, str>),
    List(Vec<ValidationError>),
}

/// Status and words. Foreign things are unknown things, so nothing here tells them apart.
fn answer(error: &Error) -> Answer {
    let (status, detail) = match error {
        Error::Unauthenticated(KeyFault::Missing | KeyFault::Ambiguous(_)) => {
            (StatusCode::UNAUTHORIZED, "Not authenticated")
        }
        Error::Unauthenticated(KeyFault::Unknown { .. } | KeyFault::Expired) => {
            (StatusCode::FORBIDDEN, "Invalid API key")
        }
        Error::MissingScope(scope) => {
            let detail = format!("The API key lacks the scope {scope}");
            return Answer::Text(StatusCode::FORBIDDEN, detail.into());
        }
        Error::NoAccess => (
            StatusCode::FORBIDDEN,
            "The API key has no access to this server",
        ),
        Error::LimitedKey => (
            StatusCode::FORBIDDEN,
            "The API key is limited to some integrations and cannot do this",
        ),
        Error::Browser => (StatusCode::FORBIDDEN, "Requests from browsers are refused"),
        Error::NotFound(Kind::Connection) => (StatusCode::NOT_FOUND, "Instance not found"),
        Error::NotFound(Kind::User) => (StatusCode::NOT_FOUND, "User not found"),
        Error::NotFound(Kind::Strata) => (StatusCode::NOT_FOUND, "Strata not found"),
        Error::NotFound(Kind::WhiteLabel) => (StatusCode::NOT_FOUND, "White label not found"),
        Error::NotFound(_) | Error::NoRoute => (StatusCode::NOT_FOUND, "Not Found"),
        Error::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"),
        Error::IllFormedId(_) => return Answer::List(vec![ValidationError::path_id()]),
        Error::Body(fault) => return body_answer(fault),
        Error::Invalid(issues) | Error::InvalidPath(issues) => {
            return Answer::List(issues.iter().map(ValidationError::of).collect());
        }
        Error::Refused(refusal) => refusal_words(refusal),
        Error::PreconditionFailed => (
            StatusCode::PRECONDITION_FAILED,
            "The object was changed meanwhile",
        ),
        Error::NotImplemented(what) => (StatusCode::NOT_IMPLEMENTED, *what),
        Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded"),
        Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Error::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    };
    Answer::Text(status, detail.into())
}

/// Bodies that could not be read. What is JSON by its bytes but not by its grammar is a 422, the rest FastAPI's 400.
fn body_answer(fault: &BodyFault) -> Answer {
    match fault {
        BodyFault::TooLarge { .. } => Answer::Text(
            StatusCode::PAYLOAD_TOO_LARGE,
            "Request body too large".into(),
        ),
        BodyFault::Empty => Answer::List(vec![ValidationError::no_body()]),
        BodyFault::MediaType => Answer::List(vec![ValidationError::no_json()]),
        BodyFault::Json(fault)
            if !matches!(fault.kind, JsonFaultKind::Encoding | JsonFaultKind::TooDeep) =>
        {
            Answer::List(vec![ValidationError::bad_json(fault)])
        }
        BodyFault::Json(_) | BodyFault::Incomplete | BodyFault::Encoding => Answer::Text(
            StatusCode::BAD_REQUEST,
            "There was an error parsing the body".into(),
        ),
    }
}

fn refusal_words(refusal: &Refusal) -> (StatusCode, &'static str) {
    match refusal {
        Refusal::AuthConfigDisabled => (StatusCode::FORBIDDEN, "Auth config is disabled"),
        Refusal::DiskFull => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Refusal::NameTaken => (StatusCode::CONFLICT, "The name is taken"),
        _ => (
            StatusCode::BAD_REQUEST,
            "The auth config does not allow this",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;
    use http_body_util::BodyExt as _;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::Scope;
    use crate::domain::error::Limited;
    use crate::json::Json as Tree;

    async fn rendered(error: Error) -> (u16, Value, http::HeaderMap) {
        let context = Context {
            request_id: "r",
            path: "/x",
            method: &Method::GET,
        };
        let (parts, body) = render(&error, &context).into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        (
            parts.status.as_u16(),
            serde_json::from_slice(&bytes).expect("JSON"),
            parts.headers,
        )
    }

    #[tokio::test]
    async fn a_missing_key_is_a_challenge_and_a_wrong_one_is_not() {
        let (status, body, headers) = rendered(Error::Unauthenticated(KeyFault::Missing)).await;
        assert_eq!(
            (status, body),
            (401, json!({"detail": "Not authenticated"}))
        );
        assert_eq!(headers[WWW_AUTHENTICATE], "Bearer");
        for fault in [
            KeyFault::Expired,
            KeyFault::Unknown {
                hint: "key…abcd".into(),
            },
        ] {
            let (status, body, headers) = rendered(Error::Unauthenticated(fault)).await;
            assert_eq!((status, body), (403, json!({"detail": "Invalid API key"})));
            assert!(!headers.contains_key(WWW_AUTHENTICATE));
        }
    }

    #[tokio::test]
    async fn texts_are_those_of_the_contract() {
        let second = Duration::from_millis(1_200);
        for (error, status, detail) in [
            (Error::NotFound(Kind::Connection), 404, "Instance not found"),
            (Error::NoRoute, 404, "Not Found"),
            (Error::MethodNotAllowed, 405, "Method Not Allowed"),
            (
                Error::Body(BodyFault::TooLarge { limit: 1 }),
                413,
                "Request body too large",
            ),
            (
                Error::RateLimited {
                    by: Limited::Key,
                    rate: "600/m".parse().unwrap(),
                    retry_after: second,
                },
                429,
                "Rate limit exceeded",
            ),
            (Error::internal("the cause"), 500, "Internal Server Error"),
            (
                Error::Refused(Refusal::AuthConfigDisabled),
                403,
                "Auth config is disabled",
            ),
        ] {
            let (answered, body, _) = rendered(error).await;
            assert_eq!((answered, body), (status, json!({ "detail": detail })));
        }
        let (_, body, _) = rendered(Error::MissingScope(Scope::ConnectionsWrite)).await;
        assert_eq!(
            body,
            json!({"detail": "The API key lacks the scope connections:write"})
        );
        let (status, _, headers) = rendered(Error::Unavailable {
            reason: "database".into(),
            retry_after: second,
        })
        .await;
        assert_eq!(
            (status, &headers[RETRY_AFTER]),
            (503, &HeaderValue::from_static("2"))
        );
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_or_too_deep_are_400_and_bad_json_is_422() {
        let of =
            |bytes: &[u8]| Error::Body(BodyFault::Json(Tree::parse(bytes).expect_err("a fault")));
        for bytes in [&b"\"\xff\""[..], "[".repeat(200).as_bytes()] {
            let (status, body, _) = rendered(of(bytes)).await;
            assert_eq!(
                (status, body),
                (
                    400,
                    json!({"detail": "There was an error parsing the body"})
                )
            );
        }
        let (status, body, _) = rendered(of("{\"é\":CANARY".as_bytes())).await;
        assert_eq!(status, 422);
        assert_eq!(body["detail"][0]["type"], "json_invalid");
        assert_eq!(body["detail"][0]["loc"], json!(["body", 5]));
        assert!(!body.to_string().contains("CANARY"));
    }
}
