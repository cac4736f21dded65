//! What the cells of an auth config must keep: how many, how long, and which values stand for masked ones.

use super::error::{Issue, Rule, Segment};
use crate::json::{Json, Object};
use crate::store::secrets::CellKind;

/// The longest key of a cell, in bytes: it stands in an index.
const MAX_KEY: usize = 500;
/// The longest value of a cell, in bytes of JSON: far more than a certificate with its chain.
const MAX_VALUE: usize = 32 * 1024;
/// The largest number of cells of a config and kind: every read of the config opens them all.
pub const MAX_CELLS: usize = 200;
/// The largest sealed size of all shared credentials of a config together, in bytes: every hand-out of a connection under it
/// reads them.
const MAX_SHARED: usize = 64 * 1024;
/// What is shown instead of every value of a managed config; sent back, it leaves the value as it is.
pub(super) const REDACTED: &str = "REDACTED";

/// What a map of cells breaks; paths begin in the map.
pub fn broken_by_cells(map: &Object) -> Vec<Issue> {
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
    let mut issues = Vec::new();
    if map.len() > MAX_CELLS {
        issues.push(Issue::new(Vec::new(), Rule::TooMany { max: MAX_CELLS }));
    }
    issues.extend(map.iter().filter_map(|(key, value)| {
        let rule = broken(key, value)?;
        Some(Issue::new(vec![Segment::from(key.to_owned())], rule))
    }));
    issues
}

/// As [`broken_by_cells`]; paths begin with `name`.
pub(super) fn check_keys(name: &'static str, map: &Object) -> Vec<Issue> {
    let issues = broken_by_cells(map).into_iter();
    issues
        .map(|issue| Issue::new([&[name.into()], &issue.path[..]].concat(), issue.rule))
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

/// What is wrong with the cells of one kind together, of these sealed sizes.
pub(super) fn too_much(kind: CellKind, sizes: impl Iterator<Item = usize>) -> Option<Issue> {
    let (count, bytes) = sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size));
    let rule = if count > MAX_CELLS {
        Rule::TooMany { max: MAX_CELLS }
    } else if kind == CellKind::Shared && bytes > MAX_SHARED {
        Rule::TooManyBytes { max: MAX_SHARED }
    } else {
        return None;
    };
    Some(Issue::at(kind.member(), rule))
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
