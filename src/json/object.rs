//! A JSON object: unique keys, insertion order, lookups that stay fast at any size.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::Json;

/// Up to this many entries a scan beats a hash.
const SCANNED: usize = 16;

/// A map from unique strings to values that keeps insertion order.
///
/// `get`, `insert` and `remove` are O(1) on average at any size (a caller may send 30,000 keys
/// in 256 KiB); the hash is randomly keyed, so keys cannot be chosen to collide. Keys and values
/// are zeroized on drop; `Debug` shows the number of entries only.
#[derive(Default)]
pub struct Object {
    /// `None` marks an entry that was removed from an indexed object.
    entries: Vec<Option<(Key, Json)>>,
    live: usize,
    /// Positions in `entries`, once there are more than [`SCANNED`] of them.
    index: Option<HashMap<Key, usize>>,
}

/// Shared with the index, so that a key is in memory once.
#[derive(Clone, PartialEq, Eq)]
struct Key(Arc<Zeroizing<String>>);

impl Key {
    fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The same as `str`'s, as `Borrow<str>` demands.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Object {
    /// An object without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Whether the key is there.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let (_, value) = self.entries.get(self.position(key)?)?.as_ref()?;
        Some(value)
    }

    /// The value of a key, for changing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        let position = self.position(key)?;
        let (_, value) = self.entries.get_mut(position)?.as_mut()?;
        Some(value)
    }

    /// Sets a key. One that is there keeps its place and gives its old value back.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Json>) -> Option<Json> {
        let (key, value) = (Zeroizing::new(key.into()), value.into());
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        let key = Key(Arc::new(key));
        if let Some(index) = &mut self.index {
            index.insert(key.clone(), self.entries.len());
        }
        self.entries.push(Some((key, value)));
        self.live += 1;
        if self.index.is_none() && self.entries.len() > SCANNED {
            self.compact();
        }
        None
    }

    /// Takes a key out; the others keep their order.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let position = self.position(key)?;
        let (_, value) = self.entries.get_mut(position)?.take()?;
        self.live -= 1;
        if let Some(index) = &mut self.index {
            index.remove(key);
        }
        // Each pass over the entries is paid for by as many removals.
        if self.index.is_none() || self.live < self.entries.len() / 2 {
            self.compact();
        }
        Some(value)
    }

    /// Entries in insertion order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries
            .iter()
            .flatten()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Keys in insertion order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| key)
    }

    /// Values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &Json> {
        self.iter().map(|(_, value)| value)
    }

    fn position(&self, key: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.get(key).copied(),
            None => self.entries.iter().position(|entry| {
                entry
                    .as_ref()
                    .is_some_and(|(known, _)| known.as_str() == key)
            }),
        }
    }

    /// Drops removed entries and makes the index that the size asks for.
    fn compact(&mut self) {
        self.entries.retain(Option::is_some);
        self.index = (self.entries.len() > SCANNED).then(|| {
            let keys = self.entries.iter().flatten().map(|(key, _)| key.clone());
            keys.zip(0..).collect()
        });
    }
}

/// A copy with keys of its own and without the traces of removals.
impl Clone for Object {
    fn clone(&self) -> Self {
        self.iter()
            .map(|(key, value)| (key, value.clone()))
            .collect()
    }
}

/// Order does not matter.
impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|(key, value)| other.get(key) == Some(value))
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} entries)", self.live)
    }
}

/// Of two entries with one key the later value wins, at the place of the first.
impl<K: Into<String>> FromIterator<(K, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(entries: I) -> Self {
        let mut object = Self::new();
        for (key, value) in entries {
            object.insert(key, value);
        }
        object
    }
}

impl IntoIterator for Object {
    type Item = (Zeroizing<String>, Json);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.entries.into_iter())
    }
}

/// Owned entries of an [`Object`] in insertion order.
pub struct IntoIter(std::vec::IntoIter<Option<(Key, Json)>>);

impl Iterator for IntoIter {
    type Item = (Zeroizing<String>, Json);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, value) = self.0.by_ref().flatten().next()?;
        // The index is gone by now, so the key is not shared any more.
        let key = Arc::try_unwrap(key.0).unwrap_or_else(|shared| (*shared).clone());
        Some((key, value))
    }
}
