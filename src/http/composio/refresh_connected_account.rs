//! `POST /connected_accounts/{nanoid}/refresh`

use std::convert::Infallible;

use axum::extract::State;

use super::document::{CONNECTED_ACCOUNTS, Failures};
use super::error::ErrorEnvelope;
use super::wire::account_change_schema::PostConnectedAccountsByNanoidRefreshRequest;
use super::wire::{RefreshBody, RefreshQuery};
use super::wording::QUERY;
use crate::domain::error::{BodyFault, Error};
use crate::domain::ids::ConnectedAccountId;
use crate::domain::{Caller, Service};
use crate::http::extract::{Authorized, Body, ConnectionsWrite, Param, Query};
use crate::http::failure::Failure;

/// Refresh authentication for a connected account
///
/// Credentials of schemes that have nothing to refresh are refused with 409. Refreshing at the provider, and testing a
/// credential there, is not implemented: 501. The body may be left out.
#[utoipa::path(
    post,
    path = "/connected_accounts/{nanoid}/refresh",
    operation_id = "postConnectedAccountsByNanoidRefresh",
    tag = CONNECTED_ACCOUNTS,
    params(
        ("nanoid" = String, Path, description = "The unique identifier of the connected account", example = "ca_1a2b3c4d5e6f"),
        ("redirect_url" = Option<String>, Query, description = "Where the browser goes in the end; may stand in the body, too")
    ),
    request_body = Option<PostConnectedAccountsByNanoidRefreshRequest>,
    responses(
        (status = 409, description = "Credentials of this scheme cannot be refreshed", body = ErrorEnvelope),
        (status = 501, description = "Not implemented for this scheme", body = ErrorEnvelope),
        Failures
    )
)]
pub(super) async fn handler(
    caller: Authorized<ConnectionsWrite>,
    State(service): State<Service>,
    id: Param<ConnectedAccountId>,
    query: Query<RefreshQuery>,
    body: Body<RefreshBody>,
) -> Failure {
    let refused: Result<Infallible, Error> = async {
        let id = id.valid()?;
        refresh(&caller, &service, &id, query, body).await
    }
    .await;
    match refused {
        Err(error) => error.into(),
        Ok(never) => match never {},
    }
}

async fn refresh(
    caller: &Caller,
    service: &Service,
    id: &ConnectedAccountId,
    query: Query<RefreshQuery>,
    body: Body<RefreshBody>,
) -> Result<Infallible, Error> {
    let body = match body.valid() {
        Err(Error::Body(BodyFault::Empty)) => Ok(RefreshBody::default()),
        read => read,
    };
    let query = query.valid().map_err(|error| error.under(&[QUERY.into()]));
    let input = match (query, body) {
        (Err(Error::Invalid(query)), Err(Error::Invalid(body))) => {
            Err(Error::Invalid([query, body].concat()))
        }
        (_, Err(error)) | (Err(error), _) => Err(error),
        (Ok(_), Ok(body)) => Ok(body),
    };
    let RefreshBody { validate } = service.of_account(caller, id, input).await?;
    service.refresh_account(caller, id, validate).await
}
