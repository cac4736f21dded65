//! `keyway tenant create|list|delete|rotate-key`.

use clap::Subcommand;
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use super::house::{self, For};
use super::progress::Shown;
use super::{Failure, output, words};
use crate::config::StoreSettings;
use crate::domain::error::{Kind, Refusal};
use crate::domain::rotation::RotationError;
use crate::domain::{Error, Service};

#[derive(Debug, Subcommand)]
pub(super) enum TenantCommand {
    /// Make a tenant
    Create {
        /// Its name
        name: String,
    },
    /// List the tenants
    List,
    /// Destroy a tenant with everything that it has, at once and for good
    Delete {
        /// Its name
        name: String,
    },
    /// Give a tenant another data key and encrypt everything of it anew, while servers run
    RotateKey {
        /// Its name
        name: String,
        /// Stay until nothing is sealed under the old data key and no server remembers it, about seven minutes; without
        /// it a running server sees to that
        #[arg(long)]
        wait: bool,
    },
}

pub(super) async fn run(
    store: &StoreSettings,
    command: TenantCommand,
    json: bool,
) -> Result<(), Failure> {
    let house = house::open(store, house::command_settings(), For::Command).await?;
    let done = act(&house.service, command, json).await;
    house.close().await?;
    done
}

async fn act(service: &Service, command: TenantCommand, json: bool) -> Result<(), Failure> {
    match command {
        TenantCommand::Create { name } => {
            let id = service
                .create_tenant(&name)
                .await
                .map_err(|error| worded(error, &name))?;
            if json {
                output::json(&json!({ "tenant_id": id.to_string(), "name": name }))
            } else {
                output::line(&format!(
                    "Made tenant {name} ({id}). `keyway key create --tenant {}` makes its API key.",
                    shell_word(&name)
                ))
            }
        }
        TenantCommand::List => {
            let tenants = service.tenants().await?;
            let made = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
            if json {
                let list: Vec<_> = tenants
                    .iter()
                    .map(|tenant| {
                        let (id, at) = (tenant.id.to_string(), made(tenant.created_at));
                        json!({ "tenant_id": id, "name": tenant.name, "created_at": at })
                    })
                    .collect();
                return output::json(&json!(list));
            }
            let rows = tenants
                .into_iter()
                .map(|tenant| vec![tenant.name, tenant.id.to_string(), made(tenant.created_at)]);
            output::table(&["NAME", "ID", "MADE"], rows.collect())
        }
        TenantCommand::Delete { name } => {
            let id = service
                .delete_tenant(&name)
                .await
                .map_err(|error| worded(error, &name))?;
            if json {
                output::json(&json!({ "tenant_id": id.to_string(), "name": name, "deleted": true }))
            } else {
                output::line(&format!(
                    "Deleted tenant {name} ({id}): its keys and rows are destroyed."
                ))
            }
        }
        TenantCommand::RotateKey { name, wait } => rotate_key(service, &name, wait, json).await,
    }
}

async fn rotate_key(service: &Service, name: &str, wait: bool, json: bool) -> Result<(), Failure> {
    let shown = Shown::new("encrypting cells anew");
    let watcher = |progress| shown.at(progress);
    let rotated = service.rotate_tenant_key(name, wait, &watcher).await;
    shown.end();
    let rotation = rotated.map_err(|error| match error {
        RotationError::Store(error) => worded(error, name),
        other => Failure::Rotation(other),
    })?;
    if json {
        output::json(&json!({
            "tenant_id": rotation.tenant.to_string(),
            "name": name,
            "data_key": rotation.data_key,
            "resumed": rotation.resumed,
            "replaced": rotation.replaced,
            "cells": rotation.cells,
            "damaged": rotation.damaged,
            "finished": rotation.finished,
        }))?;
    } else {
        output::line(&words::rotated(name, &rotation))?;
    }
    if rotation.damaged > 0 {
        return Err(Failure::Said(format!(
            "{} cells do not open and stay under the old data key, which is kept: the log names them; restore them from \
             a backup, then run this again",
            rotation.damaged
        )));
    }
    Ok(())
}

/// A domain error in words that name the argument.
pub(super) fn worded(error: Error, name: &str) -> Failure {
    match error {
        Error::NotFound(Kind::Tenant) => Failure::Said(format!(
            "there is no tenant {name:?}: `keyway tenant list` shows them"
        )),
        Error::Refused(Refusal::NameTaken) => Failure::Said(format!(
            "there is a tenant {name:?} already: choose another name"
        )),
        Error::Invalid(_) => Failure::Usage(
            "a name must have 1 to 100 characters and no control characters".to_owned(),
        ),
        other => Failure::Domain(other),
    }
}

/// The name as a shell reads it back, quoted where it must be.
pub(super) fn shell_word(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn names_are_quoted_where_a_shell_would_split_them() {
        for (name, word) in [
            ("alice", "alice"),
            ("Acme Inc.", "'Acme Inc.'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(shell_word(name), word);
        }
    }
}
