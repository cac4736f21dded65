//! What a request says of an OAuth client of the tenant's own, and which rules that has to keep.

use std::fmt;

use zeroize::Zeroizing;

use super::cell_rules;
use super::error::{Issue, Rule};
use super::patch::Patch;

/// The longest open member, in characters.
const MAX_OPEN: usize = 2_000;

/// An OAuth client to make or to change; its client id says which.
#[derive(Debug)]
pub struct WhiteLabelChange {
    /// Any name of the service.
    pub service: String,
    /// The client.
    pub client: WhiteLabelClient,
}

/// An OAuth client as a request gives it.
#[derive(Default)]
pub struct WhiteLabelClient {
    /// Sealed; as long as the value of any cell may be. `None` where the request did not say it.
    pub client_id: Option<Zeroizing<String>>,
    /// As `client_id`.
    pub client_secret: Option<Zeroizing<String>>,
    /// Any text of at most 2,000 characters, stored as it is; empty clears. Whether a provider may send users there is
    /// checked where it is used, by the OAuth engine: until then it leads nowhere.
    pub callback_url: Patch<String>,
    /// Any text of at most 2,000 characters; empty clears.
    pub account_id: Patch<String>,
}

/// What a client cannot do without and was given as the empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyMembers {
    /// The client id.
    ClientId,
    /// The client secret.
    ClientSecret,
    /// Both.
    Both,
}

impl WhiteLabelClient {
    /// Every rule that a member breaks, in the order of the members; one that the request did not say breaks none.
    pub fn broken_rules(&self) -> Vec<Issue> {
        let cell = |text: &Option<Zeroizing<String>>| {
            text.as_ref()
                .and_then(|text| cell_rules::check_text(text.as_str()))
        };
        let open = |text: &Patch<String>| text.as_set().and_then(|text| check_open(text));
        let broken = [
            ("client_id", cell(&self.client_id)),
            ("client_secret", cell(&self.client_secret)),
            ("callback_url", open(&self.callback_url)),
            ("account_id", open(&self.account_id)),
        ];
        broken
            .into_iter()
            .filter_map(|(member, rule)| Some(Issue::at(member, rule?)))
            .collect()
    }

    /// Which of the members that a client needs are empty, if any.
    pub(super) fn empty_members(&self) -> Option<EmptyMembers> {
        let is_empty =
            |text: &Option<Zeroizing<String>>| text.as_ref().is_some_and(|text| text.is_empty());
        match (is_empty(&self.client_id), is_empty(&self.client_secret)) {
            (true, true) => Some(EmptyMembers::Both),
            (true, false) => Some(EmptyMembers::ClientId),
            (false, true) => Some(EmptyMembers::ClientSecret),
            (false, false) => None,
        }
    }
}

/// Without its members: two of them are secrets.
impl fmt::Debug for WhiteLabelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhiteLabelClient").finish_non_exhaustive()
    }
}

fn check_open(text: &str) -> Option<Rule> {
    if text.contains('\0') {
        return Some(Rule::NulCharacter);
    }
    let is_long = text.chars().nth(MAX_OPEN).is_some();
    is_long.then_some(Rule::TooLong { max: MAX_OPEN })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(cell: &str, open: &str) -> WhiteLabelClient {
        WhiteLabelClient {
            client_id: Some(cell.to_owned().into()),
            client_secret: Some(cell.to_owned().into()),
            callback_url: Patch::Set(open.to_owned()),
            account_id: Patch::Set(open.to_owned()),
        }
    }

    fn everywhere(cells: Rule, open: Rule) -> [Issue; 4] {
        [
            Issue::at("client_id", cells.clone()),
            Issue::at("client_secret", cells),
            Issue::at("callback_url", open.clone()),
            Issue::at("account_id", open),
        ]
    }

    #[test]
    fn every_member_has_its_limit() {
        let fits = client(&"x".repeat(32_766), &"🔑".repeat(2_000));
        assert_eq!(fits.broken_rules(), []);
        let beyond = client(&"x".repeat(32_767), &"x".repeat(2_001));
        let rules = everywhere(Rule::TooLong { max: 32_766 }, Rule::TooLong { max: 2_000 });
        assert_eq!(beyond.broken_rules(), rules);
        let rules = everywhere(Rule::NulCharacter, Rule::NulCharacter);
        assert_eq!(client("\0", "a\0").broken_rules(), rules);
        assert_eq!(WhiteLabelClient::default().broken_rules(), []);
    }

    #[test]
    fn what_is_empty_is_told_apart_from_what_was_not_said() {
        assert_eq!(WhiteLabelClient::default().empty_members(), None);
        assert_eq!(client(" ", "").empty_members(), None);
        assert_eq!(client("", "").empty_members(), Some(EmptyMembers::Both));
    }

    #[test]
    fn nothing_of_it_is_shown_for_debugging() {
        let shown = format!("{:?}", client("a secret", "an open text"));
        assert!(!shown.contains("secret") && !shown.contains("open"));
    }
}
