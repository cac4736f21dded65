//! Many at once.

use futures_util::future::join_all;
use serde_json::json;

use crate::common::{TestApp, canary};
use crate::form::open;
use crate::world::{credential, declared, link, link_with, shop_and_key, status};

#[tokio::test]
async fn of_many_submissions_at_once_exactly_one_is_taken() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    for round in 0..5 {
        let link = link(&alice, &config).await;
        let page = open(&app, &link.path).await;
        let shops: Vec<String> = (0..8).map(|one| format!("shop {round}.{one}")).collect();
        let key = canary();
        let sent = shops.iter().map(async |shop| {
            let reply = page.send(&[("shop", shop), ("key", &key)]).await;
            (reply.status, shop.as_str())
        });

        let sent = join_all(sent).await;

        let taken: Vec<&str> = sent
            .iter()
            .filter(|(status, _)| *status == 200)
            .map(|(_, shop)| *shop)
            .collect();
        assert_eq!(taken.len(), 1, "{sent:?}");
        assert!(
            sent.iter().all(|(status, _)| matches!(status, 200 | 410)),
            "{sent:?}"
        );
        assert_eq!(
            credential(&app, &alice, &link.account).await["shop"],
            taken[0]
        );
    }
    let audited = "audit_log WHERE action = 'connection.set_credential'";
    assert_eq!(app.count(audited).await, 5);
    assert_eq!(app.deadlocks().await, 0);
}

/// A connection that is deleted while its user sends the form: gone, or done and gone.
#[tokio::test]
async fn a_deletion_and_a_submission_do_not_wait_in_a_circle() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    for _ in 0..8 {
        let link = link(&alice, &config).await;
        let page = open(&app, &link.path).await;
        let path = format!("/api/v3.1/connected_accounts/{}", link.account);
        let (key, client) = (canary(), alice.composio());
        let fields = [("shop", "s"), ("key", key.as_str())];

        let (sent, deleted) = tokio::join!(page.send(&fields), client.delete(&path));

        assert_eq!(deleted.status, 200, "{}", deleted.text);
        assert!(matches!(sent.status, 200 | 404), "{}", sent.text);
    }
    assert_eq!(app.count("connections").await, 0);
    assert_eq!(app.count("link_tokens").await, 0);
    assert_eq!(app.deadlocks().await, 0);
}

/// What came with a link is read under the data key that is in force by then.
#[tokio::test]
async fn a_rotation_between_link_and_form_loses_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let key = canary();
    let more = json!({"connection_data": {"key": key}});
    let link = link_with(&alice, &config, more).await;
    let page = open(&app, &link.path).await;
    app.service()
        .rotate_tenant_key("alice", false, &|_| {})
        .await
        .unwrap();

    let done = page.send(&[("shop", "s")]).await;

    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(stored, json!({"key": key, "shop": "s"}));
    app.finish().await;
}
