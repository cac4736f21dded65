//! Forms that the page which this browser was shown did not send.

use crate::common::{TestApp, canary};
use crate::form::{FORM, encoded, open};
use crate::world::{declared, link, shop_and_key, shop_link, status};

#[tokio::test]
async fn a_form_without_the_pages_cookie_or_proof_is_not_taken() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let (mine, other) = (link(&alice, &config).await, link(&alice, &config).await);
    let (page, second) = (open(&app, &mine.path).await, open(&app, &mine.path).await);
    let elsewhere = open(&app, &other.path).await;
    let before = app.fingerprint().await;
    let fields = encoded(&[("shop", "s"), ("key", &canary())]);
    let nonce = page.cookie.split_once('=').unwrap().1;
    for (cookie, proof) in [
        ("", page.proof.as_str()),
        (page.cookie.as_str(), ""),
        (&page.cookie, "x"),
        (&page.cookie, nonce),
        (&page.cookie, &second.proof),
        (&second.cookie, &page.proof),
        (&elsewhere.cookie, &elsewhere.proof),
        (&format!("{}x", page.cookie), &page.proof),
        (&format!("other={nonce}"), &page.proof),
    ] {
        let body = format!("proof={proof}{fields}");
        let sent = page
            .post(&[("cookie", cookie), ("content-type", FORM)], body)
            .await;
        assert_eq!(sent.status, 403, "{cookie} {proof}: {}", sent.text);
        assert!(sent.text.contains("Please send the form again"));
        assert!(sent.text.contains("href=\"\""), "the way back");
    }
    assert_eq!(app.fingerprint().await, before);
    let two = format!("a=b; {}; c=d", page.cookie);
    let body = format!("proof={}{fields}", page.proof);
    let sent = page
        .post(&[("cookie", &two), ("content-type", FORM)], body)
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    app.finish().await;
}

#[tokio::test]
async fn another_sites_form_is_not_taken_whatever_it_holds() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let page = open(&app, &link.path).await;
    let send = async |headers: &[(&str, &str)], key: &str| {
        let body = format!(
            "proof={}{}",
            page.proof,
            encoded(&[("shop", "s"), ("key", key)])
        );
        let mut all = vec![("cookie", page.cookie.as_str()), ("content-type", FORM)];
        all.extend_from_slice(headers);
        page.post(&all, body).await.status
    };
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "https://127.0.0.1")],
        &[("origin", "")],
        &[("origin", "null"), ("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(send(headers, &canary()).await, 403, "{headers:?}");
    }
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");
    let (own, null) = (app.url(), "null".to_owned());
    // Each is in order but for the key, so that the link stays.
    for origin in [&own, &null] {
        let headers = [
            ("origin", origin.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        assert_eq!(send(&headers, "").await, 422, "{origin}");
    }
    assert_eq!(send(&[("sec-fetch-site", "none")], &canary()).await, 200);
    app.finish().await;
}

/// A second window of the same page keeps the first one's form good; so does a reload.
#[tokio::test]
async fn a_browser_keeps_what_it_was_given() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let first = open(&app, &link.path).await;

    let again = app
        .anonymous()
        .request(http::Method::GET, &link.path)
        .header("cookie", &first.cookie)
        .send()
        .await;

    assert_eq!(crate::form::proof(&again.text), first.proof);
    assert_eq!(crate::form::cookie(&again), first.cookie);
    app.finish().await;
}
