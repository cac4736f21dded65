//! What a credential needs, by scheme, by declared field and by what the config shares (`POST /connected_accounts`).

use serde_json::{Value, json};

use crate::account_making::{
    ACCOUNTS, account, assert_missing, config, create, declared, handed_out,
};
use crate::common::{TestApp, canary};
use crate::story::{assert_invalid, changed, custom, made};

#[tokio::test]
async fn what_a_scheme_needs_is_named() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let initializing = || json!({ "status": "INITIALIZING", "api_key": "k", "token": "t" });
    let cases: Vec<(&str, Value, &str)> = vec![
        ("API_KEY", json!({}), "API key"),
        ("API_KEY", json!({ "api_key": "" }), "API key"),
        ("API_KEY", json!({ "api_key": null }), "API key"),
        ("API_KEY", json!({ "api_key": "REDACTED" }), "API key"),
        ("API_KEY", json!({ "other": canary() }), "API key"),
        ("API_KEY", initializing(), "API key"),
        ("BASIC", json!({ "password": canary() }), "User name"),
        ("BASIC_WITH_JWT", json!({}), "User name, Password"),
        ("BASIC_WITH_JWT", json!({ "username": "u" }), "Password"),
        ("BEARER_TOKEN", json!({ "api_key": canary() }), "Token"),
        ("BEARER_TOKEN", initializing(), "Token"),
        ("GOOGLE_SERVICE_ACCOUNT", json!({}), "Service account key"),
        (
            "SERVICE_ACCOUNT",
            json!({}),
            "Application id, Installation id, Private key",
        ),
        (
            "SERVICE_ACCOUNT",
            json!({ "installation_id": "1" }),
            "Application id, Private key",
        ),
        ("S2S_OAUTH2", json!({}), "Client id, Client secret"),
        ("OAUTH2", json!({ "status": "ACTIVE" }), "Access token"),
        (
            "OAUTH2",
            json!({ "status": "ACTIVE", "refresh_token": canary() }),
            "Access token",
        ),
        (
            "DCR_OAUTH",
            json!({ "access_token": canary() }),
            "Client id",
        ),
        (
            "DCR_OAUTH",
            json!({ "status": "ACTIVE" }),
            "Client id, Access token",
        ),
        ("CIMD_OAUTH", json!({ "status": "ACTIVE" }), "Access token"),
    ];
    for (scheme, val, names) in cases {
        let config = config(&client, scheme).await;
        let before = app.fingerprint().await;
        let body = account(&config, scheme, val);
        assert_missing(&client.post(ACCOUNTS, body.clone()).await, names);
        assert_eq!(app.fingerprint().await, before, "{body}");
    }
    assert_eq!(
        app.count("audit_log WHERE object_kind = 'connection'")
            .await,
        0
    );
    app.finish().await;
}

#[tokio::test]
async fn declared_fields_are_needed_and_named_by_their_labels() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let fields = json!([
        { "slug": "host", "label": "The host", "type": "TEXT", "required": true },
        { "slug": "port", "label": "The port", "type": "NUMBER" },
        { "slug": "key", "label": "The key", "type": "PASSWORD", "required": true },
    ]);
    let config = declared(&alice, "our-wiki", "API_KEY", fields).await;
    let before = app.fingerprint().await;
    for (val, names) in [
        (json!({}), "The host, The key"),
        (json!({ "key": canary(), "host": "" }), "The host"),
        // A key by another name stands for the only secret field.
        (json!({ "api_key": canary() }), "The host"),
        (json!({ "host": "h" }), "The key"),
    ] {
        assert_missing(
            &client
                .post(ACCOUNTS, account(&config, "API_KEY", val))
                .await,
            names,
        );
    }
    let port = |value: Value| {
        account(
            &config,
            "API_KEY",
            json!({ "host": "h", "key": canary(), "port": value }),
        )
    };
    for (value, text) in [
        (json!("eighty"), "Expected number, received nan"),
        (json!(true), "Expected number, received boolean"),
    ] {
        let line = format!("Error in payload.connection.state.val.port: {text}");
        assert_invalid(&client.post(ACCOUNTS, port(value)).await, &[&line]);
    }
    assert_eq!(app.fingerprint().await, before);

    for val in [
        json!({ "host": "h", "key": canary(), "port": 80, "more": "x" }),
        json!({ "host": "h", "generic_api_key": canary(), "port": "80" }),
    ] {
        let made = create(&client, account(&config, "API_KEY", val.clone())).await;
        assert_eq!(handed_out(&alice, &made["deprecated"]["uuid"]).await, val);
    }
    app.finish().await;
}

#[tokio::test]
async fn declared_fields_of_an_oauth_config_are_needed_of_a_whole_credential_only() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let fields = json!([{ "slug": "shop", "label": "The shop", "type": "TEXT", "required": true }]);
    let config = declared(&alice, "our-shop", "OAUTH_DCR", fields).await;
    let client = alice.composio();

    let made = create(&client, account(&config, "DCR_OAUTH", json!({}))).await;
    assert_eq!(made["status"], "INITIATED");

    let mut val = json!({ "client_id": "id", "access_token": canary() });
    let refused = client
        .post(ACCOUNTS, account(&config, "DCR_OAUTH", val.clone()))
        .await;
    assert_missing(&refused, "The shop");
    val["shop"] = json!("s");
    let made = create(&client, account(&config, "DCR_OAUTH", val)).await;
    assert_eq!(made["status"], "ACTIVE");
    app.finish().await;
}

#[tokio::test]
async fn what_the_config_shares_is_not_needed_and_is_inherited() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let (secret, own) = (canary(), canary());
    let mut body = custom("slack", "BASIC_WITH_JWT", json!({}));
    body["auth_config"]["shared_credentials"] =
        json!({ "password": secret, "username": "", "extra": "e" });
    let config = made(&client, body).await;

    // The empty text is no value, shared or not.
    let bare = client
        .post(ACCOUNTS, account(&config, "BASIC_WITH_JWT", json!({})))
        .await;
    assert_missing(&bare, "User name");
    let made = create(
        &client,
        account(&config, "BASIC_WITH_JWT", json!({ "username": own })),
    )
    .await;

    let val =
        json!({ "status": "ACTIVE", "username": "CANA...", "password": "CANA...", "extra": "..." });
    assert_eq!(
        made["connectionData"],
        json!({ "authScheme": "BASIC_WITH_JWT", "val": val })
    );
    let expected = json!({ "username": own, "password": secret, "extra": "e" });
    assert_eq!(
        handed_out(&alice, &made["deprecated"]["uuid"]).await,
        expected
    );
    app.finish().await;
}

#[tokio::test]
async fn a_credential_that_is_shared_altogether_needs_nothing_of_the_user() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let config = config(&client, "API_KEY").await;
    let secret = canary();
    let shared = json!({ "type": "custom", "shared_credentials": { "generic_api_key": secret } });
    changed(&client, &config, shared).await;

    let made = create(
        &client,
        json!({ "auth_config": { "id": config }, "connection": {} }),
    )
    .await;

    assert_eq!(made["status"], "ACTIVE");
    let handed_out = handed_out(&alice, &made["deprecated"]["uuid"]).await;
    assert_eq!(handed_out, json!({ "generic_api_key": secret }));
    app.finish().await;
}
