//! Credentials are checked against the declared fields as they are, whatever was remembered of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::arrange::{held, instance, integration, patch_auth, request_id, requires, set_auth};
use crate::common::TestApp;

#[tokio::test]
async fn fields_that_were_declared_meanwhile_are_asked_for() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let shop = integration(&alice, "Shop", requires(&[])).await;
    let id = instance(&alice, "Shop", "u1").await;
    let steps: [(&[&str], Value, Option<&str>); 7] = [
        (&[], json!({"key": "k"}), None),
        (&["one"], json!({"key": "k"}), Some("one")),
        (&["one"], json!({"one": "1"}), None),
        // Remembered: `one`.
        (&["one", "two"], json!({"one": "1"}), Some("two")),
        (&["two"], json!({"two": "2"}), None),
        (&["three"], json!({"two": "2"}), Some("three")),
        (&[], json!({"any": "thing"}), None),
    ];
    let mut stored = Value::Null;
    for (slugs, data, missing) in steps {
        let reply = patch_auth(&alice, &shop, requires(slugs)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        // Twice: the second time nothing has changed.
        for _ in 0..2 {
            let reply = set_auth(&alice, &id, data.clone(), &request_id()).await;
            if let Some(slug) = missing {
                let at = json!(["body", "authData", "GeneralAuth", "data", slug]);
                let expected =
                    json!({"detail": [{"type": "missing", "loc": at, "msg": "Field required"}]});
                assert_eq!((reply.status, reply.json), (422, expected));
            } else {
                assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
                stored = data.clone();
            }
            assert_eq!(held(&alice, &id).await, stored);
        }
    }
}

/// Rules that one server remembers are checked by the database, so that those of another server's change hold too.
#[tokio::test]
async fn a_change_behind_the_servers_back_holds_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Shop", requires(&["one"])).await;
    let id = instance(&alice, "Shop", "u1").await;
    let one = json!({"one": "1"});
    assert_eq!(
        set_auth(&alice, &id, one.clone(), &request_id())
            .await
            .status,
        200
    );

    app.execute("UPDATE auth_configs SET fields = jsonb_set(fields, '{0,slug}', '\"two\"'), version = version + 1")
        .await;

    let reply = set_auth(&alice, &id, one, &request_id()).await;
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json["detail"][0]["loc"][4], "two");
    // Nor does a kind that takes no credential any more.
    app.execute("UPDATE auth_configs SET scheme = 'NO_AUTH', fields = '[]'")
        .await;
    let reply = set_auth(&alice, &id, json!({"one": "1"}), &request_id()).await;
    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(false)));
}

/// While a field becomes required, credentials without it are stored or refused; those that are sent after the change
/// was acknowledged are all refused.
#[tokio::test]
async fn no_credential_sent_after_a_change_was_acknowledged_escapes_it() {
    let app = TestApp::start().await;
    let alice = Arc::new(app.tenant("alice").await);
    let shop = integration(&alice, "Shop", requires(&[])).await;
    let mut ids = Vec::new();
    for user in 0..6 {
        ids.push(instance(&alice, "Shop", &format!("u{user}")).await);
    }
    let (mut refused, mut before) = (0, 0);
    for round in 0..12 {
        let reply = patch_auth(&alice, &shop, requires(&[])).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let acknowledged = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = ids
            .iter()
            .map(|id| {
                let (alice, id) = (Arc::clone(&alice), id.clone());
                let acknowledged = Arc::clone(&acknowledged);
                tokio::spawn(async move {
                    let mut seen = Vec::new();
                    loop {
                        let late = acknowledged.load(Ordering::SeqCst);
                        let reply = set_auth(&alice, &id, json!({"key": "k"}), &request_id()).await;
                        seen.push((late, reply.status));
                        if seen.iter().filter(|(late, _)| *late).count() >= 2 {
                            return seen;
                        }
                    }
                })
            })
            .collect();
        // Long enough for some to be stored before the change, too short for all.
        tokio::time::sleep(std::time::Duration::from_millis(3)).await;
        let reply = patch_auth(&alice, &shop, requires(&[&format!("field-{round}")])).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        acknowledged.store(true, Ordering::SeqCst);
        for writer in writers {
            for (late, status) in writer.await.unwrap() {
                assert!([200, 422].contains(&status));
                assert!(!late || status == 422, "stored without the required field");
                refused += usize::from(status == 422);
                before += usize::from(status == 200);
            }
        }
    }
    assert!(
        refused > 100 && before > 0,
        "{refused} refused, {before} stored"
    );
}
