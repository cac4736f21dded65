//! The failures that an operation can end in, for the document.
#![expect(
    dead_code,
    reason = "these types are read by the OpenAPI generator only"
)]

use utoipa::IntoResponses;

use super::error::ErrorResponse;
use super::validation::HttpValidationError;

/// Of every operation.
#[derive(IntoResponses)]
pub(super) enum Failures {
    /// No API key
    #[response(status = 401)]
    NoKey(ErrorResponse),
    /// The API key is invalid or lacks a scope
    #[response(status = 403)]
    Forbidden(ErrorResponse),
    /// Rate limit exceeded
    #[response(
        status = 429,
        headers(("Retry-After" = u64, description = "Seconds until a request is let through again"))
    )]
    RateLimited(ErrorResponse),
    /// Temporarily unavailable: see Retry-After
    #[response(status = 503)]
    Unavailable(ErrorResponse),
}

/// Of an operation without a body whose path or query can be wrong. A path of plain text cannot.
#[derive(IntoResponses)]
pub(super) enum Invalid {
    /// Validation Error
    #[response(status = 422)]
    Invalid(HttpValidationError),
}

/// Of an operation on an instance that must exist.
#[derive(IntoResponses)]
pub(super) enum NoInstance {
    /// Instance not found
    #[response(status = 404)]
    NotFound(ErrorResponse),
}

/// Of an operation on a strata that must exist.
#[derive(IntoResponses)]
pub(super) enum NoStrata {
    /// Strata not found
    #[response(status = 404)]
    NotFound(ErrorResponse),
}

/// Of an operation on an OAuth client that must exist.
#[derive(IntoResponses)]
pub(super) enum NoWhiteLabel {
    /// White label not found
    #[response(status = 404)]
    NotFound(ErrorResponse),
}

/// Of an operation on a user that must exist.
#[derive(IntoResponses)]
pub(super) enum NoUser {
    /// User not found
    #[response(status = 404)]
    NotFound(ErrorResponse),
}

/// Of an operation with a body.
#[derive(IntoResponses)]
pub(super) enum BodyFailures {
    /// A body that is not text, or nested too deeply
    #[response(status = 400)]
    Unreadable(ErrorResponse),
    /// Request body too large
    #[response(status = 413)]
    TooLarge(ErrorResponse),
    /// Validation Error
    #[response(status = 422)]
    Invalid(HttpValidationError),
}
