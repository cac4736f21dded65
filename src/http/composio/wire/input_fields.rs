//! `expected_input_fields`: what a user fills in when connecting.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::auth_config::{AuthConfigView, DeclaredField, FieldKind};
use crate::domain::catalogue;
use crate::domain::scheme::Scheme;

/// One field that a user fills in when connecting.
#[derive(Debug, Serialize, ToSchema)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the public shape of a field has four"
)]
pub(in super::super) struct InputField {
    /// The key of the value in `state.val`.
    name: String,
    /// What a person reads beside the input.
    #[serde(rename = "displayName")]
    display_name: String,
    /// The JSON type of the value.
    #[schema(example = "string")]
    r#type: &'static str,
    /// Where to find the value; may be empty.
    description: String,
    /// Whether connecting needs it. A field that the shared credentials hold is not needed.
    required: bool,
    /// Whether a person should be asked for it.
    user_visible: bool,
    /// The value where the user gives none.
    #[schema(required)]
    default: Option<String>,
    /// Whether the value is masked when shown.
    is_secret: bool,
    /// Whether the shared credentials hold a value for it.
    is_available_as_shared_credentials: bool,
}

/// The declared fields; where none are declared those of the catalogue entry's scheme; else the scheme's own.
pub(super) fn of(view: &AuthConfigView) -> Vec<InputField> {
    let config = &view.config;
    let mut fields: Vec<_> = config.fields.iter().map(declared).collect();
    if fields.is_empty() {
        let entry = view.integration.catalogue_entry();
        fields = match entry.and_then(|entry| entry.scheme(config.scheme.name())) {
            Some(scheme) => scheme.fields.iter().map(templated).collect(),
            None => own(&config.scheme)
                .iter()
                .map(|(name, label, secret)| plain(name, label, *secret))
                .collect(),
        };
    }
    for field in &mut fields {
        if view.shared.iter().any(|(name, _)| *name == field.name) {
            field.is_available_as_shared_credentials = true;
            field.required = false;
        }
    }
    fields
}

fn declared(field: &DeclaredField) -> InputField {
    InputField {
        r#type: if field.kind == FieldKind::Number {
            "number"
        } else {
            "string"
        },
        description: field.description.clone(),
        required: field.required,
        default: field.default.clone(),
        ..plain(&field.slug, &field.label, field.is_secret())
    }
}

fn templated(field: &catalogue::Field) -> InputField {
    InputField {
        r#type: if field.kind == catalogue::FieldKind::Number {
            "number"
        } else {
            "string"
        },
        description: field.description.clone().unwrap_or_default(),
        required: field.required,
        default: field.default.clone(),
        ..plain(
            &field.slug,
            &field.label,
            field.secret || field.kind == catalogue::FieldKind::Password,
        )
    }
}

fn plain(name: &str, label: &str, secret: bool) -> InputField {
    InputField {
        name: name.to_owned(),
        display_name: label.to_owned(),
        r#type: "string",
        description: String::new(),
        required: true,
        user_visible: true,
        default: None,
        is_secret: secret,
        is_available_as_shared_credentials: false,
    }
}

/// The members of `state.val` that a scheme itself needs from the user (contract/composio `connected_accounts`):
/// name, label, whether it is a secret. The others get theirs from the provider, or are opaque to us.
fn own(scheme: &Scheme) -> &'static [(&'static str, &'static str, bool)] {
    match scheme {
        Scheme::ApiKey => &[("generic_api_key", "API key", true)],
        Scheme::Basic | Scheme::BasicJwt => &[
            ("username", "User name", false),
            ("password", "Password", true),
        ],
        Scheme::Bearer => &[("token", "Token", true)],
        Scheme::GoogleServiceAccount => &[("credentials_json", "Service account key", true)],
        Scheme::ServiceAccount => &[
            ("application_id", "Application id", false),
            ("installation_id", "Installation id", false),
            ("private_key", "Private key", true),
        ],
        Scheme::ClientCredentials => &[
            ("client_id", "Client id", false),
            ("client_secret", "Client secret", true),
        ],
        Scheme::None
        | Scheme::OAuth2
        | Scheme::OAuth2Dcr
        | Scheme::OAuth2Cimd
        | Scheme::Opaque(_) => &[],
    }
}
