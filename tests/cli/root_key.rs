//! The root key: without the right one nothing starts, nothing is written, and both fingerprints are named.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use keyway::crypto::RootKey;

use crate::place::Place;
use crate::program::{Answer, keyway};

/// A place with a tenant, so that something is sealed. Its root key's fingerprint.
async fn sealed(place: &Place) -> String {
    keyway("tenant create alice").on(place).answer().await.ok();
    let mode = std::fs::metadata(place.root_key()).unwrap().mode() & 0o7777;
    assert_eq!(mode, 0o400);
    RootKey::from_file(place.root_key())
        .unwrap()
        .root_id()
        .to_string()
}

fn key_file(place: &Place, name: &str) -> (RootKey, std::path::PathBuf) {
    let (key, path) = (RootKey::generate(), place.file(name));
    key.create_file(&path).unwrap();
    (key, path)
}

fn assert_names_both(answer: &Answer, configured: &str, needed: &str) {
    let said = answer.refusal(78);
    let both = format!("configured {configured}, sealed under {needed}.");
    assert!(said.contains(&both), "{said}");
    assert!(said.contains("KEYWAY_ROOT_KEY_FILE"), "{said}");
    assert!(said.contains("nothing was written"), "{said}");
    assert!(answer.took < Duration::from_secs(5), "{:?}", answer.took);
}

#[tokio::test]
async fn a_wrong_root_key_is_refused_before_listening_with_both_fingerprints_and_no_write() {
    let place = Place::new();
    let needed = sealed(&place).await;
    let before = place.all().await;
    let (wrong, file) = key_file(&place, "wrong.key");
    let configured = wrong.root_id().to_string();
    for command in [
        "serve --listen 127.0.0.1:0",
        "tenant create bob",
        "key list --tenant alice",
    ] {
        let by_file = keyway(command)
            .env("KEYWAY_ROOT_KEY_FILE", &file)
            .on(&place);
        assert_names_both(&by_file.answer().await, &configured, &needed);
        let by_value = keyway(command).env("KEYWAY_ROOT_KEY", wrong.to_base64().as_str());
        assert_names_both(&by_value.on(&place).answer().await, &configured, &needed);
    }
    assert!(!place.has_postgres(), "what was started was stopped");
    assert_eq!(place.all().await, before);

    keyway("tenant list").on(&place).answer().await.ok();
}

#[tokio::test]
async fn a_missing_root_key_file_is_named_and_never_made_anew() {
    let place = Place::new();
    let needed = sealed(&place).await;
    let before = place.all().await;
    let backup = place.file("backup.key");
    std::fs::rename(place.root_key(), &backup).unwrap();

    let answer = keyway("serve --listen 127.0.0.1:0")
        .on(&place)
        .answer()
        .await;
    let said = answer.refusal(78);
    let file = place.root_key().display().to_string();
    assert!(
        said.contains(&format!("the root key file {file} is missing")),
        "{said}"
    );
    assert!(said.contains(&needed), "{said}");
    assert!(!place.root_key().exists());
    assert_eq!(place.all().await, before);

    // Also where the server's own login cannot get in: that says nothing about what was sealed.
    let postgres = place.postgres().await;
    place.stored().execute("ALTER ROLE keyway NOLOGIN").await;
    postgres.stop().await.unwrap();
    let answer = keyway("serve --listen 127.0.0.1:0")
        .on(&place)
        .answer()
        .await;
    assert!(answer.refusal(78).contains("is missing"));
    assert!(!place.root_key().exists());
    let postgres = place.postgres().await;
    place.stored().execute("ALTER ROLE keyway LOGIN").await;
    postgres.stop().await.unwrap();

    std::fs::rename(&backup, place.root_key()).unwrap();
    let listed = keyway("tenant list --json").on(&place).answer().await;
    assert_eq!(listed.json()[0]["name"], "alice");
}

#[tokio::test]
async fn a_root_key_file_that_others_can_read_is_refused_with_the_remedy() {
    let place = Place::new();
    let key = RootKey::generate().to_base64();
    for mode in [0o640, 0o604] {
        let file = place.write("root.key", &key, mode);
        let run = keyway("serve")
            .env("KEYWAY_ROOT_KEY_FILE", &file)
            .on(&place);
        let answer = run.answer().await;
        let said = answer.refusal(78);
        assert!(said.contains("KEYWAY_ROOT_KEY_FILE: "), "{said}");
        assert!(
            said.contains(&format!("run `chmod 0400 {}`", file.display())),
            "{said}"
        );
        assert!(!place.data_dir().exists());
    }
}

#[tokio::test]
async fn a_malformed_root_key_is_named_and_never_shown() {
    let place = Place::new();
    for value in ["CANARY", "", "Q0FOQVJZ", &"A".repeat(43)] {
        let run = keyway("serve").env("KEYWAY_ROOT_KEY", value).on(&place);
        let answer = run.answer().await;
        let said = answer.refusal(78);
        assert!(
            said.starts_with("keyway: KEYWAY_ROOT_KEY: the root key "),
            "{said}"
        );
        assert!(value.is_empty() || !said.contains(value), "{said}");
        let file = place.write("bad.key", value, 0o400);
        let run = keyway("serve")
            .env("KEYWAY_ROOT_KEY_FILE", &file)
            .on(&place);
        let answer = run.answer().await;
        let said = answer.refusal(78);
        assert!(said.contains(&file.display().to_string()), "{said}");
        assert!(value.is_empty() || !said.contains(value), "{said}");
        std::fs::remove_file(file).unwrap();
    }
    let absent = place.file("absent.key");
    let run = keyway("serve").env("KEYWAY_ROOT_KEY_FILE", &absent);
    let answer = run.on(&place).answer().await;
    assert!(answer.refusal(78).contains(&absent.display().to_string()));
}

#[tokio::test]
async fn two_root_keys_are_one_too_many() {
    let place = Place::new();
    let (key, file) = key_file(&place, "one.key");
    let run = keyway("serve").env("KEYWAY_ROOT_KEY_FILE", &file);
    let run = run.env("KEYWAY_ROOT_KEY", key.to_base64().as_str());
    let answer = run.on(&place).answer().await;
    let said = answer.refusal(78);
    assert!(
        said.contains("KEYWAY_ROOT_KEY_FILE and KEYWAY_ROOT_KEY are both set"),
        "{said}"
    );
}

#[tokio::test]
async fn an_old_root_key_opens_what_it_sealed_while_a_new_one_seals() {
    let place = Place::new();
    let needed = sealed(&place).await;
    let made = keyway("key create --tenant alice --json")
        .on(&place)
        .answer()
        .await;
    let api_key = made.json()["api_key"].as_str().unwrap().to_owned();
    let old = place.file("old.key");
    std::fs::rename(place.root_key(), &old).unwrap();
    let (new, file) = key_file(&place, "new.key");
    let both = |command: &str| {
        let run = keyway(command).env("KEYWAY_ROOT_KEY_FILE", &file);
        run.env("KEYWAY_OLD_ROOT_KEY_FILES", &old).on(&place)
    };
    let server = both("").serve(&place).await;
    let unknown = "/mcp-server/instance/0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10";
    assert_eq!(server.client(&api_key).get(unknown).await.status, 404);
    let healthy = both("doctor").answer().await;
    assert!(healthy.ok().contains(&new.root_id().to_string()));
    server.stop(&place).await;

    // The new one alone does not open what the old one sealed.
    let alone = keyway("tenant list").env("KEYWAY_ROOT_KEY_FILE", &file);
    let answer = alone.on(&place).answer().await;
    assert!(answer.refusal(78).contains(&needed));
}
