//! `keyway root-key new|rotate`.

use clap::Subcommand;
use serde_json::json;

use super::house::{self, For};
use super::progress::Shown;
use super::{Failure, output};
use crate::config::{NextRootKey, StoreSettings};
use crate::crypto::{RootId, RootKey};
use crate::domain::Service;
use crate::domain::rotation::{RootRotation, RotationError};
use crate::store::keys::Fingerprints;
use crate::store::rotation::servers::SILENCE;

#[derive(Debug, Subcommand)]
pub(super) enum RootKeyCommand {
    /// Print a new root key, 32 random bytes as base64
    New,
    /// Move everything under the configured root key, while servers run; the present one is among the
    /// old root key files. On the embedded Postgres with its own key file, a new key is made
    Rotate,
}

pub(super) async fn run(
    store: &StoreSettings,
    command: RootKeyCommand,
    json: bool,
) -> Result<(), Failure> {
    match command {
        RootKeyCommand::New => new(json),
        RootKeyCommand::Rotate => rotate(store, json).await,
    }
}

fn new(json: bool) -> Result<(), Failure> {
    let key = RootKey::generate();
    let text = key.to_base64();
    if json {
        output::json(&json!({ "root_key": *text, "root_id": key.root_id().to_string() }))
    } else {
        output::line(&text)
    }
}

async fn rotate(store: &StoreSettings, json: bool) -> Result<(), Failure> {
    let next = store.next_root_key();
    if let Some(next) = &next {
        if !house::has_cluster(store) {
            return Err(Failure::Said(format!(
                "there is no database in {} yet: name another --data-dir",
                store.data_dir().display()
            )));
        }
        next.prepare()?;
    }
    let house = house::open(store, house::command_settings(), For::Command).await?;
    let done = act(&house.service, next.as_ref(), json).await;
    house.close().await?;
    done
}

async fn act(service: &Service, next: Option<&NextRootKey>, json: bool) -> Result<(), Failure> {
    let shown = Shown::new("wrapping data keys anew");
    let watcher = |progress| shown.at(progress);
    let install = |rotation: &RootRotation| match next {
        Some(next) if rotation.remaining.is_empty() => next.install(rotation.root),
        _ => Ok(None),
    };
    let rotated = service.rotate_root_key_and(&watcher, install).await;
    shown.end();
    let (rotation, kept) = rotated.map_err(|error| worded(error, next))?;
    let kept = kept?;
    if json {
        let names = |roots: &[RootId]| roots.iter().map(ToString::to_string).collect::<Vec<_>>();
        output::json(&json!({
            "root_id": rotation.root.to_string(),
            "data_keys": rotation.data_keys,
            "server_secrets": rotation.server_secrets,
            "damaged": rotation.damaged,
            "retired": names(&rotation.retired),
            "remaining": names(&rotation.remaining),
            "finished": rotation.remaining.is_empty(),
            "old_key_file": kept.as_ref().map(|file| file.display().to_string()),
        }))?;
    } else {
        output::line(&said(&rotation, next))?;
        if let (Some(next), Some(kept)) = (next, &kept) {
            output::line(&format!(
                "It is {} now; the old one was kept as {}.",
                next.current().display(),
                kept.display()
            ))?;
        }
    }
    if rotation.remaining.is_empty() {
        // Last: a run that is killed before it could tell is done again, and makes no other key.
        return Ok(next.map_or(Ok(()), |next| next.end(rotation.root))?);
    }
    Err(Failure::Said(format!(
        "the root key {} must stay configured: {} rows do not open, the log names them; restore them from a backup, \
         then run this again",
        Fingerprints(rotation.remaining),
        rotation.damaged
    )))
}

fn said(rotation: &RootRotation, next: Option<&NextRootKey>) -> String {
    let root = rotation.root;
    if !rotation.remaining.is_empty() {
        let moved = rotation.data_keys;
        return format!("{moved} data keys were wrapped under root key {root}, not all.");
    }
    if rotation.data_keys == 0 && rotation.server_secrets == 0 && rotation.retired.is_empty() {
        if next.is_some() {
            return format!("Done already: everything is sealed under root key {root}.");
        }
        return format!(
            "Everything is sealed under root key {root} already, the configured one. To rotate to another one, make it \
             with `keyway root-key new`, restart every server with it in KEYWAY_ROOT_KEY_FILE and the present one in \
             KEYWAY_OLD_ROOT_KEY_FILES, and run this again."
        );
    }
    let (data_keys, retired) = (rotation.data_keys, Fingerprints(rotation.retired.clone()));
    format!(
        "{data_keys} data keys were wrapped anew: everything is sealed under root key {root}. {retired} can be removed \
         from the configuration now; keep a copy for as long as you keep backups that were made before."
    )
}

/// On the key file of the embedded Postgres, the server learns the next root key by a restart alone.
fn worded(error: RotationError, next: Option<&NextRootKey>) -> Failure {
    match (error, next) {
        (RotationError::Strangers { root, .. }, Some(next)) => Failure::Said(format!(
            "the next root key {root} is {}, and the running server does not hold it yet: copy that file to your safe \
             place, restart the server, then run this again. Nothing was changed. (A server that was killed counts as \
             running for {} s.)",
            next.next().display(),
            SILENCE,
        )),
        (error, _) => Failure::Rotation(error),
    }
}
