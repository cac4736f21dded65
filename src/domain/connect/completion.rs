//! What a submission does: the connection gets its credential and is ACTIVE, and the way to the page is at its end.

use std::sync::Arc;

use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::entry::{Opened, Way, ended, nobody_is_none};
use super::inputs::Typed;
use super::{Asks, NoPage, Submitted};
use crate::crypto::{Secret, TenantKeys};
use crate::domain::caller::Caller;
use crate::domain::connection::{Connection, Status};
use crate::domain::connection_credential::hold_with_config;
use crate::domain::connections::record_with;
use crate::domain::error::Error;
use crate::domain::scheme::Scheme;
use crate::domain::service::Service;
use crate::store::connections as rows;
use crate::store::{Access, TenantTx, links};

impl Service {
    /// Completes the connection that a token leads to with what its user typed. Of two submissions at once one is done;
    /// the other finds the link used. The audit row names the API key that made the link.
    pub async fn connect(
        &self,
        token: &str,
        typed: Arc<Typed>,
        request_id: &str,
    ) -> Result<Submitted, Error> {
        let way = match self.way(token).await? {
            Ok(way) => way,
            Err(none) => return Ok(Submitted::Gone(none)),
        };
        let (tenant, caller) = (way.tenant(), way.caller(request_id));
        let work = Arc::new((way, caller, typed));
        let done = self
            .vault()
            .tenant(tenant, Access::Write, move |tx, keys| {
                let (work, keys) = (Arc::clone(&work), Arc::clone(&keys));
                Box::pin(async move {
                    let (way, caller, typed) = &*work;
                    let opened = held(tx, caller, &keys, way).await?;
                    let done = match &opened {
                        Ok(opened) => complete(tx, caller, &keys, (way, opened), typed).await?,
                        Err(none) => Submitted::Gone(*none),
                    };
                    Ok(Ok(done))
                })
            })
            .await;
        Ok(nobody_is_none(done)?.unwrap_or_else(Submitted::Gone))
    }
}

/// The connection of this way, held with its config and its link until the transaction ends.
async fn held(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    way: &Way,
) -> Result<Result<Opened, NoPage>, Error> {
    let (connection, config) = hold_with_config(tx, caller, way.connection()).await?;
    if let Way::Link(link) = way {
        // Read anew: it may have been used since, and what came with it been destroyed or sealed anew.
        let locked = links::lock(tx, &link.token_hash).await?;
        let Some(link) = locked.filter(|link| link.connection == connection.id) else {
            return Ok(Err(NoPage::Unknown));
        };
        if let Err(none) = ended(&link) {
            return Ok(Err(none));
        }
        return Way::Link(link).opened(tx, keys, connection, config).await;
    }
    way.opened(tx, keys, connection, config).await
}

async fn complete(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    (way, opened): (&Way, &Opened),
    typed: &Typed,
) -> Result<Submitted, Error> {
    let page = opened.page();
    if matches!(page.asks, Asks::Provider) {
        return Ok(Submitted::AtProvider(page));
    }
    let sealed = if opened.config.scheme == Scheme::None {
        None
    } else {
        match opened.inputs().credential(typed) {
            Ok(credential) => Some(seal(keys, caller, &opened.connection, &credential)?),
            Err(faults) => return Ok(Submitted::Refused { page, faults }),
        }
    };
    let id = opened.connection.id;
    rows::set_credential(tx, id, sealed, Status::Active).await?;
    if let Way::Link(link) = way {
        links::set_used(tx, &link.token_hash).await?;
    }
    let (action, detail) = match opened.config.scheme {
        Scheme::None => {
            let status = Status::Active.name();
            let detail = json!({ "link": true, "status": status });
            ("connection.set_status", detail)
        }
        _ => ("connection.set_credential", json!({ "link": true })),
    };
    record_with(tx, caller, action, id, Some(detail)).await?;
    let go_to = opened.callback_url.as_deref();
    Ok(Submitted::Connected {
        integration: page.integration,
        go_to: go_to
            .map(|url| returning(url, &opened.connection))
            .transpose()?,
    })
}

fn seal(
    keys: &TenantKeys,
    caller: &Caller,
    connection: &Connection,
    credential: &Secret,
) -> Result<(Uuid, Vec<u8>), Error> {
    let generation = Uuid::new_v4();
    let place = rows::place(caller.tenant, connection.id);
    let sealed = keys.seal_credential(&place, generation, credential);
    Ok((generation, sealed.map_err(Error::internal)?))
}

/// The platform's URL with the outcome at the end of its query. What else it says stays.
fn returning(callback_url: &str, connection: &Connection) -> Result<String, Error> {
    let mut url = Url::parse(callback_url).map_err(Error::internal)?;
    url.query_pairs_mut()
        .append_pair("status", "success")
        .append_pair("connected_account_id", connection.account.as_str());
    Ok(url.into())
}
