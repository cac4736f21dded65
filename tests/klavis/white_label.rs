//! White labels: which auth config a client goes to, what is shown of it, and to whom.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{handed_out, instance, path, store};

pub const LABEL: &str = "/white-labeling/create";

/// The reply to setting a client with a planted secret.
pub async fn label(tenant: &Tenant, client_id: &str, server: &str, more: Value) -> Reply {
    let mut body =
        json!({"client_id": client_id, "client_secret": canary(), "server_name": server});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    tenant.klavis().post(LABEL, body).await
}

/// Sets a client and gives what is shown of it.
pub async fn labelled(tenant: &Tenant, client_id: &str, server: &str, more: Value) -> Value {
    let reply = label(tenant, client_id, server, more).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(
        (&reply.json["success"], &reply.json["message"]),
        (&json!(true), &json!(null))
    );
    reply.json["data"].clone()
}

/// The reply to reading a client; its id is one segment of the path.
pub async fn found(tenant: &Tenant, client_id: &str) -> Reply {
    let mut path = "/white-labeling/get/".to_owned();
    for byte in client_id.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => path.push(byte.into()),
            _ => write!(path, "%{byte:02X}").unwrap(),
        }
    }
    tenant.klavis().get(&path).await
}

/// What is shown of a client that is there.
pub async fn shown(tenant: &Tenant, client_id: &str) -> Value {
    let reply = found(tenant, client_id).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json.as_object().unwrap().len(), 3);
    assert_eq!(
        (&reply.json["success"], &reply.json["message"]),
        (&json!(true), &json!(null))
    );
    reply.json["data"].clone()
}

pub fn assert_not_found(reply: &Reply) {
    let body = json!({"detail": "White label not found"});
    assert_eq!((reply.status, &reply.json), (404, &body));
}

/// Composio's view of every config, the oldest first.
pub async fn configs(tenant: &Tenant) -> Vec<Value> {
    let reply = tenant
        .composio()
        .get("/api/v3/auth_configs?show_disabled=true")
        .await;
    let mut items = reply.json["items"].as_array().unwrap().clone();
    items.reverse();
    items
}

/// The audit rows of auth configs, the oldest first.
async fn audited(app: &TestApp) -> Vec<Value> {
    app.sql(
        "SELECT action, object_id, detail FROM audit_log WHERE object_kind = 'auth_config' ORDER BY at, audit_id",
    )
    .await
}

#[tokio::test]
async fn the_first_client_is_that_of_the_default_config_and_every_dialect_sees_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let more = json!({"callback_url": "https://app.example/back?x=1", "account_id": "team é"});

    let made = labelled(&alice, "my-app", "GOOGLE_CALENDAR", more).await;

    let names: Vec<_> = made.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "client_id",
            "server_name",
            "callback_url",
            "account_id",
            "created_at",
            "updated_at"
        ]
    );
    assert_eq!(made["client_id"], "my-app");
    assert_eq!(made["server_name"], "Google Calendar");
    assert_eq!(made["callback_url"], "https://app.example/back?x=1");
    assert_eq!(made["account_id"], "team é");
    assert_eq!(shown(&alice, "my-app").await, made);

    let [config] = configs(&alice).await.try_into().unwrap();
    assert_eq!(config["auth_scheme"], "OAUTH2");
    assert_eq!(config["credentials"]["client_id"], "my-app");
    assert_eq!(config["credentials"]["client_secret"], "CANA...");
    let rows = app
        .sql("SELECT integration_id, is_default, is_implicit, version FROM auth_configs")
        .await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (
            &rows[0]["is_default"],
            &rows[0]["is_implicit"],
            &rows[0]["version"]
        ),
        (&json!(true), &json!(false), &json!(1))
    );
    let read = alice
        .langdock()
        .get(&format!(
            "/integrations/v1/{}",
            rows[0]["integration_id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(read.json["integration"]["authType"], "OAUTH");
    assert!(read.json["integration"]["oauthClient"].is_object());
    assert!(!read.text.contains("my-app"));
    let audit = audited(&app).await;
    assert_eq!(
        audit,
        [json!({
            "action": "auth_config.create", "object_id": config["id"], "detail": {"white_label": true},
        })]
    );
    app.finish().await;
}

#[tokio::test]
async fn the_same_client_id_again_changes_its_client_and_keeps_the_connections() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let more = json!({"callback_url": "https://app.example/back", "account_id": "team"});
    labelled(&alice, "my-app", "Gmail", more).await;
    let id = instance(&alice, "Gmail", "u1").await;
    store(&alice, &id, json!({"token": "the user's"})).await;
    let sealed = "SELECT name, sealed_value, value_index FROM auth_config_secrets ORDER BY name";
    let before = app.sql(sealed).await;

    let kept = labelled(&alice, "my-app", "gmail", json!({})).await;
    assert_eq!(kept["callback_url"], "https://app.example/back");
    assert_eq!(kept["account_id"], "team");
    let cleared = json!({"callback_url": null, "account_id": ""});
    let cleared = labelled(&alice, "my-app", "Gmail", cleared).await;
    assert_eq!(
        (&cleared["callback_url"], &cleared["account_id"]),
        (&json!(null), &json!(null))
    );
    let set = labelled(
        &alice,
        "my-app",
        "Gmail",
        json!({"callback_url": "http://localhost:3000"}),
    )
    .await;
    assert_eq!(set["callback_url"], "http://localhost:3000");

    let after = app.sql(sealed).await;
    assert_eq!(after.len(), 2);
    assert_ne!(
        before[1]["sealed_value"], after[1]["sealed_value"],
        "another secret"
    );
    assert_eq!(before[0]["value_index"], after[0]["value_index"]);
    assert_eq!(app.count("auth_configs WHERE version = 4").await, 1);
    assert_eq!(app.count("auth_configs").await, 1);
    assert_eq!(
        handed_out(&alice, &id).await,
        json!({"token": "the user's"})
    );
    assert_eq!(
        alice.klavis().get(&path(&id)).await.json["isAuthenticated"],
        true
    );
    let actions: Vec<_> = audited(&app)
        .await
        .into_iter()
        .map(|row| (row["action"].clone(), row["detail"].clone()))
        .collect();
    let detail = json!({"white_label": true});
    let update = (json!("auth_config.update"), detail.clone());
    assert_eq!(
        actions,
        [
            (json!("auth_config.create"), detail),
            update.clone(),
            update.clone(),
            update
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn another_client_id_makes_another_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "one", "Slack", json!({})).await;

    labelled(&alice, "two", "Slack", json!({"account_id": "second"})).await;
    labelled(&alice, "three", "Slack", json!({})).await;

    let seen: Vec<_> = configs(&alice)
        .await
        .into_iter()
        .map(|config| config["credentials"]["client_id"].clone())
        .collect();
    assert_eq!(seen, ["one", "two", "three"]);
    let defaults = app
        .sql("SELECT is_default FROM auth_configs ORDER BY auth_config_id")
        .await;
    let defaults: Vec<_> = defaults
        .iter()
        .map(|row| row["is_default"] == true)
        .collect();
    assert_eq!(defaults, [true, false, false]);
    assert_eq!(
        app.count("auth_configs WHERE scheme = 'OAUTH2' AND NOT is_implicit")
            .await,
        3
    );
    assert_eq!(shown(&alice, "one").await["account_id"], json!(null));
    assert_eq!(shown(&alice, "two").await["account_id"], "second");
}

#[tokio::test]
async fn one_client_serves_several_services_and_the_last_change_is_shown() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "google", "Gmail", json!({})).await;
    labelled(&alice, "google", "Google Calendar", json!({})).await;
    assert_eq!(
        shown(&alice, "google").await["server_name"],
        "Google Calendar"
    );

    labelled(&alice, "google", "Gmail", json!({"account_id": "a"})).await;

    assert_eq!(shown(&alice, "google").await["server_name"], "Gmail");
    assert_eq!(app.count("auth_configs").await, 2);
}

/// Where instances were made before, their config is the default: it gets the client while it can.
#[tokio::test]
async fn the_implicit_default_takes_the_client_over() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    // Its usual scheme is API_KEY, and nobody has stored a key.
    let waiting = instance(&alice, "Stripe", "u1").await;
    labelled(&alice, "app", "Stripe", json!({})).await;
    assert_eq!(
        app.count("auth_configs WHERE scheme = 'OAUTH2' AND is_default AND NOT is_implicit")
            .await,
        1
    );
    assert_eq!(app.count("auth_configs").await, 1);
    assert_eq!(
        alice.klavis().get(&path(&waiting)).await.json["authNeeded"],
        true
    );

    // Under an OAuth default with credentials the client is added, and they stay.
    let held = instance(&alice, "Gmail", "u1").await;
    store(&alice, &held, json!({"token": "t"})).await;
    labelled(&alice, "app", "Gmail", json!({})).await;
    assert_eq!(app.count("auth_configs").await, 2);
    assert_eq!(app.count("auth_configs WHERE is_implicit").await, 0);
    assert_eq!(handed_out(&alice, &held).await, json!({"token": "t"}));

    // Under another default with credentials nothing is touched.
    let held = instance(&alice, "Notion", "u1").await;
    app.execute("UPDATE auth_configs SET scheme = 'API_KEY' WHERE is_implicit")
        .await;
    store(&alice, &held, json!({"token": "t"})).await;
    labelled(&alice, "app", "Notion", json!({})).await;
    assert_eq!(
        app.count("auth_configs WHERE scheme = 'API_KEY' AND is_default AND is_implicit")
            .await,
        1
    );
    assert_eq!(
        app.count("auth_configs WHERE scheme = 'OAUTH2' AND NOT is_default")
            .await,
        1
    );
    assert_eq!(handed_out(&alice, &held).await, json!({"token": "t"}));
    app.finish().await;
}

#[tokio::test]
async fn an_explicit_oauth_default_without_a_client_gets_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme CRM"}))
        .await;
    let id = made.json["integration"]["id"].as_str().unwrap().to_owned();
    let auth = format!("/integrations/v1/{id}/auth");
    let client = json!({"authUrl": "https://idp.example/a", "label": "Connect"});
    let reply = alice
        .langdock()
        .patch(&auth, json!({"authType": "OAUTH", "oauthClient": client}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);

    let data = labelled(&alice, "acme-app", "acme-crm", json!({"account_id": "a"})).await;

    assert_eq!(data["server_name"], "Acme CRM");
    let [config] = configs(&alice).await.try_into().unwrap();
    assert_eq!(config["credentials"]["auth_url"], "https://idp.example/a");
    assert_eq!(config["credentials"]["client_id"], "acme-app");
    let read = alice
        .langdock()
        .get(&format!("/integrations/v1/{id}"))
        .await;
    assert_eq!(read.json["integration"]["oauthClient"]["label"], "Connect");
    // Langdock knows no callback URL and no account, and keeps both.
    let client = json!({"authType": "OAUTH", "oauthClient": {"label": "Other"}});
    assert_eq!(alice.langdock().patch(&auth, client).await.status, 200);
    assert_eq!(shown(&alice, "acme-app").await["account_id"], "a");
    app.finish().await;
}

#[tokio::test]
async fn two_that_set_one_client_at_once_end_in_one_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    instance(&alice, "HubSpot", "u1").await;
    labelled(&alice, "first", "HubSpot", json!({})).await;
    for round in 0..8 {
        let client_id = format!("raced-{round}");
        let service = ["HubSpot", "Asana"][round % 2];
        let one = || label(&alice, &client_id, service, json!({}));

        for reply in futures_util::future::join_all([one(), one(), one(), one()]).await {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
    }
    // HubSpot's first and four more; Asana's four, of which one is the default.
    assert_eq!(app.count("auth_configs").await, 9);
    assert_eq!(app.count("auth_configs WHERE is_default").await, 2);
    assert_eq!(
        app.count("auth_config_secrets WHERE value_index IS NOT NULL")
            .await,
        9
    );
    app.finish().await;
}
