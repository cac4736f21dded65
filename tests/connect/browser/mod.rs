//! The page in a real browser, with JavaScript switched off.

mod chromium;
mod looks;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::common::{TestApp, canary};
use crate::world::{credential, declared, link, link_with, shop_and_key, status};
use chromium::{Chromium, program};

/// A platform that is asked once: where it is, and the head of what it was asked.
async fn platform() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/back", listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = vec![0; 8_192];
        let length = stream.read(&mut head).await.unwrap();
        let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 17\r\nconnection: close\r\n\r\n<h1>The app.</h1>";
        stream.write_all(page).await.unwrap();
        stream.shutdown().await.ok();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    (url, asked)
}

/// The way of most users: the form, a mistake, the form again, back to the platform, which is another origin.
#[tokio::test]
async fn a_person_fills_in_the_form_and_comes_back_to_the_platform() {
    let Some(program) = program() else { return };
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let (url, asked) = platform().await;
    let link = link_with(
        &alice,
        &config,
        json!({"callback_url": format!("{url}?state=1")}),
    )
    .await;
    let key = canary();
    let mut browser = Chromium::start(&program).await;

    browser.go(&format!("{}{}", app.url(), link.path)).await;
    assert_eq!(browser.ask("document.title").await, "Connect Acme CRM");
    assert_eq!(browser.ask("document.activeElement.tagName").await, "BODY");
    browser.type_into("#field-key", &key).await;
    browser.click("button").await;

    let html = browser.html().await;
    assert!(html.contains("Enter a value for “Shop”."), "{html}");
    assert_eq!(browser.ask("document.activeElement.id").await, "field-shop");
    assert_eq!(
        browser
            .ask("document.querySelector('#field-key').value")
            .await,
        ""
    );
    assert!(!html.contains(&key));
    // The focus is in the first fault already; Enter sends the form.
    browser.type_here("my shop").await;
    browser.type_into("#field-key", &key).await;
    browser.press_enter().await;

    let head = asked.await.unwrap();
    let target = format!(
        "GET /back?state=1&status=success&connected_account_id={} HTTP/1.1",
        link.account
    );
    assert!(head.starts_with(&target), "{head}");
    let head = head.to_ascii_lowercase();
    assert!(
        !head.contains("\r\nreferer:") && !head.contains("\r\ncookie:"),
        "{head}"
    );
    assert!(browser.html().await.contains("The app."));
    assert!(browser.url().await.starts_with(&url));
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    let stored = credential(&app, &alice, &link.account).await;
    assert_eq!(stored, json!({"shop": "my shop", "key": key}));
    browser.end().await;
    app.finish().await;
}

/// Back, and sent again: the browser is told that the link was used.
#[tokio::test]
async fn a_form_that_is_sent_twice_is_taken_once() {
    let Some(program) = program() else { return };
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let link = link(&alice, &config).await;
    let page = format!("{}{}", app.url(), link.path);
    let mut browser = Chromium::start(&program).await;

    browser.go(&page).await;
    browser.type_into("#field-shop", "s").await;
    browser.type_into("#field-key", &canary()).await;
    browser.click("button").await;
    assert_eq!(
        browser
            .ask("document.querySelector('h1').textContent")
            .await,
        "Acme CRM is connected"
    );
    assert_eq!(status(&app, &link.account).await, "ACTIVE");
    browser.go(&page).await;

    assert_eq!(
        browser
            .ask("document.querySelector('h1').textContent")
            .await,
        "This link cannot be used any more"
    );
    browser.end().await;
    app.finish().await;
}

/// Another site's page holds the form of a page of ours, and posts it.
#[tokio::test]
async fn another_sites_form_is_refused_in_the_browser_too() {
    let Some(program) = program() else { return };
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let link = link(&alice, &config).await;
    let page = format!("{}{}", app.url(), link.path);
    let mut browser = Chromium::start(&program).await;
    browser.go(&page).await;
    let proof = crate::form::proof(&browser.html().await);

    let form = format!(
        "<form method=post action=\"{page}\"><input name=proof value=\"{proof}\"><input name=field.shop value=s>\
         <input name=field.key value=k><button>Win</button></form>"
    );
    browser
        .go(&format!("data:text/html,{}", crate::form::percent(&form)))
        .await;
    browser.click("button").await;

    assert_eq!(
        browser
            .ask("document.querySelector('h1').textContent")
            .await,
        "Please send the form again"
    );
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");
    browser.click("a.action").await;
    assert_eq!(browser.ask("document.title").await, "Connect Acme CRM");
    browser.end().await;
    app.finish().await;
}
