//! `GET /white-labeling/get/{client_id}`: an OAuth client without its secret.

use axum::Json;
use axum::extract::State;

use super::failures::{Failures, NoWhiteLabel};
use super::wire::WhiteLabelingResponse;
use crate::domain::Service;
use crate::http::extract::{AuthConfigsRead, Authorized, PathTexts};
use crate::http::failure::Failure;

#[utoipa::path(
    get,
    path = "/white-labeling/get/{client_id}",
    tag = "white-labeling",
    operation_id = "getWhiteLabelingByClientId",
    summary = "Get White Labeling By Client Id",
    description = "Shows the OAuth client of this id, whichever dialect made it. Never its secret. Of several servers \
                   that one client serves, the one that was changed last.",
    security(("HTTPBearer" = [])),
    params(("client_id" = String, Path, description = "The client's id")),
    responses(
        (status = 200, description = "Successful Response", body = WhiteLabelingResponse),
        Failures,
        NoWhiteLabel
    ),
)]
pub(super) async fn handler(
    caller: Authorized<AuthConfigsRead>,
    State(service): State<Service>,
    path: PathTexts<1>,
) -> Result<Json<WhiteLabelingResponse>, Failure> {
    let PathTexts([client_id]) = path;
    let found = service.white_label(&caller, &client_id).await?;
    Ok(Json(found.into()))
}
