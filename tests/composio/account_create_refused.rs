//! `POST /connected_accounts`: who may not, what the state of things forbids, and in which order.

use reqwest::Method;
use serde_json::{Value, json};

use crate::account_making::{
    ACCOUNTS, ACCOUNTS_3_1, LINK, account, assert_missing, assert_no_config, config, create, row,
    set_config,
};
use crate::common::{TestApp, canary};
use crate::story::{assert_envelope, assert_invalid, integration_of, told};

const BAD: &str = "ConnectedAccount_BadRequest";

fn key(config: &str) -> Value {
    account(config, "API_KEY", json!({ "api_key": canary() }))
}

fn link(config: &str) -> Value {
    json!({ "auth_config_id": config, "user_id": "u-1", "connection_data": { "api_key": canary() } })
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused_before_the_body_is_read() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let reader = alice
        .with_scopes(&["connections:read", "auth_configs:write"])
        .await;
    let message = "The API key lacks the scope connections:write";
    let fix = "Use an API key that has the scope, or ask the operator for one.";
    for path in [ACCOUNTS, ACCOUNTS_3_1, LINK] {
        let reply = reader
            .composio()
            .request(Method::POST, path)
            .body("{")
            .send()
            .await;
        assert_envelope(
            &reply,
            (403, 812, "APIKey_InsufficientPermissions", message, fix),
            &[],
        );
        let reply = alice
            .composio()
            .request(Method::POST, path)
            .no_auth()
            .body("{")
            .send()
            .await;
        assert_eq!(told(&reply), (401, 906, "Auth_NoAuthProvided"));
    }
}

#[tokio::test]
async fn an_unknown_deleted_foreign_or_hidden_config_is_not_found_in_the_same_words() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let client = alice.composio();
    let (mine, deleted) = (
        config(&client, "API_KEY").await,
        config(&client, "API_KEY").await,
    );
    set_config(&app, &deleted, "deleted_at = now()").await;
    let limited = alice
        .limited_to(&["2f1b4c6e-9d3a-7c55-8a1e-0b7d5a3f9c21"])
        .await;
    let before = app.fingerprint().await;
    for (client, id) in [
        (&client, "ac_abcdefghijkl"),
        (&client, deleted.as_str()),
        (&mallory.composio(), &mine),
        (&limited.composio(), &mine),
    ] {
        assert_no_config(&client.post(ACCOUNTS, key(id)).await);
        assert_no_config(&client.post(LINK, link(id)).await);
    }
    assert_eq!(app.fingerprint().await, before);
    let own = alice.limited_to(&[integration_of(&app, &mine).await]).await;
    create(&own.composio(), key(&mine)).await;
    assert_eq!(own.composio().post(LINK, link(&mine)).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_disabled_config_takes_no_new_connections() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    set_config(&app, &config, "enabled = false").await;
    let before = app.fingerprint().await;
    let expected = (
        400,
        600,
        BAD,
        "Auth config is disabled",
        "Enable the auth config first.",
    );
    assert_envelope(&client.post(ACCOUNTS, key(&config)).await, expected, &[]);
    assert_envelope(&client.post(LINK, link(&config)).await, expected, &[]);
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_managed_config_is_connected_by_a_link_only() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "OAUTH2").await;
    set_config(&app, &config, "managed = true").await;
    let before = app.fingerprint().await;
    let message = "A connection with a managed auth config is made by its user: POST /connected_accounts/link";
    let fix = "Use POST /connected_accounts/link and send your user to its redirect_url.";
    for val in [json!({}), json!({ "access_token": canary() })] {
        let reply = client.post(ACCOUNTS, account(&config, "OAUTH2", val)).await;
        assert_envelope(&reply, (400, 600, BAD, message, fix), &[]);
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(client.post(LINK, link(&config)).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn a_credential_of_another_scheme_than_the_configs_is_refused() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let val = || json!({ "client_id": "id", "access_token": canary(), "token": canary() });
    for (scheme, said) in [
        ("API_KEY", "BEARER_TOKEN"),
        ("BEARER_TOKEN", "API_KEY"),
        ("NO_AUTH", "API_KEY"),
        ("API_KEY", "NO_AUTH"),
        ("OAUTH2", "DCR_OAUTH"),
        ("DCR_OAUTH", "CIMD_OAUTH"),
        ("CIMD_OAUTH", "OAUTH2"),
    ] {
        let config = config(&client, scheme).await;
        let reply = client.post(ACCOUNTS, account(&config, said, val())).await;
        let message = format!("The auth config's scheme is {scheme}");
        let fix = format!("Send \"authScheme\": \"{scheme}\".");
        assert_envelope(&reply, (400, 600, BAD, &message, &fix), &[]);
    }
    assert_eq!(app.count("connections").await, 0);
    // The SDKs know no CIMD_OAUTH, and are shown DCR_OAUTH.
    let cimd = config(&client, "CIMD_OAUTH").await;
    create(&client, account(&cimd, "DCR_OAUTH", val())).await;
    app.finish().await;
}

#[tokio::test]
async fn an_alias_is_unique_among_a_users_connections_with_a_toolkit() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let (one, other) = (
        config(&client, "API_KEY").await,
        config(&client, "API_KEY").await,
    );
    let with_alias = |config: &str, user: &str, alias: &str| {
        let mut body = key(config);
        body["connection"]["user_id"] = json!(user);
        body["connection"]["alias"] = json!(alias);
        body
    };
    let made = create(&client, with_alias(&one, "u-1", "work")).await;
    assert_eq!(
        row(&app, made["id"].as_str().unwrap()).await["alias"],
        "work"
    );
    let before = app.fingerprint().await;

    let mut asked = link(&other);
    asked["alias"] = json!("work");
    for reply in [
        client.post(ACCOUNTS, with_alias(&one, "u-1", "work")).await,
        client
            .post(ACCOUNTS, with_alias(&other, "u-1", "work"))
            .await,
        client.post(LINK, asked.clone()).await,
    ] {
        let message = "The alias is taken by another connected account of this user and toolkit";
        assert_envelope(
            &reply,
            (
                409,
                10409,
                "HTTP_Conflict",
                message,
                "Choose another alias.",
            ),
            &[],
        );
        assert_eq!(reply.header("x-should-retry"), "false");
    }
    assert_eq!(app.fingerprint().await, before);

    create(&client, with_alias(&one, "u-1", "Work")).await;
    create(&client, with_alias(&one, "u-2", "work")).await;
    asked["user_id"] = json!("u-3");
    assert_eq!(client.post(LINK, asked).await.status, 201);
    app.finish().await;
}

#[tokio::test]
async fn what_this_server_does_not_do_is_said_and_nothing_is_made() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let before = app.fingerprint().await;
    let fix = "This server stores it but does not run it.";
    let not_implemented = |what: &str| format!("Not implemented: {what}");

    let mut validated = key(&config);
    validated["validate_credentials"] = json!(true);
    let reply = client.post(ACCOUNTS, validated).await;
    let message = not_implemented("validation of credentials at the provider");
    assert_envelope(
        &reply,
        (501, 10501, "HTTP_NotImplemented", &message, fix),
        &[],
    );
    assert_eq!(reply.header("x-should-retry"), "false");

    let (mut shared, mut linked) = (key(&config), link(&config));
    shared["connection"]["experimental"] = json!({ "account_type": "SHARED" });
    linked["experimental"] = json!({ "account_type": "SHARED" });
    let message = not_implemented("connections that users share");
    for reply in [
        client.post(ACCOUNTS, shared).await,
        client.post(LINK, linked).await,
    ] {
        assert_envelope(
            &reply,
            (501, 10501, "HTTP_NotImplemented", &message, fix),
            &[],
        );
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_list_of_who_may_use_it_needs_a_shared_connection() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let before = app.fingerprint().await;
    let list = json!({ "acl_config_for_shared": { "allow_all_users": true } });
    let (mut listed, mut linked) = (key(&config), link(&config));
    listed["connection"]["experimental"] = list.clone();
    linked["experimental"] = list;

    for reply in [
        client.post(ACCOUNTS, listed).await,
        client.post(LINK, linked).await,
    ] {
        let message = "acl_config_for_shared is only valid on SHARED connections";
        let fix = "Leave experimental.acl_config_for_shared out: only its own user uses a connected account.";
        assert_envelope(
            &reply,
            (400, 600, "ConnectedAccount_BadRequest", message, fix),
            &[],
        );
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn a_scheme_that_is_only_stored_has_no_flow() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    for scheme in ["OAUTH1", "BILLCOM_AUTH", "CALCOM_AUTH", "SAML"] {
        let config = config(&client, scheme).await;
        let before = app.fingerprint().await;
        for val in [
            json!({}),
            json!({ "a": null, "b": "" }),
            json!({ "status": "INITIALIZING", "a": canary() }),
        ] {
            let reply = client.post(ACCOUNTS, account(&config, scheme, val)).await;
            let message = "Not implemented: connecting with a scheme that is only stored";
            let fix = "This server stores it but does not run it.";
            assert_envelope(
                &reply,
                (501, 10501, "HTTP_NotImplemented", message, fix),
                &[],
            );
        }
        assert_eq!(app.fingerprint().await, before);
    }
    app.finish().await;
}

#[tokio::test]
async fn the_first_of_several_reasons_is_told() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let config = config(&client, "BASIC").await;
    let mut taken = account(&config, "BASIC", json!({ "username": "u" }));
    taken["connection"]["alias"] = json!("work");
    create(&client, taken.clone()).await;
    set_config(&app, &config, "enabled = false, managed = true").await;

    // Everything is wrong, and is put right from the first reason on.
    let mut body = account(&config, "API_KEY", json!({ "status": 5 }));
    body["connection"]["alias"] = json!("work");
    body["auth_config"]["id"] = json!("ac_abcdefghijkl");
    let reply = client.post(ACCOUNTS, body.clone()).await;
    assert_invalid(
        &reply,
        &["Error in payload.connection.state.val.status: Expected string, received number"],
    );
    body["connection"]["state"]["val"] = json!({});
    assert_no_config(&client.post(ACCOUNTS, body.clone()).await);
    body["auth_config"]["id"] = json!(config);
    let message = |reply: &crate::common::client::Reply| reply.json["error"]["message"].to_string();
    let reply = client.post(ACCOUNTS, body.clone()).await;
    assert!(message(&reply).contains("is disabled"), "{}", reply.text);
    set_config(&app, &config, "enabled = true").await;
    let reply = client.post(ACCOUNTS, body.clone()).await;
    assert!(message(&reply).contains("managed"), "{}", reply.text);
    set_config(&app, &config, "managed = false").await;
    let reply = client.post(ACCOUNTS, body.clone()).await;
    assert!(
        message(&reply).contains("scheme is BASIC"),
        "{}",
        reply.text
    );
    body["connection"]["state"]["authScheme"] = json!("BASIC");
    assert_missing(&client.post(ACCOUNTS, body).await, "User name");
    assert_eq!(
        told(&client.post(ACCOUNTS, taken).await),
        (409, 10409, "HTTP_Conflict")
    );
    assert_eq!(app.count("connections").await, 1);
}
