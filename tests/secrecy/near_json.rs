//! Texts that are JSON, or nearly, and what a strict reader makes of them: written apart from the product's parser.

use proptest::prelude::*;
use proptest::sample::Index;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Stands for the planted secret, as it has no other use in these texts.
const SECRET: &str = "@";
/// How deep a body may be, and how many digits a number may have.
const MOST: (usize, usize) = (128, 4_300);

/// A JSON value: numbers as they are written, members in their order.
#[derive(Debug, Clone, PartialEq)]
pub enum Tree {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// What a strict reader makes of these bytes: UTF-8 with at most one mark before it, no key twice, not too deep,
    /// no number too long.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw: &RawValue = serde_json::from_str(text).ok()?;
        Self::of(raw.get(), 0)
    }

    fn of(text: &str, depth: usize) -> Option<Self> {
        let deeper = |raw: &RawValue| Self::of(raw.get(), depth + 1);
        let within = depth < MOST.0;
        Some(match text.as_bytes()[0] {
            b'n' => Self::Null,
            b't' | b'f' => Self::Bool(text == "true"),
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' if within => {
                let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::Array(items.into_iter().map(deeper).collect::<Option<_>>()?)
            }
            b'{' if within => {
                let mut members: Vec<(String, Self)> = Vec::new();
                for (key, value) in serde_json::Deserializer::from_str(text)
                    .deserialize_map(Members)
                    .ok()?
                {
                    if members.iter().any(|(known, _)| *known == key) {
                        return None;
                    }
                    members.push((key, deeper(value)?));
                }
                Self::Object(members)
            }
            b'[' | b'{' => return None,
            _ if text.bytes().filter(u8::is_ascii_digit).count() > MOST.1 => return None,
            _ => Self::Number(text.to_owned()),
        })
    }

    /// The member of an object.
    pub fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    fn is_value(&self) -> bool {
        !matches!(self, Self::Null) && *self != Self::Text(String::new())
    }

    /// The credential that is to be stored where this is `authData` (contract: `ApiKeyAuth`, then `GeneralAuth`);
    /// nothing where it is refused or holds nothing.
    pub fn credential(&self) -> Option<Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let is_key = |(key, value): &(String, Self)| {
            ["token", "api_key"].contains(&key.as_str())
                && matches!(value, Self::Text(_) | Self::Null)
        };
        let stored = match members.as_slice() {
            [(key, Self::Object(data))] if key == "data" => data.clone(),
            members if members.iter().all(is_key) => ["token", "api_key"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), self.member(name)?.clone())))
                .filter(|(_, value)| *value != Self::Null)
                .collect(),
            _ => return None,
        };
        let any = stored.iter().any(|(_, value)| value.is_value());
        any.then_some(Self::Object(stored))
    }
}

/// The members of an object, repeated ones too.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// What is done to the bytes of a text.
#[derive(Debug, Clone)]
pub enum Mangling {
    Nothing,
    End(Index),
    Insert(Index, &'static [u8]),
    Marks(usize),
    Utf16(bool),
    Latin1,
}

/// Texts to stand after `"authData":`.
pub fn auth_data() -> impl Strategy<Value = String> {
    let text = || prop_oneof![3 => Just(r#""@""#.to_owned()), 1 => scalar()];
    prop_oneof![
        2 => text().prop_map(|text| format!(r#"{{"token":{text}}}"#)),
        1 => (text(), text()).prop_map(|(one, other)| format!(r#"{{"api_key":{one},"token":{other}}}"#)),
        4 => members().prop_map(|members| format!(r#"{{"data":{{{members}}}}}"#)),
        1 => (members(), text()).prop_map(|(members, text)| format!(r#"{{"data":{{{members}}},"token":{text}}}"#)),
        2 => members().prop_map(|members| format!("{{{members}}}")),
        1 => tree(),
    ]
}

pub fn manglings() -> impl Strategy<Value = Mangling> {
    let bits: Vec<&[u8]> = vec![
        b"\0",
        b"\"",
        b"{",
        b"}",
        b"]",
        b",",
        b"\\",
        b"\\ud800",
        b"NaN",
        b"1e999",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\x7f",
        b" ",
        b"\n",
    ];
    prop_oneof![
        18 => Just(Mangling::Nothing),
        2 => any::<Index>().prop_map(Mangling::End),
        3 => (any::<Index>(), prop::sample::select(bits)).prop_map(|(at, bit)| Mangling::Insert(at, bit)),
        1 => (1_usize..3).prop_map(Mangling::Marks),
        1 => any::<bool>().prop_map(Mangling::Utf16),
        1 => Just(Mangling::Latin1),
    ]
}

impl Mangling {
    /// The bytes of `{` the members before, `"authData":` the text `}`. What is inserted goes into the text.
    pub fn apply(&self, before: &str, auth_data: &str, secret: &str) -> Vec<u8> {
        let head = format!("{{{before},\"authData\":");
        let auth_data = auth_data.replace(SECRET, secret);
        let whole = format!("{head}{auth_data}}}");
        match self {
            Self::Nothing => whole.into_bytes(),
            Self::End(at) => whole.as_bytes()[..at.index(whole.len())].to_vec(),
            Self::Insert(at, bit) => {
                let at = head.len() + at.index(auth_data.len() + 1);
                [&whole.as_bytes()[..at], bit, &whole.as_bytes()[at..]].concat()
            }
            Self::Marks(count) => ["\u{feff}".repeat(*count), whole].concat().into_bytes(),
            Self::Utf16(big) => {
                let bytes = |unit: u16| {
                    if *big {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                };
                whole.encode_utf16().flat_map(bytes).collect()
            }
            Self::Latin1 => {
                let byte = |character| u8::try_from(u32::from(character)).unwrap_or(b'?');
                whole.chars().map(byte).collect()
            }
        }
    }
}

fn scalar() -> impl Strategy<Value = String> {
    let long = format!("1{}", "0".repeat(5_000));
    let texts = [
        r#""@""#,
        r#""a @ b""#,
        r#""""#,
        r#"" ""#,
        r#""\u0000""#,
        r#""\ud83d\udd11""#,
        r#""\ud800""#,
        r#""\u00e9é🔑""#,
        r#""\/\b\n""#,
        "null",
        "true",
        "false",
        "0",
        "-0.0",
        "4815162342108",
        "123456789012345678901234567890",
        "1e400",
        "1E+2",
        "0.10",
        "1e999999",
        "-",
        "01",
        "1.",
        "+1",
        "NaN",
        "Infinity",
        "nul",
        "'a'",
        "",
        &long,
    ];
    prop::sample::select(texts.map(str::to_owned).to_vec())
}

fn members() -> impl Strategy<Value = String> {
    let keys = [
        "token",
        "api_key",
        "data",
        r"\u0074oken",
        "authData",
        "a",
        "b",
        "",
        "é",
        "__proto__",
        r"\u0000",
        r"\ud800",
    ];
    let member = (prop::sample::select(keys.to_vec()), tree())
        .prop_map(|(key, value)| format!(r#""{key}":{value}"#));
    prop::collection::vec(member, 0..4).prop_map(|members| members.join(","))
}

fn tree() -> impl Strategy<Value = String> {
    let deep = prop_oneof![1_usize..40, 140_usize..150]
        .prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let leaf = prop_oneof![12 => scalar(), 1 => deep];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..3);
        let pairs = prop::collection::vec(("[a-c]?", inner), 0..3);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(", "))),
            pairs.prop_map(|pairs| {
                let pair = |(key, value): &(String, String)| format!("\"{key}\" : {value}");
                format!(
                    "{{{}}}",
                    pairs.iter().map(pair).collect::<Vec<_>>().join(",")
                )
            }),
        ]
    })
}

#[test]
fn the_strict_reader_takes_json_and_nothing_else() {
    let read = |text: &str| Tree::read(text.as_bytes());
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        "{}",
        "\u{feff} [1e400, -0.0]",
        r#"{"a":{"a":null}}"#,
        &nested(128),
    ] {
        assert!(read(text).is_some(), "{text}");
    }
    for text in [
        "",
        "{",
        "[01]",
        r#"{"a":1,"\u0061":1}"#,
        r#""\ud800""#,
        "NaN",
        "\u{feff}\u{feff}1",
        &nested(129),
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    let stored = |text: &str| read(text).unwrap().credential();
    assert_eq!(
        stored(r#"{"api_key":"k","token":null}"#),
        read(r#"{"api_key":"k"}"#)
    );
    assert_eq!(
        stored(r#"{"data":{"b":1,"a":""}}"#),
        read(r#"{"b":1,"a":""}"#)
    );
    for nothing in [
        "{}",
        r#"{"data":{"a":null}}"#,
        r#"{"token":"t","data":{}}"#,
        r#"{"token":1}"#,
        "[]",
    ] {
        assert_eq!(stored(nothing), None, "{nothing}");
    }
}
