//! A user's connections by the name of the service: what Klavis' routes of users and strata ask for.

use std::sync::Arc;

use super::caller::Caller;
use super::connection::{NewInstance, SetOutcome};
use super::connection_credential::{nothing_to_do, nothing_to_do_under, set};
use super::connections::{primary_of, service, unknown_service};
use super::credential::Credential;
use super::error::{Error, Kind, Refusal};
use super::ids::ConnectionId;
use super::integration::Integration;
use super::limits;
use super::resolve::{self, Resolved};
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::connections as rows;
use crate::store::{Access, TenantTx, auth_configs, begin_anew, integrations};

impl Service {
    /// Replaces the whole credential of a user's primary connection with a service, and makes whatever is absent: user,
    /// integration, default config, connection. Where nothing is stored, nothing is made either. The paths of issues
    /// are relative to the credential, but for an unknown service (at `service`) and the user's id (at `user_id`), which
    /// comes before all others.
    pub async fn set_user_credential(
        &self,
        caller: &Caller,
        service_name: &str,
        user_id: &str,
        credential: Credential,
    ) -> Result<SetOutcome, Error> {
        let new = NewInstance {
            service: service_name.to_owned(),
            user_id: user_id.to_owned(),
            platform: None,
            read_only: false,
        };
        Error::when_any(limits::broken_limits(&new))?;
        let found = match self.user_service(caller, service_name, user_id).await {
            Err(Error::NotFound(Kind::User)) => None,
            done => done?.connection,
        };
        let credential = Arc::new(credential);
        if let Some(connection) = found {
            let done = self
                .replace_credential(caller, connection.id, &credential)
                .await;
            // Where it was deleted since, another one is the primary now, or is made.
            if !matches!(done, Err(Error::NotFound(Kind::Connection))) {
                return done;
            }
        }
        let (caller, new) = (caller.clone(), Arc::new(new));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (caller, keys) = (caller.clone(), Arc::clone(&keys));
                let (new, credential) = (Arc::clone(&new), Arc::clone(&credential));
                Box::pin(async move { set_or_make(tx, &caller, &keys, &new, &credential).await })
            })
            .await
    }
}

/// Everything in one transaction. Where the connection that it relied on was taken away meanwhile, it begins anew:
/// locks are taken in one order only, integration before config before connection.
pub(super) async fn set_or_make(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    new: &NewInstance,
    credential: &Credential,
) -> Result<SetOutcome, Error> {
    let integration = match service(tx, caller, &new.service).await? {
        Resolved::Mine(integration) => integration,
        Resolved::Template(entry) => {
            let scheme = resolve::implicit_scheme(Some(entry));
            if let Some(outcome) = nothing_to_do(&scheme, &[], &[], credential)? {
                return Ok(outcome);
            }
            resolve::instantiate(tx, caller, entry).await?
        }
    };
    let id = match rows::find_primary(tx, integration.id, &new.user_id).await? {
        Some(found) => found.id,
        None => match refused_or_made(tx, caller, integration, new, credential).await? {
            Made::Connection(id) => id,
            Made::Nothing(outcome) => return Ok(outcome),
        },
    };
    match set(tx, caller, keys, id, credential).await {
        Err(Error::NotFound(Kind::Connection)) => Err(begin_anew()),
        done => done,
    }
}

enum Made {
    Connection(ConnectionId),
    Nothing(SetOutcome),
}

/// Makes the primary connection, if the credential can be stored under the config that it gets.
async fn refused_or_made(
    tx: &mut TenantTx,
    caller: &Caller,
    integration: Integration,
    new: &NewInstance,
    credential: &Credential,
) -> Result<Made, Error> {
    let integration = integrations::lock(tx, integration.id)
        .await?
        .ok_or_else(unknown_service)?;
    let outcome = match auth_configs::lock_default(tx, integration.id).await? {
        Some(config) if !config.enabled => {
            return Err(Error::Refused(Refusal::AuthConfigDisabled));
        }
        Some(config) => nothing_to_do_under(tx, &config, credential).await?,
        None => {
            let scheme = resolve::implicit_scheme(integration.catalogue_entry());
            nothing_to_do(&scheme, &[], &[], credential)?
        }
    };
    if let Some(outcome) = outcome {
        return Ok(Made::Nothing(outcome));
    }
    let connection = primary_of(tx, caller, &integration, new).await?;
    Ok(Made::Connection(connection.id))
}
