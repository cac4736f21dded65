//! What the cells of an auth config must keep: how many, how long, and which values stand for masked ones.

use super::error::{Issue, Rule, Segment};
use crate::json::{Json, Object};
use crate::store::secrets::CellKind;

/// The longest key of a cell, in bytes: it stands in an index.
const MAX_KEY: usize = 500;
/// The longest value of a cell, in bytes of JSON: far more than a certificate with its chain.
const MAX_VALUE: usize = 32 * 1024;
/// The largest number of cells of a config and kind: every read of the config opens them all.
pub(super) const MAX_CELLS: usize = 200;
/// What is shown instead of every value of a managed config; sent back, it leaves the value as it is.
pub(super) const REDACTED: &str = "REDACTED";

/// What the keys of a credential map must keep.
pub(super) fn check_keys(name: &'static str, map: &Object) -> Vec<Issue> {
    let broken = |key: &str, value: &Json| {
        if key.contains('\0') {
            return Some(Rule::NulCharacter);
        }
        let (length, max) = match key.len() {
            long if long > MAX_KEY => (long, MAX_KEY),
            _ => (value.to_bytes().len(), MAX_VALUE),
        };
        (length > max).then_some(Rule::TooLong { max })
    };
    if map.len() > MAX_CELLS {
        return vec![Issue::at(name, Rule::TooMany { max: MAX_CELLS })];
    }
    map.iter()
        .filter_map(|(key, value)| {
            let path = vec![Segment::from(name), Segment::from(key.to_owned())];
            broken(key, value).map(|rule| Issue::new(path, rule))
        })
        .collect()
}

/// The rule that the text breaks as the value of a cell. Its quotes count, as in every cell.
pub(super) fn check_text(text: &str) -> Option<Rule> {
    if text.contains('\0') {
        return Some(Rule::NulCharacter);
    }
    let bytes = Json::String(text.to_owned().into()).to_bytes().len();
    let max = MAX_VALUE - r#""""#.len();
    (bytes > MAX_VALUE).then_some(Rule::TooLong { max })
}

/// Whether a value stands for one that was shown masked, whatever is stored.
pub(super) fn is_redacted(value: &Json) -> bool {
    value.as_str() == Some(REDACTED)
}

impl CellKind {
    /// The member of the input that these cells come from.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Credential => "credentials",
            Self::Shared => "shared_credentials",
        }
    }
}
