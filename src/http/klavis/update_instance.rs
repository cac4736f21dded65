//! `PATCH /mcp-server/instance/{instanceId}`: whether only reading tools may use an instance.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::failures::{BodyFailures, Failures, NoInstance};
use super::wire::{self, InstanceId};
use crate::domain::connection::Update;
use crate::domain::error::{BodyFault, Expected, Issue, Rule};
use crate::domain::{Error, Service};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, FromJson, Param};
use crate::http::failure::Failure;
use crate::json::{Json as Tree, JsonKind};

/// What to change of an instance. Further keys are refused.
#[derive(Debug, ToSchema)]
#[schema(title = "UpdateServerInstanceRequest", rename_all = "camelCase")]
#[serde(deny_unknown_fields)]
pub(super) struct UpdateServerInstanceRequest {
    /// Whether only reading tools may use the instance; null and nothing leave it as it is.
    is_read_only: Option<bool>,
}

impl FromJson for UpdateServerInstanceRequest {
    fn from_json(json: Tree) -> Result<Self, Vec<Issue>> {
        wire::model(json, |members, faults| {
            let is_read_only = members.read("isReadOnly", faults, wire::null_or(wire::boolean));
            members.refuse_all(faults);
            Some(Self {
                is_read_only: is_read_only.flatten(),
            })
        })
    }
}

/// The instance after the change.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(title = "UpdateServerInstanceResponse")]
pub(super) struct UpdateServerInstanceResponse {
    /// The instance's id.
    instance_id: String,
    /// Whether only reading tools may use it now.
    is_read_only: bool,
    /// What was done.
    #[schema(value_type = String)]
    message: &'static str,
}

impl From<Update> for UpdateServerInstanceResponse {
    fn from(update: Update) -> Self {
        Self {
            instance_id: update.connection.id.to_string(),
            is_read_only: update.connection.read_only,
            message: if update.changed {
                "Instance updated"
            } else {
                "Nothing to change: the instance is as it was"
            },
        }
    }
}

/// Id and body, or what is wrong with both, the path first. A body that is no JSON is told alone, as by FastAPI, which
/// looks at nothing else then.
fn valid<T>(id: Param<InstanceId>, body: Body<T>) -> Result<(InstanceId, T), Error> {
    let mut issues = Vec::new();
    let id = id.valid().ok();
    if id.is_none() {
        let path = vec!["path".into(), "instanceId".into()];
        issues.push(Issue::new(path, Rule::NotAUuid));
    }
    let no_object = Rule::Type {
        expected: Expected::Object,
        received: JsonKind::String,
    };
    match (id, body.valid()) {
        (Some(id), Ok(body)) => return Ok((id, body)),
        (None, Ok(_)) => {}
        (_, Err(Error::Invalid(more))) => issues.extend(more),
        (_, Err(Error::Body(BodyFault::Empty))) => issues.push(Issue::at("body", Rule::Required)),
        (_, Err(Error::Body(BodyFault::MediaType))) => issues.push(Issue::at("body", no_object)),
        (_, Err(other)) => return Err(other),
    }
    Err(Error::Invalid(issues))
}

#[utoipa::path(
    patch,
    path = "/mcp-server/instance/{instanceId}",
    tag = "mcp-server",
    operation_id = "updateServerInstance",
    summary = "Update Server Instance",
    description = "Changes what may use an instance. A request that asks for what is so already changes nothing.",
    security(("HTTPBearer" = [])),
    params(("instanceId" = String, Path, format = Uuid, description = "The instance's id")),
    request_body(content = UpdateServerInstanceRequest),
    responses(
        (status = 200, description = "Successful Response", body = UpdateServerInstanceResponse),
        Failures,
        NoInstance,
        BodyFailures
    ),
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<InstanceId>,
    body: Body<UpdateServerInstanceRequest>,
) -> Result<Json<UpdateServerInstanceResponse>, Failure> {
    let (id, request) = valid(id, body)?;
    let update = service
        .update_connection(&caller, id.0, request.is_read_only)
        .await?;
    Ok(Json(update.into()))
}
