//! The rules of strata: making one, putting in, taking out.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use super::caller::Caller;
use super::connect::offers;
use super::error::{Error, Issue};
use super::ids::{IntegrationId, StrataId};
use super::integration::Integration;
use super::limits;
use super::resolve::Resolved;
use super::service::Service;
use super::strata::{
    Additions, ExternalServer, NewStrata, Removals, Removed, Services, Strata, named_in,
};
use super::strata_external::{open_to, sealed, too_many};
use super::strata_reads::{self, locked, visible};
use super::strata_services;
use crate::store::strata::{self as rows, SealedServer};
use crate::store::{Access, TenantTx, audit};

impl Service {
    /// Makes a strata with what is in it, its user and the user's primary connections. Refused as a whole: where a name
    /// leads nowhere, where a default config is disabled, where there are too many external servers, or any and the key
    /// is a limited one.
    pub async fn create_strata(&self, caller: &Caller, new: NewStrata) -> Result<Strata, Error> {
        let id = StrataId::new();
        let mut issues = limits::broken_limits(&new);
        issues.extend(limits::broken_limits(&new.additions));
        Error::when_any(issues)?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (services, external) = sealed(&keys, caller, id, new.additions)?;
        let (caller, work) = (
            caller.clone(),
            Arc::new((new.user_id, services, external, keys)),
        );
        let (service, auth_handling) = (self.clone(), new.auth_handling);
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (service, caller, work) = (service.clone(), caller.clone(), Arc::clone(&work));
                Box::pin(async move {
                    let (user_id, services, external, keys) = &*work;
                    let (found, mut issues) = found(tx, &caller, services).await?;
                    issues.extend(too_many(&[], external));
                    Error::when_any(issues)?;
                    open_to(&caller, external)?;
                    let added =
                        strata_services::connected(tx, &caller, user_id, services, found).await?;
                    rows::insert(tx, id, user_id, auth_handling).await?;
                    let new = put_in(tx, id, &added, external).await?;
                    record(tx, &caller, "strata.create", id, &new).await?;
                    let pages = offers(&service, tx, keys, &caller, user_id, &added).await?;
                    Ok(service.shown(id, added, external, pages))
                })
            })
            .await
    }

    /// Puts services and external servers into a strata. What is in it already is put in again, which changes nothing
    /// of a service and replaces an external server. Refused as a whole, as [`Service::create_strata`].
    pub async fn add_to_strata(
        &self,
        caller: &Caller,
        id: StrataId,
        additions: Additions,
    ) -> Result<Strata, Error> {
        Error::when_any(limits::broken_limits(&additions))?;
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (services, external) = sealed(&keys, caller, id, additions)?;
        let (service, caller) = (self.clone(), caller.clone());
        let work = Arc::new((services, external, keys));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (service, caller, work) = (service.clone(), caller.clone(), Arc::clone(&work));
                Box::pin(async move {
                    let (services, external, keys) = &*work;
                    let user_id = match locked(tx, &caller, id).await {
                        Ok(user_id) => user_id,
                        Err(Error::NotFound(kind)) => {
                            // What is wrong with the request itself comes before what it names.
                            let (_, issues) = found(tx, &caller, services).await?;
                            Error::when_any(issues)?;
                            return Err(Error::NotFound(kind));
                        }
                        Err(error) => return Err(error),
                    };
                    let (found, mut issues) = found(tx, &caller, services).await?;
                    let present = strata_reads::external(tx, &caller, id).await?;
                    issues.extend(too_many(&present, external));
                    Error::when_any(issues)?;
                    open_to(&caller, external)?;
                    let added =
                        strata_services::connected(tx, &caller, &user_id, services, found).await?;
                    let new = put_in(tx, id, &added, external).await?;
                    if !new.is_empty() {
                        rows::touch(tx, id).await?;
                        record(tx, &caller, "strata.add_servers", id, &new).await?;
                    }
                    let pages = offers(&service, tx, keys, &caller, &user_id, &added).await?;
                    Ok(service.shown(id, added, external, pages))
                })
            })
            .await
    }

    /// Takes services and external servers out of a strata; what is not in it is passed over. No connection is deleted.
    pub async fn remove_from_strata(
        &self,
        caller: &Caller,
        id: StrataId,
        removals: Removals,
    ) -> Result<Removed, Error> {
        Error::when_any(limits::broken_limits(&removals))?;
        let (caller, removals) = (caller.clone(), Arc::new(removals));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, removals) = (caller.clone(), Arc::clone(&removals));
                Box::pin(async move { take_out(tx, &caller, id, &removals).await })
            })
            .await
    }

    /// What was put into a strata.
    fn shown(
        &self,
        id: StrataId,
        services: Vec<Integration>,
        external: &[SealedServer],
        pages: HashMap<IntegrationId, String>,
    ) -> Strata {
        let external = external.iter().map(|server| ExternalServer {
            name: server.name.clone(),
            url: server.url.clone(),
        });
        Strata {
            id,
            url: self.strata_url(id),
            services,
            external: external.collect(),
            pages,
        }
    }
}

async fn take_out(
    tx: &mut TenantTx,
    caller: &Caller,
    id: StrataId,
    removals: &Removals,
) -> Result<Removed, Error> {
    let (found, issues) = match &removals.services {
        Services::Named(names) => strata_services::named(tx, caller, names).await?,
        Services::All => (Vec::new(), Vec::new()),
    };
    Error::when_any(issues)?;
    locked(tx, caller, id).await?;
    let (_, present) = visible(tx, caller, id).await?;
    let services: Vec<Integration> = match &removals.services {
        Services::All => present,
        Services::Named(_) => {
            let is_in =
                |integration: &Integration| present.iter().any(|it| it.id == integration.id);
            let named = found.into_iter().filter_map(|service| match service {
                Resolved::Mine(integration) => Some(integration),
                Resolved::Template(_) => None,
            });
            named.filter(is_in).collect()
        }
    };
    let external = match removals.external.as_deref() {
        Some(text) => named_in(text, &strata_reads::external(tx, caller, id).await?),
        None => Vec::new(),
    };
    let gone = Changed {
        services: services.iter().map(|one| one.slug.clone()).collect(),
        external: external.clone(),
    };
    if !gone.is_empty() {
        rows::remove_servers(tx, id, &ids(&services)).await?;
        rows::remove_external(tx, id, &external).await?;
        rows::touch(tx, id).await?;
        record(tx, caller, "strata.delete_servers", id, &gone).await?;
    }
    Ok(Removed { services, external })
}

async fn found(
    tx: &mut TenantTx,
    caller: &Caller,
    services: &Services,
) -> Result<(Vec<Resolved>, Vec<Issue>), Error> {
    match services {
        Services::Named(names) => strata_services::named(tx, caller, names).await,
        Services::All => Ok((strata_services::all(tx, caller).await?, Vec::new())),
    }
}

fn ids(integrations: &[Integration]) -> Vec<IntegrationId> {
    integrations
        .iter()
        .map(|integration| integration.id)
        .collect()
}

/// What a change did to a strata, for the audit log.
struct Changed {
    services: Vec<String>,
    external: Vec<String>,
}

impl Changed {
    fn is_empty(&self) -> bool {
        self.services.is_empty() && self.external.is_empty()
    }
}

/// Puts these in; answers with what was not in it just so before, in the order of the request.
async fn put_in(
    tx: &mut TenantTx,
    id: StrataId,
    services: &[Integration],
    external: &[SealedServer],
) -> Result<Changed, Error> {
    let new = rows::add_servers(tx, id, &ids(services)).await?;
    let set = rows::set_external(tx, id, external).await?;
    let services = services.iter().filter(|one| new.contains(&one.id));
    let names = external.iter().map(|server| &server.name);
    Ok(Changed {
        services: services.map(|one| one.slug.clone()).collect(),
        external: names.filter(|name| set.contains(name)).cloned().collect(),
    })
}

async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: StrataId,
    changed: &Changed,
) -> Result<(), Error> {
    let event = audit::Event {
        action,
        object_kind: "strata",
        object_id: &id.to_string(),
        detail: Some(json!({
            "servers": changed.services,
            "external_servers": changed.external,
        })),
    };
    audit::append(tx, caller, event).await.map(|_| ())
}
