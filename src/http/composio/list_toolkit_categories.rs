//! `GET /toolkits/categories`

use axum::Json;
use axum::extract::State;

use super::document::{Failures, TOOLKITS};
use super::wire::CategoriesBody;
use crate::domain::Service;
use crate::http::extract::{AnyKey, Authorized};
use crate::http::failure::Failure;

/// List toolkit categories
///
/// Those of the toolkits that you can name, for the filter of their list. Any live API key may ask.
#[utoipa::path(
    get,
    path = "/toolkits/categories",
    operation_id = "getToolkitsCategories",
    tag = TOOLKITS,
    responses((status = 200, description = "Successfully fetched categories", body = CategoriesBody), Failures)
)]
pub(super) async fn handler(
    caller: Authorized<AnyKey>,
    State(service): State<Service>,
) -> Result<Json<CategoriesBody>, Failure> {
    let categories = service.toolkit_categories(&caller).await?;
    Ok(Json(categories.into_iter().collect()))
}
