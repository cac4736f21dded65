//! A connected account without a credential, sent back as a read shows it: nothing is changed.

use serde_json::{Value, json};

use crate::account_changing::{assert_refused, at, changed, other_scheme, revoked};
use crate::account_making::{LINK, config, row};
use crate::common::TestApp;
use crate::common::client::Client;
use crate::managed::{managed, shared};
use crate::story::made;

/// Every scheme that configs have.
const SCHEMES: [&str; 11] = [
    "NO_AUTH",
    "API_KEY",
    "BASIC",
    "BASIC_WITH_JWT",
    "BEARER_TOKEN",
    "GOOGLE_SERVICE_ACCOUNT",
    "SERVICE_ACCOUNT",
    "S2S_OAUTH2",
    "OAUTH2",
    "DCR_OAUTH",
    "CIMD_OAUTH",
];

/// Makes an account that waits for its user.
async fn waiting(client: &Client, config: &str) -> String {
    let body = json!({ "auth_config_id": config, "user_id": "u-1" });
    let reply = client.post(LINK, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["connected_account_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Reads an account and sends its state back; gives the status that is told.
async fn sent_back(client: &Client, id: &str) -> String {
    let shown = client.get(&at(id)).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let body = json!({ "connection": { "state": shown.json["state"] } });
    changed(client, id, body).await
}

#[tokio::test]
async fn what_has_no_credential_gets_none_by_being_sent_back() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for scheme in SCHEMES {
        let id = waiting(&client, &config(&client, scheme).await).await;
        let before = (app.fingerprint().await, app.count("audit_log").await);

        assert_eq!(sent_back(&client, &id).await, "INITIALIZING", "{scheme}");

        let after = (app.fingerprint().await, app.count("audit_log").await);
        assert_eq!(after, before, "{scheme}");
    }
    app.finish().await;
}

#[tokio::test]
async fn what_was_revoked_stays_revoked_when_it_is_sent_back() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for scheme in SCHEMES {
        let id = waiting(&client, &config(&client, scheme).await).await;
        revoked(&client, &id).await;
        let before = (app.fingerprint().await, app.count("audit_log").await);

        assert_eq!(sent_back(&client, &id).await, "REVOKED", "{scheme}");

        let after = (app.fingerprint().await, app.count("audit_log").await);
        assert_eq!(after, before, "{scheme}");
    }
    app.finish().await;
}

/// What the config shares is shown as if it were the account's own. All that the scheme needs may be there.
#[tokio::test]
async fn what_only_inherits_stays_without_a_credential() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let mut body = crate::story::custom("slack", "API_KEY", json!({}));
    body["auth_config"]["shared_credentials"] = json!({ "generic_api_key": "0123456789abcdef" });
    let id = waiting(&client, &made(&client, body).await).await;
    let before = app.fingerprint().await;

    assert_eq!(sent_back(&client, &id).await, "INITIALIZING");

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(row(&app, &id).await["sealed"], Value::Bool(false));
    app.finish().await;
}

#[tokio::test]
async fn a_managed_account_that_waits_can_be_sent_back() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let client = app.tenant("alice").await.composio();
    let id = waiting(&client, &made(&client, managed("github", json!({}))).await).await;
    let before = app.fingerprint().await;

    assert_eq!(sent_back(&client, &id).await, "INITIALIZING");

    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

/// Only what a read shows passes for the account's own scheme.
#[tokio::test]
async fn another_scheme_is_refused_even_where_nothing_would_change() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for (scheme, said) in [
        ("BASIC", "OAUTH2"),
        ("OAUTH2", "DCR_OAUTH"),
        ("BEARER_TOKEN", "BASIC"),
    ] {
        let id = waiting(&client, &config(&client, scheme).await).await;
        let body = crate::account_changing::members(said, json!({}));
        let (message, fix) = other_scheme(scheme);
        assert_refused(&client.patch(&at(&id), body).await, (&message, &fix));
    }
    app.finish().await;
}
