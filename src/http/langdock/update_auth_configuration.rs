//! `PATCH /{integrationId}/auth`, and its plan (`x-dry-run`).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::ETAG;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::auth_request::{AuthRequest, UpdateAuthConfigurationRequest};
use super::failures::ChangeFailures;
use super::wire::{AuthSetting, entity_tag};
use crate::domain::auth_config::AuthPlan;
use crate::domain::error::{Issue, Rule};
use crate::domain::ids::IntegrationId;
use crate::domain::integration::IntegrationDetail;
use crate::domain::{Error, Service};
use crate::http::Failure;
use crate::http::extract::{Authorized, Body, IfMatch, IntegrationApi, Param};
use crate::http::layers::Within;

/// Asks for the plan instead of the change. Ours: Langdock has no such thing.
const DRY_RUN: &str = "x-dry-run";
/// A change of `authType` over very many connections has 60 s in the database.
const CHANGE_SECONDS: u64 = 70;

/// The auth setting after the change, or, with `x-dry-run: true`, what the change would break.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum UpdateAuthConfigurationResponse {
    Changed(ChangedAuthConfiguration),
    Planned(PlannedAuthConfiguration),
}

/// The auth setting after the change.
#[derive(Debug, Serialize, ToSchema)]
struct ChangedAuthConfiguration {
    integration: IntegrationAuthSetting,
}

/// The auth setting of an integration.
#[derive(Debug, Serialize, ToSchema)]
struct IntegrationAuthSetting {
    id: Uuid,
    #[serde(flatten)]
    auth: AuthSetting,
}

/// What the change would break. Nothing was changed.
#[derive(Debug, Serialize, ToSchema)]
struct PlannedAuthConfiguration {
    plan: Plan,
}

/// What a change would break.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Plan {
    /// How many user connections would be deleted.
    connections_deleted: i64,
    /// Whether the OAuth client would be deleted.
    oauth_client_deleted: bool,
    /// The slugs of the fields that would go.
    fields_removed: Vec<String>,
    /// The first ten users whose connections would be deleted.
    #[schema(max_items = 10)]
    users: Vec<String>,
}

impl From<&IntegrationDetail> for UpdateAuthConfigurationResponse {
    fn from(detail: &IntegrationDetail) -> Self {
        let integration = IntegrationAuthSetting {
            id: detail.integration.id.0,
            auth: AuthSetting::from(detail),
        };
        Self::Changed(ChangedAuthConfiguration { integration })
    }
}

impl From<AuthPlan> for UpdateAuthConfigurationResponse {
    fn from(plan: AuthPlan) -> Self {
        let AuthPlan {
            connections_deleted,
            oauth_client_deleted,
            fields_removed,
            users,
        } = plan;
        let plan = Plan {
            connections_deleted,
            oauth_client_deleted,
            fields_removed,
            users,
        };
        Self::Planned(PlannedAuthConfiguration { plan })
    }
}

/// Sets how users connect to the integration.
///
/// Another `authType` than now deletes all user connections and the previous OAuth client.
#[utoipa::path(
    patch,
    path = "/{integrationId}/auth",
    operation_id = "updateAuthConfiguration",
    tag = "Integrations",
    params(
        ("integrationId" = Uuid, Path, description = "UUID of the integration"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read last; 412 if it changed since"),
        ("x-dry-run" = Option<bool>, Header, description = "true: answer with the plan and change nothing")
    ),
    request_body = UpdateAuthConfigurationRequest,
    responses(
        (
            status = 200,
            description = "The auth setting, or the plan",
            body = UpdateAuthConfigurationResponse,
            headers(("ETag" = String, description = "Changes with every write to the integration or its auth setting"))
        ),
        ChangeFailures
    )
)]
pub(super) async fn handler(
    _: Within<CHANGE_SECONDS>,
    State(service): State<Service>,
    caller: Authorized<IntegrationApi>,
    id: Param<IntegrationId>,
    IfMatch(if_match): IfMatch,
    headers: HeaderMap,
    body: Body<AuthRequest>,
) -> Result<Response, Failure> {
    let id = id.valid()?;
    let dry_run = is_dry_run(&headers);
    let planning = matches!(dry_run, Ok(true));
    let read = || {
        let body = body
            .valid()
            .and_then(|body| body.read(&service.settings().egress_allow));
        both(dry_run, body).map(|(_, change)| change)
    };
    if planning {
        service.integration(&caller, id).await?;
        let plan = service
            .plan_integration_auth(&caller, id, read()?, if_match)
            .await?;
        return Ok(Json(UpdateAuthConfigurationResponse::from(plan)).into_response());
    }
    let detail = service
        .set_integration_auth(&caller, id, if_match, read)
        .await?;
    let answer = UpdateAuthConfigurationResponse::from(&detail);
    Ok(([(ETAG, entity_tag(&detail)?)], Json(answer)).into_response())
}

/// Both values, or all that is wrong with either.
fn both<A, B>(one: Result<A, Error>, other: Result<B, Error>) -> Result<(A, B), Error> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Error::Invalid(mut issues)), Err(Error::Invalid(more))) => {
            issues.extend(more);
            Err(Error::Invalid(issues))
        }
        (Ok(_) | Err(_), Err(error)) | (Err(error), Ok(_)) => Err(error),
    }
}

/// Whether `x-dry-run` asks for the plan. A word that is neither `true` nor `false` is refused, since taking it for
/// `false` would do what the caller only wanted to try.
fn is_dry_run(headers: &HeaderMap) -> Result<bool, Error> {
    let mut values = headers.get_all(DRY_RUN).iter();
    let (value, others) = (values.next(), values.count());
    match value
        .map(|value| value.as_bytes().trim_ascii().to_ascii_lowercase())
        .as_deref()
    {
        None | Some(b"false") if others == 0 => Ok(false),
        Some(b"true") if others == 0 => Ok(true),
        _ => Err(Error::Invalid(vec![Issue::at(
            DRY_RUN,
            Rule::NotOneOf((&["true", "false"]).into()),
        )])),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_true_and_false_are_answers_to_whether_it_is_a_dry_run() {
        let asked = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(DRY_RUN, HeaderValue::from_static(value));
            }
            is_dry_run(&headers).ok()
        };
        assert_eq!(asked(&[]), Some(false));
        assert_eq!(asked(&["false"]), Some(false));
        assert_eq!(asked(&["true"]), Some(true));
        assert_eq!(asked(&["True"]), Some(true));
        for values in [
            &["1"][..],
            &["yes"],
            &[""],
            &["true", "false"],
            &["false", "false"],
        ] {
            assert_eq!(asked(values), None, "{values:?}");
        }
    }
}
