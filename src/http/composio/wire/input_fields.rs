//! `expected_input_fields`: what a user fills in when connecting.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::auth_config::{AuthConfigView, FieldKind};
use crate::domain::expected_fields::{self, ExpectedField};

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

/// What a user fills in under the config.
pub(super) fn of(view: &AuthConfigView) -> Vec<InputField> {
    let shared = view.shared.iter().map(|(name, _)| name.as_str());
    expected_fields::of(&view.config, &view.integration, shared)
        .into_iter()
        .map(InputField::from)
        .collect()
}

impl From<ExpectedField> for InputField {
    fn from(field: ExpectedField) -> Self {
        Self {
            name: field.slug,
            display_name: field.label,
            r#type: if field.kind == FieldKind::Number {
                "number"
            } else {
                "string"
            },
            description: field.description,
            required: field.required,
            user_visible: true,
            default: field.default,
            is_secret: field.secret,
            is_available_as_shared_credentials: field.shared,
        }
    }
}
