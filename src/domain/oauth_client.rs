//! Changing an OAuth client: its open members lie in the auth config's row, the others are sealed cells.

use zeroize::Zeroizing;

use super::auth_config::OAuthClient;
use super::auth_setting::OAuthClientChange;
use super::cells::Cells;
use super::error::Error;
use super::patch::Patch;
use crate::json::Json;
use crate::store::secrets::CellKind;

/// The sealed members of an OAuth client.
pub(super) const CELLS: [&str; 6] = [
    "client_id",
    "client_secret",
    "auth_url",
    "token_url",
    "scopes",
    "user_scopes",
];

/// The open members of a client after a change; empty texts clear.
pub(super) fn merged(client: OAuthClient, change: &OAuthClientChange) -> OAuthClient {
    let member = |change: &Patch<String>, before| {
        change
            .clone()
            .apply(before)
            .filter(|text: &String| !text.is_empty())
    };
    OAuthClient {
        label: member(&change.label, client.label),
        authorization_code: member(&change.authorization_code, client.authorization_code),
        access_token_code: member(&change.access_token_code, client.access_token_code),
        refresh_token_code: member(&change.refresh_token_code, client.refresh_token_code),
        ..client
    }
}

/// The sealed members of a client: null and the empty text destroy, absent keeps.
pub(super) fn seal(cells: &mut Cells, change: &OAuthClientChange) -> Result<(), Error> {
    let open = |text: &Patch<String>| text.clone().map(Zeroizing::new);
    let members = [
        ("client_id", &change.client_id),
        ("client_secret", &change.client_secret),
        ("auth_url", &open(&change.auth_url)),
        ("token_url", &open(&change.token_url)),
        ("scopes", &open(&change.scopes)),
    ];
    for (name, member) in members {
        match member {
            Patch::Keep => {}
            Patch::Set(text) if !text.is_empty() => {
                let value = Json::String(text.clone());
                cells.set(CellKind::Credential, name, &value)?;
            }
            _ => cells.remove(CellKind::Credential, name),
        }
    }
    Ok(())
}
