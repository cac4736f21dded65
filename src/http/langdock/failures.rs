//! The failures that an operation can end in, for the document.

use std::collections::BTreeMap;

use utoipa::openapi::schema::AnyOfBuilder;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, ToSchema};

use super::error::{ErrorResponse, InsufficientScopes};
use super::rate_limit;

const DESCRIPTIONS: [(u16, &str); 10] = [
    (
        400,
        "Invalid request body or integration ID: every problem at once",
    ),
    (401, "Invalid or missing API key"),
    (
        403,
        "No access, a missing scope, or a request from a browser",
    ),
    (404, "Integration not found"),
    (
        412,
        "The integration was changed since the ETag of If-Match",
    ),
    (413, "The body is too large"),
    (415, "The body is not application/json"),
    (429, "Rate limit exceeded"),
    (500, "Internal server error"),
    (
        503,
        "Temporarily unavailable; Retry-After says when to try again",
    ),
];

macro_rules! failures {
    ($($(#[$doc:meta])* $name:ident: not $($status:literal)*;)*) => {$(
        $(#[$doc])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                but(&[$($status),*])
            }
        }
    )*};
}

failures! {
    /// Of a read.
    ReadFailures: not 412 413 415;
    /// Of making something new.
    CreateFailures: not 404 412;
    /// Of a change.
    ChangeFailures: not;
}

/// All of them but these.
fn but(absent: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    DESCRIPTIONS
        .iter()
        .filter(|(status, _)| !absent.contains(status))
        .map(|(status, description)| {
            let content = Content::new(Some(body(*status)));
            let response = ResponseBuilder::new().description(*description);
            let response = response.content("application/json", content);
            let response = if *status == 429 {
                rate_limit::describe(response)
            } else {
                response
            };
            (status.to_string(), response.build().into())
        })
        .collect()
}

/// A 403 is a plain failure or names the missing scope as well.
fn body(status: u16) -> RefOr<Schema> {
    let plain = Ref::from_schema_name(ErrorResponse::name());
    if status == 403 {
        let scopes = Ref::from_schema_name(InsufficientScopes::name());
        AnyOfBuilder::new().item(scopes).item(plain).into()
    } else {
        plain.into()
    }
}
