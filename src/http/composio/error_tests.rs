//! The envelope, its codes and headers.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::domain::caller::Scope;
use crate::domain::error::{BodyFault, Issue, KeyFault, Kind, Limited, Refusal, Rule};
use crate::json::Json as Tree;

const ID: &str = "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";

async fn body(error: &Error, method: Method) -> (http::Response<()>, Value) {
    let context = Context {
        request_id: ID,
        path: "/api/v3/auth_configs",
        method: &method,
    };
    let (parts, body) = render(error, &context).into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (
        http::Response::from_parts(parts, ()),
        serde_json::from_slice(&bytes).unwrap(),
    )
}

#[tokio::test]
async fn the_envelope_is_complete() {
    let issues = vec![
        Issue::at("type", Rule::Required),
        Issue::at("colour", Rule::UnknownKey),
    ];
    let (head, json) = body(&Error::Invalid(issues), Method::PATCH).await;
    assert_eq!(head.status(), 400);
    assert_eq!(
        json,
        json!({ "error": {
            "message": "Validation error while processing request",
            "code": 10400,
            "slug": "HTTP_BadRequest",
            "status": 400,
            "request_id": ID,
            "suggested_fix": "Please check the payload.",
            "errors": ["Error in payload.type: Required", "Error in payload.colour: Unrecognized key"],
        }})
    );
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table of every failure")]
async fn every_failure_has_its_status_code_and_slug() {
    let toolkit = || "github".to_owned();
    let soon = Duration::from_millis(1_500);
    let fault = Tree::parse(b"{").err().unwrap();
    for (error, status, code, slug) in [
        (
            Error::Unauthenticated(KeyFault::Missing),
            401,
            906,
            "Auth_NoAuthProvided",
        ),
        (
            Error::Unauthenticated(KeyFault::Ambiguous(2)),
            401,
            10401,
            "HTTP_Unauthorized",
        ),
        (
            Error::Unauthenticated(KeyFault::Unknown {
                hint: "kw_...abcd".into(),
            }),
            401,
            801,
            "APIKey_InvalidAPIKey",
        ),
        (
            Error::Unauthenticated(KeyFault::Expired),
            401,
            811,
            "APIKey_APIKeyExpired",
        ),
        (
            Error::MissingScope(Scope::AuthConfigsWrite),
            403,
            812,
            "APIKey_InsufficientPermissions",
        ),
        (
            Error::LimitedKey,
            403,
            812,
            "APIKey_InsufficientPermissions",
        ),
        (Error::NoAccess, 403, 10403, "HTTP_Forbidden"),
        (
            Error::NotFound(Kind::AuthConfig),
            404,
            302,
            "Auth_Config_NotFound",
        ),
        (Error::NotFound(Kind::Service), 404, 401, "Toolkit_NotFound"),
        (
            Error::NotFound(Kind::Connection),
            404,
            606,
            "ConnectedAccount_ResourceNotFound",
        ),
        (Error::NoRoute, 404, 10404, "HTTP_NotFound"),
        (Error::MethodNotAllowed, 405, 10405, "HTTP_MethodNotAllowed"),
        (
            Error::IllFormedId(Kind::AuthConfig),
            400,
            10400,
            "HTTP_BadRequest",
        ),
        (Error::Body(BodyFault::Empty), 400, 10400, "HTTP_BadRequest"),
        (
            Error::Body(BodyFault::Json(fault)),
            400,
            10400,
            "HTTP_BadRequest",
        ),
        (
            Error::Body(BodyFault::TooLarge { limit: 262_144 }),
            413,
            10413,
            "HTTP_PayloadTooLarge",
        ),
        (
            Error::Body(BodyFault::MediaType),
            415,
            10415,
            "HTTP_UnsupportedMediaType",
        ),
        (
            Error::Refused(Refusal::AuthConfigDisabled),
            400,
            600,
            "ConnectedAccount_BadRequest",
        ),
        (
            Error::Refused(Refusal::AuthConfigTypeMismatch { managed: false }),
            400,
            301,
            "Auth_Config_ValidationError",
        ),
        (
            Error::Refused(Refusal::NoManagedApp { toolkit: toolkit() }),
            400,
            306,
            "Auth_Config_DefaultAuthConfigNotFound",
        ),
        (
            Error::Refused(Refusal::NoAuthApp { toolkit: toolkit() }),
            400,
            303,
            "Auth_Config_NoAuthApp",
        ),
        (
            Error::Refused(Refusal::NameTaken),
            409,
            10409,
            "HTTP_Conflict",
        ),
        (
            Error::Refused(Refusal::DiskFull),
            503,
            10503,
            "HTTP_ServiceUnavailable",
        ),
        (
            Error::PreconditionFailed,
            412,
            10412,
            "HTTP_PreconditionFailed",
        ),
        (
            Error::NotImplemented("SAML"),
            501,
            10501,
            "HTTP_NotImplemented",
        ),
        (
            Error::Unavailable {
                reason: "db".into(),
                retry_after: soon,
            },
            503,
            10503,
            "HTTP_ServiceUnavailable",
        ),
        (Error::TimedOut, 503, 10503, "HTTP_ServiceUnavailable"),
        (
            Error::internal("secret cause"),
            500,
            10500,
            "HTTP_InternalServerError",
        ),
    ] {
        let (head, json) = body(&error, Method::POST).await;
        let told = &json["error"];
        assert_eq!(head.status(), status, "{error}");
        assert_eq!(
            (&told["status"], &told["code"], &told["slug"]),
            (&json!(status), &json!(code), &json!(slug)),
            "{error}"
        );
        assert!(
            !told["message"].as_str().unwrap().is_empty()
                && !told["suggested_fix"].as_str().unwrap().is_empty()
        );
        assert!(!json.to_string().contains("secret cause"));
        let should_retry = head
            .headers()
            .get("x-should-retry")
            .map(|value| value.to_str().unwrap());
        assert_eq!(
            should_retry,
            matches!(status, 409 | 501).then_some("false"),
            "{error}"
        );
        assert_eq!(
            head.headers().contains_key("retry-after"),
            status == 503,
            "{error}"
        );
    }
}

#[tokio::test]
async fn words_that_clients_look_for() {
    let missing = Refusal::MissingClientMember {
        field: "Client id",
        scheme: "OAUTH2",
        toolkit: "github".into(),
    };
    for (error, message) in [
        (
            Error::Refused(missing),
            "Missing required field \"Client id\" for auth scheme \"OAUTH2\" in toolkit \"github\"",
        ),
        (
            Error::Unauthenticated(KeyFault::Unknown {
                hint: "kw_...abcd".into(),
            }),
            "Invalid API key: kw_...abcd",
        ),
        (
            Error::Unauthenticated(KeyFault::Missing),
            "No API key provided",
        ),
        (Error::NotFound(Kind::AuthConfig), "Auth config not found"),
        (Error::NoRoute, "URL not found"),
        (
            Error::Refused(Refusal::AuthConfigDisabled),
            "Auth config is disabled",
        ),
    ] {
        assert_eq!(
            body(&error, Method::POST).await.1["error"]["message"],
            message
        );
    }
}

#[tokio::test]
async fn faults_of_a_read_lie_in_the_query() {
    let (_, json) = body(
        &Error::Invalid(vec![Issue::at("limit", Rule::NotANumber)]),
        Method::GET,
    )
    .await;
    assert_eq!(
        json["error"]["errors"],
        json!(["Error in query.limit: Expected number, received nan"])
    );
}

#[tokio::test]
async fn too_many_requests_have_no_envelope() {
    let minute = ("600/m", "600", "1 minutes", "60s");
    for (rate, limit, period, window) in [minute, ("5/h", "5", "60 minutes", "3600s")] {
        let error = Error::RateLimited {
            by: Limited::Tenant,
            rate: rate.parse().unwrap(),
            retry_after: Duration::from_millis(1_500),
        };
        let (head, json) = body(&error, Method::GET).await;
        assert_eq!(head.status(), 429);
        let limited = format!("Rate limit exceeded. Limit: {limit} requests per {period}");
        assert_eq!(json["message"], limited);
        let sent = ["", "-remaining", "-window-size"]
            .map(|part| &head.headers()[format!("x-ratelimit{part}")]);
        assert_eq!(sent, [limit, "0", window]);
        assert_eq!(head.headers()["retry-after"], "2");
    }
}
