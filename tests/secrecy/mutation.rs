//! Faults put into a body that a route takes.

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

/// One fault: what is done at which place of the body.
#[derive(Debug, Clone)]
pub struct Fault {
    at: Index,
    kind: Kind,
    leaf: Leaf,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Replace,
    Remove,
    Add,
    Wrap,
}

/// A value that is rarely right.
#[derive(Debug, Clone)]
enum Leaf {
    Secret,
    SecretInside,
    Json(Value),
    Long(usize),
    Deep(usize),
}

/// What is done to the text once it is written.
#[derive(Debug, Clone)]
pub enum Cut {
    Whole,
    End(Index),
    Insert(Index, &'static str),
}

pub fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let kind = prop_oneof![4 => Just(Kind::Replace), 1 => Just(Kind::Remove), 2 => Just(Kind::Add), 1 => Just(Kind::Wrap)];
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("NONE"),
        json!("API_KEY"),
        json!("custom"),
        json!("REDACTED"),
        json!("..."),
        json!("\u{202e}🔑\u{fffd}"),
        json!([]),
        json!({}),
        json!([null]),
        json!({"": ""}),
        json!({"__proto__": {"a": 1}}),
    ];
    let leaf = prop_oneof![
        3 => Just(Leaf::Secret),
        2 => Just(Leaf::SecretInside),
        6 => prop::sample::select(values.to_vec()).prop_map(Leaf::Json),
        1 => (1_usize..3_000).prop_map(Leaf::Long),
        1 => (1_usize..180).prop_map(Leaf::Deep),
    ];
    let fault = (any::<Index>(), kind, leaf).prop_map(|(at, kind, leaf)| Fault { at, kind, leaf });
    prop::collection::vec(fault, 3..8)
}

pub fn cuts() -> impl Strategy<Value = Cut> {
    let bits = [
        "\u{0}", "\"", "{", "]", ",", "\\", "\\ud800", "\u{7f}", "NaN", "1e999", "🔑",
    ];
    prop_oneof![
        6 => Just(Cut::Whole),
        1 => any::<Index>().prop_map(Cut::End),
        1 => (any::<Index>(), prop::sample::select(bits.to_vec())).prop_map(|(at, bit)| Cut::Insert(at, bit)),
    ]
}

/// The body with the faults in it. `secret` goes only where a value is a secret, or beside everything.
pub fn faulty(mut body: Value, faults: &[Fault], secrets: &[&str], secret: &str) -> Value {
    for (number, fault) in faults.iter().enumerate() {
        let mut pointers = Vec::new();
        collect(&body, String::new(), &mut pointers);
        let pointer = fault.at.get(&pointers).clone();
        let is_secret = secrets.iter().any(|under| pointer.starts_with(under));
        let stray = matches!(fault.kind, Kind::Add) && pointer.is_empty();
        let leaf = value(&fault.leaf, is_secret || stray, secret);
        let Some(place) = body.pointer_mut(&pointer) else {
            continue;
        };
        match fault.kind {
            Kind::Replace => *place = leaf,
            Kind::Wrap => *place = json!([place.take()]),
            Kind::Add => match place {
                Value::Object(members) => {
                    members.insert(format!("stray_{number}"), leaf);
                }
                Value::Array(items) => items.push(leaf),
                other => *other = leaf,
            },
            Kind::Remove => remove(&mut body, &pointer),
        }
    }
    body
}

fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                collect(member, format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(items) if items.len() < 50 => {
            for (index, item) in items.iter().enumerate() {
                collect(item, format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(pointer);
}

fn remove(body: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else {
        return;
    };
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(name);
        }
        Some(Value::Array(items)) if !items.is_empty() => {
            items.pop();
        }
        _ => {}
    }
}

fn value(leaf: &Leaf, may_be_secret: bool, secret: &str) -> Value {
    match leaf {
        Leaf::Secret if may_be_secret => json!(secret),
        Leaf::SecretInside if may_be_secret => json!({"a": [secret, {"b": secret}]}),
        Leaf::Secret | Leaf::SecretInside => json!("plain"),
        Leaf::Json(value) => value.clone(),
        Leaf::Long(length) => json!("x".repeat(*length)),
        Leaf::Deep(depth) => (0..*depth).fold(json!("deep"), |inner, _| json!([inner])),
    }
}

/// The text of the body, cut.
pub fn text(body: &Value, cut: &Cut) -> String {
    let whole = body.to_string();
    match cut {
        Cut::Whole => whole,
        Cut::End(at) => whole[..whole.floor_char_boundary(at.index(whole.len()))].to_owned(),
        Cut::Insert(at, bit) => {
            let at = whole.floor_char_boundary(at.index(whole.len()));
            format!("{}{bit}{}", &whole[..at], &whole[at..])
        }
    }
}
