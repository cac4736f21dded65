//! Links that lead nowhere any more. They say so, and nothing of whose they were.

use serde_json::json;

use crate::common::client::Reply;
use crate::common::{TestApp, canary};
use crate::form::{get, open};
use crate::world::{declared, link, link_with, shop_and_key, shop_link, status};

/// Asserts a plain page of this status and title without a byte of the tenant's.
fn assert_plain(reply: &Reply, code: u16, title: &str) {
    assert_eq!(reply.status, code, "{}", reply.text);
    assert!(
        reply.text.contains(&format!("<h1>{title}</h1>")),
        "{}",
        reply.text
    );
    assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("set-cookie"), "");
    for word in ["Acme", "Shop", "app.example", "ca_", "<form"] {
        assert!(!reply.text.contains(word), "{word} in {}", reply.text);
    }
}

#[tokio::test]
async fn what_was_never_a_link_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let mut other = link.token.clone();
    let last = if other.pop() == Some('A') { 'B' } else { 'A' };
    other.push(last);
    for token in [
        &other,
        "lk_",
        "x",
        "lt_AAAA",
        "%00",
        "%FF",
        "lk_%2e%2e",
        &link.token[1..],
    ] {
        let reply = get(&app, &format!("/connect/{token}")).await;
        assert_plain(&reply, 404, "This link is not valid");
    }
    for path in ["/connect", "/connect/", "/connect//", "/connect/a/b"] {
        let reply = get(&app, path).await;
        assert_plain(&reply, 404, "This link is not valid");
    }
    app.finish().await;
}

#[tokio::test]
async fn an_expired_link_ends_by_the_databases_clock() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let more =
        json!({"callback_url": "https://app.example/", "connection_data": {"key": canary()}});
    let link = link_with(&alice, &config, more).await;
    let opened = open(&app, &link.path).await;
    app.execute("UPDATE link_tokens SET expires_at = now() - interval '1 second'")
        .await;
    let before = app.fingerprint().await;

    assert_plain(&get(&app, &link.path).await, 410, "This link has expired");
    assert_plain(
        &opened.send(&[("shop", "s")]).await,
        410,
        "This link has expired",
    );

    assert_eq!(app.fingerprint().await, before);
    link_with(
        &alice,
        &config,
        json!({"connection_data": {"key": canary()}}),
    )
    .await;
    app.service().tidy().await.unwrap();
    assert_eq!(
        app.count("link_tokens").await,
        2,
        "for an hour people are told why"
    );
    // What the platform gave goes at once.
    let kept = app
        .sql("SELECT expires_at > now() AS live FROM link_tokens WHERE sealed_data IS NOT NULL")
        .await;
    assert_eq!(kept, [json!({"live": true})]);
    assert_plain(&get(&app, &link.path).await, 410, "This link has expired");
    app.execute("UPDATE link_tokens SET expires_at = now() - interval '1 hour'")
        .await;
    app.service().tidy().await.unwrap();
    assert_eq!(app.count("link_tokens").await, 0);
    assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
    app.finish().await;
}

#[tokio::test]
async fn a_used_link_takes_nothing_more() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    assert_eq!(
        opened
            .send(&[("shop", "s"), ("key", &canary())])
            .await
            .status,
        200
    );
    let before = app.fingerprint().await;

    let again = opened.send(&[("shop", "t"), ("key", &canary())]).await;

    assert_plain(&again, 410, "This link cannot be used any more");
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_with_its_connection_and_with_its_tenant() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let (first, second) = (shop_link(&alice).await, shop_link(&bob).await);
    let (deleted, gone) = (
        open(&app, &first.path).await,
        open(&app, &second.path).await,
    );
    let path = format!("/api/v3.1/connected_accounts/{}", first.account);
    assert_eq!(alice.composio().delete(&path).await.status, 200);
    app.service().delete_tenant("bob").await.unwrap();

    for (opened, link) in [(deleted, first), (gone, second)] {
        assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
        let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;
        assert_plain(&sent, 404, "This link is not valid");
    }
    assert_eq!(
        app.count("connections WHERE sealed_credential IS NOT NULL")
            .await,
        0
    );
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_with_the_key_that_made_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = declared(&alice, shop_and_key()).await;
    let other = alice.with_scopes(&["connections:write"]).await;
    let link = link(&other, &config).await;
    let opened = open(&app, &link.path).await;
    other.revoke().await;

    assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
    let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;

    assert_plain(&sent, 404, "This link is not valid");
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_when_the_key_that_made_it_expires() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    app.execute("UPDATE api_keys SET expires_at = now() + interval '1 hour'")
        .await;
    assert_eq!(get(&app, &link.path).await.status, 200);
    app.execute("UPDATE api_keys SET expires_at = now() - interval '1 second'")
        .await;

    assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
    let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;

    assert_plain(&sent, 404, "This link is not valid");
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");
    app.finish().await;
}

/// What the tenant switched off, its user does not switch on.
#[tokio::test]
async fn a_connection_that_is_switched_off_takes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    let account = format!("/api/v3.1/connected_accounts/{}", link.account);
    let val = json!({"shop": "s", "key": canary()});
    let body = json!({"connection": {"state": {"authScheme": "API_KEY", "val": val}}});
    let stored = alice.composio().patch(&account, body).await;
    assert_eq!(stored.status, 200, "{}", stored.text);
    let switch = async |enabled: bool| {
        let path = format!("{account}/status");
        let body = json!({"enabled": enabled});
        assert_eq!(alice.composio().patch(&path, body).await.status, 200);
    };
    switch(false).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);

    let title = "This connection is switched off";
    assert_plain(&get(&app, &link.path).await, 409, title);
    let sent = opened.send(&[("shop", "t"), ("key", &canary())]).await;
    assert_plain(&sent, 409, title);

    let after = (app.fingerprint().await, app.count("audit_log").await);
    assert_eq!(after, before);
    switch(true).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    // Completed by the platform meanwhile: its user does not take it over.
    let sent = opened.send(&[("shop", "t"), ("key", &canary())]).await;
    assert_plain(&sent, 410, "This link cannot be used any more");
    let after = (app.fingerprint().await, app.count("audit_log").await);
    assert_eq!(after, before);
    app.finish().await;
}

#[tokio::test]
async fn a_link_ends_when_its_connection_is_revoked() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    let path = format!("/api/v3.1/connected_accounts/{}/revoke", link.account);
    let revoked = alice
        .composio()
        .request(http::Method::POST, &path)
        .send()
        .await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);

    assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
    let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;

    assert_plain(&sent, 404, "This link is not valid");
    assert_eq!(status(&app, &link.account).await, "REVOKED");
    app.finish().await;
}

/// What came with a link was for the config as it was, not for the one that takes its place.
#[tokio::test]
async fn a_link_ends_when_its_config_is_taken_over() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (server, taker) in [("Exa", "config"), ("Slack", "white label")] {
        let body = json!({"serverName": server, "userId": "u1"});
        let instance = alice
            .klavis()
            .post("/mcp-server/instance/create", body)
            .await;
        assert_eq!(instance.status, 200, "{}", instance.text);
        let config = app
            .sql("SELECT public_id FROM auth_configs WHERE is_implicit ORDER BY auth_config_id DESC LIMIT 1")
            .await[0]["public_id"]
            .clone();
        let given = json!({"connection_data": {"token": canary()}});
        let link = link_with(&alice, config.as_str().unwrap(), given).await;
        assert_eq!(get(&app, &link.path).await.status, 200);

        let taken = if taker == "config" {
            let body = json!({"toolkit": {"slug": "exa"}, "auth_config": {
                "type": "use_custom_auth", "authScheme": "BASIC", "credentials": {},
            }});
            alice.composio().post("/api/v3.1/auth_configs", body).await
        } else {
            let body = json!({"client_id": "c", "client_secret": canary(), "server_name": server});
            alice.klavis().post("/white-labeling/create", body).await
        };
        assert!([200, 201].contains(&taken.status), "{}", taken.text);

        assert_eq!(
            app.count("auth_configs WHERE is_implicit").await,
            0,
            "{taker}"
        );
        assert_eq!(app.count("link_tokens").await, 0, "{taker}");
        assert_plain(&get(&app, &link.path).await, 404, "This link is not valid");
    }
    app.finish().await;
}

#[tokio::test]
async fn a_disabled_config_takes_no_new_connections() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    app.execute("UPDATE auth_configs SET enabled = false").await;

    assert_plain(
        &get(&app, &link.path).await,
        409,
        "Connecting is switched off",
    );
    let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;
    assert_plain(&sent, 409, "Connecting is switched off");
    assert_eq!(status(&app, &link.account).await, "INITIALIZING");

    // The link was not used up by that.
    app.execute("UPDATE auth_configs SET enabled = true").await;
    assert_eq!(
        opened
            .send(&[("shop", "s"), ("key", &canary())])
            .await
            .status,
        200
    );
    app.finish().await;
}

/// An integration's scheme may change under an open page: what counts is what holds when the form comes.
#[tokio::test]
async fn a_link_of_a_retired_connection_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let link = shop_link(&alice).await;
    let opened = open(&app, &link.path).await;
    let id = app
        .sql("SELECT integration_id AS id FROM integrations")
        .await[0]["id"]
        .clone();
    let path = format!("/integrations/v1/{}/auth", id.as_str().unwrap());
    let changed = alice
        .langdock()
        .patch(&path, json!({"authType": "OAUTH"}))
        .await;
    assert_eq!(changed.status, 200, "{}", changed.text);

    let sent = opened.send(&[("shop", "s"), ("key", &canary())]).await;

    assert_plain(&sent, 404, "This link is not valid");
    app.finish().await;
}
