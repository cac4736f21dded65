//! The rules of strata that are there: reading one, and holding one for a change.

use std::sync::Arc;

use super::caller::Caller;
use super::connect::offers;
use super::error::{Error, Kind};
use super::ids::StrataId;
use super::integration::Integration;
use super::service::Service;
use super::strata::{ExternalServer, Strata};
use crate::store::strata as rows;
use crate::store::{Access, TenantTx, users};

impl Service {
    /// One strata. What the caller may not use is left out of it.
    pub async fn strata(&self, caller: &Caller, id: StrataId) -> Result<Strata, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (service, caller) = (self.clone(), caller.clone());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (service, caller) = (service.clone(), caller.clone());
                let keys = Arc::clone(&keys);
                Box::pin(async move {
                    let (user_id, services) = visible(tx, &caller, id).await?;
                    let pages = offers(&service, tx, &keys, &caller, &user_id, &services).await?;
                    Ok(Strata {
                        id,
                        url: service.strata_url(id),
                        services,
                        external: external(tx, &caller, id).await?,
                        pages,
                    })
                })
            })
            .await
    }

    /// Where a strata's MCP server is.
    pub(super) fn strata_url(&self, id: StrataId) -> String {
        format!("{}/mcp-server/strata/{id}", self.settings().public_url)
    }
}

/// Whose strata it is, and the services in it that the caller may use. A limited key knows a strata if it may use one of
/// its services, or if nothing at all is in it.
pub(super) async fn visible(
    tx: &mut TenantTx,
    caller: &Caller,
    id: StrataId,
) -> Result<(String, Vec<Integration>), Error> {
    let unknown = || Error::NotFound(Kind::Strata);
    let user_id = rows::user_of(tx, id).await?.ok_or_else(unknown)?;
    let mut services = rows::servers(tx, id).await?;
    let had_none = services.is_empty();
    services.retain(|integration| caller.may_use(integration.id));
    if services.is_empty() && caller.integrations.is_some() {
        let holds_nothing = had_none && rows::external(tx, id).await?.is_empty();
        if !holds_nothing {
            return Err(unknown());
        }
    }
    Ok((user_id, services))
}

/// The external servers of a strata that the caller may see. They are no integration in a limited key's list, so it
/// sees none.
pub(super) async fn external(
    tx: &mut TenantTx,
    caller: &Caller,
    id: StrataId,
) -> Result<Vec<ExternalServer>, Error> {
    match caller.integrations {
        Some(_) => Ok(Vec::new()),
        None => rows::external(tx, id).await,
    }
}

/// Holds a strata for a change, and its user first, as whoever deletes a user does. Answers with the user.
pub(super) async fn locked(
    tx: &mut TenantTx,
    caller: &Caller,
    id: StrataId,
) -> Result<String, Error> {
    let (user_id, _) = visible(tx, caller, id).await?;
    users::ensure(tx, &user_id).await?;
    if rows::lock(tx, id).await? {
        Ok(user_id)
    } else {
        Err(Error::NotFound(Kind::Strata))
    }
}
