//! The built-in templates that an integration can start from, compiled in from `catalogue/*.toml`.
//!
//! A tenant's own integration of the same match key shadows an entry; that rule is the caller's.

mod entry;
mod match_key;
mod standard_fields;

use std::collections::HashMap;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use thiserror::Error;
use time::Date;
use time::macros::date;

pub use entry::{Entry, Field, FieldKind, Pkce, SchemeEntry, TokenEndpointAuth};
pub use match_key::{MatchKey, match_key};

/// When what the catalogue says of services was last changed.
pub const REVISED: Date = date!(2026 - 11 - 20);

static FILES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/catalogue");

static BUILT_IN: LazyLock<Catalogue> = LazyLock::new(|| {
    let files = FILES.files().map(|file| {
        let name = file.path().to_str().unwrap_or("a file without a name");
        (name, file.contents_utf8().unwrap_or_default())
    });
    Catalogue::load(files).expect("a unit test loads the very files that are compiled in")
});

/// What an auth config of this mode takes, of whatever service.
pub fn config_fields(mode: &str) -> Vec<Field> {
    standard_fields::of_config(mode, "")
}

/// Why a catalogue cannot be loaded: each names the file and what to change in it.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LoadError {
    /// The file is no TOML document of an entry's form.
    #[error("catalogue file {file}: {reason}")]
    Form {
        /// The file's name.
        file: String,
        /// Line, column and cause.
        reason: String,
    },
    /// The file's form is right and what it says is not.
    #[error("catalogue file {file}: {rule}")]
    Rule {
        /// The file's name.
        file: String,
        /// What must hold.
        rule: &'static str,
    },
    /// Two entries answer to one name.
    #[error("catalogue file {file}: the name {name} already leads to the entry {other}")]
    Taken {
        /// The file's name.
        file: String,
        /// The name, as the file spells it.
        name: String,
        /// The slug of the entry that has it.
        other: String,
    },
}

/// The entries, in the order of their slugs, and the match keys that lead to them.
#[derive(Debug)]
pub struct Catalogue {
    entries: Vec<Entry>,
    by_key: HashMap<MatchKey, usize>,
}

impl Catalogue {
    /// The catalogue compiled into this program, parsed at the first call.
    ///
    /// # Panics
    /// Never in a program whose tests passed: a unit test loads the same bytes.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Every entry, in the order of the slugs.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry to which a key leads: by slug, name, Klavis' or Composio's name, or an alias.
    pub fn find(&self, key: &MatchKey) -> Option<&Entry> {
        self.by_key.get(key).map(|&index| &self.entries[index])
    }

    /// The entry to which a name leads in any spelling; see [`Catalogue::find`].
    pub fn find_name(&self, name: &str) -> Option<&Entry> {
        self.find(&MatchKey::of(name)?)
    }

    /// Reads the entries of files given as name and text.
    fn load<'a>(files: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, LoadError> {
        let mut entries = Vec::new();
        for (file, text) in files {
            let mut entry: Entry = toml::from_str(text).map_err(|error| LoadError::Form {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
            check(file, &entry)?;
            for scheme in &mut entry.schemes {
                scheme.complete(entry.base_url.as_deref());
            }
            entries.push(entry);
        }
        entries.sort_by(|left, right| left.slug.cmp(&right.slug));
        let by_key = index(&entries)?;
        Ok(Self { entries, by_key })
    }
}

/// What an entry's types cannot say.
fn check(file: &str, entry: &Entry) -> Result<(), LoadError> {
    let rules = [
        (
            file == format!("{}.toml", entry.slug),
            "slug must be the file's name without .toml",
        ),
        (
            !entry.categories.is_empty(),
            "categories must name at least one",
        ),
        (
            entry.scheme(&entry.default_scheme).is_some(),
            "default_scheme must be the mode of one of the schemes",
        ),
        (
            entry.schemes.iter().enumerate().all(|(index, scheme)| {
                entry.schemes[..index]
                    .iter()
                    .all(|earlier| earlier.mode != scheme.mode)
            }),
            "schemes must have different modes",
        ),
    ];
    match rules.into_iter().find(|(holds, _)| !holds) {
        Some((_, rule)) => Err(LoadError::Rule {
            file: file.to_owned(),
            rule,
        }),
        None => Ok(()),
    }
}

/// Each name's key, refusing a key that leads to two entries or a name that has none.
fn index(entries: &[Entry]) -> Result<HashMap<MatchKey, usize>, LoadError> {
    let mut by_key: HashMap<MatchKey, usize> = HashMap::new();
    for (position, entry) in entries.iter().enumerate() {
        let file = || format!("{}.toml", entry.slug);
        for name in entry.names() {
            let key = MatchKey::of(name).ok_or_else(|| LoadError::Rule {
                file: file(),
                rule: "every name must have a letter or a digit",
            })?;
            let holder = *by_key.entry(key).or_insert(position);
            if holder != position {
                return Err(LoadError::Taken {
                    file: file(),
                    name: name.to_owned(),
                    other: entries[holder].slug.clone(),
                });
            }
        }
    }
    Ok(by_key)
}

#[cfg(test)]
mod tests;
