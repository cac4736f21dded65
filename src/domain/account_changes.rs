//! Changing a connection: its alias, and the members of its credential one by one.

use std::sync::Arc;

use super::account_plan::{lacks, require_numbers, require_scheme, shared_names};
use super::account_rules::{MAX_MEMBERS, Sharing, broken_by_members};
use super::account_view::shared_of;
use super::auth_config::AuthConfig;
use super::caller::{Caller, Scope};
use super::connection::{Connection, Status};
use super::connection_credential::{hold_with_config, sealed_anew};
use super::connections::{record, record_with, usable};
use super::credential::Credential;
use super::error::{Error, Expected, Issue, Kind, Refusal, Rule};
use super::ids::{ConnectedAccountId, ConnectionId};
use super::integration::Integration;
use super::patch::Patch;
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::{Changed, Secret, TenantKeys};
use crate::json::{Json, JsonKind, Object};
use crate::store::connections::{self as rows, Standing};
use crate::store::keys::unopened;
use crate::store::{Access, TenantTx, integrations};

/// The longest credential that grows by a change, in bytes of JSON: as long as one that is brought in one request.
const MAX_CREDENTIAL: usize = 256 * 1024;

/// A change of a connection; what is not named is kept.
#[derive(Debug)]
pub struct AccountChange {
    /// What tells it apart from the user's others: see [`account_rules`](super::account_rules).
    pub alias: Patch<String>,
    /// Who besides its own user is to use it.
    pub sharing: Sharing,
    /// Members of its credential.
    pub credential: Option<CredentialChange>,
}

/// A change of a credential, member by member.
#[derive(Debug)]
pub struct CredentialChange {
    /// What the caller takes the config's scheme for.
    pub scheme: Scheme,
    /// Null removes, any other value sets; one that is what a read shows of the member leaves it as it is.
    pub members: Object,
}

impl Service {
    /// Changes what is named, in one transaction with its audit rows, and gives the status after it. A credential that
    /// gets another one by it must be complete and makes the connection ACTIVE, except where it is switched off. A
    /// change of nothing writes nothing. The paths of issues are relative to the credential.
    pub async fn update_account(
        &self,
        caller: &Caller,
        id: &ConnectedAccountId,
        change: AccountChange,
    ) -> Result<Status, Error> {
        let (caller, id, change) = (caller.clone(), id.clone(), Arc::new(change));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (caller, id) = (caller.clone(), id.clone());
                let (change, keys) = (Arc::clone(&change), Arc::clone(&keys));
                Box::pin(async move { update(tx, &caller, &keys, &id, &change).await })
            })
            .await
    }
}

async fn update(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    id: &ConnectedAccountId,
    change: &AccountChange,
) -> Result<Status, Error> {
    let seen = usable(caller, rows::find_account(tx, id).await?)?;
    change.sharing.require_none()?;
    if change.alias.as_set().is_some() {
        // As whoever makes a connection, and before all else, as there: an alias is one among the user's.
        let integration = integrations::lock(tx, seen.integration).await?;
        integration.ok_or(Error::NotFound(Kind::Connection))?;
    }
    let (held, config) = hold_with_config(tx, caller, seen.id).await?;
    let status = match &change.credential {
        Some(change) => merge(tx, caller, keys, &held, &config, change).await?,
        None => held.status,
    };
    rename(tx, caller, &held, &change.alias).await?;
    Ok(status)
}

async fn rename(
    tx: &mut TenantTx,
    caller: &Caller,
    held: &Connection,
    alias: &Patch<String>,
) -> Result<(), Error> {
    let alias = alias.clone().apply(held.alias.clone());
    if alias == held.alias {
        return Ok(());
    }
    rows::set_alias(tx, held.id, alias.as_deref()).await?;
    // The log outlives the connection, and an alias may name a person.
    let word = if alias.is_some() { "set" } else { "cleared" };
    let detail = serde_json::json!({ "alias": word });
    record_with(tx, caller, "connection.update", held.id, Some(detail)).await
}

/// Merges a change into the credential of a connection that is held, with its config; gives the status after it.
async fn merge(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    held: &Connection,
    config: &AuthConfig,
    change: &CredentialChange,
) -> Result<Status, Error> {
    if config.scheme == Scheme::None {
        require_scheme(config, Some(&change.scheme))?;
        return nothing_to_merge(held, config, change);
    }
    let stored = stored(tx, keys, held.id).await?;
    let inherited = shared_of(tx, keys, &[config.uuid.0])
        .await?
        .remove(&config.uuid)
        .unwrap_or_else(nothing);
    let before = stored.as_ref().map_or(0, Secret::len);
    let reads_clear = caller.has(Scope::CredentialsRead);
    let base = stored.unwrap_or_else(nothing);
    let changed = base.changed(&change.members, &inherited, reads_clear);
    let is_kept = !changed.is_change();
    if !(is_kept && is_shown_as(&config.scheme, &change.scheme)) {
        require_scheme(config, Some(&change.scheme))?;
    }
    if is_kept {
        return Ok(held.status);
    }
    if config.managed {
        return Err(Error::Refused(Refusal::ManagedNeedsLink));
    }
    let integration = integrations::find(tx, held.integration)
        .await?
        .ok_or(Error::NotFound(Kind::Connection))?;
    let under = (config, &integration);
    Error::when_any(broken_by(under, &change.members, &changed, before))?;
    let shared = shared_names(tx, keys, config.uuid).await?;
    let missing = lacks(config, &integration, &shared, &changed.secret);
    if !missing.is_empty() {
        return Err(Error::Refused(Refusal::MissingFields(missing)));
    }
    let standing = match held.status {
        Status::Inactive => Standing {
            status: Status::Inactive,
            reason: held.status_reason.as_deref(),
        },
        _ => Standing {
            status: Status::Active,
            reason: None,
        },
    };
    let sealed = sealed_anew(keys, caller, held.id, &changed.secret)?;
    rows::change_credential(tx, held.id, Some(sealed), standing).await?;
    record(tx, caller, "connection.set_credential", held.id).await?;
    Ok(standing.status)
}

/// Whether a connection of the one scheme may be shown as one of the other, and so be sent back: where its credential
/// lacks the members of its scheme, or, of an OAuth scheme, was revoked.
fn is_shown_as(scheme: &Scheme, other: &Scheme) -> bool {
    match other {
        Scheme::ApiKey => true,
        Scheme::OAuth2 => matches!(
            scheme,
            Scheme::OAuth2Dcr | Scheme::OAuth2Cimd | Scheme::ClientCredentials
        ),
        _ => false,
    }
}

/// A scheme without credentials takes none; to say so again changes nothing.
fn nothing_to_merge(
    held: &Connection,
    config: &AuthConfig,
    change: &CredentialChange,
) -> Result<Status, Error> {
    if change.members.is_empty() {
        return Ok(held.status);
    }
    Err(Error::Refused(Refusal::OtherScheme {
        expected: config.scheme.name(),
    }))
}

async fn stored(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    id: ConnectionId,
) -> Result<Option<Secret>, Error> {
    let Some((generation, sealed)) = rows::sealed(tx, id).await? else {
        return Ok(None);
    };
    let place = rows::place(tx.tenant(), id);
    keys.open_credential(&place, generation, &sealed)
        .map(Some)
        .map_err(unopened)
}

fn nothing() -> Secret {
    Secret::json(&Json::Object(Object::new()))
}

/// What the members that a change sets break, and the credential with them. One that was larger before, which another
/// dialect takes, may stay so.
fn broken_by(
    (config, integration): (&AuthConfig, &Integration),
    members: &Object,
    changed: &Changed,
    before: usize,
) -> Vec<Issue> {
    let given = |name: &String| Some((name.clone(), members.get(name)?.clone()));
    let set: Object = changed.set.iter().filter_map(given).collect();
    let mut issues = broken_by_members("val", &set);
    for issue in &mut issues {
        issue.path.remove(0);
    }
    issues.extend(set.iter().filter_map(|(name, value)| {
        let (expected, received) = (Expected::String, value.kind());
        (received != JsonKind::String)
            .then(|| Issue::at(name.to_owned(), Rule::Type { expected, received }))
    }));
    let here = |rule| Issue::new(Vec::new(), rule);
    if changed.grown_to.is_some_and(|count| count > MAX_MEMBERS) && issues.is_empty() {
        issues.push(here(Rule::TooMany { max: MAX_MEMBERS }));
    }
    if changed.secret.len() > MAX_CREDENTIAL.max(before) {
        issues.push(here(Rule::TooLong {
            max: MAX_CREDENTIAL,
        }));
    }
    match require_numbers(config, integration, &Credential::of_members(set)) {
        Err(Error::Invalid(numbers)) if issues.is_empty() => numbers,
        _ => issues,
    }
}
