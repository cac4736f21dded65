//! `PATCH /auth_configs/{nanoid}/{status}`

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use utoipa::ToSchema;

use super::document::{AUTH_CONFIGS, Failures};
use super::error::ErrorEnvelope;
use super::wire::Done;
use crate::domain::Service;
use crate::domain::error::{Error, Issue, Rule};
use crate::domain::ids::AuthConfigId;
use crate::http::extract::{AuthConfigsWrite, Authorized, IfMatch, Param, PathTexts};
use crate::http::failure::Failure;

/// The last word of the path.
#[derive(Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum StatusWord {
    Enabled,
    Disabled,
}

/// Enable or disable an authentication configuration
///
/// With a disabled auth config no new connections are made; those that are there stay as they are. There is no body:
/// one that is sent is ignored.
#[utoipa::path(
    patch,
    path = "/auth_configs/{nanoid}/{status}",
    operation_id = "patchAuthConfigsByNanoidByStatus",
    tag = AUTH_CONFIGS,
    params(
        ("nanoid" = String, Path, description = "The unique identifier of the authentication configuration to update", example = "ac_V1StGXR8_Z5j"),
        ("status" = inline(StatusWord), Path, description = "The status to set the auth configuration to"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read; the change is refused when it is out of date")
    ),
    responses(
        (status = 200, description = "Successfully updated auth config status", body = Done),
        (status = 412, description = "Changed since the ETag in If-Match was read", body = ErrorEnvelope),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsWrite>,
    State(service): State<Service>,
    id: Param<AuthConfigId>,
    path: PathTexts<2>,
    IfMatch(if_match): IfMatch,
) -> Result<Json<Done>, Failure> {
    let id = id.valid()?;
    let PathTexts([_, word]) = path;
    let status: StatusWord = word.parse()?;
    service
        .enable_auth_config(&caller, &id, status == StatusWord::Enabled, if_match)
        .await?;
    Ok(Json(Done::new(match status {
        StatusWord::Enabled => "Auth config enabled successfully",
        StatusWord::Disabled => "Auth config disabled successfully",
    })))
}

impl FromStr for StatusWord {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "ENABLED" => Ok(Self::Enabled),
            "DISABLED" => Ok(Self::Disabled),
            _ => {
                let rule = Rule::NotOneOf(["ENABLED", "DISABLED"].as_slice().into());
                Err(Error::InvalidPath(vec![Issue::at("status", rule)]))
            }
        }
    }
}
