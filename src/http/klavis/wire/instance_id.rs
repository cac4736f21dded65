//! An instance's id as pydantic reads a UUID.

use std::str::FromStr;

use crate::domain::Error;
use crate::domain::error::Kind;
use crate::domain::ids::{ConnectionId, IllFormedId};
use crate::http::extract::PathId;

/// The length of a UUID with hyphens.
const HYPHENATED: usize = 36;

/// The id of an instance, in any form that pydantic takes: hyphenated or simple, in either case, in braces, or as
/// `urn:uuid:` (braces and the prefix with hyphens only). Our other dialects take the first two forms only, so the
/// wider rule lives here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http::klavis) struct InstanceId(pub ConnectionId);

impl FromStr for InstanceId {
    type Err = IllFormedId;

    fn from_str(text: &str) -> Result<Self, IllFormedId> {
        let in_braces = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let id = match in_braces.or_else(|| text.strip_prefix("urn:uuid:")) {
            Some(wrapped) if wrapped.len() != HYPHENATED => Err(IllFormedId),
            Some(wrapped) => wrapped.parse(),
            None => text.parse(),
        };
        id.map(Self)
    }
}

/// The instance that a plain string names. A text that is no id names none.
pub(in crate::http::klavis) fn instance_named(text: &str) -> Result<ConnectionId, Error> {
    text.parse()
        .map(|InstanceId(id)| id)
        .map_err(|IllFormedId| Error::NotFound(Kind::Connection))
}

impl PathId for InstanceId {
    const KIND: Kind = Kind::Connection;
    const PARTED_BY_SLASH: bool = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";

    /// Measured with pydantic 2.14.
    #[test]
    fn the_forms_are_those_that_pydantic_takes() {
        let simple = ID.replace('-', "");
        let taken = [
            ID.into(),
            ID.to_uppercase(),
            simple.clone(),
            format!("{{{ID}}}"),
            format!("urn:uuid:{ID}"),
        ];
        for text in taken {
            assert_eq!(
                text.parse::<InstanceId>().map(|id| id.0.to_string()),
                Ok(ID.into()),
                "{text}"
            );
        }
        let refused = [
            String::new(),
            format!("URN:UUID:{ID}"),
            format!("{{{simple}}}"),
            format!("urn:uuid:{simple}"),
            format!("{ID} "),
            format!(" {ID}"),
            ID.replacen('-', "", 1),
            "set-auth".into(),
            "é".into(),
        ];
        for text in refused {
            assert_eq!(text.parse::<InstanceId>(), Err(IllFormedId), "{text}");
        }
    }
}
