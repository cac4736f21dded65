//! The query of deletions. An empty value stands for an absent one.

use super::query::{boolean, single};
use crate::domain::error::{Expected, Issue};
use crate::http::extract::FromQuery;
use crate::http::shape::Faults;

/// Whether a deletion is to revoke credentials at their providers, too.
#[derive(Debug)]
pub(in super::super) struct RevokeQuery {
    /// Whether it is; no by default.
    pub revoke: bool,
}

impl FromQuery for RevokeQuery {
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>> {
        const NAME: &str = "revoke_on_delete";
        let mut faults = Faults::default();
        let revoke = single(pairs, NAME, Expected::Boolean, &mut faults)
            .and_then(|text| boolean(NAME, text, &mut faults));
        faults.finish(Some(Self {
            revoke: revoke.unwrap_or(false),
        }))
    }
}
