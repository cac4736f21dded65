//! Switching a connection on and off, ending its credential, and asking for a newer one.

use std::convert::Infallible;
use std::sync::Arc;

use super::caller::Caller;
use super::connection::{Connection, Status};
use super::connection_credential::hold_with_config;
use super::connections::{record, record_with, usable};
use super::error::{Error, Refusal};
use super::ids::ConnectedAccountId;
use super::scheme::Scheme;
use super::service::Service;
use crate::store::connections::{self as rows, Standing};
use crate::store::{Access, TenantTx, auth_configs};

/// Why a connection is INACTIVE that its tenant has switched off.
const SWITCHED_OFF: &str = "Connection status updated by user";
/// Why a connection is REVOKED that its tenant has revoked.
const REVOKED: &str = "Revoked via user-initiated revoke endpoint";

impl Service {
    /// `found`, where the caller has such a connection: that it is unknown is said before what is wrong with a request
    /// about it.
    pub async fn of_account<T>(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        found: Result<T, Error>,
    ) -> Result<T, Error> {
        if found.is_err() {
            let (caller, id) = (caller.clone(), id.clone());
            self.db()
                .tenant(caller.tenant, Access::Read, move |tx| {
                    let (caller, id) = (caller.clone(), id.clone());
                    Box::pin(async move { usable(&caller, rows::find_account(tx, &id).await?) })
                })
                .await?;
        }
        found
    }

    /// Makes a connection ACTIVE or INACTIVE. One without a credential cannot be switched, nor one whose credential has
    /// ended, except where the scheme takes none. Where it is so already, nothing is written.
    pub async fn switch_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        enabled: bool,
    ) -> Result<(), Error> {
        let (caller, id) = (caller.clone(), Arc::new(id.clone()));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, id) = (caller.clone(), Arc::clone(&id));
                Box::pin(async move { switch(tx, &caller, &id, enabled).await })
            })
            .await
    }

    /// Destroys the credential of a connection at once, with the links that lead to its page, and makes it REVOKED until
    /// it gets another one. Where it is so already, nothing is written. Nothing is revoked at the provider.
    pub async fn revoke_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
    ) -> Result<(), Error> {
        let (caller, id) = (caller.clone(), Arc::new(id.clone()));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, id) = (caller.clone(), Arc::clone(&id));
                Box::pin(async move { revoke(tx, &caller, &id).await })
            })
            .await
    }

    /// Refuses to refresh the credential of a connection: what its scheme could refresh is refreshed by a part of the
    /// server that is not built. `validate` asks for a test of the credential, which is not built either.
    pub async fn refresh_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        validate: bool,
    ) -> Result<Infallible, Error> {
        let (of, id) = (caller.clone(), id.clone());
        let scheme = self
            .db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, id) = (of.clone(), id.clone());
                Box::pin(async move {
                    let found = usable(&caller, rows::find_account(tx, &id).await?)?;
                    let config = auth_configs::find_by_uuid(tx, found.auth_config).await?;
                    let config =
                        config.ok_or_else(|| Error::internal("a connection has no auth config"))?;
                    Ok(config.scheme)
                })
            })
            .await?;
        match unrefreshed(&scheme) {
            Error::NotImplemented(_) if validate => Err(Error::NotImplemented(
                "validation of credentials at the provider",
            )),
            reason => Err(reason),
        }
    }
}

async fn switch(
    tx: &mut TenantTx,
    caller: &Caller,
    id: &ConnectedAccountId,
    enabled: bool,
) -> Result<(), Error> {
    let seen = usable(caller, rows::find_account(tx, id).await?)?;
    let (held, config) = hold_with_config(tx, caller, seen.id).await?;
    if config.scheme != Scheme::None {
        require_switchable(&held)?;
    }
    let standing = if enabled {
        Standing {
            status: Status::Active,
            reason: None,
        }
    } else {
        Standing {
            status: Status::Inactive,
            reason: Some(SWITCHED_OFF),
        }
    };
    if held.status == standing.status {
        return Ok(());
    }
    rows::set_status(tx, held.id, standing).await?;
    let detail = serde_json::json!({ "status": standing.status.name() });
    record_with(tx, caller, "connection.set_status", held.id, Some(detail)).await
}

/// Refuses what only a new credential makes ready.
fn require_switchable(held: &Connection) -> Result<(), Error> {
    match held.status {
        Status::Expired | Status::Failed | Status::Revoked => Err(Error::Refused(Refusal::Ended {
            status: held.status.name(),
        })),
        _ if !held.has_credential => Err(Error::Refused(Refusal::NoCredential)),
        Status::Initializing | Status::Initiated | Status::Active | Status::Inactive => Ok(()),
    }
}

async fn revoke(tx: &mut TenantTx, caller: &Caller, id: &ConnectedAccountId) -> Result<(), Error> {
    let seen = usable(caller, rows::find_account(tx, id).await?)?;
    let held = usable(caller, rows::lock(tx, seen.id).await?)?;
    if held.status == Status::Revoked && !held.has_credential {
        return Ok(());
    }
    let standing = Standing {
        status: Status::Revoked,
        reason: Some(REVOKED),
    };
    rows::change_credential(tx, held.id, None, standing).await?;
    rows::end_links(tx, held.id).await?;
    record(tx, caller, "connection.revoke", held.id).await
}

/// Why the credentials of a scheme are not refreshed.
fn unrefreshed(scheme: &Scheme) -> Error {
    match scheme {
        Scheme::OAuth2 | Scheme::OAuth2Dcr | Scheme::OAuth2Cimd | Scheme::ClientCredentials => {
            Error::NotImplemented("refreshing credentials at the provider")
        }
        Scheme::Opaque(_) => Error::NotImplemented("refreshing credentials that are only stored"),
        Scheme::None
        | Scheme::ApiKey
        | Scheme::Basic
        | Scheme::Bearer
        | Scheme::BasicJwt
        | Scheme::ServiceAccount
        | Scheme::GoogleServiceAccount => Error::Refused(Refusal::NotRefreshable {
            scheme: scheme.name(),
        }),
    }
}
