//! The credentials that are reached through a strata: those of its user's primary connections.

use std::sync::Arc;

use super::caller::Caller;
use super::connection::{NewInstance, SetOutcome};
use super::connections::service;
use super::credential::Credential;
use super::error::{Error, Kind};
use super::ids::StrataId;
use super::resolve::Resolved;
use super::service::Service;
use super::strata::OfMember;
use super::strata_reads::{locked, visible};
use super::user::{UserCredential, UserService};
use super::user_connections::set_or_make;
use crate::store::{Access, TenantTx, connections};

/// A service in a strata, and how the strata's user stands with it.
struct Member {
    user_id: String,
    slug: String,
    service: UserService,
}

impl Service {
    /// Replaces the whole credential of a service of a strata: that of the user's primary connection, which is made
    /// where absent. The paths of issues are relative to the credential, but for an unknown service (at `service`).
    pub async fn set_strata_credential(
        &self,
        caller: &Caller,
        id: StrataId,
        service_name: &str,
        credential: Credential,
    ) -> Result<OfMember<SetOutcome>, Error> {
        let credential = Arc::new(credential);
        let found = self.member(caller, id, service_name).await?;
        if let OfMember::Member(Member { service, .. }) = &found
            && let Some(connection) = &service.connection
        {
            let done = self
                .replace_credential(caller, connection.id, &credential)
                .await;
            // Where it was deleted since, the user may be gone with it, and their strata.
            if !matches!(done, Err(Error::NotFound(Kind::Connection))) {
                return done.map(OfMember::Member);
            }
        }
        let (caller, name) = (caller.clone(), Arc::new(service_name.to_owned()));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (caller, keys, name) = (caller.clone(), Arc::clone(&keys), Arc::clone(&name));
                let credential = Arc::clone(&credential);
                Box::pin(async move {
                    let member = match member(tx, &caller, id, &name).await? {
                        OfMember::Outside(name) => return Ok(OfMember::Outside(name)),
                        OfMember::Member(member) => member,
                    };
                    locked(tx, &caller, id).await?;
                    let new = NewInstance {
                        service: member.slug,
                        user_id: member.user_id,
                        platform: None,
                        read_only: false,
                    };
                    let outcome = set_or_make(tx, &caller, &keys, &new, &credential).await?;
                    Ok(OfMember::Member(outcome))
                })
            })
            .await
    }

    /// Hands out the credential of a service of a strata, against its audit row.
    pub async fn hand_out_of_strata(
        &self,
        caller: &Caller,
        id: StrataId,
        service_name: &str,
    ) -> Result<OfMember<UserCredential>, Error> {
        match self.member(caller, id, service_name).await? {
            OfMember::Outside(name) => Ok(OfMember::Outside(name)),
            OfMember::Member(member) => self
                .hand_out_found(caller, member.service)
                .await
                .map(OfMember::Member),
        }
    }

    /// Destroys the credential of a service of a strata. The connection stays, in the strata too. `false` where there
    /// is no connection, so nothing to destroy.
    pub async fn clear_credential_of_strata(
        &self,
        caller: &Caller,
        id: StrataId,
        service_name: &str,
    ) -> Result<OfMember<bool>, Error> {
        match self.member(caller, id, service_name).await? {
            OfMember::Outside(name) => Ok(OfMember::Outside(name)),
            OfMember::Member(member) => self
                .clear_found(caller, member.service)
                .await
                .map(OfMember::Member),
        }
    }

    async fn member(
        &self,
        caller: &Caller,
        id: StrataId,
        service_name: &str,
    ) -> Result<OfMember<Member>, Error> {
        let (caller, name) = (caller.clone(), Arc::new(service_name.to_owned()));
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, name) = (caller.clone(), Arc::clone(&name));
                Box::pin(async move { member(tx, &caller, id, &name).await })
            })
            .await
    }
}

/// A service of a strata. A name that leads to no service of this caller breaks [`Rule::UnknownService`] at `service`,
/// before the strata is looked for.
///
/// [`Rule::UnknownService`]: super::error::Rule::UnknownService
async fn member(
    tx: &mut TenantTx,
    caller: &Caller,
    id: StrataId,
    service_name: &str,
) -> Result<OfMember<Member>, Error> {
    let found = service(tx, caller, service_name).await?;
    let (user_id, services) = visible(tx, caller, id).await?;
    let service_name = found.klavis_name().to_owned();
    let Resolved::Mine(integration) = found else {
        return Ok(OfMember::Outside(service_name));
    };
    if services.iter().all(|member| member.id != integration.id) {
        return Ok(OfMember::Outside(service_name));
    }
    let connection = connections::find_primary(tx, integration.id, &user_id).await?;
    Ok(OfMember::Member(Member {
        user_id,
        slug: integration.slug,
        service: UserService {
            service_name,
            connection,
        },
    }))
}
