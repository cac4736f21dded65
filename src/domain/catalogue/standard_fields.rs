//! The fields that every scheme of a mode has, so that no catalogue file repeats them.
//!
//! The slugs are the members of Composio's `state.val` and auth-config credentials, since these
//! are the names under which the credential is handed out.

use super::entry::{Field, FieldKind};

/// Fields of the auth config. `scopes` is the default of the scopes field, already joined.
pub(super) fn of_config(mode: &str, scopes: &str) -> Vec<Field> {
    match mode {
        "OAUTH2" => vec![
            text("client_id", "Client id", "The id of your OAuth app."),
            password(
                "client_secret",
                "Client secret",
                "The secret of your OAuth app.",
            ),
            optional_scopes(scopes),
        ],
        "DCR_OAUTH" | "CIMD_OAUTH" => vec![optional_scopes(scopes)],
        _ => Vec::new(),
    }
}

/// Fields that a user gives when connecting.
pub(super) fn of_connection(mode: &str) -> Vec<Field> {
    match mode {
        "API_KEY" => vec![password(
            "generic_api_key",
            "API key",
            "A key made in the service's settings.",
        )],
        "BEARER_TOKEN" => vec![password(
            "token",
            "Token",
            "Sent as `Authorization: Bearer`.",
        )],
        "BASIC" | "BASIC_WITH_JWT" => vec![
            text("username", "User name", "The name to sign in with."),
            password(
                "password",
                "Password",
                "The password that belongs to the name.",
            ),
        ],
        "GOOGLE_SERVICE_ACCOUNT" => vec![document(
            "credentials_json",
            "Service account key",
            "The JSON key file of a Google Cloud service account.",
        )],
        "SERVICE_ACCOUNT" => vec![
            text("application_id", "Application id", "The id of the app."),
            text(
                "installation_id",
                "Installation id",
                "The id of the app's installation.",
            ),
            document(
                "private_key",
                "Private key",
                "The app's private key in PEM format.",
            ),
        ],
        "S2S_OAUTH2" => vec![
            text("client_id", "Client id", "The id of your OAuth app."),
            password(
                "client_secret",
                "Client secret",
                "The secret of your OAuth app.",
            ),
        ],
        _ => Vec::new(),
    }
}

/// Puts the standard fields before a file's own; a file's own field of the same slug replaces the
/// standard one in its place.
pub(super) fn put_first(standard: Vec<Field>, own: &mut Vec<Field>) {
    let mut rest = std::mem::take(own);
    for field in standard {
        let described = rest.iter().position(|mine| mine.slug == field.slug);
        own.push(described.map_or(field, |position| rest.remove(position)));
    }
    own.append(&mut rest);
}

fn optional_scopes(joined: &str) -> Field {
    Field {
        required: false,
        default: (!joined.is_empty()).then(|| joined.to_owned()),
        ..text("scopes", "Scopes", "What the OAuth app asks its users for.")
    }
}

fn text(slug: &str, label: &str, description: &str) -> Field {
    Field {
        slug: slug.to_owned(),
        label: label.to_owned(),
        kind: FieldKind::Text,
        description: Some(description.to_owned()),
        placeholder: None,
        required: true,
        secret: false,
        default: None,
    }
}

fn password(slug: &str, label: &str, description: &str) -> Field {
    Field {
        kind: FieldKind::Password,
        secret: true,
        ..text(slug, label, description)
    }
}

fn document(slug: &str, label: &str, description: &str) -> Field {
    Field {
        kind: FieldKind::MultiLineText,
        secret: true,
        ..text(slug, label, description)
    }
}
