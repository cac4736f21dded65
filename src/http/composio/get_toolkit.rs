//! `GET /toolkits/{slug}`

use axum::Json;
use axum::extract::State;

use super::document::{Failures, TOOLKITS};
use super::wire::{ToolkitBody, ToolkitQuery};
use crate::domain::Service;
use crate::http::extract::{AnyKey, Authorized, PathTexts, Query};
use crate::http::failure::Failure;

/// Get toolkit by slug
///
/// With the fields that each way to authenticate takes: in an auth config, and from the user. Any live API key may ask.
#[utoipa::path(
    get,
    path = "/toolkits/{slug}",
    operation_id = "getToolkitsBySlug",
    tag = TOOLKITS,
    params(
        ("slug" = String, Path, description = "The slug of the toolkit, in any spelling", example = "github"),
        ("version" = Option<String>, Query, description = "Taken, and without effect: there is one version of each toolkit")
    ),
    responses((status = 200, description = "Successfully fetched toolkit", body = ToolkitBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<AnyKey>,
    State(service): State<Service>,
    named: PathTexts<1>,
    query: Query<ToolkitQuery>,
) -> Result<Json<ToolkitBody>, Failure> {
    let PathTexts([slug]) = named;
    let found = service.toolkit(&caller, &slug).await?;
    query.valid()?;
    Ok(Json(found.into()))
}
