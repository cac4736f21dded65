//! The rules of replacing a connection's credential.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::connection::{Connection, SetOutcome, Status};
use super::connections::{record, usable};
use super::credential::Credential;
use super::declared_field::DeclaredField;
use super::declared_rules::DeclaredRules;
use super::error::{Error, Issue, Kind, Rule};
use super::ids::ConnectionId;
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::{Secret, TenantKeys};
use crate::store::connections as rows;
use crate::store::hot::{SetCredential, SetCredentialAnswer};
use crate::store::{Access, TenantTx, account_parts, auth_configs};

impl Service {
    /// Replaces the whole credential of one connection and makes it ACTIVE. Where there is nothing to store, nothing
    /// is changed. The paths of issues are relative to the credential.
    ///
    /// The credential is checked against the rules that the connection's config most likely has, and stored only where
    /// it has just these; where it has others, the database answers with them, and it is checked again.
    pub async fn set_credential(
        &self,
        caller: &Caller,
        id: ConnectionId,
        credential: Credential,
    ) -> Result<SetOutcome, Error> {
        self.replace_credential(caller, id, &Arc::new(credential))
            .await
    }

    /// [`Service::set_credential`], for who may need the credential once more.
    pub(super) async fn replace_credential(
        &self,
        caller: &Caller,
        id: ConnectionId,
        credential: &Arc<Credential>,
    ) -> Result<SetOutcome, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let mut rules = self.rules().of(id).await;
        for _ in 0..2 {
            let issues = if credential.is_empty() {
                Vec::new()
            } else {
                credential.check(rules.fields())
            };
            let sealed = if issues.is_empty() && !credential.is_empty() {
                Some(seal(&keys, caller, id, credential)?)
            } else {
                None
            };
            let call = SetCredential::new(caller, id, rules.text(), sealed);
            match self.db().set_credential(call).await? {
                SetCredentialAnswer::Done => return Ok(SetOutcome::Stored),
                SetCredentialAnswer::NoAuthentication => return Ok(SetOutcome::NoAuthentication),
                // What is missing may be shared by the config, which a transaction looks at.
                SetCredentialAnswer::Nothing if lacks(&issues) => break,
                SetCredentialAnswer::Nothing => {
                    return Error::when_any(issues).map(|()| SetOutcome::NothingToStore);
                }
                SetCredentialAnswer::Unknown => {
                    return Err(Error::NotFound(Kind::Connection));
                }
                SetCredentialAnswer::Stale(fields) => {
                    rules = DeclaredRules::parse(fields)?;
                    self.rules().remember(id, rules.clone()).await;
                }
                SetCredentialAnswer::Busy => break,
            }
        }
        self.set_credential_in_turn(caller, &keys, id, credential)
            .await
    }

    /// The same behind whoever holds the connection or its config.
    async fn set_credential_in_turn(
        &self,
        caller: &Caller,
        keys: &Arc<TenantKeys>,
        id: ConnectionId,
        credential: &Arc<Credential>,
    ) -> Result<SetOutcome, Error> {
        let (caller, keys) = (caller.clone(), Arc::clone(keys));
        let credential = Arc::clone(credential);
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, keys) = (caller.clone(), Arc::clone(&keys));
                let credential = Arc::clone(&credential);
                Box::pin(async move { set(tx, &caller, &keys, id, &credential).await })
            })
            .await
    }
}

/// Replaces the credential of one connection, which stays locked until the transaction ends.
pub(super) async fn set(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    id: ConnectionId,
    credential: &Credential,
) -> Result<SetOutcome, Error> {
    let config = lock_with_config(tx, caller, id).await?;
    if let Some(outcome) = nothing_to_do_under(tx, &config, credential).await? {
        return Ok(outcome);
    }
    let sealed = seal(keys, caller, id, credential)?;
    rows::set_credential(tx, id, Some(sealed), Status::Active).await?;
    record(tx, caller, "connection.set_credential", id).await?;
    Ok(SetOutcome::Stored)
}

/// Whether a required field is missing.
fn lacks(issues: &[Issue]) -> bool {
    issues.iter().any(|issue| issue.rule == Rule::Required)
}

/// How a set-auth ends before anything is stored under this config; `None` where the credential is to be stored. What
/// the config shares is not required.
pub(super) async fn nothing_to_do_under(
    tx: &mut TenantTx,
    config: &AuthConfig,
    credential: &Credential,
) -> Result<Option<SetOutcome>, Error> {
    match nothing_to_do(&config.scheme, &config.fields, &[], credential) {
        Err(Error::Invalid(issues)) if lacks(&issues) => {
            let shared = account_parts::shared_names(tx, config.uuid).await?;
            nothing_to_do(&config.scheme, &config.fields, &shared, credential)
        }
        outcome => outcome,
    }
}

/// How a set-auth ends before anything is stored, under a config of this scheme and these fields that shares the
/// credentials of these names; `None` where the credential is to be stored.
pub(super) fn nothing_to_do(
    scheme: &Scheme,
    fields: &[DeclaredField],
    shared: &[String],
    credential: &Credential,
) -> Result<Option<SetOutcome>, Error> {
    if *scheme == Scheme::None {
        return Ok(Some(SetOutcome::NoAuthentication));
    }
    if credential.is_empty() {
        return Ok(Some(SetOutcome::NothingToStore));
    }
    Error::when_any(credential.check_beside(fields, shared)).map(|()| None)
}

fn seal(
    keys: &TenantKeys,
    caller: &Caller,
    id: ConnectionId,
    credential: &Credential,
) -> Result<(Uuid, Vec<u8>), Error> {
    sealed_anew(keys, caller, id, &credential.to_secret())
}

/// The credential of a connection, sealed with a generation of its own.
pub(super) fn sealed_anew(
    keys: &TenantKeys,
    caller: &Caller,
    id: ConnectionId,
    credential: &Secret,
) -> Result<(Uuid, Vec<u8>), Error> {
    let generation = Uuid::new_v4();
    let place = rows::place(caller.tenant, id);
    let sealed = keys.seal_credential(&place, generation, credential);
    Ok((generation, sealed.map_err(Error::internal)?))
}

/// Locks a connection and answers with its config, which keeps its scheme and fields until the transaction ends: whoever
/// changes a config holds its row, so the config is locked first, as there.
pub(super) async fn lock_with_config(
    tx: &mut TenantTx,
    caller: &Caller,
    id: ConnectionId,
) -> Result<AuthConfig, Error> {
    let (_, config) = hold_with_config(tx, caller, id).await?;
    Ok(config)
}

/// [`lock_with_config`], with the connection.
pub(super) async fn hold_with_config(
    tx: &mut TenantTx,
    caller: &Caller,
    id: ConnectionId,
) -> Result<(Connection, AuthConfig), Error> {
    let seen = usable(caller, rows::find(tx, id).await?)?;
    let config = auth_configs::share(tx, seen.auth_config).await?;
    let locked = usable(caller, rows::lock(tx, id).await?)?;
    match config {
        Some(config) if config.uuid == locked.auth_config => Ok((locked, config)),
        _ => Err(Error::Unavailable {
            reason: "the connection was moved to another auth config meanwhile".into(),
            retry_after: Duration::from_secs(1),
        }),
    }
}
