//! A form that is in order: the connection is ready, the link at its end, and the browser goes on.

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::form::{get, open};
use crate::world::{
    config, credential, declared, link, link_with, shop_and_key, shop_link, status,
};

#[tokio::test]
async fn the_connection_is_ready_for_every_dialect_and_the_link_is_used() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let back = json!({
        "callback_url": "https://app.example/done?state=a%20b&status=old#there",
        "connection_data": {"region": "eu"},
    });
    let link = link_with(&alice, &config, back).await;
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");
    let key = canary();

    let done = open(&app, &link.path)
        .await
        .send(&[("shop", "my shop"), ("key", &key)])
        .await;

    assert_eq!(done.status, 303, "{}", done.text);
    let expected = format!(
        "https://app.example/done?state=a%20b&status=old&status=success&connected_account_id={}#there",
        link.account
    );
    assert_eq!(done.header("location"), expected);
    assert_eq!(done.header("referrer-policy"), "no-referrer");
    assert!(done.header("set-cookie").contains("=; Max-Age=0; "));
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(
        stored,
        json!({"region": "eu", "shop": "my shop", "key": key})
    );
    let path = format!("/api/v3.1/connected_accounts/{}", link.account);
    let masked = alice.with_scopes(&["connections:read"]).await;
    let account = masked.composio().get(&path).await;
    assert_eq!(
        (account.status, &account.json["status"]),
        (200, &json!("ACTIVE"))
    );
    let row = app
        .sql("SELECT used_at IS NOT NULL AS used, sealed_data FROM link_tokens")
        .await;
    assert_eq!(row, [json!({"used": true, "sealed_data": null})]);
    let audit = app
        .sql("SELECT key_id, object_id, detail FROM audit_log WHERE action = 'connection.set_credential'")
        .await;
    assert_eq!(audit.len(), 1);
    assert_eq!(audit[0]["key_id"], alice.key_id.as_str());
    assert_eq!(audit[0]["detail"], json!({"link": true}));
    let again = get(&app, &link.path).await;
    assert_eq!(again.status, 410);
    assert!(
        again.text.contains("This link cannot be used any more"),
        "{}",
        again.text
    );
    assert!(!again.text.contains("Acme") && !again.text.contains("app.example"));
    app.finish().await;
}

#[tokio::test]
async fn without_a_callback_the_page_itself_says_that_it_is_done() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;

    let done = open(&app, &link.path)
        .await
        .send(&[("shop", "s"), ("key", &canary())])
        .await;

    assert_eq!((done.status, done.header("location")), (200, ""));
    assert!(
        done.text.contains("<h1>Acme CRM is connected</h1>"),
        "{}",
        done.text
    );
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    app.finish().await;
}

/// What was typed into the inputs of the page is read, and nothing else of the form.
#[tokio::test]
async fn only_what_the_page_asks_for_is_read() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let given = json!({"connection_data": {"key": "given"}});
    let link = link_with(&alice, &config, given).await;
    let fields = [
        ("shop", "s"),
        ("shop", "t"),
        ("key", "typed"),
        ("admin", "yes"),
        ("access_token", "x"),
    ];

    let done = open(&app, &link.path).await.send(&fields).await;

    assert_eq!(done.status, 200, "{}", done.text);
    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(stored, json!({"key": "given", "shop": "s"}));
    app.finish().await;
}

#[tokio::test]
async fn values_are_kept_as_they_were_typed_and_lines_end_as_they_did() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(
        &alice,
        json!([
            {"slug": "text", "label": "Text", "type": "TEXT"},
            {"slug": "lines", "label": "Lines", "type": "MULTI_LINE_TEXT"},
            {"slug": "number", "label": "Number", "type": "NUMBER"},
            {"slug": "secret", "label": "Secret", "type": "PASSWORD"},
            {"slug": "empty", "label": "Empty", "type": "TEXT"},
        ]),
    )
    .await;
    let link = link(&alice, &config).await;
    let secret = format!(" {} \"\\<é🔑", canary());
    let fields = [
        ("text", "  a+b & c=d "),
        ("lines", "one\r\ntwo\r\n"),
        ("number", " 4.50 "),
        ("secret", &secret),
        ("empty", ""),
    ];

    let done = open(&app, &link.path).await.send(&fields).await;

    assert_eq!(done.status, 200, "{}", done.text);
    let expected =
        json!({"text": "  a+b & c=d ", "lines": "one\ntwo\n", "number": "4.50", "secret": secret});
    assert_eq!(credential(&app, &alice, &link.account).await, expected);
    app.finish().await;
}

#[tokio::test]
async fn without_authentication_one_button_is_enough() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice, "notion", "NO_AUTH", json!({})).await;
    let link = link(&alice, &config).await;

    let done = open(&app, &link.path)
        .await
        .send(&[("token", "ignored")])
        .await;

    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    assert_eq!(
        app.count("connections WHERE sealed_credential IS NOT NULL")
            .await,
        0
    );
    let audit = app
        .sql("SELECT action, detail FROM audit_log WHERE object_kind = 'connection' ORDER BY audit_id")
        .await;
    let expected = [
        json!({"action": "connection.create", "detail": {"link": true}}),
        json!({"action": "connection.set_status", "detail": {"link": true, "status": "ACTIVE"}}),
    ];
    assert_eq!(audit, expected);
    app.finish().await;
}

#[tokio::test]
async fn shared_credentials_are_enough_where_they_give_everything() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let shared = json!({"username": canary(), "password": canary()});
    let config = config(&alice, "notion", "BASIC", shared).await;
    let link = link(&alice, &config).await;

    let done = open(&app, &link.path).await.send(&[]).await;

    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    app.finish().await;
}

/// A second one of the same user, made by a link of its own, is another connection.
#[tokio::test]
async fn each_link_completes_its_own_connection() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let (one, two) = (link(&alice, &config).await, link(&alice, &config).await);
    let (first, second) = (open(&app, &one.path).await, open(&app, &two.path).await);

    assert_eq!(
        second
            .send(&[("shop", "two"), ("key", &canary())])
            .await
            .status,
        200
    );
    assert_eq!(status(&app, &one.account).await, "INITIALIZING");
    assert_eq!(
        first
            .send(&[("shop", "one"), ("key", &canary())])
            .await
            .status,
        200
    );

    assert_eq!(credential(&app, &alice, &one.account).await["shop"], "one");
    assert_eq!(credential(&app, &alice, &two.account).await["shop"], "two");
    app.finish().await;
}

#[tokio::test]
async fn neither_the_log_nor_a_metric_knows_the_token_or_what_was_typed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    let shop = format!("shop-{}", uuid::Uuid::new_v4().simple());
    opened.send(&[("shop", &shop), ("key", "")]).await;
    opened.send(&[("shop", &shop), ("key", &canary())]).await;
    get(&app, &link.path).await;

    let log = app.logs();

    assert!(
        log.contains("/connect/{link_token}"),
        "the route's template is there"
    );
    for secret in [
        &link.token,
        &link.token[3..],
        &shop,
        &opened.proof,
        &opened.cookie,
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    app.finish().await;
}
