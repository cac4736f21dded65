//! The list of servers; and the route of the OAuth engine, which is not built.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::TestApp;
use crate::common::tenant::Tenant;
use crate::stories::instance;

const SERVERS: &str = "/mcp-server/servers";

/// What is listed, by name.
async fn servers(tenant: &Tenant) -> BTreeMap<String, Value> {
    let reply = tenant.klavis().get(SERVERS).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let listed = reply.json["servers"].as_array().unwrap().clone();
    let names: Vec<_> = listed
        .iter()
        .map(|server| server["name"].as_str().unwrap())
        .collect();
    assert!(names.is_sorted(), "{names:?}");
    listed
        .iter()
        .map(|server| (server["name"].as_str().unwrap().to_owned(), server.clone()))
        .collect()
}

async fn own(tenant: &Tenant, name: &str, description: &str) {
    let body = json!({"name": name, "description": description});
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", body)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
}

#[tokio::test]
async fn the_catalogue_is_listed_with_its_ids_of_all_time() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let before = app.fingerprint().await;

    let listed = servers(&alice).await;

    let entries = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue")).unwrap();
    assert_eq!(listed.len(), entries.count());
    let ids: BTreeSet<_> = listed
        .values()
        .map(|server| server["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), listed.len());
    for server in listed.values() {
        let id: Uuid = server["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(id.get_version_num(), 5);
        assert!(server["description"].is_string() && server["authNeeded"].is_boolean());
    }
    let gmail = &listed["Gmail"];
    assert_eq!(gmail.as_object().unwrap().len(), 5, "{gmail}");
    assert_eq!(
        (&gmail["tools"], &gmail["authNeeded"]),
        (&Value::Null, &json!(true))
    );
    assert_eq!(listed["Fetch URL"]["authNeeded"], false);
    assert_eq!(servers(&bob).await, listed, "ids are the same for everyone");
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn an_integration_of_ones_own_stands_in_the_place_of_the_entry_of_its_key() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let catalogue = servers(&alice).await;
    own(&alice, "gmail", "Our own mail").await;
    own(&alice, "In-house CRM", "").await;
    instance(&alice, "Google Calendar", "u1").await;

    let listed = servers(&alice).await;

    assert_eq!(listed.len(), catalogue.len() + 1);
    assert!(!listed.contains_key("Gmail"));
    assert_eq!(
        listed["gmail"],
        json!({
            "id": catalogue["Gmail"]["id"], "name": "gmail", "description": "Our own mail", "tools": null,
            "authNeeded": false,
        })
    );
    assert_eq!(
        listed["Google Calendar"], catalogue["Google Calendar"],
        "as before an integration was made of it"
    );
    let crm = &listed["In-house CRM"];
    assert_eq!(
        (&crm["description"], &crm["authNeeded"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(servers(&bob).await, catalogue);
}

/// An own integration under an entry's alias takes the alias; the entry keeps its own name.
#[tokio::test]
async fn an_alias_that_is_taken_hides_no_entry() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let catalogue = servers(&alice).await;
    own(&alice, "Outlook", "Ours").await;

    let listed = servers(&alice).await;

    assert_eq!(listed["Outlook"]["description"], "Ours");
    assert_eq!(listed["Outlook Mail"], catalogue["Outlook Mail"]);
    assert_ne!(listed["Outlook"]["id"], listed["Outlook Mail"]["id"]);
}

#[tokio::test]
async fn the_default_config_says_whether_a_credential_is_needed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    own(&alice, "Acme", "").await;
    let needed = async || servers(&alice).await["Acme"]["authNeeded"].clone();
    assert_eq!(needed().await, false);
    let row = app
        .sql("SELECT integration_id AS id FROM integrations")
        .await;
    let path = format!("/integrations/v1/{}/auth", row[0]["id"].as_str().unwrap());
    let reply = alice
        .langdock()
        .patch(&path, json!({"authType": "API_KEY"}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);

    assert_eq!(needed().await, true);
    app.execute("UPDATE auth_configs SET deleted_at = now(), is_default = false")
        .await;
    assert_eq!(needed().await, false, "none left reads as NONE");
}

#[tokio::test]
async fn a_limited_key_sees_its_integrations_only_and_any_key_may_look() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for service in ["Slack", "Linear", "Gmail"] {
        instance(&alice, service, "u1").await;
    }
    let rows = app
        .sql("SELECT integration_id AS id FROM integrations WHERE slug IN ('slack', 'linear')")
        .await;
    let ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();

    let limited = servers(&alice.limited_to(&ids).await).await;
    let none = servers(&alice.limited_to(&[] as &[&str]).await).await;
    let unscoped = servers(&alice.with_scopes(&["INTEGRATION_API"]).await).await;

    assert_eq!(limited.keys().collect::<Vec<_>>(), ["Linear", "Slack"]);
    assert_eq!(limited["Slack"], unscoped["Slack"]);
    assert!(none.is_empty());
    app.execute("UPDATE integrations SET deleted_at = now() WHERE slug = 'slack'")
        .await;
    assert!(
        !servers(&alice.limited_to(&ids).await)
            .await
            .contains_key("Slack")
    );
    assert!(
        servers(&alice).await.contains_key("Slack"),
        "the entry is there again"
    );
}

#[tokio::test]
async fn the_oauth_engine_says_that_it_is_not_there() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.count("audit_log").await;
    let expected = json!({"detail": "The OAuth engine is not part of this version"});
    for path in [
        "/oauth/gmail/authorize",
        "/oauth/no-such-server/authorize?instance_id=x&scope=a,b&redirect_url=https://evil.example",
    ] {
        for client in [app.anonymous(), alice.klavis()] {
            let reply = client.get(path).await;
            assert_eq!((reply.status, &reply.json), (501, &expected), "{path}");
        }
    }
    let wrong = app
        .anonymous()
        .request(Method::POST, "/oauth/gmail/authorize")
        .send()
        .await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, "GET"));
    assert_eq!(app.anonymous().get("/oauth/gmail").await.status, 404);
    assert_eq!(app.count("audit_log").await, before);
}
