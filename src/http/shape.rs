//! Reading JSON objects member by member, collecting every fault instead of stopping at the first.

use zeroize::Zeroizing;

use crate::domain::error::{Expected, Issue, Rule, Segment};
use crate::domain::patch::Patch;
use crate::json::{Json, Object};

/// The faults found so far, and where the reader stands.
#[derive(Debug, Default)]
pub struct Faults {
    issues: Vec<Issue>,
    path: Vec<Segment>,
}

impl Faults {
    /// Notes a broken rule at a member of the current place.
    pub fn note(&mut self, member: impl Into<Segment>, rule: Rule) {
        let mut path = self.path.clone();
        path.push(member.into());
        self.issues.push(Issue { path, rule });
    }

    /// Notes a broken rule at the current place itself.
    pub fn note_here(&mut self, rule: Rule) {
        self.issues.push(Issue {
            path: self.path.clone(),
            rule,
        });
    }

    /// How many faults were found so far.
    pub fn count(&self) -> usize {
        self.issues.len()
    }

    /// Where the reader stands.
    pub fn place(&self) -> &[Segment] {
        &self.path
    }

    /// Reads something that lies under `segment`.
    pub fn within<T>(
        &mut self,
        segment: impl Into<Segment>,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.path.push(segment.into());
        let value = read(self);
        self.path.pop();
        value
    }

    /// Adds issues found by another check, except where a fault was known before at their place or above it.
    pub fn merge(&mut self, more: Vec<Issue>) {
        let known = self.issues.len();
        for issue in more {
            if !self.issues[..known]
                .iter()
                .any(|known| issue.path.starts_with(&known.path))
            {
                self.issues.push(issue);
            }
        }
    }

    /// As [`Faults::merge`], for issues whose paths begin at the current place.
    pub fn merge_here(&mut self, more: Vec<Issue>) {
        let placed = more
            .into_iter()
            .map(|issue| Issue::new([&self.path[..], &issue.path].concat(), issue.rule));
        self.merge(placed.collect());
    }

    /// Puts the faults after the first `known` into the order of the members of the current place that they are about.
    pub fn put_in_order(&mut self, known: usize, members: &[&'static str]) {
        let depth = self.path.len();
        self.issues[known..].sort_by_key(|issue| {
            let member = issue.path.get(depth);
            members
                .iter()
                .position(|name| member == Some(&Segment::from(*name)))
        });
    }

    /// The value, where nothing was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Vec<Issue>> {
        match value {
            Some(value) if self.issues.is_empty() => Ok(value),
            _ => Err(self.issues),
        }
    }

    /// The object that `json` must be; a fault is noted at the current place.
    pub fn object(&mut self, json: Json) -> Option<Members> {
        match json {
            Json::Object(object) => Some(Members { object }),
            other => {
                self.note_here(Rule::Type {
                    expected: Expected::Object,
                    received: other.kind(),
                });
                None
            }
        }
    }
}

/// The members of an object that were not read yet.
#[derive(Debug)]
pub struct Members {
    object: Object,
}

impl Members {
    /// Takes a member out, whatever it is.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        self.object.remove(name)
    }

    /// Takes a member that must be there.
    pub fn required(&mut self, name: &'static str, faults: &mut Faults) -> Option<Json> {
        let value = self.take(name);
        if value.is_none() {
            faults.note(name, Rule::Required);
        }
        value
    }

    /// Takes a member that must be there with `read`; an absent one is noted and `None`.
    pub fn read_required<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Json, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(name, faults)?;
        faults.within(name, |faults| read(value, faults))
    }

    /// Takes an optional member with `read`; an absent one is `None`.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Json, &mut Faults) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        faults.within(name, |faults| read(value, faults))
    }

    /// Takes a member of a PATCH with `read`: absent keeps, null clears.
    pub fn patch<T>(
        &mut self,
        name: &'static str,
        faults: &mut Faults,
        read: impl FnOnce(Json, &mut Faults) -> Option<T>,
    ) -> Patch<T> {
        match self.take(name) {
            None => Patch::Keep,
            Some(Json::Null) => Patch::Clear,
            Some(value) => faults
                .within(name, |faults| read(value, faults))
                .map_or(Patch::Keep, Patch::Set),
        }
    }

    /// Notes every member that is left as unknown, and takes them out.
    pub fn refuse_all(&mut self, faults: &mut Faults) {
        Self {
            object: std::mem::take(&mut self.object),
        }
        .refuse_rest(faults);
    }

    /// Notes every member that is left as unknown.
    pub fn refuse_rest(self, faults: &mut Faults) {
        for name in self.object.keys() {
            faults.note(name.to_owned(), Rule::UnknownKey);
        }
    }
}

macro_rules! readers {
    ($($(#[$doc:meta])* $name:ident -> $type:ty: $expected:ident, $pattern:pat => $value:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(json: Json, faults: &mut Faults) -> Option<$type> {
            match json {
                $pattern => Some($value),
                other => {
                    faults.note_here(Rule::Type { expected: Expected::$expected, received: other.kind() });
                    None
                }
            }
        }
    )*};
}

readers! {
    /// A string.
    string -> String: String, Json::String(text) => text.to_string();
    /// A boolean.
    boolean -> bool: Boolean, Json::Bool(value) => value;
    /// An array.
    array -> Vec<Json>: Array, Json::Array(elements) => elements;
    /// A map from string to anything.
    map -> Object: Map, Json::Object(object) => object;
}

/// A secret string that can be stored: as [`text`], and wiped from memory when it is dropped.
pub fn secret(json: Json, faults: &mut Faults) -> Option<Zeroizing<String>> {
    let text = match json {
        Json::String(text) => text,
        other => {
            faults.note_here(Rule::Type {
                expected: Expected::String,
                received: other.kind(),
            });
            return None;
        }
    };
    if text.contains('\0') {
        faults.note_here(Rule::NulCharacter);
        return None;
    }
    Some(text)
}

/// A string that can be stored as text: without U+0000.
pub fn text(json: Json, faults: &mut Faults) -> Option<String> {
    let text = string(json, faults)?;
    if text.contains('\0') {
        faults.note_here(Rule::NulCharacter);
        return None;
    }
    Some(text)
}

/// An array of strings that can be stored as text; every bad element is noted.
pub fn texts(json: Json, faults: &mut Faults) -> Option<Vec<String>> {
    let elements = array(json, faults)?;
    let texts = elements.into_iter().enumerate();
    texts
        .map(|(index, element)| faults.within(index, |faults| text(element, faults)))
        .collect::<Vec<_>>()
        .into_iter()
        .collect()
}
