//! A secret that is a JSON object, member by member: shown, merged, shaped. What comes out is masked or is a secret again.

use super::{Secret, view};
use crate::json::{Json, Object};

/// What stands for a value that was not shown; sent back, it leaves the value as it is.
const REDACTED: &str = "REDACTED";

impl Secret {
    /// The object that has these members. A member that is no JSON text, which no cell is, becomes null.
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, &'a Secret)>) -> Self {
        let members = members.into_iter().map(|(name, secret)| {
            let value = Json::parse(secret.expose()).unwrap_or(Json::Null);
            (name.to_owned(), value)
        });
        Self::json(&Json::Object(members.collect()))
    }

    /// What may be shown of each member without a hand-out, as [`Secret::view`] does.
    pub fn shown(&self) -> Object {
        let members = self.members();
        let shown = members.iter().map(|(name, value)| {
            let content = value.to_bytes();
            (name.to_owned(), view::masked(name, &content))
        });
        shown.collect()
    }

    /// Whether it has a member of this name that is neither null nor the empty text.
    pub fn has(&self, name: &str) -> bool {
        let members = self.members();
        members.get(name).is_some_and(is_value)
    }

    /// Whether the member is there and a text.
    pub fn has_text(&self, name: &str) -> bool {
        self.members().get(name).and_then(Json::as_str).is_some()
    }

    /// With the members of `defaults` that it has not, as [`Secret::has`] says.
    #[must_use]
    pub fn over(&self, defaults: &Self) -> Self {
        let mut members = defaults.members();
        for (name, value) in self.members().iter() {
            if is_value(value) || !members.contains_key(name) {
                members.insert(name, value.clone());
            }
        }
        Self::json(&Json::Object(members))
    }

    /// With changes, key by key: null removes, any other value sets. A value that a read shows of the member, or
    /// `REDACTED`, leaves it as it is: a read-modify-write destroys no secret. What is `inherited` is shown like a member
    /// and must not become one by being sent back; a value in the clear tells as much only where whoever sends it may
    /// read it (`reads_clear`): to others this would be a way to try values out.
    #[must_use]
    pub fn changed(&self, changes: &Object, inherited: &Self, reads_clear: bool) -> Changed {
        let (mut members, inherited) = (self.members(), inherited.members());
        let before = members.len();
        let (mut set, mut removed) = (Vec::new(), false);
        for (name, value) in changes.iter() {
            if value.is_null() {
                removed |= members.remove(name).is_some();
                continue;
            }
            let (own, theirs) = (members.get(name), inherited.get(name));
            let stays = value.as_str() == Some(REDACTED)
                || match (own.filter(|own| is_value(own)), theirs) {
                    (Some(own), _) => is_shown(name, own, value, true),
                    (None, Some(theirs)) => is_shown(name, theirs, value, reads_clear),
                    // A read shows the empty text of a member that its scheme cannot be shown without.
                    (None, None) => value.as_str() == Some(""),
                }
                || own.is_some_and(|own| is_shown(name, own, value, true));
            if !stays {
                members.insert(name, value.clone());
                set.push(name.to_owned());
            }
        }
        Changed {
            grown_to: (members.len() > before).then_some(members.len()),
            secret: Self::json(&Json::Object(members)),
            set,
            removed,
        }
    }

    /// With this member, in the place of another of its name.
    #[must_use]
    pub fn with(&self, name: &str, value: Json) -> Self {
        let mut members = self.members();
        members.insert(name, value);
        Self::json(&Json::Object(members))
    }

    /// With every member as a text: what is none already is its JSON text; null is left out.
    #[must_use]
    pub fn as_texts(&self) -> Self {
        let members = self.members();
        let texts = members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value.to_text()));
        Self::json(&Json::Object(texts.collect()))
    }

    /// The members; none where the content is no object.
    pub(super) fn members(&self) -> Object {
        match Json::parse(self.expose()) {
            Ok(Json::Object(members)) => members,
            _ => Object::new(),
        }
    }
}

/// Null and the empty text stand for no value.
fn is_value(value: &Json) -> bool {
    !value.is_null() && value.as_str() != Some("")
}

/// What changes made of a secret.
#[derive(Debug)]
pub struct Changed {
    /// The secret after them.
    pub secret: Secret,
    /// The names of the members that got another value.
    pub set: Vec<String>,
    /// Whether a member went.
    pub removed: bool,
    /// How many members there are, where there are more than before.
    pub grown_to: Option<usize>,
}

impl Changed {
    /// Whether any member is another than it was.
    pub fn is_change(&self) -> bool {
        self.removed || !self.set.is_empty()
    }
}

/// Whether `value` is what a read shows of a member: masked, or in the clear where that counts; as it is stored, or as
/// its text, which is how members are shown that their scheme knows as texts only.
fn is_shown(name: &str, stored: &Json, value: &Json, clear: bool) -> bool {
    [stored, &stored.to_text()].into_iter().any(|form| {
        let masked = view::masked(name, &form.to_bytes());
        (clear && form == value) || masked == *value || masked.to_text() == *value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::json(&Json::parse(text.as_bytes()).expect("valid JSON"))
    }

    fn object(text: &str) -> Object {
        match Json::parse(text.as_bytes()) {
            Ok(Json::Object(members)) => members,
            _ => panic!("no object"),
        }
    }

    #[test]
    fn members_are_shown_as_cells_of_their_names_are() {
        let shown = secret(r#"{"client_id":"id","token":"abcdefghijkl","n":1}"#).shown();
        assert!(shown == object(r#"{"client_id":"id","token":"abcd...","n":"..."}"#));
        assert!(secret("1").shown().is_empty());
    }

    #[test]
    fn what_was_shown_and_sent_back_changes_nothing() {
        let stored = secret(r#"{"token":"abcdefghijkl","pin":"1","gone":1}"#);
        let changes = r#"{"token":"abcd...","pin":"REDACTED","gone":null,"new":"x"}"#;
        let merged = stored.changed(&object(changes), &secret("{}"), false);
        let left = r#"{"token":"abcdefghijkl","pin":"1","new":"x"}"#;
        assert!(merged.secret.same_as(left) && merged.removed);
        assert_eq!(merged.set, ["new"]);
        let again = object(r#"{"token":"abcd...","new":"x","gone":null}"#);
        assert!(
            !merged
                .secret
                .changed(&again, &secret("{}"), false)
                .is_change()
        );
    }

    #[test]
    fn the_empty_text_makes_no_member_and_empties_one() {
        let stored = secret(r#"{"a":"x"}"#);
        let none = secret("{}");
        assert!(
            !stored
                .changed(&object(r#"{"b":""}"#), &none, false)
                .is_change()
        );
        let emptied = stored.changed(&object(r#"{"a":""}"#), &none, false);
        assert!(emptied.secret.same_as(r#"{"a":""}"#));
    }

    #[test]
    fn what_is_shown_as_its_text_is_known_as_well() {
        let stored = secret(r#"{"n":12345678901234,"scopes":["a"],"o":{"x":1}}"#);
        for shown in [stored.shown(), stored.as_texts().shown()] {
            assert!(!stored.changed(&shown, &secret("{}"), false).is_change());
        }
        let texts = object(r#"{"n":"12345678901234","scopes":"[\"a\"]","o":"{\"x\":1}"}"#);
        assert!(!stored.changed(&texts, &secret("{}"), false).is_change());
    }

    #[test]
    fn what_is_inherited_does_not_become_a_member_by_being_sent_back() {
        let (own, shared) = (secret("{}"), secret(r#"{"team":"abcdefghijkl"}"#));
        assert!(!own.changed(&shared.shown(), &shared, false).is_change());
        let empty = secret(r#"{"team":null}"#);
        assert!(
            !empty
                .changed(&empty.over(&shared).shown(), &shared, false)
                .is_change()
        );
        let clear = object(r#"{"team":"abcdefghijkl"}"#);
        assert!(!own.changed(&clear, &shared, true).is_change());
        assert!(own.changed(&clear, &shared, false).is_change());
    }

    #[test]
    fn its_own_members_stand_over_inherited_ones() {
        let own = secret(r#"{"a":1,"c":"","d":null,"e":null}"#);
        let shared = [
            ("a", secret("2")),
            ("b", secret("\"x\"")),
            ("c", secret("3")),
            ("d", secret("4")),
        ];
        let shared = Secret::object(shared.iter().map(|(name, value)| (*name, value)));
        assert!(
            own.over(&shared)
                .same_as(r#"{"a":1,"b":"x","c":3,"d":4,"e":null}"#)
        );
    }

    #[test]
    fn texts_stay_and_other_members_become_their_json() {
        let texts = secret(r#"{"a":"x","b":1.50,"c":null,"d":[1]}"#).as_texts();
        assert!(texts.same_as(r#"{"a":"x","b":"1.50","d":"[1]"}"#));
        assert!(
            texts
                .with("a", Json::Null)
                .same_as(r#"{"a":null,"b":"1.50","d":"[1]"}"#)
        );
    }

    #[test]
    fn null_and_the_empty_text_are_no_value() {
        let stored = secret(r#"{"a":"","b":null,"c":false}"#);
        assert_eq!(
            ["a", "b", "c", "d"].map(|name| stored.has(name)),
            [false, false, true, false]
        );
        assert!(stored.has_text("a") && !stored.has_text("c"));
    }
}
