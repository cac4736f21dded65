//! The fields that a user fills in when connecting.

use validator::Validate;

use super::limits;

/// One field that a user fills in when connecting.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, Validate)]
pub struct DeclaredField {
    /// `[A-Za-z0-9][A-Za-z0-9_-]*`, 1 to 100 UTF-16 units, unique in its config without case.
    #[validate(custom(function = limits::field_slug))]
    pub slug: String,
    /// 1 to 100 UTF-16 units.
    #[validate(custom(function = limits::field_label))]
    pub label: String,
    /// What kind of input.
    pub kind: FieldKind,
    /// At most 500 UTF-16 units; may be empty.
    #[validate(custom(function = limits::field_description))]
    pub description: String,
    /// At most 200 UTF-16 units.
    #[validate(custom(function = limits::field_placeholder))]
    pub placeholder: Option<String>,
    /// Whether a connection needs it.
    pub required: bool,
    /// The value where the user gives none.
    pub default: Option<String>,
}

impl DeclaredField {
    /// Whether its value is a secret.
    pub fn is_secret(&self) -> bool {
        self.kind == FieldKind::Password
    }
}

/// The kinds of input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    MultiLineText,
    /// One masked line.
    Password,
    /// A number.
    Number,
    /// The choice of an embedding model.
    EmbeddingModel,
}

impl FieldKind {
    /// Every kind with its name on the wire and in tables.
    pub const NAMES: [(Self, &'static str); 5] = [
        (Self::Text, "TEXT"),
        (Self::MultiLineText, "MULTI_LINE_TEXT"),
        (Self::Password, "PASSWORD"),
        (Self::Number, "NUMBER"),
        (Self::EmbeddingModel, "EMBEDDING_MODEL"),
    ];

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("TEXT", |(_, name)| name)
    }
}
