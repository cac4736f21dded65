//! `GET /oauth/{server}/authorize`: where a user would begin to agree at the provider.

use super::error::ErrorResponse;
use crate::domain::Error;
use crate::http::failure::Failure;

/// Nothing is looked at: the answer is the same for every server and instance, known or not.
#[utoipa::path(
    get,
    path = "/oauth/{server}/authorize",
    tag = "oauth",
    operation_id = "authorize",
    summary = "Authorize",
    description = "Not part of this version: it answers 501, whatever is asked, and no link that this server gives \
                   leads here. It will send the user's browser to the provider.",
    security(),
    params(
        ("server" = String, Path, description = "The server's slug"),
        ("instance_id" = String, Query, description = "The instance to connect"),
        ("client_id" = Option<String>, Query, description = "The white-label app to connect with"),
        ("scope" = Option<String>, Query, description = "The scopes to ask for, with commas between them"),
        ("redirect_url" = Option<String>, Query, description = "Where to go afterwards")
    ),
    responses((status = 501, description = "Not part of this version", body = ErrorResponse)),
)]
pub(super) async fn handler() -> Failure {
    Error::NotImplemented("The OAuth engine is not part of this version").into()
}
