//! `POST /create`.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

use super::failures::CreateFailures;
use super::names;
use super::wire::ISO_8601;
use crate::domain::error::Issue;
use crate::domain::integration::{Integration, NewIntegration};
use crate::domain::{Error, Service, limits};
use crate::http::Failure;
use crate::http::extract::{Authorized, Body, FromJson, IntegrationApi};
use crate::http::shape::{Faults, text};
use crate::json::Json as Tree;

/// A new integration.
#[derive(Debug, ToSchema)]
pub(super) struct CreateIntegrationRequest {
    /// The name that people read.
    #[schema(min_length = 1, max_length = 40)]
    name: String,
    /// What it is, in a sentence.
    #[schema(max_length = 90, required = false, default = "")]
    description: String,
}

impl FromJson for CreateIntegrationRequest {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        let mut faults = Faults::default();
        let request = faults.object(json).map(|mut members| Self {
            name: members
                .read_required("name", &mut faults, text)
                .unwrap_or_default(),
            description: members
                .read("description", &mut faults, text)
                .unwrap_or_default(),
        });
        if let Some(request) = &request {
            faults.merge(limits::broken_limits(&NewIntegration::from(request)));
        }
        faults.finish(request).map_err(names::in_order)
    }
}

impl From<&CreateIntegrationRequest> for NewIntegration {
    fn from(request: &CreateIntegrationRequest) -> Self {
        Self {
            name: request.name.clone(),
            description: request.description.clone(),
        }
    }
}

/// The integration that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CreateIntegrationResponse {
    integration: CreatedIntegration,
}

/// A new integration with the time of its making.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CreatedIntegration {
    id: Uuid,
    name: String,
    description: String,
    /// RFC 3339, in UTC.
    #[schema(format = DateTime)]
    created_at: String,
}

impl TryFrom<Integration> for CreateIntegrationResponse {
    type Error = Error;

    fn try_from(made: Integration) -> Result<Self, Error> {
        let created_at: OffsetDateTime = made.created_at.to_offset(time::UtcOffset::UTC);
        let created_at = created_at.format(ISO_8601).map_err(Error::internal)?;
        let Integration {
            id,
            name,
            description,
            ..
        } = made;
        Ok(Self {
            integration: CreatedIntegration {
                id: id.0,
                name,
                description,
                created_at,
            },
        })
    }
}

/// Makes an integration without authentication.
#[utoipa::path(
    post,
    path = "/create",
    operation_id = "createIntegration",
    tag = "Integrations",
    request_body = CreateIntegrationRequest,
    responses((status = 201, description = "The integration was made", body = CreateIntegrationResponse), CreateFailures)
)]
pub(super) async fn handler(
    State(service): State<Service>,
    caller: Authorized<IntegrationApi>,
    body: Body<CreateIntegrationRequest>,
) -> Result<impl IntoResponse, Failure> {
    caller.require_unlimited()?;
    let new = NewIntegration::from(&body.valid()?);
    let made = service.create_integration(&caller, new).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreateIntegrationResponse::try_from(made)?),
    ))
}
