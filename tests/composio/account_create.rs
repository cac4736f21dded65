//! `POST /connected_accounts`: what it makes, and what it answers.

use serde_json::{Value, json};

use crate::account_making::{
    ACCOUNTS, ACCOUNTS_3_1, account, audited, config, create, handed_out, row,
};
use crate::common::{TestApp, canary};
use crate::story::shown;

#[tokio::test]
async fn a_complete_credential_makes_an_active_connection_under_both_prefixes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "API_KEY").await;
    let config_uuid = shown(&alice.composio(), &config).await["uuid"].clone();
    for (round, prefix) in [ACCOUNTS, ACCOUNTS_3_1].into_iter().enumerate() {
        let secret = canary();
        let val = json!({ "status": "ACTIVE", "generic_api_key": secret });

        let reply = alice
            .composio()
            .post(prefix, account(&config, "API_KEY", val))
            .await;

        assert_eq!(reply.status, 201, "{}", reply.text);
        let (id, uuid) = (&reply.json["id"], &reply.json["deprecated"]["uuid"]);
        assert_eq!(
            reply.json,
            json!({
                "id": id,
                "connectionData": {
                    "authScheme": "API_KEY",
                    "val": { "status": "ACTIVE", "generic_api_key": "CANA..." },
                },
                "status": "ACTIVE",
                "redirect_url": null,
                "redirect_uri": null,
                "deprecated": { "uuid": uuid, "authConfigUuid": config_uuid },
            })
        );
        let id = id.as_str().unwrap();
        assert!(id.starts_with("ca_") && id.len() == 15, "{id}");
        let expected = json!({
            "user_id": "u-1", "is_primary": round == 0, "status": "ACTIVE", "status_reason": null, "alias": null,
            "sealed": true, "config": config,
        });
        assert_eq!(row(&app, id).await, expected);
        let audit = [
            ("connection.create", Value::Null),
            ("connection.set_credential", Value::Null),
        ];
        let audit = audit.map(|(action, detail)| (action.to_owned(), detail));
        assert_eq!(audited(&app, uuid).await, audit);
        let stored = handed_out(&alice, uuid).await;
        assert_eq!(stored, json!({ "generic_api_key": secret }));
    }
    assert_eq!(app.count("link_tokens").await, 0);
    assert_eq!(
        shown(&alice.composio(), &config).await["no_of_connections"],
        2
    );
    app.finish().await;
}

#[tokio::test]
async fn every_scheme_takes_its_members_and_klavis_reads_them_back() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let service =
        json!({ "application_id": "app-1", "installation_id": "7", "private_key": canary() });
    let token = || json!({ "access_token": canary() });
    let cases = [
        ("API_KEY", json!({ "api_key": canary() })),
        ("API_KEY", json!({ "bearer_token": canary() })),
        ("API_KEY", json!({ "basic_encoded": canary() })),
        ("BASIC", json!({ "username": "alice" })),
        (
            "BASIC",
            json!({ "username": "alice", "password": canary() }),
        ),
        (
            "BASIC_WITH_JWT",
            json!({ "username": "alice", "password": canary() }),
        ),
        ("BEARER_TOKEN", json!({ "token": canary() })),
        (
            "GOOGLE_SERVICE_ACCOUNT",
            json!({ "credentials_json": canary() }),
        ),
        ("SERVICE_ACCOUNT", service),
        (
            "S2S_OAUTH2",
            json!({ "client_id": "id", "client_secret": canary() }),
        ),
        ("OAUTH2", token()),
        (
            "OAUTH2",
            json!({ "access_token": canary(), "refresh_token": canary(), "expires_in": 3600, "scope": ["a", "b"],
                "token_type": "bearer", "id_token": canary() }),
        ),
        (
            "DCR_OAUTH",
            json!({ "client_id": "id", "access_token": canary() }),
        ),
        ("CIMD_OAUTH", token()),
        (
            "OAUTH1",
            json!({ "oauth_token": canary(), "oauth_token_secret": canary() }),
        ),
        (
            "BILLCOM_AUTH",
            json!({ "sessionId": canary(), "devKey": canary() }),
        ),
        ("CALCOM_AUTH", json!({ "anything": canary() })),
        (
            "SAML",
            json!({ "anything": { "nested": [canary(), 1, true] } }),
        ),
    ];
    for (scheme, val) in cases {
        let config = config(&alice.composio(), scheme).await;

        let reply = create(&alice.composio(), account(&config, scheme, val.clone())).await;

        assert_eq!(reply["status"], "ACTIVE", "{scheme}: {reply}");
        assert_eq!(
            reply["connectionData"]["val"]["status"], "ACTIVE",
            "{scheme}: {reply}"
        );
        assert_eq!(
            (&reply["redirect_url"], &reply["redirect_uri"]),
            (&Value::Null, &Value::Null)
        );
        assert_eq!(
            handed_out(&alice, &reply["deprecated"]["uuid"]).await,
            val,
            "{scheme}"
        );
    }
    assert_eq!(app.count("link_tokens").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn the_first_connection_of_a_user_is_the_primary_one_whatever_its_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let (one, other) = (
        config(&client, "API_KEY").await,
        config(&client, "BEARER_TOKEN").await,
    );
    let key = |user: &str| {
        json!({ "auth_config": { "id": one },
            "connection": { "user_id": user, "state": { "val": { "api_key": "k" } } } })
    };
    let first = create(&client, key("u-1")).await;
    let second = create(
        &client,
        account(&other, "BEARER_TOKEN", json!({ "token": "t" })),
    )
    .await;
    let someone_elses = create(&client, key("u-2")).await;

    for (made, primary) in [(&first, true), (&second, false), (&someone_elses, true)] {
        let row = row(&app, made["id"].as_str().unwrap()).await;
        assert_eq!(row["is_primary"], primary, "{made}");
    }
    let instance = json!({ "serverName": "Slack", "userId": "u-1" });
    let instance = alice
        .klavis()
        .post("/mcp-server/instance/create", instance)
        .await;
    assert_eq!(instance.json["instanceId"], first["deprecated"]["uuid"]);
}

#[tokio::test]
async fn a_connection_belongs_to_default_where_no_user_is_named() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "API_KEY").await;
    let body =
        json!({ "auth_config": { "id": config }, "connection": { "data": { "api_key": "k" } } });

    let made = create(&client, body).await;

    assert_eq!(
        row(&app, made["id"].as_str().unwrap()).await["user_id"],
        "default"
    );
}

#[tokio::test]
async fn state_wins_over_the_deprecated_data_key_by_key() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "API_KEY").await;
    let body = json!({ "auth_config": { "id": config }, "connection": {
        "state": { "authScheme": "API_KEY", "val": { "status": "ACTIVE", "api_key": "from state" } },
        "data": { "status": "INITIALIZING", "api_key": "from data", "extra": "x" },
        "experimental": { "account_type": "PRIVATE" },
        "deprecated_is_v1_rerouted": true,
        "unknown": 1,
    }, "unknown": 1, "validate_credentials": false });

    let made = create(&alice.composio(), body).await;

    let stored = handed_out(&alice, &made["deprecated"]["uuid"]).await;
    assert_eq!(stored, json!({ "api_key": "from state", "extra": "x" }));
}

#[tokio::test]
async fn what_is_no_member_or_no_value_is_not_stored() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "API_KEY").await;
    let val = json!({
        "status": "ACTIVE", "redirectUrl": "https://x.example", "api_key": "k", "none": null, "masked": "REDACTED",
        "empty": "", "number": 1.50, "nul": "\u{0}",
    });

    let made = create(&alice.composio(), account(&config, "API_KEY", val)).await;

    let stored = handed_out(&alice, &made["deprecated"]["uuid"]).await;
    let expected = json!({ "api_key": "k", "empty": "", "number": 1.50, "nul": "\u{0}" });
    assert_eq!(stored, expected);
}

#[tokio::test]
async fn a_config_without_authentication_makes_a_ready_connection_without_a_credential() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "NO_AUTH").await;
    let bare = json!({ "auth_config": { "id": config }, "connection": {} });
    for body in [
        bare,
        account(&config, "NO_AUTH", json!({ "ignored": canary() })),
    ] {
        let made = create(&alice.composio(), body).await;

        let expected = json!({ "authScheme": "NO_AUTH", "val": { "status": "ACTIVE" } });
        assert_eq!(
            (&made["status"], &made["connectionData"]),
            (&json!("ACTIVE"), &expected)
        );
        let row = row(&app, made["id"].as_str().unwrap()).await;
        assert_eq!(
            (&row["status"], &row["sealed"]),
            (&json!("ACTIVE"), &json!(false))
        );
        let audit = vec![("connection.create".to_owned(), Value::Null)];
        assert_eq!(audited(&app, &made["deprecated"]["uuid"]).await, audit);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_implicit_config_is_a_config_like_any_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let instance = json!({ "serverName": "OpenAI", "userId": "u-1" });
    let instance = alice
        .klavis()
        .post("/mcp-server/instance/create", instance)
        .await;
    let listed = alice
        .composio()
        .get("/api/v3/auth_configs?toolkit_slug=openai")
        .await;
    let config = listed.json["items"][0]["id"].as_str().unwrap().to_owned();

    let made = create(
        &alice.composio(),
        account(&config, "API_KEY", json!({ "api_key": "k" })),
    )
    .await;

    let row = row(&app, made["id"].as_str().unwrap()).await;
    assert_eq!(
        (&row["is_primary"], &row["config"]),
        (&json!(false), &json!(config))
    );
    assert_ne!(made["deprecated"]["uuid"], instance.json["instanceId"]);
    assert_eq!(app.count("auth_configs").await, 1);
}
