//! How a body with `authData` in it is parsed: as any JSON, but for where a key that is refused anyway may stand twice.
//!
//! A duplicate key is `json_invalid`, since what is stored must not depend on which of two values a parser picks.
//! A key that `authData` forbids is never stored, so naming it as forbidden says more; that is what the recorded
//! cases expect.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::AuthData;
use crate::json::{Json, JsonFault, JsonFaultKind};

const AUTH_DATA: &str = "authData";

/// [`Json::parse`] for requests with `authData`.
pub(in crate::http::klavis) fn parse(text: &[u8]) -> Result<Json, JsonFault> {
    match without_repeated_extras(text) {
        Some(mended) => Json::parse(&mended),
        None => Json::parse(text),
    }
}

/// The text with each key that `authData` forbids named once, where that alone makes it JSON that we take.
fn without_repeated_extras(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    Json::parse(text)
        .err()
        .filter(|fault| fault.kind == JsonFaultKind::DuplicateKey)?;
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut request = entries(text)?;
    let at = request.iter().position(|(key, _)| **key == AUTH_DATA)?;
    let members = entries(request[at].1)?;
    let mut seen = HashSet::new();
    let kept = members
        .iter()
        .filter(|(key, _)| AuthData::knows(key) || seen.insert(key.as_str()));
    let auth_data = object(kept, text.len())?;
    request[at].1 = &auth_data;
    let mended = object(request.iter(), text.len())?;
    Json::parse(&mended).is_ok().then_some(mended)
}

/// A member of an object: its key, and its value as it was written. Either may be a secret: what is copied is wiped.
type Entry<'t> = (Zeroizing<String>, &'t [u8]);

/// The members of a JSON object, repeated ones too.
fn entries(text: &[u8]) -> Option<Vec<Entry<'_>>> {
    struct Entries;

    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<Entry<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut entries = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                entries.push((Zeroizing::new(key), value.get().as_bytes()));
            }
            Ok(entries)
        }
    }

    serde_json::Deserializer::from_slice(text)
        .deserialize_map(Entries)
        .ok()
}

/// The object of these members. It takes no more than the `room` of the text that they came from: no key is longer as
/// we write it. So the buffer never grows, which would leave a copy behind.
fn object<'e>(
    entries: impl Iterator<Item = &'e Entry<'e>>,
    room: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    text.push(b'{');
    for (key, value) in entries {
        if text.len() > 1 {
            text.push(b',');
        }
        serde_json::to_writer(&mut *text, key.as_str()).ok()?;
        text.push(b':');
        text.extend_from_slice(value);
    }
    text.push(b'}');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> Option<String> {
        without_repeated_extras(text.as_bytes())
            .map(|text| String::from_utf8(text.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn a_forbidden_key_that_stands_twice_is_named_once() {
        assert_eq!(
            mended(r#"{"instanceId": "x", "authData": {"foo": 1, "bar": [2], "f\u006fo": 3}}"#)
                .as_deref(),
            Some(r#"{"instanceId":"x","authData":{"foo":1,"bar":[2]}}"#)
        );
    }

    #[test]
    fn what_is_built_fits_into_the_room_of_the_text() {
        let text = r#"{"authData":{"\n\u0001\"\\\/é\u00e9😀":1,"a":{},"a":[]}}"#;
        let built = without_repeated_extras(text.as_bytes()).expect("an object");
        assert_eq!(built.capacity(), text.len());
    }

    #[test]
    fn every_other_repetition_stays_a_fault() {
        for text in [
            r#"{"authData":{"foo":1,"bar":2}}"#,
            r#"{"authData":{"token":"a","token":"b"}}"#,
            r#"{"authData":{"data":{},"data":{}}}"#,
            r#"{"authData":{"data":{"a":1,"a":2}}}"#,
            r#"{"authData":{"foo":1,"foo":{"a":1,"a":2},"bar":{"b":1,"b":1}}}"#,
            r#"{"authData":{"foo":1,"foo":2},"x":1,"x":2}"#,
            r#"{"authData":{"foo":1,"foo":2},"authData":{}}"#,
            r#"{"authData":{"foo":1,"foo":2},}"#,
            r#"{"a":1,"a":2}"#,
            "[]",
            "",
        ] {
            assert_eq!(mended(text), None, "{text}");
        }
    }
}
