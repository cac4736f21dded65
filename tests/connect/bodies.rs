//! Requests that are none of a browser's.

use http::Method;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};

use crate::common::{TestApp, canary};
use crate::form::{FORM, open};
use crate::world::shop_link;

#[tokio::test]
async fn every_failure_is_a_page() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let page = open(&app, &link.path).await;
    let before = app.fingerprint().await;
    let cookie = ("cookie", page.cookie.as_str());
    let large = format!("proof={}&field.key={}", page.proof, "x".repeat(64 * 1024));
    let secret = canary();
    let mut replies = Vec::new();
    for (headers, body, status) in [
        (&[cookie, ("content-type", FORM)][..], large, 413),
        (
            &[cookie, ("content-type", "application/json")],
            format!("{{\"key\":\"{secret}\"}}"),
            415,
        ),
        (
            &[cookie, ("content-type", "multipart/form-data; boundary=x")],
            secret.clone(),
            415,
        ),
        (&[cookie], String::new(), 415),
        (
            &[cookie, ("content-type", FORM), ("content-encoding", "gzip")],
            secret.clone(),
            415,
        ),
        (
            &[cookie, ("content-type", FORM)],
            format!("field.key={secret}%FF"),
            400,
        ),
        (
            &[
                cookie,
                (
                    "content-type",
                    "Application/X-WWW-Form-URLEncoded; charset=utf-8",
                ),
            ],
            String::new(),
            403,
        ),
    ] {
        let reply = page.post(headers, body).await;
        assert_eq!(reply.status, status, "{headers:?}: {}", reply.text);
        replies.push(reply);
    }
    for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let reply = app
            .anonymous()
            .request(method.clone(), &link.path)
            .send()
            .await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), "GET,HEAD,POST");
        replies.push(reply);
    }
    for reply in replies {
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
        assert!(
            reply
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        assert!(reply.text.starts_with("<!doctype html>"), "{}", reply.text);
        assert_eq!(reply.header("x-robots-tag"), "noindex, nofollow");
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

/// Somebody else holds the connection for too long: a page that says so, and nothing is half done.
#[tokio::test]
async fn where_the_form_cannot_be_taken_just_now_a_page_says_so() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let page = open(&app, &link.path).await;
    let before = app.fingerprint().await;
    let mut other = PgConnection::connect_with(&app.superuser()).await.unwrap();
    let mut held = other.begin().await.unwrap();
    held.execute("SELECT FROM connections FOR UPDATE")
        .await
        .unwrap();

    let sent = page.send(&[("shop", "s"), ("key", &canary())]).await;

    assert_eq!(sent.status, 503, "{}", sent.text);
    assert_eq!(sent.header("retry-after"), "1");
    assert!(
        sent.text.contains("<h1>Please try again in a moment</h1>"),
        "{}",
        sent.text
    );
    assert_eq!(app.fingerprint().await, before);
    held.rollback().await.unwrap();
    let sent = page.send(&[("shop", "s"), ("key", &canary())]).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    app.finish().await;
}

/// The database is away: a page too, with a word on when to come again and the request's id for whoever is asked.
#[tokio::test]
async fn a_fault_of_our_own_is_a_page() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    app.execute("ALTER TABLE connections RENAME TO connections_away")
        .await;

    let reply = app
        .anonymous()
        .request(Method::GET, &link.path)
        .header("x-request-id", "0123456789abcdef0123456789abcdef")
        .send()
        .await;

    assert_eq!(reply.status, 500);
    assert!(
        reply.text.contains("<h1>Something went wrong</h1>"),
        "{}",
        reply.text
    );
    assert!(
        reply
            .text
            .contains("Reference: <span class=\"code\">0123456789abcdef0123456789abcdef")
    );
    assert!(!reply.text.contains("connections"));
    let log = app.logs();
    assert!(log.contains("internal error") && !log.contains(&link.token));
}
