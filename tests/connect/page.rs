//! What the page shows, and how it is sent.

use http::Method;
use serde_json::json;

use crate::common::{TestApp, canary};
use crate::form::{asks_for, between, get, input, open};
use crate::world::{SERVICE, config, declared, link, link_with, shop_link};

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_what_becomes_of_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(
        &alice,
        json!([
            {"slug": "shop", "label": "Shop <name>", "type": "TEXT", "required": true,
                "description": "As in \"shop\".example.com", "placeholder": "my&shop"},
            {"slug": "key", "label": "API key", "type": "PASSWORD", "required": true},
            {"slug": "port", "label": "Port", "type": "NUMBER", "required": false},
            {"slug": "note", "label": "Note", "type": "MULTI_LINE_TEXT", "required": false},
        ]),
    )
    .await;
    let link = link_with(
        &alice,
        &config,
        json!({"callback_url": "https://app.example/done"}),
    )
    .await;

    let html = open(&app, &link.path).await.reply.text;

    assert!(
        html.starts_with("<!doctype html>\n<html lang=\"en\">"),
        "{html}"
    );
    assert_eq!(
        between(&html, "<title>", "</title>"),
        format!("Connect {SERVICE}")
    );
    assert_eq!(
        between(&html, "<h1>", "</h1>"),
        format!("Connect {SERVICE}")
    );
    assert_eq!(html.matches("<h1>").count(), 1);
    assert!(html.contains("An application asks you to connect Acme CRM."));
    assert!(
        html.contains("encrypted, kept on <strong>127.0.0.1</strong>"),
        "{html}"
    );
    assert!(html.contains("Afterwards you are taken to <strong>app.example</strong>."));
    assert!(
        html.contains("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
    );
    // What a tenant wrote is text, never markup.
    assert!(
        html.contains("<label for=\"field-shop\">Shop &#60;name&#62;"),
        "{html}"
    );
    assert!(html.contains("id=\"field-shop-help\">As in &#34;shop&#34;.example.com</p>"));
    let shop = input(&html, "shop");
    for part in [
        "type=\"text\"",
        "autocomplete=\"off\"",
        "placeholder=\"my&#38;shop\"",
        " required",
        "aria-describedby=\"field-shop-help\"",
    ] {
        assert!(shop.contains(part), "{part} in {shop}");
    }
    let key = input(&html, "key");
    assert!(
        key.contains("type=\"password\" autocomplete=\"new-password\""),
        "{key}"
    );
    assert!(
        !key.contains("value=") && !key.contains("aria-describedby"),
        "{key}"
    );
    let port = input(&html, "port");
    assert!(
        port.contains("inputmode=\"decimal\"") && !port.contains("required"),
        "{port}"
    );
    assert!(input(&html, "note").starts_with("<textarea"));
    for absent in [
        "<script",
        "onclick",
        "http://",
        "src=",
        "autofocus",
        "role=\"alert\"",
    ] {
        let other = html.replace("https://", "");
        assert!(!other.contains(absent), "{absent} in {html}");
    }
    app.finish().await;
}

#[tokio::test]
async fn its_headers_allow_nothing_but_the_page_itself() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, json!([])).await;
    let back = json!({"callback_url": "https://app.example:8443/done?a=b"});
    let link = link_with(&alice, &config, back).await;

    let opened = open(&app, &link.path).await;
    let head = app
        .anonymous()
        .request(Method::HEAD, &link.path)
        .send()
        .await;

    assert_eq!((head.status, head.text.as_str()), (200, ""));
    for reply in [&opened.reply, &head] {
        let policy = reply.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
        assert!(
            policy.ends_with("frame-ancestors 'none'; base-uri 'none'"),
            "{policy}"
        );
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-robots-tag", "noindex, nofollow"),
            ("strict-transport-security", ""),
        ] {
            assert_eq!(reply.header(name), value, "{name}");
        }
        let cookie = reply.header("set-cookie");
        assert!(cookie.starts_with("keyway-connect-"), "{cookie}");
        let scope = format!("Path={}; HttpOnly; SameSite=Lax", link.path);
        assert!(cookie.ends_with(&scope), "{cookie}");
    }
    app.finish().await;
}

#[tokio::test]
async fn by_https_the_cookie_is_this_hosts_alone_and_stays_with_https() {
    let app = TestApp::start_public("https://keys.example/keyway").await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;

    let opened = open(&app, &link.path).await;
    let gone = get(&app, "/connect/lk_unknown").await;
    let elsewhere = get(&app, "/livez").await;

    let cookie = opened.reply.header("set-cookie");
    assert!(cookie.starts_with("__Host-keyway-connect-"), "{cookie}");
    assert!(
        cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    for reply in [&opened.reply, &gone] {
        assert_eq!(
            reply.header("strict-transport-security"),
            "max-age=63072000"
        );
    }
    assert_eq!(elsewhere.header("strict-transport-security"), "");
    let done = opened.send(&[("shop", "s"), ("key", &canary())]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    app.finish().await;
}

/// What the platform or the config gives already is not asked for, and never shown.
#[tokio::test]
async fn what_is_given_is_not_asked_for() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let declared = declared(&alice, crate::world::shop_and_key()).await;
    let given = json!({"connection_data": {"key": canary(), "more": "x"}});
    let given = link_with(&alice, &declared, given).await;
    let html = open(&app, &given.path).await.reply.text;
    assert!(asks_for(&html, "shop") && !asks_for(&html, "key"), "{html}");

    let basic = config(&alice, "github", "BASIC", json!({"username": canary()})).await;
    let html = open(&app, &link(&alice, &basic).await.path)
        .await
        .reply
        .text;
    assert!(
        !asks_for(&html, "username") && asks_for(&html, "password"),
        "{html}"
    );

    let all = json!({"connection_data": {"password": canary()}});
    let html = open(&app, &link_with(&alice, &basic, all).await.path)
        .await
        .reply
        .text;
    assert!(
        !html.contains("field-") && html.contains("There is nothing to enter"),
        "{html}"
    );
    app.finish().await;
}

#[tokio::test]
async fn a_scheme_without_declared_fields_has_its_own() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (toolkit, scheme, fields) in [
        ("notion", "API_KEY", &["generic_api_key"][..]),
        ("notion", "BEARER_TOKEN", &["token"]),
        ("notion", "BASIC", &["username", "password"]),
        ("notion", "BASIC_WITH_JWT", &["username", "password"]),
        ("notion", "GOOGLE_SERVICE_ACCOUNT", &["credentials_json"]),
        (
            "notion",
            "SERVICE_ACCOUNT",
            &["application_id", "installation_id", "private_key"],
        ),
        ("notion", "S2S_OAUTH2", &["client_id", "client_secret"]),
        ("notion", "NO_AUTH", &[]),
    ] {
        let config = config(&alice, toolkit, scheme, json!({})).await;
        let html = open(&app, &link(&alice, &config).await.path)
            .await
            .reply
            .text;
        let asked = html.matches("<div class=\"field\">").count();
        assert_eq!(asked, fields.len(), "{scheme}: {html}");
        assert!(
            fields.iter().all(|field| asks_for(&html, field)),
            "{scheme}"
        );
    }
    let key = config(&alice, "notion", "GOOGLE_SERVICE_ACCOUNT", json!({})).await;
    let html = open(&app, &link(&alice, &key).await.path).await.reply.text;
    let area = input(&html, "credentials_json");
    assert!(
        area.starts_with("<textarea") && area.contains("class=\"masked\""),
        "{area}"
    );
    app.finish().await;
}

#[tokio::test]
async fn where_only_the_provider_can_give_it_the_page_says_so_and_takes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for scheme in ["OAUTH2", "DCR_OAUTH", "CIMD_OAUTH"] {
        let config = config(&alice, "notion", scheme, json!({})).await;
        let link = link(&alice, &config).await;

        let shown = get(&app, &link.path).await;

        assert_eq!(shown.status, 200, "{scheme}: {}", shown.text);
        assert!(
            shown
                .text
                .contains("The redirect there comes with the OAuth engine")
        );
        assert!(
            !shown.text.contains("<form") && !shown.text.contains("<input"),
            "{scheme}"
        );
        let policy = shown.header("content-security-policy");
        assert!(policy.contains("form-action 'none'"), "{policy}");
        let before = app.fingerprint().await;
        let sent = app
            .anonymous()
            .request(Method::POST, &link.path)
            .header("content-type", crate::form::FORM)
            .body("field.access_token=x");
        assert_eq!(sent.send().await.status, 501, "{scheme}");
        assert_eq!(app.fingerprint().await, before);
    }
    app.finish().await;
}

#[tokio::test]
async fn looking_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let (before, audited) = (app.fingerprint().await, app.count("audit_log").await);
    for _ in 0..3 {
        open(&app, &link.path).await;
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audited);
    app.finish().await;
}
