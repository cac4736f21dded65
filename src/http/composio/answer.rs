//! What this dialect says of each failure: status, code, slug, words (contract/composio "Known codes").

use std::borrow::Cow;

use http::{Method, StatusCode};

use super::{refusals, wording};
use crate::domain::Error;
use crate::domain::error::{BodyFault, Issue, KeyFault, Kind};
use crate::domain::ids::ConnectedAccountId;
use crate::http::dialect::Context;

const CHECK_PAYLOAD: &str = "Please check the payload.";
const ONE_KEY: &str = "Send your API key in the header x-api-key and no other credential header.";
const OTHER_SCOPE: &str = "Use an API key that has the scope, or ask the operator for one.";
const REPORT: &str = "Try again; if it fails again, give the request_id to the operator.";
const LATER: &str = "Try again after the number of seconds that Retry-After names.";

/// What a failure says, before it is put into the envelope.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) code: u32,
    pub(super) slug: &'static str,
    pub(super) message: Cow<'static, str>,
    pub(super) fix: Cow<'static, str>,
    pub(super) errors: Vec<String>,
}

impl Answer {
    pub(super) fn new(
        status: StatusCode,
        code: u32,
        slug: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let (message, fix) = (message.into(), CHECK_PAYLOAD.into());
        Self {
            status,
            code,
            slug,
            message,
            fix,
            errors: Vec::new(),
        }
    }

    pub(super) fn fix(self, fix: impl Into<Cow<'static, str>>) -> Self {
        Self {
            fix: fix.into(),
            ..self
        }
    }

    fn invalid(status: StatusCode, code: u32, slug: &'static str, errors: Vec<String>) -> Self {
        Self {
            errors,
            ..Self::new(
                status,
                code,
                slug,
                "Validation error while processing request",
            )
        }
    }

    fn bad_request(errors: Vec<String>) -> Self {
        Self::invalid(StatusCode::BAD_REQUEST, 10400, "HTTP_BadRequest", errors)
    }

    pub(super) fn unavailable(message: &'static str) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            10503,
            "HTTP_ServiceUnavailable",
            message,
        )
        .fix(LATER)
    }
}

/// What this dialect says of `error`.
pub(super) fn to(error: &Error, context: &Context<'_>) -> Answer {
    match error {
        Error::Unauthenticated(fault) => unauthenticated(fault),
        Error::MissingScope(scope) => Answer::new(
            StatusCode::FORBIDDEN,
            812,
            "APIKey_InsufficientPermissions",
            format!("The API key lacks the scope {scope}"),
        )
        .fix(OTHER_SCOPE),
        Error::LimitedKey => Answer::new(
            StatusCode::FORBIDDEN,
            812,
            "APIKey_InsufficientPermissions",
            "An API key that is limited to some integrations cannot make a new one",
        )
        .fix("Use an API key without a list of integrations."),
        Error::NoAccess => Answer::new(
            StatusCode::FORBIDDEN,
            10403,
            "HTTP_Forbidden",
            "No access to this integration",
        )
        .fix("Use an API key whose list of integrations names it."),
        Error::Browser => Answer::new(
            StatusCode::FORBIDDEN,
            10403,
            "HTTP_Forbidden",
            "Requests from a browser are refused",
        )
        .fix("Call the API from your server."),
        Error::NotFound(kind) => not_found(*kind, context.path),
        Error::NoRoute => Answer::new(
            StatusCode::NOT_FOUND,
            10404,
            "HTTP_NotFound",
            "URL not found",
        )
        .fix("Check the URL."),
        Error::MethodNotAllowed => Answer::new(
            StatusCode::METHOD_NOT_ALLOWED,
            10405,
            "HTTP_MethodNotAllowed",
            "The method is not allowed for this URL",
        )
        .fix("Use one of the methods that the header Allow names."),
        Error::IllFormedId(kind) => ill_formed(*kind),
        Error::InvalidPath(issues) => lines("params", issues),
        Error::Body(fault) => unreadable(fault),
        Error::Invalid(issues) => invalid(issues, context),
        Error::Refused(refusal) => refusals::of(refusal),
        Error::PreconditionFailed => Answer::new(
            StatusCode::PRECONDITION_FAILED,
            10412,
            "HTTP_PreconditionFailed",
            "The object was changed since the ETag in If-Match was read",
        )
        .fix("Read it again and send its new ETag."),
        Error::NotImplemented(what) => Answer::new(
            StatusCode::NOT_IMPLEMENTED,
            10501,
            "HTTP_NotImplemented",
            format!("Not implemented: {what}"),
        )
        .fix("This server stores it but does not run it."),
        Error::RateLimited { .. } => Answer::new(
            StatusCode::TOO_MANY_REQUESTS,
            10429,
            "HTTP_TooManyRequests",
            "Rate limit exceeded",
        )
        .fix(LATER),
        Error::Unavailable { .. } => Answer::unavailable("Temporarily unavailable"),
        Error::TimedOut => Answer::unavailable("The request took too long"),
        Error::Internal(_) => Answer::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            10500,
            "HTTP_InternalServerError",
            "Internal server error",
        )
        .fix(REPORT),
    }
}

fn unauthenticated(fault: &KeyFault) -> Answer {
    let new = |code, slug, message| {
        Answer::new(StatusCode::UNAUTHORIZED, code, slug, message).fix(ONE_KEY)
    };
    match fault {
        KeyFault::Missing => new(906, "Auth_NoAuthProvided", Cow::Borrowed("No API key provided")),
        KeyFault::Ambiguous(_) => new(
            10401,
            "HTTP_Unauthorized",
            "Multiple authentication modes were provided. Provide exactly one authentication mode per request.".into(),
        ),
        KeyFault::Unknown { hint } => new(801, "APIKey_InvalidAPIKey", format!("Invalid API key: {hint}").into()),
        KeyFault::Expired => new(811, "APIKey_APIKeyExpired", "The API key has expired".into()),
    }
}

/// The connected account that the path names. Its id has its form by then, so that it can be repeated.
fn account_in(path: &str) -> Option<ConnectedAccountId> {
    path.split('/').find_map(|segment| segment.parse().ok())
}

fn not_found(kind: Kind, path: &str) -> Answer {
    if let (Kind::Connection, Some(id)) = (kind, account_in(path)) {
        return Answer::new(
            StatusCode::NOT_FOUND,
            606,
            "ConnectedAccount_ResourceNotFound",
            format!("Connected account \"{id}\" not found"),
        )
        .fix("Check the connected account id.");
    }
    let (code, slug, message, fix) = match kind {
        Kind::AuthConfig => (
            302,
            "Auth_Config_NotFound",
            "Auth config not found",
            "Check the auth config id.",
        ),
        Kind::Integration | Kind::Service => (
            401,
            "Toolkit_NotFound",
            "Toolkit not found",
            "Check toolkit.slug.",
        ),
        Kind::Connection => (
            606,
            "ConnectedAccount_ResourceNotFound",
            "Connected account not found",
            "Check the connected account id.",
        ),
        Kind::Tenant | Kind::ApiKey | Kind::User | Kind::Strata | Kind::WhiteLabel => {
            (10404, "HTTP_NotFound", "Not found", "Check the id.")
        }
    };
    Answer::new(StatusCode::NOT_FOUND, code, slug, message).fix(fix)
}

fn ill_formed(kind: Kind) -> Answer {
    let fix = match kind {
        Kind::AuthConfig => "Send the id as it was given: ac_ and 12 characters.",
        Kind::Connection => "Send the id as it was given: ca_ and 12 characters.",
        _ => "Send the id as it was given.",
    };
    let text = wording::ill_formed_id(kind);
    Answer::bad_request(vec![format!("Error in params.nanoid: {text}")]).fix(fix)
}

fn unreadable(fault: &BodyFault) -> Answer {
    let errors = vec![wording::unreadable(fault)];
    match fault {
        BodyFault::TooLarge { .. } => Answer::invalid(
            StatusCode::PAYLOAD_TOO_LARGE,
            10413,
            "HTTP_PayloadTooLarge",
            errors,
        ),
        BodyFault::MediaType | BodyFault::Encoding => Answer::invalid(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            10415,
            "HTTP_UnsupportedMediaType",
            errors,
        ),
        BodyFault::Incomplete | BodyFault::Empty | BodyFault::Json(_) => {
            Answer::bad_request(errors)
        }
    }
}

/// Reads and deletions take a query and no body; everything else takes a body.
fn invalid(issues: &[Issue], context: &Context<'_>) -> Answer {
    let part = if matches!(*context.method, Method::GET | Method::HEAD | Method::DELETE) {
        "query"
    } else {
        "payload"
    };
    lines(part, issues)
}

fn lines(part: &str, issues: &[Issue]) -> Answer {
    Answer::bad_request(
        issues
            .iter()
            .map(|issue| wording::line(part, issue))
            .collect(),
    )
}
