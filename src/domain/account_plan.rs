//! What becomes of a new connection, given its config and what the caller brought: the rules of `POST
//! /connected_accounts` (contract/composio).

use super::account_creation::NewAccount;
use super::auth_config::{AuthConfig, FieldKind};
use super::credential::Credential;
use super::error::{Error, Refusal};
use super::expected_fields::{self, missing};
use super::ids::AuthConfigUuid;
use super::integration::Integration;
use super::scheme::Scheme;
use crate::crypto::{Secret, TenantKeys};
use crate::json::{Json, Object};
use crate::store::TenantTx;
use crate::store::keys::unopened;
use crate::store::secrets::{self, CellKind};

/// The member that an OAuth credential is not one without.
const ACCESS_TOKEN: &str = "access_token";

/// What the caller wants of a new connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Asked {
    /// Whatever its credential allows.
    #[default]
    Nothing,
    /// That it is ready: the credential must be complete.
    Ready,
    /// That the user is sent to the provider: what was given is no credential yet.
    Redirect,
}

/// What becomes of it.
#[derive(Debug)]
pub(super) enum Plan {
    /// This credential is stored.
    Store(Secret),
    /// The scheme takes no credential.
    NothingToStore,
    /// Its user gets a link, with the members that were given.
    Link(Object),
}

/// What becomes of a new connection under this config, whose shared credentials hold values for `shared`. The paths of
/// issues are relative to the credential.
pub(super) fn plan(
    config: &AuthConfig,
    integration: &Integration,
    shared: &[String],
    new: &NewAccount,
) -> Result<Plan, Error> {
    if config.managed {
        return Err(Error::Refused(Refusal::ManagedNeedsLink));
    }
    require_scheme(config, new.scheme.as_ref())?;
    let redirects = match config.scheme {
        Scheme::None => return Ok(Plan::NothingToStore),
        Scheme::OAuth2 | Scheme::OAuth2Dcr | Scheme::OAuth2Cimd => true,
        _ => false,
    };
    if redirects && new.asked == Asked::Redirect {
        return Ok(Plan::Link(new.members.clone()));
    }
    let members = match new.asked {
        Asked::Redirect => Object::new(),
        Asked::Nothing | Asked::Ready => new.members.clone(),
    };
    let credential = Credential::of_members(members.clone());
    if matches!(config.scheme, Scheme::Opaque(_)) && credential.is_empty() {
        return Err(Error::NotImplemented(
            "connecting with a scheme that is only stored",
        ));
    }
    require_numbers(config, integration, &credential)?;
    let given = Secret::json(&Json::Object(members.clone()));
    let missing = lacks(config, integration, shared, &given);
    if missing.is_empty() {
        return Ok(Plan::Store(given));
    }
    if redirects && new.asked == Asked::Nothing && !given.has(ACCESS_TOKEN) {
        return Ok(Plan::Link(members));
    }
    Err(Error::Refused(Refusal::MissingFields(missing)))
}

/// Refuses a credential that was said to be of another scheme than the config's.
pub(super) fn require_scheme(config: &AuthConfig, said: Option<&Scheme>) -> Result<(), Error> {
    let fits = said.is_none_or(|said| {
        *said == config.scheme || config.scheme == Scheme::OAuth2Cimd && *said == Scheme::OAuth2Dcr
    });
    if fits {
        return Ok(());
    }
    Err(Error::Refused(Refusal::OtherScheme {
        expected: config.scheme.name(),
    }))
}

/// Refuses a value of a NUMBER field, declared or the catalogue's, that is no number.
pub(super) fn require_numbers(
    config: &AuthConfig,
    integration: &Integration,
    credential: &Credential,
) -> Result<(), Error> {
    let fields = expected_fields::of(config, integration, []);
    let numbers = fields
        .iter()
        .filter(|field| field.kind == FieldKind::Number);
    Error::when_any(credential.check_numbers(numbers.map(|field| field.slug.as_str())))
}

/// The display names of what a credential under this config lacks, shared credentials counted in.
pub(super) fn lacks(
    config: &AuthConfig,
    integration: &Integration,
    shared: &[String],
    given: &Secret,
) -> Vec<String> {
    let fields = expected_fields::of(config, integration, shared.iter().map(String::as_str));
    let has = |name: &str| given.has(name) || shared.iter().any(|shared| shared == name);
    missing(&config.scheme, &fields, has)
}

/// The names of a config's shared credentials that hold a value: neither null nor the empty text.
pub(super) async fn shared_names(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    config: AuthConfigUuid,
) -> Result<Vec<String>, Error> {
    let mut cells = secrets::of_configs(tx, &[config.0]).await?;
    cells.retain(|cell| cell.kind == CellKind::Shared);
    let mut names = Vec::with_capacity(cells.len());
    for cell in cells {
        let place = secrets::place(tx.tenant(), config, cell.kind, &cell.name);
        let value = keys.open(&place, &cell.sealed).map_err(unopened)?;
        if !value.same_as("null") && !value.same_as("\"\"") {
            names.push(cell.name);
        }
    }
    Ok(names)
}
