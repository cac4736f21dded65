//! The answer of operations that have nothing to show.

use serde::Serialize;
use utoipa::ToSchema;

/// Whether it was done, in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "StatusResponse")]
pub(in crate::http::klavis) struct StatusResponse {
    /// Whether it was done.
    success: bool,
    /// What was done, or why nothing was.
    #[schema(value_type = Option<String>)]
    message: Option<&'static str>,
}

impl StatusResponse {
    /// It was done.
    pub fn done(message: &'static str) -> Self {
        Self {
            success: true,
            message: Some(message),
        }
    }

    /// A credential was destroyed, or there was none.
    pub fn cleared(existed: bool) -> Self {
        Self::done(if existed {
            "Authentication data deleted"
        } else {
            "There was no authentication data to delete"
        })
    }

    /// Nothing was changed.
    pub fn unchanged(message: &'static str) -> Self {
        Self {
            success: false,
            message: Some(message),
        }
    }
}
