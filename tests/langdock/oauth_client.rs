//! The OAuth client: merged, never shown, sealed.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::stories::{integration, invalid, patch_auth, read, set_auth};

/// The names of the sealed cells of the only auth config.
async fn cells(app: &TestApp) -> Vec<String> {
    let rows = app
        .sql("SELECT name FROM auth_config_secrets ORDER BY name")
        .await;
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn sealed(app: &TestApp, name: &str) -> Value {
    let query = format!("SELECT sealed_value FROM auth_config_secrets WHERE name = '{name}'");
    app.sql(&query).await[0]["sealed_value"].clone()
}

#[tokio::test]
async fn the_client_is_shown_without_its_credentials_and_kept_sealed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let url = || format!("https://idp.example/{}", canary());
    let client = json!({
        "scopes": "read write", "authUrl": url(), "tokenUrl": url(), "clientId": canary(), "clientSecret": canary(),
        "label": "Connect Acme", "authorizationCode": "return 'https://idp.example';", "refreshTokenCode": null,
    });

    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": client}),
    )
    .await;

    let shown = &auth["oauthClient"];
    let names: Vec<_> = shown
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "scopes",
            "label",
            "authorizationCode",
            "accessTokenCode",
            "refreshTokenCode"
        ]
    );
    assert_eq!(shown["scopes"], "read write");
    assert_eq!(shown["label"], "Connect Acme");
    assert_eq!(shown["authorizationCode"], "return 'https://idp.example';");
    for (code, word) in [
        ("accessTokenCode", "authorization_code"),
        ("refreshTokenCode", "refresh_token"),
    ] {
        let default = shown[code].as_str().unwrap();
        assert!(
            default.contains("env.TOKEN_URL") && default.contains(word),
            "{default}"
        );
    }
    assert_eq!(read(&alice, &id).await["oauthClient"], *shown);
    assert_eq!(
        cells(&app).await,
        [
            "auth_url",
            "client_id",
            "client_secret",
            "scopes",
            "token_url"
        ]
    );
    app.finish().await;
}

/// Line 2.
#[tokio::test]
async fn absent_members_are_kept_and_null_clears_them() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let set = |client: Value| {
        set_auth(
            &alice,
            &id,
            json!({"authType": "OAUTH", "oauthClient": client}),
        )
    };
    let whole = json!({
        "scopes": "a", "authUrl": "https://idp.example/a", "tokenUrl": "https://idp.example/t", "clientId": "c",
        "clientSecret": "s", "label": "Connect", "accessTokenCode": "return 1;",
    });
    let first = set(whole).await;
    let secret = sealed(&app, "client_secret").await;

    let second = set(json!({"label": "Log in", "clientId": "other"})).await;
    let mut expected = first["oauthClient"].clone();
    expected["label"] = json!("Log in");
    assert_eq!(second["oauthClient"], expected);
    assert_eq!(sealed(&app, "client_secret").await, secret);

    let absent = set_auth(&alice, &id, json!({"authType": "OAUTH"})).await;
    assert_eq!(absent["oauthClient"], expected);
    assert_eq!(
        cells(&app).await,
        [
            "auth_url",
            "client_id",
            "client_secret",
            "scopes",
            "token_url"
        ]
    );

    let cleared = set(json!({"scopes": null, "label": null, "clientSecret": null, "authUrl": null, "accessTokenCode": null})).await;
    let client = &cleared["oauthClient"];
    assert_eq!(
        (&client["scopes"], &client["label"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        client["accessTokenCode"]
            .as_str()
            .unwrap()
            .contains("env.TOKEN_URL")
    );
    assert_eq!(cells(&app).await, ["client_id", "token_url"]);
}

/// Line 2.
#[tokio::test]
async fn a_client_that_is_null_is_deleted() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": {"clientId": "c", "scopes": "a"}}),
    )
    .await;

    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": null}),
    )
    .await;

    assert_eq!(auth["oauthClient"], Value::Null);
    assert_eq!(app.count("auth_config_secrets").await, 0);
    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": {"label": "Again"}}),
    )
    .await;
    assert_eq!(
        (
            &auth["oauthClient"]["label"],
            &auth["oauthClient"]["scopes"]
        ),
        (&json!("Again"), &Value::Null)
    );
}

/// Line 4, and the documented deletion by the types without a client.
#[tokio::test]
async fn every_other_type_drops_the_client() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    for (from, to) in [
        ("OAUTH", "OAUTH_DCR"),
        ("OAUTH_DCR", "OAUTH"),
        ("OAUTH", "NONE"),
        ("OAUTH_DCR", "API_KEY"),
        ("OAUTH", "SERVICE_ACCOUNT"),
    ] {
        let client = json!({"clientId": "c", "clientSecret": "s", "label": "Old"});
        set_auth(
            &alice,
            &id,
            json!({"authType": from, "oauthClient": client}),
        )
        .await;
        assert_eq!(app.count("auth_config_secrets").await, 2);

        let auth = set_auth(&alice, &id, json!({"authType": to})).await;

        assert_eq!(
            (&auth["authType"], &auth["oauthClient"]),
            (&json!(to), &Value::Null)
        );
        assert_eq!(app.count("auth_config_secrets").await, 0, "{from} to {to}");
    }
}

/// Line 4.
#[tokio::test]
async fn another_oauth_type_stores_the_client_of_its_own_request() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let old = json!({"clientId": "c", "clientSecret": "s", "label": "Old", "scopes": "a"});
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": old}),
    )
    .await;

    let new = json!({"label": "New", "tokenUrl": "https://idp.example/t"});
    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH_DCR", "oauthClient": new}),
    )
    .await;

    assert_eq!(
        (
            &auth["oauthClient"]["label"],
            &auth["oauthClient"]["scopes"]
        ),
        (&json!("New"), &Value::Null)
    );
    assert_eq!(cells(&app).await, ["token_url"]);
}

/// Line 7.
#[tokio::test]
async fn urls_are_absolute_https_without_user_info_or_fragment() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let body =
        |url: &str| json!({"authType": "OAUTH", "oauthClient": {"authUrl": url, "tokenUrl": url}});
    for url in [
        "https://idp.example",
        "https://idp.example:8443/a?b=c@d",
        "https://[2001:db8::1]/a",
    ] {
        set_auth(&alice, &id, body(url)).await;
    }
    for url in [
        "",
        "idp.example/a",
        "/a",
        "http://idp.example/a",
        "http://localhost/a",
        "https:idp.example",
        "https://user@idp.example/a",
        "https://user:pass@idp.example/a",
        "https://idp.example/a#b",
        "javascript:alert(1)",
        "https://",
    ] {
        let reply = patch_auth(&alice, &id, body(url)).await;
        let message = "must be an absolute https URL without user info or fragment (http only for hosts that the \
                       operator's egress allow-list names)";
        let problems = [
            (json!(["oauthClient", "authUrl"]), message),
            (json!(["oauthClient", "tokenUrl"]), message),
        ];
        assert_eq!(
            (reply.status, reply.json),
            (400, invalid(&problems)),
            "{url}"
        );
    }
}

/// Line 9.
#[tokio::test]
async fn the_default_codes_stand_where_none_is_stored_and_may_be_sent_back() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let first = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH_DCR", "oauthClient": {}}),
    )
    .await;

    let mut client = first["oauthClient"].clone();
    assert!(
        client["authorizationCode"]
            .as_str()
            .unwrap()
            .contains("env.AUTH_URL")
    );
    client["label"] = json!("Connect");
    let second = set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH_DCR", "oauthClient": client}),
    )
    .await;

    assert_eq!(second["oauthClient"], client);
    let stored = app.sql("SELECT oauth_client FROM auth_configs").await;
    for code in [
        "authorization_code",
        "access_token_code",
        "refresh_token_code",
    ] {
        assert_eq!(stored[0]["oauth_client"][code], Value::Null, "{code}");
    }
}

#[tokio::test]
async fn oauth_without_a_client_has_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;

    let auth = set_auth(&alice, &id, json!({"authType": "OAUTH"})).await;

    assert_eq!(
        (&auth["authType"], &auth["oauthClient"]),
        (&json!("OAUTH"), &Value::Null)
    );
}
