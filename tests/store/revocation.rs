//! A revoked key: every server sees it within five seconds, also one that has just used it.

use std::time::{Duration, Instant};

use keyway::domain::Error;
use keyway::domain::error::KeyFault;

use crate::common::TestApp;

#[tokio::test]
async fn a_revocation_is_seen_within_five_seconds_by_a_server_that_knows_the_key() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let other = alice.with_scopes(&["connections:read"]).await;
    let knows = async |key: &str| app.service().authenticate(key, "r").await;
    knows(&alice.key).await.unwrap();
    knows(&other.key).await.unwrap();

    alice.revoke().await;

    let begun = Instant::now();
    let outcome = loop {
        // Asked all the time: use does not prolong what is remembered.
        match knows(&alice.key).await {
            Ok(_) if begun.elapsed() < Duration::from_secs(6) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            outcome => break outcome,
        }
    };
    assert!(
        matches!(
            outcome,
            Err(Error::Unauthenticated(KeyFault::Unknown { .. }))
        ),
        "{outcome:?}"
    );
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    knows(&other.key).await.unwrap();
}

#[tokio::test]
async fn a_key_that_ends_meanwhile_is_refused_within_five_seconds() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    app.service().authenticate(&alice.key, "r").await.unwrap();

    app.execute("UPDATE api_keys SET expires_at = now()").await;

    tokio::time::sleep(Duration::from_millis(4_900)).await;
    let outcome = app.service().authenticate(&alice.key, "r").await;
    assert!(
        matches!(outcome, Err(Error::Unauthenticated(KeyFault::Expired))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_id_are_refused_alike() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let parts: Vec<_> = alice.key.split('_').collect();
    let others: Vec<_> = bob.key.split('_').collect();
    // Bob's secret under Alice's id; the checksum is that of neither.
    let mixed = [parts[0], parts[1], parts[2], others[3], parts[4]].join("_");
    let cut = &alice.key[..alice.key.len() - 1];
    for wrong in [
        mixed.as_str(),
        cut,
        "",
        "kw_live_",
        "\0",
        &"k".repeat(10_000),
    ] {
        let outcome = app.service().authenticate(wrong, "r").await;
        assert!(
            matches!(
                outcome,
                Err(Error::Unauthenticated(KeyFault::Unknown { .. }))
            ),
            "{outcome:?}"
        );
    }
}
