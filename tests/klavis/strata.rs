//! Strata: made, put in, taken out, shown.

use http::Method;
use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{audited, instance, path};

pub const STRATA: &str = "/mcp-server/strata/create";
pub const ADD: &str = "/mcp-server/strata/add";

/// The reply to the making of a strata.
pub async fn create(tenant: &Tenant, body: Value) -> Reply {
    tenant.klavis().post(STRATA, body).await
}

/// A strata of the user with these servers: its id.
pub async fn strata(tenant: &Tenant, user: &str, servers: Value) -> String {
    let made = create(tenant, json!({"userId": user, "servers": servers})).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.json["strataId"].as_str().unwrap().to_owned()
}

/// The path of a strata.
pub fn at(strata: &str) -> String {
    format!("/mcp-server/strata/{strata}")
}

/// What a strata shows.
pub async fn shown(tenant: &Tenant, strata: &str) -> Value {
    let reply = tenant.klavis().get(&at(strata)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

async fn add(tenant: &Tenant, strata: &str, mut body: Value) -> Reply {
    body["strataId"] = json!(strata);
    tenant.klavis().post(ADD, body).await
}

async fn remove(tenant: &Tenant, strata: &str, query: &str) -> Value {
    let path = format!("{}/servers{query}", at(strata));
    let reply = tenant.klavis().delete(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

pub fn external(name: &str) -> Value {
    json!({"name": name, "url": format!("https://{name}.example/mcp"), "headers": {"Authorization": canary()}})
}

fn info(name: &str) -> Value {
    json!({"name": name, "url": format!("https://{name}.example/mcp"), "headers": null})
}

#[tokio::test]
async fn a_strata_is_made_with_what_is_in_it_and_the_users_connections() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let slack = instance(&alice, "Slack", "u1").await;

    let body = json!({
        "userId": "u1", "servers": ["GOOGLE_CALENDAR", "slack", "Google Calendar"],
        "externalServers": [external("wiki"), external("crm")], "enableAuthHandling": "no", "more": [1],
    });
    let made = create(&alice, body).await;

    let id = made.json["strataId"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    let url = format!("{}/mcp-server/strata/{id}", app.url());
    let expected = json!({
        "strataServerUrl": url, "strataId": id, "addedServers": ["Google Calendar", "Slack"],
        "addedExternalServers": [info("wiki"), info("crm")], "oauthUrls": {}, "apiKeyUrls": {},
    });
    assert_eq!((made.status, made.json), (200, expected));
    let expected = json!({
        "strataServerUrl": url, "strataId": id, "connectedServers": ["Google Calendar", "Slack"],
        "connectedExternalServers": [info("crm"), info("wiki")], "oauthUrls": {}, "apiKeyUrls": {},
    });
    assert_eq!(shown(&alice, &id).await, expected);
    assert_eq!(app.count("connections WHERE is_primary").await, 2);
    assert_eq!(instance(&alice, "Slack", "u1").await, slack);
    assert_eq!(app.count("strata WHERE NOT auth_handling").await, 1);
    let audit = app
        .sql("SELECT action, object_kind, detail FROM audit_log WHERE action LIKE 'strata.%'")
        .await;
    let detail =
        json!({"servers": ["google-calendar", "slack"], "external_servers": ["wiki", "crm"]});
    let expected = json!({"action": "strata.create", "object_kind": "strata", "detail": detail});
    assert_eq!(audit, [expected]);
    app.finish().await;
}

#[tokio::test]
async fn nothing_needs_to_be_in_a_strata_and_each_one_is_another() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let mut ids = Vec::new();
    for body in [
        json!({"userId": "u1"}),
        json!({"userId": "u1", "servers": null, "externalServers": null}),
        json!({"userId": "u1", "servers": [], "externalServers": [], "enableAuthHandling": 1}),
    ] {
        let made = create(&alice, body).await;
        assert_eq!(made.status, 200, "{}", made.text);
        assert_eq!(made.json["addedServers"], json!([]));
        assert_eq!(made.json["addedExternalServers"], json!([]));
        ids.push(made.json["strataId"].clone());
    }
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
    assert_eq!(
        (
            app.count("strata WHERE auth_handling").await,
            app.count("users").await
        ),
        (3, 1)
    );
    assert_eq!(app.count("connections").await, 0);
}

#[tokio::test]
async fn all_is_every_integration_that_answers_to_a_name_of_the_catalogue() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (name, user) in [
        ("Slack", "u1"),
        ("Gmail", "u2"),
        ("GitHub", "u2"),
        ("Linear", "u2"),
    ] {
        instance(&alice, name, user).await;
    }
    // An integration of the tenant's own that answers to any name of the catalogue: "Outlook" is Composio's for a mail.
    for own in ["Acme", "Notion", "Outlook", "Microsoft Outlook"] {
        let made = alice
            .langdock()
            .post("/integrations/v1/create", json!({ "name": own }))
            .await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    let disable = "UPDATE auth_configs SET enabled = false WHERE integration_id IN \
                   (SELECT integration_id FROM integrations WHERE slug IN ('slack', 'github'))";
    app.execute(disable).await;

    let made = create(&alice, json!({"userId": "u1", "servers": "ALL"})).await;

    // Where the config is disabled, a connection that is there is fine and none is made.
    let all = json!([
        "Gmail",
        "Linear",
        "Microsoft Outlook",
        "Notion",
        "Outlook",
        "Slack"
    ]);
    assert_eq!(made.json["addedServers"], all, "{}", made.text);
    let empty = strata(&alice, "u1", json!([])).await;
    let added = add(&alice, &empty, json!({"servers": "ALL"})).await;
    assert_eq!((added.status, &added.json["addedServers"]), (200, &all));
    assert_eq!(shown(&alice, &empty).await["connectedServers"], all);
    assert_eq!(app.count("connections WHERE user_id = 'u1'").await, 6);
    let nobody = app.tenant("bob").await;
    let made = create(&nobody, json!({"userId": "u1", "servers": "ALL"})).await;
    assert_eq!((made.status, &made.json["addedServers"]), (200, &json!([])));
}

#[tokio::test]
async fn what_is_in_it_already_is_added_again_and_an_external_server_replaced() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let body = json!({"servers": ["Linear", "SLACK"], "externalServers": [external("wiki"), external("wiki")]});

    let added = add(&alice, &id, body).await;

    let expected = json!({
        "addedServers": ["Linear", "Slack"], "addedExternalServers": [info("wiki")], "oauthUrls": {}, "apiKeyUrls": {},
    });
    assert_eq!((added.status, added.json), (200, expected));
    assert_eq!(app.count("strata_servers").await, 2);
    let sealed = "strata_external_servers WHERE sealed_headers IS NOT NULL";
    assert_eq!(app.count(sealed).await, 1);
    let before = app.fingerprint().await;
    let again = add(&alice, &id, json!({"servers": ["Slack", "Linear"]})).await;
    assert_eq!(again.json["addedServers"], json!(["Slack", "Linear"]));
    assert_eq!(add(&alice, &id, json!({})).await.status, 200);
    assert_eq!(app.fingerprint().await, before);

    // The last word counts, and what it does not name is gone.
    let body = json!({"externalServers": [external("wiki"), {"name": "wiki", "url": "https://other.example"}]});
    let added = add(&alice, &id, body).await;
    let wiki = json!([{"name": "wiki", "url": "https://other.example", "headers": null}]);
    assert_eq!(added.json["addedExternalServers"], wiki);
    assert_eq!(shown(&alice, &id).await["connectedExternalServers"], wiki);
    assert_eq!(app.count(sealed).await, 0);
    let actions = ["strata.create", "strata.add_servers", "strata.add_servers"];
    assert_eq!(audited(&app, &id).await, actions);
    app.finish().await;
}

#[tokio::test]
async fn what_is_taken_out_is_told_and_no_connection_is_deleted() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let servers = ["Slack", "Linear", "Gmail", "Google Calendar"];
    let made = json!({
        "userId": "u1", "servers": servers,
        "externalServers": [external("wiki"), external("crm"), {"name": "a,b", "url": "https://x"}, external("a")],
    });
    let made = create(&alice, made).await;
    let id = made.json["strataId"].as_str().unwrap().to_owned();
    instance(&alice, "Notion", "u1").await;
    let before = app.fingerprint().await;
    for nothing in [
        "",
        "?servers=Notion&servers=GitHub",
        "?externalServers=",
        "?externalServers=none,b&x=1",
    ] {
        let removed = remove(&alice, &id, nothing).await;
        let expected = json!({"deletedServers": [], "deletedExternalServers": []});
        assert_eq!(removed, expected, "{nothing}");
    }
    assert_eq!(app.fingerprint().await, before);

    for (query, servers, external) in [
        (
            "?servers=google_calendar&servers=Notion&servers=Slack&servers=slack",
            json!(["Google Calendar", "Slack"]),
            json!([]),
        ),
        ("?externalServers=a,b", json!([]), json!(["a,b"])),
        (
            "?externalServers=crm&externalServers=wiki,%20a,wiki",
            json!([]),
            json!(["wiki", "a"]),
        ),
        (
            "?servers=Linear&servers=ALL&externalServers=crm",
            json!(["Gmail", "Linear"]),
            json!(["crm"]),
        ),
        ("?servers=ALL", json!([]), json!([])),
    ] {
        let removed = remove(&alice, &id, query).await;
        let expected = json!({"deletedServers": servers, "deletedExternalServers": external});
        assert_eq!(removed, expected, "{query}");
    }
    let left = shown(&alice, &id).await;
    assert_eq!(left["connectedServers"], json!([]));
    assert_eq!(left["connectedExternalServers"], json!([]));
    assert_eq!(app.count("connections").await, 5);
    let actions = audited(&app, &id).await;
    assert_eq!(actions[0], "strata.create");
    assert_eq!(actions[1..], ["strata.delete_servers"; 4]);
}

/// A member is a service: which connection is the user's with it does not matter.
#[tokio::test]
async fn a_service_stays_in_it_when_the_instance_is_deleted() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let slack = instance(&alice, "Slack", "u1").await;

    assert_eq!(alice.klavis().delete(&path(&slack)).await.status, 200);

    assert_eq!(
        shown(&alice, &id).await["connectedServers"],
        json!(["Slack"])
    );
    assert_eq!(app.count("connections").await, 0);
    assert_eq!(
        add(&alice, &id, json!({"servers": ["Slack"]})).await.status,
        200
    );
    assert_eq!(app.count("connections").await, 1);
}

#[tokio::test]
async fn a_disabled_config_takes_no_new_connection_and_nothing_is_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    instance(&alice, "Slack", "u2").await;
    let id = strata(&alice, "u1", json!(["Linear"])).await;
    app.execute(
        "UPDATE auth_configs SET enabled = false WHERE integration_id = \
         (SELECT integration_id FROM integrations WHERE slug = 'slack')",
    )
    .await;
    let before = app.fingerprint().await;
    let audit = app.count("audit_log").await;

    let new = json!({"userId": "new", "servers": ["Gmail", "Slack"], "externalServers": [external("wiki")]});
    for refused in [
        create(&alice, new).await,
        add(&alice, &id, json!({"servers": ["Notion", "Slack"]})).await,
    ] {
        let disabled = json!({"detail": "Auth config is disabled"});
        assert_eq!((refused.status, refused.json), (403, disabled));
    }

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audit);
    let theirs = create(&alice, json!({"userId": "u2", "servers": ["Slack"]})).await;
    assert_eq!(theirs.status, 200, "an existing connection is fine");
}

#[tokio::test]
async fn words_of_other_routes_are_ids_of_no_strata() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let unknown = json!({"detail": "Strata not found"});
    for word in [
        "create",
        "add",
        "set-auth",
        "x",
        "%00",
        "%FF",
        "00000000-0000-0000-0000-000000000000",
    ] {
        let get = alice.klavis().get(&at(word)).await;
        assert_eq!((get.status, &get.json), (404, &unknown), "{word}");
        // What is no UTF-8 spoils the name too.
        let auth = at(word).replace("%FF", "y");
        let auth = alice.klavis().get(&format!("{auth}/auth/Slack")).await;
        assert_eq!((auth.status, &auth.json), (404, &unknown), "{word}");
        let servers = alice
            .klavis()
            .delete(&format!("{}/servers", at(word)))
            .await;
        assert_eq!((servers.status, &servers.json), (404, &unknown), "{word}");
    }
    for (method, path) in [
        (Method::DELETE, STRATA.to_owned()),
        (Method::PUT, ADD.to_owned()),
        (Method::DELETE, at(&id)),
        (Method::POST, at(&id)),
        (Method::HEAD, at(&id)),
        (Method::GET, format!("{}/servers", at(&id))),
        (Method::POST, format!("{}/auth/Slack", at(&id))),
    ] {
        let reply = alice.klavis().request(method.clone(), &path).send().await;
        assert_eq!(reply.status, 405, "{method} {path}");
    }
    for path in [
        "/mcp-server/strata",
        "/mcp-server/strata/",
        &format!("{}/auth", at(&id)),
    ] {
        assert_eq!(alice.klavis().get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn deleting_the_user_deletes_their_strata_and_no_others() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let gone = create(
        &alice,
        json!({"userId": "u1", "servers": ["Slack"], "externalServers": [external("wiki")]}),
    )
    .await;
    let gone = gone.json["strataId"].as_str().unwrap().to_owned();
    let kept = strata(&alice, "u2", json!(["Slack"])).await;

    assert_eq!(alice.klavis().delete("/user/u1").await.status, 200);

    assert_eq!(alice.klavis().get(&at(&gone)).await.status, 404);
    assert_eq!(
        add(&alice, &gone, json!({"servers": ["Slack"]}))
            .await
            .status,
        404
    );
    assert_eq!(
        shown(&alice, &kept).await["connectedServers"],
        json!(["Slack"])
    );
    let left = [
        "strata",
        "strata_servers",
        "strata_external_servers",
        "users",
    ];
    for (table, count) in left.into_iter().zip([1, 1, 0, 1]) {
        assert_eq!(app.count(table).await, count, "{table}");
    }
}
