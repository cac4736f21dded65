//! What the OpenAPI document says apart from the routes: title, security schemes, tags.

use std::collections::BTreeMap;

use http::header::RETRY_AFTER;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, Object, OpenApi, OpenApiBuilder, Ref, RefOr,
    Response, ResponseBuilder, Type,
};

use super::error::{ErrorEnvelope, LIMIT, REMAINING, RateLimitBody, WINDOW_SIZE};

/// The tag of the auth config operations, as in the public document.
pub(super) const AUTH_CONFIGS: &str = "Auth Configs";
/// The tag of the connected account operations, as in the public document.
pub(super) const CONNECTED_ACCOUNTS: &str = "Connected Accounts";
/// The tag of the toolkit operations, as in the public document.
pub(super) const TOOLKITS: &str = "Toolkits";

/// The tags with what they are about.
const TAGS: [(&str, &str); 3] = [
    (AUTH_CONFIGS, "Authentication configuration management"),
    (CONNECTED_ACCOUNTS, "Connected account management"),
    (TOOLKITS, "Toolkit listing and details"),
];

const DESCRIPTION: &str = "Auth configs and connected accounts in the words of Composio's public API, version 3 and \
    3.1. Both prefixes answer alike; only 3.1 has the revocation of a connected account.";

/// The document without its routes.
pub(super) fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Keyway: Composio dialect")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(DESCRIPTION))
        .build();
    let components = ComponentsBuilder::new()
        .schema_from::<ErrorEnvelope>()
        .schema_from::<RateLimitBody>()
        .security_scheme("ApiKeyAuth", key_in("x-api-key", "API key authentication"))
        .security_scheme(
            "UserApiKeyAuth",
            key_in("x-user-api-key", "The same key under another name"),
        )
        .build();
    let alternatives = ["ApiKeyAuth", "UserApiKeyAuth"]
        .map(|name| SecurityRequirement::new(name, [] as [&str; 0]));
    let tag = |(name, description): (&str, &str)| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    };
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some(alternatives))
        .tags(Some(TAGS.map(tag)))
        .build()
}

fn key_in(header: &str, description: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
        header,
        description,
    )))
}

/// The failures that an operation can answer besides its success.
pub(super) struct Failures;

/// Status, when it is answered, and the schema of its body.
const FAILURES: [(&str, &str, &str); 9] = [
    (
        "400",
        "The id, the query or the body breaks a rule; `errors` names every fault.",
        "Error",
    ),
    (
        "401",
        "No API key, an unknown or expired one, or more than one credential header.",
        "Error",
    ),
    ("403", "The API key lacks the scope.", "Error"),
    ("404", "Unknown, deleted or another tenant's.", "Error"),
    ("413", "The body is too large.", "Error"),
    ("415", "The body is not application/json.", "Error"),
    ("429", "Too many requests.", "RateLimit"),
    ("500", "A fault of the server.", "Error"),
    (
        "503",
        "Temporarily unavailable; see `Retry-After`.",
        "Error",
    ),
];

/// What a 429 says in its headers.
fn rate_limit_headers(response: ResponseBuilder) -> ResponseBuilder {
    let header = |kind, description: &str| {
        let schema = Object::with_type(kind);
        let header = HeaderBuilder::new().schema(Some(schema));
        header.description(Some(description)).build()
    };
    [
        (LIMIT, Type::Integer, "Requests that the limit allows."),
        (REMAINING, Type::Integer, "Requests that are left: none."),
        (
            WINDOW_SIZE,
            Type::String,
            "The time that the limit counts in, such as 60s.",
        ),
        (
            RETRY_AFTER,
            Type::Integer,
            "Seconds until a request is let through again.",
        ),
    ]
    .into_iter()
    .fold(response, |response, (name, kind, description)| {
        response.header(name.as_str(), header(kind, description))
    })
}

impl IntoResponses for Failures {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let response = |(status, description, schema): (&str, &str, &str)| {
            let content = ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(schema)))
                .build();
            let mut response = ResponseBuilder::new()
                .description(description)
                .content("application/json", content);
            if status == "429" {
                response = rate_limit_headers(response);
            }
            (status.to_owned(), RefOr::T(response.build()))
        };
        FAILURES.map(response).into()
    }
}
