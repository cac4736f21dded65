//! The one key by which every dialect names a service.

use std::fmt;

/// A service's name with everything but its letters and digits taken away, in lower case:
/// `GOOGLE_CALENDAR`, `Google Calendar` and `google-calendar` share the key `googlecalendar`.
///
/// Letters and digits are Unicode's (`char::is_alphanumeric`), lower-cased by Unicode's simple and
/// special rules without regard to locale, so a name in any script has a key. No normalization is
/// applied: two spellings of one accented letter (composed, decomposed) keep different keys unless
/// the caller normalizes first. A key is never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey(String);

impl MatchKey {
    /// The key of a name, or `None` when the name has no letter and no digit.
    pub fn of(name: &str) -> Option<Self> {
        let key = match_key(name);
        (!key.is_empty()).then_some(Self(key))
    }

    /// The key's text, as stored in the database.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MatchKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl AsRef<str> for MatchKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The text of [`MatchKey::of`]; empty when the name has no letter and no digit.
///
/// Filtered again after lower-casing: `İ` becomes `i` and a combining dot, which is no letter, and
/// a key must be its own key.
pub fn match_key(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .filter(|character| character.is_alphanumeric())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_service_share_a_key() {
        for spelling in [
            "GOOGLE_CALENDAR",
            "Google Calendar",
            "google-calendar",
            "googlecalendar",
            " google.calendar ",
        ] {
            assert_eq!(match_key(spelling), "googlecalendar", "{spelling}");
        }
        assert_eq!(MatchKey::of("one_drive"), MatchKey::of("OneDrive"));
    }

    #[test]
    fn a_name_in_any_script_has_a_key() {
        assert_eq!(match_key("Übersicht 2"), "übersicht2");
        assert_eq!(match_key("日本語 ツール"), "日本語ツール");
    }

    #[test]
    fn a_key_is_its_own_key() {
        for name in ["İstanbul", "ΑΣ", "Ǆ", "a\u{307}b", "Ⅳ Ⓐ ﬁ ẞ"] {
            let key = match_key(name);
            assert_eq!(match_key(&key), key, "{name}");
        }
    }

    #[test]
    fn a_name_without_letters_and_digits_has_none() {
        for name in ["", " ", "--", "🙂", "…"] {
            assert_eq!(MatchKey::of(name), None, "{name}");
        }
    }
}
