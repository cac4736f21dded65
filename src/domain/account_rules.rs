//! The limits of what a caller says of a connection of its own: its alias, where the browser goes in the end, the members
//! of its credential.

use url::{Host, Url};

use super::cell_rules;
pub use super::cell_rules::MAX_CELLS as MAX_MEMBERS;
use super::error::{Error, Issue, Refusal, Rule};
use crate::json::Object;

/// Who besides its own user is to use a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody.
    #[default]
    Nobody,
    /// Those whom a list names, which only a shared connection can have.
    Listed,
    /// Whoever a list names, or all: the connection is to be a shared one.
    Shared,
}

impl Sharing {
    /// Connections that several users share are not known here, so that nothing names those users either.
    pub(super) fn require_none(self) -> Result<(), Error> {
        match self {
            Self::Nobody => Ok(()),
            Self::Listed => Err(Error::Refused(Refusal::OnlyForShared)),
            Self::Shared => Err(Error::NotImplemented("connections that users share")),
        }
    }
}

/// The longest alias, in characters.
const MAX_ALIAS: usize = 255;
/// The longest URL that a browser is sent to in the end, in characters.
const MAX_CALLBACK_URL: usize = 2_048;

/// The rule that a text breaks as an alias: 1 to 255 characters, without U+0000.
pub fn broken_by_alias(text: &str) -> Option<Rule> {
    match text.chars().count() {
        _ if text.contains('\0') => Some(Rule::NulCharacter),
        0 => Some(Rule::TooShort { min: 1 }),
        long if long > MAX_ALIAS => Some(Rule::TooLong { max: MAX_ALIAS }),
        _ => None,
    }
}

/// The rule that a text breaks as the URL that a browser is sent to in the end: https, or http to this very machine
/// (where a developer's own server listens); without user name and password.
pub fn broken_by_callback_url(text: &str) -> Option<Rule> {
    if text.chars().count() > MAX_CALLBACK_URL {
        return Some(Rule::TooLong {
            max: MAX_CALLBACK_URL,
        });
    }
    let url = Url::parse(text).ok().filter(|url| is_as_written(url, text));
    let leads = url.is_some_and(|url| match url.scheme() {
        "https" => url.has_host(),
        "http" => is_this_machine(&url),
        _ => false,
    });
    (!leads).then_some(Rule::NotAUrl)
}

/// Whether the text says to every reader what it says to us: the parser (WHATWG URL) repairs missing slashes,
/// backslashes, white space and an empty `@`, which others would take for something else.
fn is_as_written(url: &Url, text: &str) -> bool {
    let authority = text
        .split_once("://")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
        && url.username().is_empty()
        && url.password().is_none()
        && !text.contains(|c: char| c == '\\' || c.is_whitespace() || c.is_control())
}

/// `localhost`, `127.0.0.1` or `[::1]`.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(address)) => address == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// What the members of a credential break: as many and as long as an auth config's. Paths begin with `place`.
pub fn broken_by_members(place: &'static str, members: &Object) -> Vec<Issue> {
    cell_rules::check_keys(place, members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_and_this_machine_are_taken_and_nothing_else() {
        for text in [
            "https://app.example/done?x=1#y",
            "https://app.example:8443",
            "http://localhost:3000/callback",
            "http://127.0.0.1/",
            "http://[::1]:8080/a",
        ] {
            assert_eq!(broken_by_callback_url(text), None, "{text}");
        }
        for text in [
            "",
            "app.example",
            "/relative",
            "http://app.example/",
            "http://localhost.example/",
            "http://127.0.0.2/",
            "ftp://app.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://user@app.example/",
            "https://user:pass@app.example/",
            "https://@app.example/",
            "https:app.example/",
            "https:///app.example/",
            "https:\\\\app.example\\",
            "https://app.example/a b",
            " https://app.example/",
            "https://app.example/\0",
            "https://",
        ] {
            assert_eq!(broken_by_callback_url(text), Some(Rule::NotAUrl), "{text}");
        }
        let long = format!("https://app.example/{}", "a".repeat(2_029));
        assert_eq!(long.len(), 2_049);
        let max = MAX_CALLBACK_URL;
        assert_eq!(broken_by_callback_url(&long), Some(Rule::TooLong { max }));
        assert_eq!(broken_by_callback_url(&long[..max]), None);
    }

    #[test]
    fn an_alias_has_one_to_255_characters() {
        assert_eq!(broken_by_alias(""), Some(Rule::TooShort { min: 1 }));
        assert_eq!(broken_by_alias("a\0"), Some(Rule::NulCharacter));
        assert_eq!(broken_by_alias(&"ä".repeat(255)), None);
        let max = MAX_ALIAS;
        assert_eq!(
            broken_by_alias(&"ä".repeat(256)),
            Some(Rule::TooLong { max })
        );
    }
}
