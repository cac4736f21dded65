use super::*;
use proptest::prelude::*;

#[test]
fn a_generated_key_has_the_documented_form_and_parses() {
    let key = ApiKey::generate();
    let (id, mac) = (
        key.id().to_owned(),
        Pepper::generate(1).mac(&key.presented()),
    );
    let shown = format!("{key:?}");
    let text = key.reveal_once();
    let parts: Vec<&str> = text.split('_').collect();
    let widths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    assert_eq!((&parts[..2], text.len()), (["kw", "live"].as_slice(), 71));
    assert_eq!(widths, [2, 4, 12, 43, 6]);
    assert!(
        parts
            .iter()
            .all(|part| part.bytes().all(|b| b.is_ascii_alphanumeric()))
    );
    assert_eq!(shown, format!("ApiKey({id})"));
    let parsed = PresentedKey::parse(&text).expect("well-formed");
    assert_eq!(parsed.id(), id);
    assert_eq!(format!("{parsed:?}"), format!("PresentedKey({id})"));
    assert_ne!(mac, [0; 32]);
}

#[test]
fn every_single_character_change_is_noticed_before_any_look_up() {
    let text = ApiKey::generate().reveal_once();
    for position in 0..text.len() {
        for other in ['a', 'Z', '0', '_', ' '] {
            let mut changed = text.to_string();
            changed.replace_range(position..=position, &other.to_string());
            assert_eq!(PresentedKey::parse(&changed).is_some(), changed == *text);
        }
    }
}

#[test]
fn ill_formed_keys_are_refused() {
    let text = ApiKey::generate().reveal_once();
    for bad in [
        String::new(),
        "kw_live_".into(),
        text[..70].into(),
        format!("{}x", *text),
        format!("{}_", *text),
        format!(" {}", *text),
        text.to_lowercase(),
        text.replace("kw_live", "kw_test"),
        "é".repeat(35),
    ] {
        assert!(PresentedKey::parse(&bad).is_none());
    }
}

/// CRC-32 of `123456789` is 0xCBF43926 = 3421780262, in base62 `3jZRME`.
#[test]
fn the_checksum_is_crc32_in_base62() {
    assert_eq!(checksum("123456789")[..], *b"3jZRME");
    assert_eq!(checksum("")[..], *b"000000");
}

#[test]
fn a_key_verifies_against_its_own_digest_under_its_own_pepper_only() {
    let (pepper, other) = (Pepper::generate(1), Pepper::generate(2));
    let (key, second) = (
        ApiKey::generate().presented(),
        ApiKey::generate().presented(),
    );
    let stored = pepper.mac(&key);
    assert!(pepper.verify(&key, &stored));
    assert!(!pepper.verify(&second, &stored));
    assert!(!other.verify(&key, &stored));
    assert!(!pepper.verify(&key, &Pepper::NO_ROW));
    assert!(!pepper.verify(&key, &stored[..31]));
    assert!(!pepper.verify(&key, &[]));
}

#[test]
fn a_pepper_survives_its_sealing_and_has_32_bytes() {
    let ring = crate::crypto::KeyRing::new(&crate::crypto::RootKey::generate(), &[]);
    let (pepper, key) = (Pepper::generate(3), ApiKey::generate().presented());
    let sealed = ring.seal_server_secret("pepper", 3, pepper.secret());
    let opened = ring
        .open_server_secret("pepper", 3, &sealed)
        .expect("unaltered");
    let again = Pepper::from_secret(3, opened).expect("32 bytes");
    assert_eq!((again.version(), again.mac(&key)), (3, pepper.mac(&key)));
    assert_eq!(format!("{again:?}"), "Pepper(version 3)");
    for length in [0, 31, 33] {
        assert!(Pepper::from_secret(1, Secret::from("x".repeat(length))).is_none());
    }
}

#[test]
fn digits_are_spread_evenly() {
    let mut text = String::new();
    push_random(&mut text, 62_000);
    for digit in DIGITS {
        let count = text.bytes().filter(|byte| byte == digit).count();
        assert!((800..1_200).contains(&count), "{count}");
    }
}

#[test]
fn a_masked_key_shows_three_and_four_characters() {
    assert_eq!(mask_key("kw_live_abcdefghijkl"), "kw_...ijkl");
    assert_eq!(mask_key("0123456789abcdef"), "012...cdef");
    for hidden in [
        "",
        "abc",
        "0123456789a",
        "0123456789abcdé",
        "0123 456789 abcdef",
    ] {
        assert_eq!(mask_key(hidden), "...");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_or_the_mask_panic(text in ".{0,100}") {
        prop_assert!(PresentedKey::parse(&text).is_none());
        let prefixed = format!("kw_live_{text}");
        prop_assert!(PresentedKey::parse(&prefixed).is_none());
        prop_assert!(mask_key(&text).len() <= 10);
    }
}
