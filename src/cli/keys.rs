//! `keyway key create|list|revoke`.

use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::house::{self, For};
use super::tenants::worded;
use super::{Failure, output};
use crate::config::StoreSettings;
use crate::domain::caller::Expiry;
use crate::domain::error::Kind;
use crate::domain::tenants::NewApiKey;
use crate::domain::{Error, Scope, Service};
use crate::store::api_keys::StoredKey;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make an API key; it is shown this once
    Create {
        /// The tenant's name
        #[arg(long)]
        tenant: String,
        /// A name for the key
        #[arg(long, default_value = "key")]
        name: String,
        /// A scope, such as connections:write; may be repeated [default: all but tenant:admin]
        #[arg(long = "scope")]
        scopes: Vec<Scope>,
        /// The id of an integration that the key is limited to; may be repeated
        #[arg(long = "integration")]
        integrations: Vec<Uuid>,
        /// When it ends: a time from now such as 90d, or a date and time (RFC 3339)
        #[arg(long, value_parser = expiry)]
        expires: Option<Expiry>,
    },
    /// List the API keys of a tenant, revoked ones too
    List {
        /// The tenant's name
        #[arg(long)]
        tenant: String,
    },
    /// End an API key; every server sees it within 5 s
    Revoke {
        /// The tenant's name
        #[arg(long)]
        tenant: String,
        /// The key's id, as `keyway key list` shows it
        id: String,
    },
}

/// The longest time that a key may be good for from now on, so that its end is a date that can be stored.
const LONGEST: Duration = Duration::from_hours(24 * 365 * 100);

fn expiry(text: &str) -> Result<Expiry, String> {
    if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
        return if at > OffsetDateTime::now_utc() {
            Ok(Expiry::At(at))
        } else {
            Err("lies in the past: the key would never be good".to_owned())
        };
    }
    match humantime::parse_duration(text) {
        Ok(span) if span.is_zero() => Err("ends at once: the key would never be good".to_owned()),
        Ok(span) if span <= LONGEST => Ok(Expiry::After(span)),
        Ok(_) => {
            Err("is longer than a hundred years: leave it out for a key without an end".to_owned())
        }
        Err(_) => Err(
            "neither a time such as 90d nor a date and time such as 2030-01-31T12:00:00Z"
                .to_owned(),
        ),
    }
}

pub(super) async fn run(
    store: &StoreSettings,
    command: KeyCommand,
    json: bool,
) -> Result<(), Failure> {
    let house = house::open(store, house::command_settings(), For::Command).await?;
    let done = act(&house.service, command, json).await;
    house.close().await?;
    done
}

async fn act(service: &Service, command: KeyCommand, json: bool) -> Result<(), Failure> {
    match command {
        KeyCommand::Create {
            tenant,
            name,
            scopes,
            integrations,
            expires,
        } => {
            let id = service
                .tenant_named(&tenant)
                .await
                .map_err(|error| worded(error, &tenant))?;
            let integrations = (!integrations.is_empty()).then_some(integrations);
            let new = NewApiKey {
                name: name.clone(),
                scopes,
                integrations: integrations.clone(),
                expiry: expires,
            };
            let made = service
                .create_key(id, new)
                .await
                .map_err(|error| worded(error, &tenant))?;
            if json {
                return output::json(&json!({
                    "key_id": made.id.to_string(),
                    "api_key": *made.api_key,
                    "tenant_id": id.to_string(),
                    "name": name,
                    "scopes": made.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
                    "integrations": integrations,
                    "expires_at": made.expires_at.map(written),
                }));
            }
            output::line(&format!(
                "{}\nThis is key {} of tenant {tenant}; it is not shown again.",
                *made.api_key, made.id
            ))
        }
        KeyCommand::List { tenant } => {
            let id = service
                .tenant_named(&tenant)
                .await
                .map_err(|error| worded(error, &tenant))?;
            let keys = service.api_keys(id).await?;
            if json {
                return output::json(&keys.iter().map(listed).collect());
            }
            let rows = keys.into_iter().map(|key| {
                let state = state(&key).to_owned();
                let expires = key.expires_at.map_or_else(|| "never".to_owned(), written);
                vec![key.key_id, key.name, state, expires, key.scopes.join(" ")]
            });
            output::table(
                &["ID", "NAME", "STATE", "EXPIRES", "SCOPES"],
                rows.collect(),
            )
        }
        KeyCommand::Revoke { tenant, id } => {
            let of = service
                .tenant_named(&tenant)
                .await
                .map_err(|error| worded(error, &tenant))?;
            service.revoke_key(of, &id).await.map_err(|error| match error {
                Error::NotFound(Kind::ApiKey) => {
                    Failure::Said(format!("tenant {tenant} has no key {id:?}: `keyway key list --tenant {tenant}` shows them"))
                }
                other => Failure::Domain(other),
            })?;
            if json {
                output::json(&json!({ "key_id": id, "revoked": true }))
            } else {
                output::line(&format!("Revoked key {id}: servers refuse it within 5 s."))
            }
        }
    }
}

fn written(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

fn state(key: &StoredKey) -> &'static str {
    match (key.revoked_at, key.expired) {
        (Some(_), _) => "revoked",
        (None, true) => "expired",
        (None, false) => "live",
    }
}

fn listed(key: &StoredKey) -> serde_json::Value {
    json!({
        "key_id": key.key_id,
        "name": key.name,
        "state": state(key),
        "scopes": key.scopes,
        "integrations": key.integrations,
        "created_at": written(key.created_at),
        "expires_at": key.expires_at.map(written),
        "revoked_at": key.revoked_at.map(written),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_at_a_time_or_after_a_span_never_in_the_past() {
        let day = Duration::from_hours(24);
        assert_eq!(expiry("24h"), Ok(Expiry::After(day)));
        let date = "2999-01-31T12:00:00+02:00";
        let at = OffsetDateTime::parse(date, &Rfc3339).expect("a date and time");
        assert_eq!(expiry(date), Ok(Expiry::At(at)));
        for bad in [
            "soon",
            "",
            "2030-01-31",
            "9999y",
            "0s",
            "2001-01-31T12:00:00Z",
        ] {
            assert!(expiry(bad).is_err(), "{bad}");
        }
    }
}
