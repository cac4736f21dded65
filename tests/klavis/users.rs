//! Users: made with their first connection, listed in pages, shown with what they are connected to, destroyed whole.

use http::Method;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{auth_path, handed_out, instance, store};

pub async fn users(tenant: &Tenant, query: &str) -> Value {
    let reply = tenant.klavis().get(&format!("/user/{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

pub fn ids(page: &Value) -> Vec<&str> {
    let users = page["users"].as_array().unwrap().iter();
    users.map(|user| user["userId"].as_str().unwrap()).collect()
}

fn not_found() -> (u16, Value) {
    (404, json!({"detail": "User not found"}))
}

pub fn moment(value: &Value) -> OffsetDateTime {
    let text = value.as_str().unwrap();
    assert!(text.ends_with('Z'), "{text} is not in UTC");
    OffsetDateTime::parse(text, &Rfc3339).unwrap()
}

#[tokio::test]
async fn a_user_is_shown_with_the_last_use_of_a_connection() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let klavis = alice.klavis();
    assert_eq!(answered(&alice, "/user/u1").await, not_found());
    let id = instance(&alice, "Slack", "u1").await;
    instance(&alice, "Gmail", "u1").await;

    let fresh = klavis.get("/user/u1").await.json;

    let members: Vec<_> = fresh.as_object().unwrap().keys().collect();
    assert_eq!(members, ["userId", "createdAt", "lastUsedAt"]);
    assert_eq!(
        (&fresh["userId"], &fresh["lastUsedAt"]),
        (&json!("u1"), &Value::Null)
    );
    let made = moment(&fresh["createdAt"]);
    store(&alice, &id, json!({"token": "t"})).await;
    let stored = moment(&klavis.get("/user/u1").await.json["lastUsedAt"]);
    assert!(stored >= made);
    handed_out(&alice, &id).await;
    let used = moment(&klavis.get("/user/u1").await.json["lastUsedAt"]);
    assert!(used > stored);
    let before = (app.fingerprint().await, app.count("audit_log").await);
    instance(&alice, "Slack", "u1").await;
    let again = klavis.get("/user/u1").await.json;
    assert_eq!(moment(&again["lastUsedAt"]), used, "asking is no use");
    assert_eq!(moment(&again["createdAt"]), made);
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
}

async fn answered(tenant: &Tenant, path: &str) -> (u16, Value) {
    let reply = tenant.klavis().get(path).await;
    (reply.status, reply.json)
}

#[tokio::test]
async fn any_text_can_be_a_users_id() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let longest = "\u{1F511}".repeat(2_048);
    let encoded = "%F0%9F%94%91".repeat(2_048);
    for (id, in_path) in [
        ("set-auth", "set-auth"),
        ("a/b?c#d", "a%2Fb%3Fc%23d"),
        (" ", "%20"),
        ("ü+\u{1F511}", "%C3%BC+%F0%9F%94%91"),
        ("auth", "auth"),
        ("\u{FFFD}", "%EF%BF%BD"),
        (&longest, &encoded),
    ] {
        instance(&alice, "Slack", id).await;
        let path = format!("/user/{in_path}");
        assert_eq!(answered(&alice, &path).await.1["userId"], id);
        let integrations = answered(&alice, &format!("{path}/integrations")).await;
        assert_eq!(integrations.1["integrations"][0]["name"], "Slack", "{id}");
        let auth = answered(&alice, &format!("{path}/auth/Slack")).await;
        assert_eq!((auth.0, &auth.1["userId"]), (200, &json!(id)));
        let reply = alice.klavis().delete(&path).await;
        assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
        assert_eq!(answered(&alice, &path).await, not_found());
    }
    instance(&alice, "Slack", "\u{FFFD}").await;
    for path in ["/user/%00", "/user/%FF", "/user/%ED%A0%80", "/user/U1"] {
        assert_eq!(answered(&alice, path).await, not_found(), "{path}");
    }
    for path in [
        "/user//integrations",
        "/user/x/auth/",
        "/user//",
        "/user//auth/Slack",
    ] {
        let none = (404, json!({"detail": "Not Found"}));
        assert_eq!(answered(&alice, path).await, none, "{path}");
    }
}

#[tokio::test]
async fn only_integrations_with_a_published_name_are_listed_each_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    // The catalogue knows this one, Klavis has published no name for it.
    for service in [
        "Acme",
        "Anthropic",
        "google calendar",
        "SLACK",
        "microsoft-teams",
        "Onedrive",
    ] {
        instance(&alice, service, "u1").await;
    }
    let slack = instance(&alice, "Slack", "u1").await;
    store(&alice, &slack, json!({"token": "t"})).await;
    instance(&alice, "Gmail", "u2").await;

    let listed = answered(&alice, "/user/u1/integrations").await;

    let item = |name: &str, ready: bool| json!({"name": name, "is_authenticated": ready});
    let expected = json!({"integrations": [
        item("Google Calendar", false), item("Microsoft Teams", false), item("OneDrive", false), item("Slack", true),
    ]});
    assert_eq!(listed, (200, expected));
    assert_eq!(alice.klavis().delete(&auth_path(&slack)).await.status, 200);
    let listed = answered(&alice, "/user/u1/integrations").await.1;
    assert_eq!(listed["integrations"][3], item("Slack", false));
    assert_eq!(answered(&alice, "/user/u3/integrations").await, not_found());
}

#[tokio::test]
async fn deleting_a_user_destroys_everything_of_theirs_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme"}))
        .await;
    let acme = made.json["integration"]["id"].as_str().unwrap().to_owned();
    let setting = format!("/integrations/v1/{acme}/auth");
    let set = async |kind: &str| {
        let reply = alice
            .langdock()
            .patch(&setting, json!({"authType": kind}))
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };
    set("API_KEY").await;
    for user in ["u1", "u2"] {
        let retiring = instance(&alice, "Acme", user).await;
        store(&alice, &retiring, json!({"token": canary()})).await;
    }
    set("SERVICE_ACCOUNT").await;
    let mut kept = Vec::new();
    for (service, user) in [
        ("Acme", "u1"),
        ("Slack", "u1"),
        ("Acme", "u2"),
        ("Slack", "u2"),
    ] {
        let id = instance(&alice, service, user).await;
        store(&alice, &id, json!({"token": canary()})).await;
        if user == "u2" {
            kept.push(id);
        }
    }
    app.execute(&format!(
        "INSERT INTO strata (tenant_id, strata_id, user_hash)
            SELECT '{}', gen_random_uuid(), user_hash FROM users, generate_series(1, 3)",
        alice.id
    ))
    .await;
    let of = |table: &str, user: &str| format!("{table} WHERE user_hash = sha256('{user}')");
    assert_eq!(app.count(&of("retired_connections", "u1")).await, 1);
    let audited = app.count("audit_log").await;

    let reply = alice.klavis().delete("/user/u1").await;

    let expected = json!({"success": true, "message": "User deleted, with 2 instances"});
    assert_eq!((reply.status, reply.json), (200, expected));
    for (table, each) in [
        ("users", 1),
        ("connections", 2),
        ("retired_connections", 1),
        ("strata", 3),
    ] {
        assert_eq!(app.count(&of(table, "u1")).await, 0, "{table}");
        assert_eq!(app.count(&of(table, "u2")).await, each, "{table}");
    }
    for id in &kept {
        assert_ne!(handed_out(&alice, id).await, Value::Null);
    }
    let rows = app
        .sql("SELECT object_id, detail FROM audit_log WHERE action = 'user.delete' AND object_kind = 'user'")
        .await;
    let hash = app.sql("SELECT encode(sha256('u1'), 'hex') AS hash").await;
    assert_eq!(
        rows,
        [
            json!({"object_id": hash[0]["hash"], "detail": {"connections": 2, "retired_connections": 1, "strata": 3}})
        ]
    );
    assert_eq!(
        app.count("audit_log").await,
        audited + 1 + 2,
        "and two hand-outs"
    );
    assert_eq!(answered(&alice, "/user/u1").await, not_found());
    let reply = alice.klavis().delete("/user/u1").await;
    assert_eq!((reply.status, reply.json), not_found());
    assert_eq!(ids(&users(&alice, "").await), ["u2"]);
    let anew = instance(&alice, "Slack", "u1").await;
    assert_eq!(handed_out(&alice, &anew).await, Value::Null);
    let reply = alice.klavis().delete("/user/u1").await;
    assert_eq!(reply.json["message"], "User deleted, with 1 instance");
    app.finish().await;
}

#[tokio::test]
async fn to_another_tenant_a_user_is_as_unknown_as_anyone() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "t"})).await;
    let before = app.fingerprint().await;
    for (method, path) in [
        (Method::GET, "/user/u1"),
        (Method::GET, "/user/u1/integrations"),
        (Method::GET, "/user/u1/auth/Slack"),
        (Method::DELETE, "/user/u1/auth/Slack"),
        (Method::DELETE, "/user/u1"),
    ] {
        let reply = mallory.klavis().request(method, path).send().await;
        assert_eq!((reply.status, reply.json), not_found(), "{path}");
    }
    assert_eq!(ids(&users(&mallory, "").await), [""; 0]);
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_limited_key_sees_the_users_of_its_integrations_and_deletes_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (service, user) in [
        ("Slack", "both"),
        ("Gmail", "both"),
        ("Gmail", "other"),
        ("Slack", "mine"),
    ] {
        let id = instance(&alice, service, user).await;
        if service == "Gmail" {
            store(&alice, &id, json!({"token": "t"})).await;
        }
    }
    let rows = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'slack'")
        .await;
    let limited = alice
        .limited_to(&[rows[0]["integration_id"].as_str().unwrap()])
        .await;
    let before = (app.fingerprint().await, app.count("audit_log").await);

    let page = users(&limited, "?page_size=1").await;
    assert_eq!(
        (ids(&page), &page["totalCount"], &page["totalPages"]),
        (vec!["both"], &json!(2), &json!(2))
    );
    assert_eq!(
        ids(&users(&limited, "?page_size=1&page_number=2").await),
        ["mine"]
    );
    assert_eq!(answered(&limited, "/user/other").await, not_found());
    assert_eq!(
        answered(&limited, "/user/other/integrations").await,
        not_found()
    );
    assert_eq!(
        answered(&limited, "/user/other/auth/Slack").await,
        not_found()
    );
    assert_eq!(answered(&limited, "/user/both/auth/Gmail").await.0, 422);
    let shown = answered(&limited, "/user/both").await.1;
    assert_eq!(
        shown["lastUsedAt"],
        Value::Null,
        "what it may not see is not used"
    );
    let listed = answered(&limited, "/user/both/integrations").await.1;
    assert_eq!(
        listed["integrations"],
        json!([{"name": "Slack", "is_authenticated": false}])
    );
    for user in ["mine", "other", "nobody"] {
        let reply = limited.klavis().delete(&format!("/user/{user}")).await;
        let refused = "The API key is limited to some integrations and cannot do this";
        assert_eq!(
            (reply.status, reply.json),
            (403, json!({"detail": refused}))
        );
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    let to_nothing = alice.limited_to(&[""; 0]).await;
    assert_eq!(users(&to_nothing, "").await["totalCount"], 0);
}

#[tokio::test]
async fn other_methods_are_not_allowed_and_say_which_are() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (path, wrong, allowed) in [
        ("/user/", "POST", vec!["GET"]),
        ("/user/", "HEAD", vec!["GET"]),
        ("/user/x", "POST", vec!["GET", "DELETE"]),
        ("/user/x", "HEAD", vec!["GET", "DELETE"]),
        ("/user/set-auth", "PUT", vec!["POST", "GET", "DELETE"]),
        ("/user/set-auth", "HEAD", vec!["POST", "GET", "DELETE"]),
        ("/user/x/integrations", "DELETE", vec!["GET"]),
        ("/user/x/auth/Slack", "PATCH", vec!["GET", "DELETE"]),
    ] {
        let method = Method::from_bytes(wrong.as_bytes()).unwrap();
        let reply = alice.klavis().request(method, path).send().await;
        assert_eq!(reply.status, 405, "{wrong} {path}");
        for method in allowed {
            assert!(
                reply.header("allow").contains(method),
                "{path}: {}",
                reply.header("allow")
            );
        }
    }
}
