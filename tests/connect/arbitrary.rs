//! Any bytes as a form: never a fault of ours, and the page never shows a secret.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::common::TestApp;
use crate::form::{FORM, open, percent};
use crate::world::{shop_link, status};

/// A form body: pairs of known and unknown names with any text, or no form at all.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        "field\\.(shop|key|other)".prop_map(String::from),
        "[a-z.%+=&]{0,8}".prop_map(String::from),
    ];
    let value = any::<String>().prop_map(|text| percent(&text));
    let pairs = vec((name, prop_oneof![value, "[%&=+;0-9A-Fa-f]{0,12}"]), 0..6);
    let form = pairs.prop_map(|pairs| {
        let pairs: Vec<String> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&").into_bytes()
    });
    prop_oneof![4 => form, 1 => vec(any::<u8>(), 0..200)]
}

#[tokio::test]
async fn any_body_has_an_answer() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let page = open(&app, &link.path).await;
    let mut runner = TestRunner::deterministic();
    let mut seen = [0; 3];
    for _ in 0..300 {
        let body = bodies().new_tree(&mut runner).unwrap().current();
        let mut with_proof = format!("proof={}&", page.proof).into_bytes();
        with_proof.extend_from_slice(&body);
        let headers = [("cookie", page.cookie.as_str()), ("content-type", FORM)];
        let reply = page.post(&headers, with_proof).await;
        let at = match reply.status {
            200 => 0,
            422 => 1,
            400 => 2,
            other => panic!(
                "{other} for {:?}: {}",
                String::from_utf8_lossy(&body),
                reply.text
            ),
        };
        seen[at] += 1;
        assert!(reply.text.starts_with("<!doctype html>"));
        if reply.status == 200 {
            assert_eq!(status(&app, &link.account).await, "ACTIVE");
            app.execute(
                "UPDATE link_tokens SET used_at = NULL; \
                 UPDATE connections SET status = 'INITIALIZING', generation = NULL, sealed_credential = NULL",
            )
            .await;
        }
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
}
