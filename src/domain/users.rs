//! The rules of users: who they are, what they are connected to, and their end.

use std::sync::Arc;

use uuid::Uuid;

use super::caller::Caller;
use super::connection::{HandedOut, Status};
use super::connections::service;
use super::error::{Error, Kind};
use super::resolve::Resolved;
use super::service::Service;
use super::user::{ConnectedService, Destroyed, UserCredential, UserDetail, UserPage, UserService};
use crate::store::{Access, TenantTx, audit, connections, integrations, users as rows};

impl Service {
    /// A page of the tenant's users, first made first. A limited key sees those who are connected to one of its
    /// integrations. Pages are counted from 1 and have 1 user or more; one beyond the last is empty.
    pub async fn users(&self, caller: &Caller, size: i64, number: i64) -> Result<UserPage, Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let caller = caller.clone();
                Box::pin(async move {
                    let allowed = caller.allowed();
                    let total = rows::count(tx, allowed.as_deref()).await?;
                    let before = number.saturating_sub(1).saturating_mul(size);
                    let users = if before < total {
                        rows::page(tx, allowed.as_deref(), size, before).await?
                    } else {
                        Vec::new()
                    };
                    Ok(UserPage { users, total })
                })
            })
            .await
    }

    /// One user. To a limited key, one who is connected to none of its integrations is not found.
    pub async fn user(&self, caller: &Caller, user_id: &str) -> Result<UserDetail, Error> {
        let (caller, user_id) = (caller.clone(), user_id.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, user_id) = (caller.clone(), user_id.clone());
                Box::pin(async move { known(tx, &caller, &user_id).await })
            })
            .await
    }

    /// What a user is connected to, by the services' names.
    pub async fn services_of_user(
        &self,
        caller: &Caller,
        user_id: &str,
    ) -> Result<Vec<ConnectedService>, Error> {
        let (caller, user_id) = (caller.clone(), user_id.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, user_id) = (caller.clone(), user_id.clone());
                Box::pin(async move {
                    known(tx, &caller, &user_id).await?;
                    connected(tx, &caller, &user_id).await
                })
            })
            .await
    }

    /// How a user stands with one service. A name that leads to no service of this caller breaks
    /// [`Rule::UnknownService`] at `service`, before the user is looked for.
    ///
    /// [`Rule::UnknownService`]: super::error::Rule::UnknownService
    pub async fn user_service(
        &self,
        caller: &Caller,
        service_name: &str,
        user_id: &str,
    ) -> Result<UserService, Error> {
        let caller = caller.clone();
        let names = Arc::new((service_name.to_owned(), user_id.to_owned()));
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, names) = (caller.clone(), Arc::clone(&names));
                Box::pin(async move {
                    let (service_name, user_id) = &*names;
                    let found = service(tx, &caller, service_name).await?;
                    let connection = match &found {
                        Resolved::Mine(integration) => {
                            connections::find_primary(tx, integration.id, user_id).await?
                        }
                        Resolved::Template(_) => None,
                    };
                    // Whoever has a connection that this caller may use is known.
                    if connection.is_none() {
                        known(tx, &caller, user_id).await?;
                    }
                    Ok(UserService {
                        service_name: found.klavis_name().to_owned(),
                        connection,
                    })
                })
            })
            .await
    }

    /// Hands out the credential of a user's primary connection with a service, against its audit row. Where there is
    /// none, nothing is handed out and nothing written.
    pub async fn hand_out_of_user(
        &self,
        caller: &Caller,
        service_name: &str,
        user_id: &str,
    ) -> Result<UserCredential, Error> {
        let found = self.user_service(caller, service_name, user_id).await?;
        self.hand_out_found(caller, found).await
    }

    /// [`Service::hand_out_of_user`], for who has found how the user stands with the service.
    pub(super) async fn hand_out_found(
        &self,
        caller: &Caller,
        found: UserService,
    ) -> Result<UserCredential, Error> {
        let (credential, is_active) = match &found.connection {
            Some(connection) if connection.has_credential => {
                // One that was deleted since has nothing to hand out.
                let handed_out = match self.hand_out(caller, connection.id).await {
                    Err(Error::NotFound(Kind::Connection)) => HandedOut { credential: None },
                    done => done?,
                };
                (handed_out.credential, connection.status == Status::Active)
            }
            _ => (None, false),
        };
        Ok(UserCredential {
            service_name: found.service_name,
            is_authenticated: is_active && credential.is_some(),
            credential,
        })
    }

    /// Destroys the credential of a user's primary connection with a service. The connection stays. `false` where
    /// there is no connection, so nothing to destroy.
    pub async fn clear_credential_of_user(
        &self,
        caller: &Caller,
        service_name: &str,
        user_id: &str,
    ) -> Result<bool, Error> {
        let found = self.user_service(caller, service_name, user_id).await?;
        self.clear_found(caller, found).await
    }

    /// [`Service::clear_credential_of_user`], for who has found how the user stands with the service.
    pub(super) async fn clear_found(
        &self,
        caller: &Caller,
        found: UserService,
    ) -> Result<bool, Error> {
        let Some(connection) = found.connection else {
            return Ok(false);
        };
        match self.clear_credential(caller, connection.id).await {
            Err(Error::NotFound(Kind::Connection)) => Ok(false),
            done => done,
        }
    }

    /// Destroys a user and everything of theirs at once: connections, retired ones too, with their sealed bytes, and
    /// strata. A limited key may not, since it does not see all of it.
    pub async fn delete_user(&self, caller: &Caller, user_id: &str) -> Result<Destroyed, Error> {
        caller.require_unlimited()?;
        let (caller, user_id) = (caller.clone(), user_id.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, user_id) = (caller.clone(), user_id.clone());
                Box::pin(async move {
                    if !rows::lock(tx, &user_id).await? {
                        return Err(Error::NotFound(Kind::User));
                    }
                    let destroyed = rows::delete(tx, &user_id).await?;
                    record_deletion(tx, &caller, &user_id, destroyed).await?;
                    Ok(destroyed)
                })
            })
            .await
    }
}

async fn known(tx: &mut TenantTx, caller: &Caller, user_id: &str) -> Result<UserDetail, Error> {
    let found = rows::find(tx, user_id, caller.allowed().as_deref()).await?;
    found.ok_or(Error::NotFound(Kind::User))
}

/// The primary connections of a user that the caller may see, with their integrations.
async fn connected(
    tx: &mut TenantTx,
    caller: &Caller,
    user_id: &str,
) -> Result<Vec<ConnectedService>, Error> {
    let mut primaries = connections::primaries_of_user(tx, user_id).await?;
    primaries.retain(|connection| caller.may_use(connection.integration));
    let ids: Vec<Uuid> = primaries
        .iter()
        .map(|connection| connection.integration.0)
        .collect();
    let mut services: Vec<_> = integrations::find_many(tx, &ids)
        .await?
        .into_iter()
        .filter_map(|integration| {
            let at = primaries
                .iter()
                .position(|connection| connection.integration == integration.id)?;
            Some(ConnectedService {
                connection: primaries.swap_remove(at),
                integration,
            })
        })
        .collect();
    services.sort_by(|one, other| one.integration.slug.cmp(&other.integration.slug));
    Ok(services)
}

/// The audit row names the user by its hash: what a tenant calls its users may be personal data, and the log outlives
/// them.
async fn record_deletion(
    tx: &mut TenantTx,
    caller: &Caller,
    user_id: &str,
    destroyed: Destroyed,
) -> Result<(), Error> {
    let event = audit::Event {
        action: "user.delete",
        object_kind: "user",
        object_id: &rows::hash_in_hex(user_id),
        detail: Some(serde_json::json!({
            "connections": destroyed.connections,
            "retired_connections": destroyed.retired,
            "strata": destroyed.strata,
        })),
    };
    audit::append(tx, caller, event).await.map(|_| ())
}
