//! `GET /toolkits`

use axum::Json;
use axum::extract::State;

use super::document::{Failures, TOOLKITS};
use super::wire::{ToolkitPageBody, ToolkitsParameters, ToolkitsQuery};
use crate::domain::Service;
use crate::http::extract::{AnyKey, Authorized, Query};
use crate::http::failure::Failure;

/// List available toolkits
///
/// The services of the catalogue and your own integrations, in the order of their slugs. A page stays where it is when
/// integrations are made or deleted meanwhile. Any live API key may ask.
#[utoipa::path(
    get,
    path = "/toolkits",
    operation_id = "getToolkits",
    tag = TOOLKITS,
    params(ToolkitsParameters),
    responses((status = 200, description = "Successfully fetched toolkits", body = ToolkitPageBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<AnyKey>,
    State(service): State<Service>,
    query: Query<ToolkitsQuery>,
) -> Result<Json<ToolkitPageBody>, Failure> {
    let ToolkitsQuery { filter, page } = query.valid()?;
    let found = service.toolkit_page(&caller, &filter, &page).await?;
    Ok(Json(ToolkitPageBody::new(found, page.limit)))
}
