//! The hot paths that are measured.

use serde::Serialize;

use super::server::Reads;

/// A hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Klavis: `POST /mcp-server/instance/set-auth`.
    SetAuth,
    /// Klavis: `GET /mcp-server/instance/{id}/auth`, each with its audit row.
    HandOut,
    /// The same with `KEYWAY_AUDIT_READS=batched`.
    HandOutBatched,
    /// Composio: `PATCH /api/v3/auth_configs/{id}`.
    PatchComposio,
    /// Langdock: `PATCH /integrations/v1/{id}/auth`.
    PatchLangdock,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::SetAuth,
        Self::HandOut,
        Self::HandOutBatched,
        Self::PatchComposio,
        Self::PatchLangdock,
    ];

    /// Its name on the command line and in the results.
    pub fn name(self) -> &'static str {
        match self {
            Self::SetAuth => "set-auth",
            Self::HandOut => "hand-out",
            Self::HandOutBatched => "hand-out-batched",
            Self::PatchComposio => "patch-composio",
            Self::PatchLangdock => "patch-langdock",
        }
    }

    /// Which server it is measured on.
    pub fn reads(self) -> Reads {
        match self {
            Self::HandOutBatched => Reads::Batched,
            _ => Reads::Sync,
        }
    }

    /// The status that its dialect refuses ids with that the caller does not have, whether they are another tenant's
    /// or nobody's.
    pub fn refusal(self) -> u16 {
        match self {
            Self::SetAuth
            | Self::HandOut
            | Self::HandOutBatched
            | Self::PatchComposio
            | Self::PatchLangdock => 404,
        }
    }

    /// Whether it changes something.
    pub fn writes(self) -> bool {
        !matches!(self, Self::HandOut | Self::HandOutBatched)
    }
}
