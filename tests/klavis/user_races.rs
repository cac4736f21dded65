//! Users deleted while others connect them: everything is done or was never there, and nobody gets a 5xx.

use futures_util::future::join_all;
use http::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::stories::{CREATE, handed_out, instance, store};

const SERVICES: [&str; 4] = ["Slack", "Gmail", "Linear", "Notion"];

async fn ask(tenant: &Tenant, method: Method, path: &str, body: Option<Value>) -> Reply {
    let request = tenant.klavis().request(method, path);
    match body {
        Some(body) => request.json(body).send().await,
        None => request.send().await,
    }
}

/// Rows that belong to a user who is none.
async fn orphans(app: &TestApp) -> i64 {
    let mut orphans = 0;
    for table in ["connections", "retired_connections", "strata"] {
        orphans += app
            .count(&format!(
                "{table} WHERE user_hash NOT IN (SELECT user_hash FROM users)"
            ))
            .await;
    }
    orphans
}

/// Reads the credential of each connection that one was stored in; says how many there are.
async fn read_back(app: &TestApp, tenant: &Tenant, token: &str) -> usize {
    let stored = "SELECT i.name FROM connections c JOIN integrations i USING (tenant_id, integration_id) \
                  WHERE EXISTS (SELECT FROM audit_log WHERE object_id = c.connection_id::text \
                      AND action = 'connection.set_credential')";
    let rows = app.sql(stored).await;
    for row in &rows {
        let path = format!("/user/u/auth/{}", row["name"].as_str().unwrap());
        let reply = ask(tenant, Method::GET, &path, None).await;
        assert_eq!(
            (reply.status, &reply.json["authData"]),
            (200, &json!({"token": token})),
            "{path}: {}",
            reply.text
        );
    }
    rows.len()
}

#[tokio::test]
async fn deleting_a_user_beside_those_who_connect_them_loses_nothing_and_leaves_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for round in 0..12_u8 {
        let alice = &alice;
        let create = SERVICES.map(|service| {
            let body = json!({"serverName": service, "userId": "u"});
            ask(alice, Method::POST, CREATE, Some(body))
        });
        let set = SERVICES.map(|service| {
            let body = json!({"serverName": service, "userId": "u", "authData": {"token": format!("t{round}")}});
            ask(alice, Method::POST, "/user/set-auth", Some(body))
        });
        let delete = (0..round % 4).map(|_| ask(alice, Method::DELETE, "/user/u", None));
        let (created, set, deleted) =
            tokio::join!(join_all(create), join_all(set), join_all(delete));
        for reply in created.iter().chain(&set) {
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        for reply in &set {
            assert_eq!(reply.json["success"], true, "{}", reply.text);
        }
        for reply in &deleted {
            assert!([200, 404].contains(&reply.status), "{}", reply.text);
        }
        assert_eq!(orphans(&app).await, 0);
        let there = read_back(&app, alice, &format!("t{round}")).await;
        assert!(!deleted.is_empty() || there == SERVICES.len(), "{there}");
        let stored = "audit_log WHERE action = 'connection.set_credential'";
        assert_eq!(app.count(stored).await, 4 * (i64::from(round) + 1));
        // What is not there any more was counted by whoever deleted the user.
        let lost = "SELECT (SELECT count(*) FROM audit_log WHERE action = 'connection.create') \
                    - (SELECT count(*) FROM connections) - (SELECT COALESCE(sum((detail->>'connections')::int), 0) \
                    FROM audit_log WHERE action = 'user.delete') AS lost";
        assert_eq!(app.sql(lost).await, [json!({"lost": 0})]);
        let twice = "connections GROUP BY integration_id, user_hash HAVING count(*) FILTER (WHERE is_primary) <> 1";
        assert_eq!(
            app.sql(&format!("SELECT count(*) FROM {twice}")).await,
            [Value::Null; 0]
        );
    }
    assert!([200, 404].contains(&ask(&alice, Method::DELETE, "/user/u", None).await.status));
    assert_eq!(app.count("connections").await + app.count("users").await, 0);
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn setting_beside_those_who_delete_the_instance_always_ends_well() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for round in 0..20 {
        let id = instance(&alice, "Slack", "u").await;
        let body = json!({"serverName": "Slack", "userId": "u", "authData": {"token": format!("t{round}")}});
        let gone = format!("/mcp-server/instance/{id}");
        let (set, read, cleared, deleted) = tokio::join!(
            ask(&alice, Method::POST, "/user/set-auth", Some(body)),
            ask(&alice, Method::GET, "/user/u/auth/Slack", None),
            ask(&alice, Method::DELETE, "/user/u/auth/Slack", None),
            ask(&alice, Method::DELETE, &gone, None),
        );
        assert_eq!(
            (set.status, &set.json["success"]),
            (200, &json!(true)),
            "{}",
            set.text
        );
        assert_eq!(
            (read.status, cleared.status),
            (200, 200),
            "{}{}",
            read.text,
            cleared.text
        );
        assert!([200, 404].contains(&deleted.status), "{}", deleted.text);
        let ready = &read.json["isAuthenticated"];
        assert_eq!(ready, &read.json["success"], "{}", read.text);
    }
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn many_who_connect_a_new_user_make_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let asked = (0..12).map(|number| {
        let body =
            json!({"serverName": SERVICES[number % 4], "userId": "u", "authData": {"token": "t"}});
        ask(&alice, Method::POST, "/user/set-auth", Some(body))
    });

    for reply in join_all(asked).await {
        assert_eq!(
            (reply.status, &reply.json["success"]),
            (200, &json!(true)),
            "{}",
            reply.text
        );
    }

    assert_eq!(app.count("users").await, 1);
    assert_eq!(
        app.count("connections WHERE is_primary AND status = 'ACTIVE'")
            .await,
        4
    );
    assert_eq!(app.count("connections").await, 4);
    assert_eq!(app.deadlocks().await, 0);
}

/// What is retired while its user is deleted goes too: the bytes must not outlive the user.
#[tokio::test]
async fn deleting_a_user_beside_a_change_of_type_leaves_no_sealed_byte() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme"}))
        .await;
    let acme = made.json["integration"]["id"].as_str().unwrap().to_owned();
    let setting = format!("/integrations/v1/{acme}/auth");
    for round in 0..10 {
        let kinds = [
            ["API_KEY", "SERVICE_ACCOUNT"],
            ["SERVICE_ACCOUNT", "API_KEY"],
        ][round % 2];
        let now = json!({"authType": kinds[0]});
        assert_eq!(alice.langdock().patch(&setting, now).await.status, 200);
        let id = instance(&alice, "Acme", "u").await;
        store(&alice, &id, json!({"token": "t"})).await;
        assert_ne!(handed_out(&alice, &id).await, Value::Null);
        let (langdock, klavis) = (alice.langdock(), alice.klavis());

        let (changed, deleted) = tokio::join!(
            langdock.patch(&setting, json!({"authType": kinds[1]})),
            klavis.delete("/user/u"),
        );

        assert_eq!(
            (changed.status, deleted.status),
            (200, 200),
            "{}",
            deleted.text
        );
        for table in ["connections", "retired_connections", "users"] {
            assert_eq!(app.count(table).await, 0, "{table} in round {round}");
        }
    }
    assert_eq!(app.deadlocks().await, 0);
}
