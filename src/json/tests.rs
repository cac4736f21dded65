use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::JsonFaultKind::{
    DuplicateKey, Empty, Encoding, LoneSurrogate, NumberTooLong, Syntax, TooDeep,
};
use super::*;

fn parse(text: &str) -> Json {
    Json::parse(text.as_bytes()).unwrap()
}

fn written(json: &Json) -> String {
    String::from_utf8(json.to_bytes().to_vec()).unwrap()
}

#[test]
fn what_was_written_is_kept() {
    for text in [
        r#"{"z":1,"a":-0,"m":1.0,"e":1E+400,"big":123456789012345678901234567890.10}"#,
        r#"["",{},[],null,true,false,"\u0000é😀\n\"\\"]"#,
        "0",
        "\"x\"",
    ] {
        assert_eq!(written(&parse(text)), text);
    }
    assert_eq!(written(&parse(" [ 1 ,\t2\r\n] ")), "[1,2]");
    assert_eq!(parse(r#""\uD83D\uDE00\/""#).as_str(), Some("😀/"));
    assert_eq!(parse("\u{feff}7").as_number(), Some("7"));
}

#[test]
fn each_refusal_has_its_kind_and_place() {
    let deep = |n: usize| [vec![b'['; n], vec![b']'; n]].concat();
    let digits = |n: usize| "7".repeat(n).into_bytes();
    let cases: Vec<(Vec<u8>, _, usize)> = vec![
        (b"".to_vec(), Empty, 0),
        (b" ".to_vec(), Syntax, 1),
        (b"\xEF\xBB\xBF".to_vec(), Syntax, 0),
        (b"\"a\xFF\"".to_vec(), Encoding, 2),
        (b"{\0}\0".to_vec(), Encoding, 1),
        (b"\xFF\xFE{\0}\0".to_vec(), Encoding, 0),
        ("{\"é😀\":,}".into(), Syntax, 6),
        (b"[1,]".to_vec(), Syntax, 3),
        (b"[1 2]".to_vec(), Syntax, 3),
        (b"NaN".to_vec(), Syntax, 0),
        (b"-Infinity".to_vec(), Syntax, 1),
        (b"01".to_vec(), Syntax, 1),
        (b"1 2".to_vec(), Syntax, 2),
        (b"{'a':1}".to_vec(), Syntax, 1),
        (br#"{"a":1,"\u0061":2}"#.to_vec(), DuplicateKey, 16),
        (br#"[{"":[{"":0}],"":0}]"#.to_vec(), DuplicateKey, 17),
        (br#""\ud800""#.to_vec(), LoneSurrogate, 7),
        (br#""\udc00 ""#.to_vec(), LoneSurrogate, 6),
        (br#""\ud800\ud800""#.to_vec(), LoneSurrogate, 12),
        (deep(129), TooDeep, 128),
        (vec![b'['; 1_000_000], TooDeep, 128),
        (digits(4_301), NumberTooLong, 4_301),
        ([b"[0.".to_vec(), digits(4_300)].concat(), NumberTooLong, 1),
        ([b"1e".to_vec(), digits(4_300)].concat(), NumberTooLong, 0),
    ];
    for (text, kind, index) in cases {
        let fault = Json::parse(&text).unwrap_err();
        let shown = String::from_utf8_lossy(&text[..text.len().min(40)]).into_owned();
        assert_eq!(
            (fault.kind, fault.index),
            (kind, index),
            "{shown}: {}",
            fault.reason
        );
    }
    assert!(Json::parse(&deep(128)).is_ok());
    assert!(Json::parse(&digits(4_300)).is_ok());
    assert!(Json::parse(&"{\"a\":".repeat(128).into_bytes()).is_err());
}

#[test]
fn objects_stay_fast_and_ordered_at_thirty_thousand_keys() {
    let mut text = String::from("{");
    for n in 0..30_000 {
        let comma = if n == 0 { "" } else { "," };
        write!(text, "{comma}\"{n}\":{n}").unwrap();
    }
    text.push('}');
    let began = Instant::now();
    let json = parse(&text);
    let Json::Object(mut object) = json.clone() else {
        panic!("an object")
    };
    assert_eq!(json, Json::Object(object.clone()));
    assert_eq!(written(&json), text);
    for n in 0..29_990 {
        assert!(object.remove(&n.to_string()).is_some());
    }
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(object.keys().next(), Some("29990"));
    assert_eq!(object.insert("29995", true), Some(29_995.into()));
    assert_eq!(object.insert("new", "x"), None);
    let last: Vec<_> = object.into_iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(last[5], "29995");
    assert_eq!(last[10], "new");
}

#[test]
fn debug_and_display_show_no_content() {
    let json = parse(r#"{"sk-live-key":["sk-live-value",48151623]}"#);
    let shown = format!(
        "{json:?} {:?} {:?}",
        json.as_object(),
        Number::new("48151623")
    );
    assert!(
        !shown.contains("sk-live") && !shown.contains("4815"),
        "{shown}"
    );
    let fault = Json::parse(br#"{"sk-live-key":sk-live"#).unwrap_err();
    assert_eq!(fault.to_string(), "expected a value (at character 15)");
}

#[test]
fn serialises_losslessly_inside_other_types() {
    #[derive(Serialize)]
    struct Outer {
        inner: Json,
    }
    let outer = Outer {
        inner: parse(r#"{"n":1e999,"big":18446744073709551616}"#),
    };
    assert_eq!(
        serde_json::to_string(&outer).unwrap(),
        r#"{"inner":{"n":1e999,"big":18446744073709551616}}"#
    );
    assert_eq!(outer.inner.to_value(), None);
}

#[test]
fn a_nul_is_found_wherever_it_is() {
    assert!(parse(r#"[{"a":["\u0000"]}]"#).has_nul());
    assert!(parse(r#"{"\u0000":1}"#).has_nul());
    assert!(!parse(r#"{"a":["\\u0000",0]}"#).has_nul());
}

#[test]
fn only_numbers_are_numbers() {
    for text in ["0", "-1.5e-7", "1E400"] {
        assert_eq!(Number::new(text).as_deref(), Some(text));
    }
    for text in [
        "", " 1", "1 ", "01", "+1", "1.", "-", "true", "\"1\"", "[1]", "1,2", "NaN",
    ] {
        assert!(Number::new(text).is_none(), "{text}");
    }
}

fn tree() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<f64>().prop_map(|n| json!(n)),
        any::<Vec<char>>().prop_map(|text| json!(String::from_iter(text))),
    ];
    leaf.prop_recursive(6, 80, 24, |inner| {
        let key = any::<Vec<char>>().prop_map(String::from_iter);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..24).prop_map(|items| json!(items)),
            proptest::collection::vec((key, inner), 0..24)
                .prop_map(|entries| { serde_json::Value::Object(entries.into_iter().collect()) }),
        ]
    })
}

/// Bytes that look like JSON more often than chance would have it.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let pieces = "{ } [ ] , : \" \"a\" \"a\": \"b\":1 0 1 -1 1. 1.5 1e5 e - + true false null nul NaN \\ \
                  \\u \\u0061 \\ud83d \\ude00 \"\\ud83d\\ude00\" \\n \\/ é 😀 \t \u{1} \u{7f} \u{feff}";
    let pieces: Vec<Vec<u8>> = pieces
        .split(' ')
        .map(|piece| piece.as_bytes().to_vec())
        .collect();
    let piece = prop_oneof![
        20 => proptest::sample::select(pieces),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ];
    proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

/// Equal but for the last digit of fractions, which `serde_json` rounds loosely by default.
fn same(ours: &serde_json::Value, theirs: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (ours, theirs) {
        (Number(a), Number(b)) => {
            a == b
                || a.as_f64()
                    .zip(b.as_f64())
                    .is_some_and(|(a, b)| (a - b).abs() <= a.abs() * 1e-14)
        }
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|((k, a), (l, b))| k == l && same(a, b))
        }
        (a, b) => a == b,
    }
}

/// Accepts exactly what `serde_json` accepts, except for the rules that only we have.
fn agrees_with_serde(text: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<serde_json::Value>(text);
    match Json::parse(text) {
        Ok(ours) => {
            let bare = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
            let theirs = serde_json::from_slice::<serde_json::Value>(bare);
            if let Some(value) = ours.to_value() {
                prop_assert!(same(&value, &theirs.unwrap()));
            }
            prop_assert!(Json::parse(&ours.to_bytes()).unwrap() == ours);
        }
        Err(fault) => {
            prop_assert!(fault.index <= text.len());
            let only_ours = matches!(fault.kind, DuplicateKey | TooDeep | NumberTooLong);
            prop_assert!(only_ours || theirs.is_err(), "{:?}", fault);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn any_bytes_give_a_value_or_a_fault(text in any::<Vec<u8>>()) {
        agrees_with_serde(&text)?;
    }

    #[test]
    fn anything_like_json_is_judged_as_serde_does(text in soup()) {
        agrees_with_serde(&text)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn values_equal_those_of_serde(
        value in tree(),
        pretty in any::<bool>(),
        flips in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..3),
    ) {
        let mut text = if pretty { serde_json::to_vec_pretty(&value) } else { serde_json::to_vec(&value) }.unwrap();
        let ours = Json::parse(&text).unwrap();
        prop_assert_eq!(ours.to_value(), Some(value.clone()));
        prop_assert!(ours == Json::from(value.clone()) || text.contains(&b'.'));
        prop_assert_eq!(ours.to_bytes().to_vec(), serde_json::to_vec(&value).unwrap());
        for (at, byte) in flips {
            let at = at % text.len();
            text[at] = byte;
        }
        agrees_with_serde(&text)?;
        text.truncate(text.len() / 2);
        agrees_with_serde(&text)?;
    }
}
