//! A form that is not in order: the page comes again, names everything, keeps what was typed, and no secret.

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::form::{between, input, open};
use crate::world::{config, credential, declared, link, shop_link, status};

#[tokio::test]
async fn every_fault_is_named_and_what_was_typed_stays_but_for_secrets() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(
        &alice,
        json!([
            {"slug": "shop", "label": "Shop & more", "type": "TEXT", "required": true, "description": "Help."},
            {"slug": "port", "label": "Port", "type": "NUMBER"},
            {"slug": "note", "label": "Note", "type": "MULTI_LINE_TEXT"},
            {"slug": "key", "label": "API key", "type": "PASSWORD", "required": true},
            {"slug": "city", "label": "City", "type": "TEXT"},
        ]),
    )
    .await;
    let link = link(&alice, &config).await;
    let opened = open(&app, &link.path).await;
    let before = app.fingerprint().await;
    let key = canary();
    let fields = [
        ("shop", ""),
        ("port", "many"),
        ("note", "\r\n</textarea><b>1"),
        ("key", &key),
        ("city", "\"Köln\" <x>"),
    ];

    let again = opened.send(&fields).await;

    assert_eq!(again.status, 422);
    let html = &again.text;
    assert_eq!(
        between(html, "<title>", "</title>"),
        "Error: Connect Acme CRM"
    );
    assert!(html.contains("role=\"alert\""));
    assert!(
        html.contains("<a href=\"#field-shop\">Enter a value for “Shop &#38; more”.</a>"),
        "{html}"
    );
    assert!(html.contains("<a href=\"#field-port\">“Port” must be a number.</a>"));
    assert_eq!(html.matches("<li>").count(), 2);
    let shop = input(html, "shop");
    assert!(
        shop.contains("aria-invalid=\"true\"") && shop.contains(" autofocus"),
        "{shop}"
    );
    assert!(
        shop.contains("aria-describedby=\"field-shop-help field-shop-error\""),
        "{shop}"
    );
    let port = input(html, "port");
    assert!(
        port.contains("value=\"many\"") && !port.contains("autofocus"),
        "{port}"
    );
    assert!(input(html, "city").contains("value=\"&#34;Köln&#34; &#60;x&#62;\""));
    assert!(
        html.contains(">\n\r\n&#60;/textarea&#62;&#60;b&#62;1</textarea>"),
        "{html}"
    );
    let secret = input(html, "key");
    assert!(
        !secret.contains("value") && !html.contains(&key),
        "{secret}"
    );
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");

    // The same form goes on.
    let done = opened
        .send(&[("shop", "s"), ("port", "80"), ("key", &key)])
        .await;
    assert_eq!(done.status, 200, "{}", done.text);
    app.finish().await;
}

#[tokio::test]
async fn a_secret_of_several_lines_is_not_shown_again_either() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice, "notion", "SERVICE_ACCOUNT", json!({})).await;
    let link = link(&alice, &config).await;
    let opened = open(&app, &link.path).await;
    let key = format!("-----BEGIN KEY-----\r\n{}\r\n", canary());

    let again = opened
        .send(&[("application_id", "app 1"), ("private_key", &key)])
        .await;

    assert_eq!(again.status, 422);
    assert!(again.text.contains("value=\"app 1\""));
    let area = between(&again.text, input(&again.text, "private_key"), "/textarea>");
    assert_eq!(area, "\n<");
    let fields = [
        ("application_id", "app 1"),
        ("installation_id", "2"),
        ("private_key", &key),
    ];
    assert_eq!(opened.send(&fields).await.status, 200);
    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(stored["private_key"], key.replace("\r\n", "\n"));
    app.finish().await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    let before = app.fingerprint().await;
    let long = "x".repeat(32 * 1024);
    for (shop, words) in [
        ("a\0b", "“Shop” holds a character that cannot be stored."),
        (long.as_str(), "“Shop” is too long."),
    ] {
        let again = opened.send(&[("shop", shop), ("key", &canary())]).await;
        assert_eq!(again.status, 422);
        assert!(again.text.contains(words), "{words}");
    }
    assert_eq!(app.fingerprint().await, before);
    let longest = &long[2..];
    let done = opened.send(&[("shop", longest), ("key", &canary())]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    app.finish().await;
}

#[tokio::test]
async fn where_nothing_is_required_something_must_be_said() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let optional = json!([{"slug": "a", "label": "A", "type": "TEXT"}, {"slug": "b", "label": "B", "type": "PASSWORD"}]);
    let config = declared(&alice, optional).await;
    let link = link(&alice, &config).await;
    let opened = open(&app, &link.path).await;

    let again = opened.send(&[("a", ""), ("b", "")]).await;

    assert_eq!(again.status, 422);
    assert!(
        again
            .text
            .contains("<a href=\"#field-a\">Fill in at least one field.</a>")
    );
    assert!(input(&again.text, "a").contains("autofocus"));
    assert_eq!(opened.send(&[("b", &canary())]).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn a_default_is_there_to_be_changed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(
        &alice,
        json!([{"slug": "host", "label": "Host", "type": "TEXT", "required": true}]),
    )
    .await;
    // No dialect sets a default yet.
    let secret = canary();
    app.execute(&format!(
        "UPDATE auth_configs SET fields = '[\
         {{\"slug\":\"host\",\"label\":\"Host\",\"kind\":\"TEXT\",\"description\":\"\",\"placeholder\":null,\"required\":true,\"default\":\"eu.example\"}},\
         {{\"slug\":\"pin\",\"label\":\"Pin\",\"kind\":\"PASSWORD\",\"description\":\"\",\"placeholder\":null,\"required\":true,\"default\":\"{secret}\"}}]' \
         WHERE public_id = '{config}'"
    ))
    .await;
    let link = link(&alice, &config).await;
    let opened = open(&app, &link.path).await;
    assert!(input(&opened.reply.text, "host").contains("value=\"eu.example\""));
    assert!(!input(&opened.reply.text, "pin").contains("required"));

    assert_eq!(opened.send(&[("host", ""), ("pin", "")]).await.status, 422);
    assert_eq!(
        opened
            .send(&[("host", "us.example"), ("pin", "")])
            .await
            .status,
        200
    );

    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(stored, json!({"host": "us.example", "pin": secret}));
}
