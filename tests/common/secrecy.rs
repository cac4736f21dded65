//! Planted secrets, and the search for them in whatever form.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use uuid::Uuid;

static PLANTED: Mutex<Vec<Uuid>> = Mutex::new(Vec::new());

/// A new planted secret, `CANARY-<uuid>`.
pub fn plant() -> String {
    let id = Uuid::new_v4();
    PLANTED.lock().unwrap().push(id);
    format!("CANARY-{id}")
}

/// Panics where `text` holds a planted secret: see [`found_in`].
pub fn assert_absent(place: &str, text: &str) {
    if let Some(excerpt) = found_in(text) {
        panic!("{place} holds a planted secret: …{excerpt}…");
    }
}

/// What surrounds the first planted secret in `text`: raw or URL-encoded (the two are one for these
/// characters), in base64 of either alphabet at any offset, in hexadecimal. The secret's own UUID is
/// looked for, so that a part is enough.
fn found_in(text: &str) -> Option<&str> {
    let planted = PLANTED.lock().unwrap().clone();
    let mut forms = planted.iter().flat_map(|id| forms(&id.to_string()));
    let at = forms.find_map(|form| text.find(&form))?;
    let from = text.floor_char_boundary(at.saturating_sub(200));
    Some(&text[from..text.ceil_char_boundary(at + 200)])
}

fn hex(text: &str) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
    text.bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn forms(secret: &str) -> Vec<String> {
    let hex = hex(secret);
    let mut forms = vec![
        secret.to_owned(),
        secret.replace('-', "%2D"),
        secret.replace('-', ""),
        hex,
    ];
    for offset in 0..3 {
        let padded = [&b"\0\0\0"[..offset], secret.as_bytes()].concat();
        // Only whole groups of three bytes have characters of their own.
        let whole = &padded[..padded.len() / 3 * 3];
        let from = if offset == 0 { 0 } else { 4 };
        forms.push(STANDARD_NO_PAD.encode(whole)[from..].to_owned());
        forms.push(URL_SAFE_NO_PAD.encode(whole)[from..].to_owned());
    }
    forms
}

#[test]
fn every_form_is_found() {
    let secret = plant();
    let encoded =
        ["", "a", "ab", "abc"].map(|before| STANDARD_NO_PAD.encode(format!("{before}{secret}!")));
    let hex = hex(&secret);
    for text in encoded.into_iter().chain([secret, hex]) {
        assert!(found_in(&text).is_some(), "{text}");
    }
    assert_eq!(found_in("nothing of the kind"), None);
}
