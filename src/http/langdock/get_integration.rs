//! `GET /{integrationId}`.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::ETAG;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::failures::ReadFailures;
use super::wire::{AuthSetting, entity_tag};
use crate::domain::Service;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::IntegrationDetail;
use crate::http::Failure;
use crate::http::extract::{Authorized, IntegrationApi, Param};

/// One integration.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GetIntegrationResponse {
    integration: Integration,
}

/// An integration with its auth setting, actions and triggers.
#[derive(Debug, Serialize, ToSchema)]
struct Integration {
    id: Uuid,
    name: String,
    description: String,
    #[serde(flatten)]
    auth: AuthSetting,
    actions: Vec<Action>,
    triggers: Vec<Trigger>,
}

/// An action, without its code.
#[derive(Debug, Serialize, ToSchema)]
struct Action {
    id: Uuid,
    name: String,
    slug: String,
    description: String,
    order: u32,
}

/// A trigger, without its code.
#[derive(Debug, Serialize, ToSchema)]
struct Trigger {
    id: Uuid,
    name: String,
    slug: String,
    description: String,
}

impl From<IntegrationDetail> for GetIntegrationResponse {
    fn from(detail: IntegrationDetail) -> Self {
        let auth = AuthSetting::from(&detail);
        let crate::domain::integration::Integration {
            id,
            name,
            description,
            ..
        } = detail.integration;
        let (actions, triggers) = (Vec::new(), Vec::new());
        Self {
            integration: Integration {
                id: id.0,
                name,
                description,
                auth,
                actions,
                triggers,
            },
        }
    }
}

/// Reads an integration.
///
/// OAuth credentials and URLs are never returned.
#[utoipa::path(
    get,
    path = "/{integrationId}",
    operation_id = "getIntegration",
    tag = "Integrations",
    params(("integrationId" = Uuid, Path, description = "UUID of the integration")),
    responses(
        (
            status = 200,
            description = "The integration",
            body = GetIntegrationResponse,
            headers(("ETag" = String, description = "Changes with every write to the integration or its auth setting"))
        ),
        ReadFailures
    )
)]
pub(super) async fn handler(
    State(service): State<Service>,
    caller: Authorized<IntegrationApi>,
    id: Param<IntegrationId>,
) -> Result<impl IntoResponse, Failure> {
    let detail = service.integration(&caller, id.valid()?).await?;
    Ok((
        [(ETAG, entity_tag(&detail)?)],
        Json(GetIntegrationResponse::from(detail)),
    ))
}
