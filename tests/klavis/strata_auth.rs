//! Credentials through a strata: the same as through the user and through the instance.

use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{audited, auth_path, instance, path, set_auth};
use crate::strata::{at, strata};

const SET_AUTH: &str = "/mcp-server/strata/set-auth";

async fn set(tenant: &Tenant, strata: &str, service: &str, auth_data: Value) -> Reply {
    let body = json!({"strataId": strata, "serverName": service, "authData": auth_data});
    tenant.klavis().post(SET_AUTH, body).await
}

fn auth_at(strata: &str, service: &str) -> String {
    format!("{}/auth/{service}", at(strata))
}

async fn get(tenant: &Tenant, strata: &str, service: &str) -> Value {
    let reply = tenant.klavis().get(&auth_at(strata, service)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

fn none(service: &str) -> Value {
    json!({
        "success": false, "serverName": service, "authData": null, "isAuthenticated": false,
        "message": "No authentication data is stored for this server",
    })
}

fn outside(service: &str) -> Value {
    let mut told = none(service);
    told["message"] = json!("This server is not part of this strata");
    told
}

/// Three doors to one credential.
struct Doors {
    instance: String,
    strata: [String; 2],
}

impl Doors {
    const COUNT: usize = 4;

    async fn write(&self, tenant: &Tenant, door: usize, data: Value) -> Reply {
        match door {
            0 => set_auth(tenant, &self.instance, data).await,
            1 => {
                let body = json!({"userId": "u1", "serverName": "gmail", "authData": data});
                tenant.klavis().post("/user/set-auth", body).await
            }
            _ => set(tenant, &self.strata[door - 2], "GMAIL", data).await,
        }
    }

    fn path(&self, door: usize) -> String {
        match door {
            0 => auth_path(&self.instance),
            1 => "/user/u1/auth/Gmail".to_owned(),
            _ => auth_at(&self.strata[door - 2], "gmail"),
        }
    }
}

#[tokio::test]
async fn instance_user_and_strata_reach_the_same_credential() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let doors = Doors {
        strata: [
            strata(&alice, "u1", json!(["Gmail", "Slack"])).await,
            strata(&alice, "u1", json!(["Gmail"])).await,
        ],
        instance: instance(&alice, "Gmail", "u1").await,
    };
    for writing in 0..Doors::COUNT {
        let data = json!({"token": canary()});
        let reply = doors.write(&alice, writing, data.clone()).await;
        let saved = json!({"success": true, "message": "Authentication data saved"});
        assert_eq!((reply.status, reply.json), (200, saved), "{writing}");
        for reading in 0..Doors::COUNT {
            let reply = alice.klavis().get(&doors.path(reading)).await;
            assert_eq!(reply.json["authData"], data, "{writing} {reading}");
            if reading >= 2 {
                let expected = json!({
                    "success": true, "serverName": "Gmail", "authData": data, "isAuthenticated": true, "message": null,
                });
                assert_eq!(reply.json, expected);
            }
        }
        let reply = alice
            .klavis()
            .delete(&doors.path((writing + 1) % Doors::COUNT))
            .await;
        let deleted = json!({"success": true, "message": "Authentication data deleted"});
        assert_eq!((reply.status, reply.json), (200, deleted), "{writing}");
        for reading in 0..Doors::COUNT {
            let reply = alice.klavis().get(&doors.path(reading)).await;
            assert_eq!((reply.status, &reply.json["authData"]), (200, &Value::Null));
            assert_eq!(reply.json["success"], false);
        }
    }
    assert_eq!(get(&alice, &doors.strata[0], "Gmail").await, none("Gmail"));
    assert_eq!(app.count("connections").await, 2);
    app.finish().await;
}

#[tokio::test]
async fn each_change_and_each_hand_out_leaves_one_audit_row() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let slack = instance(&alice, "Slack", "u1").await;
    let all = app.count("audit_log").await;

    get(&alice, &id, "Slack").await;
    assert_eq!(app.count("audit_log").await, all, "nothing was handed out");
    set(&alice, &id, "Slack", json!({"api_key": "k"})).await;
    get(&alice, &id, "Slack").await;
    alice.klavis().delete(&auth_at(&id, "Slack")).await;

    assert_eq!(app.count("audit_log").await, all + 3);
    let actions = audited(&app, &slack).await;
    assert_eq!(actions.len(), 4, "{actions:?}");
    assert_eq!(audited(&app, &id).await, ["strata.create"]);
}

#[tokio::test]
async fn a_server_outside_the_strata_is_told_so_and_nothing_happens() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let linear = instance(&alice, "Linear", "u1").await;
    assert_eq!(
        set_auth(&alice, &linear, json!({"token": canary()}))
            .await
            .status,
        200
    );
    let before = app.fingerprint().await;
    let audit = app.count("audit_log").await;

    for (asked, name) in [("linear", "Linear"), ("google_calendar", "Google Calendar")] {
        let refused =
            json!({"success": false, "message": "This server is not part of this strata"});
        let reply = set(&alice, &id, asked, json!({"token": canary()})).await;
        assert_eq!((reply.status, reply.json), (200, refused.clone()));
        assert_eq!(get(&alice, &id, asked).await, outside(name));
        let reply = alice.klavis().delete(&auth_at(&id, asked)).await;
        assert_eq!((reply.status, reply.json), (200, refused));
    }

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audit);
    app.finish().await;
}

/// The strata holds the service, not a connection: set-auth makes one where the instance was deleted.
#[tokio::test]
async fn a_deleted_instance_has_no_credential_and_set_auth_makes_another() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let slack = instance(&alice, "Slack", "u1").await;
    set(&alice, &id, "Slack", json!({"token": "old"})).await;
    assert_eq!(alice.klavis().delete(&path(&slack)).await.status, 200);

    assert_eq!(get(&alice, &id, "Slack").await, none("Slack"));
    let reply = alice.klavis().delete(&auth_at(&id, "Slack")).await;
    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
    let empty = set(&alice, &id, "Slack", json!({"data": {}})).await;
    assert_eq!((empty.status, &empty.json["success"]), (200, &json!(false)));
    assert_eq!(app.count("connections").await, 0);

    let reply = set(&alice, &id, "Slack", json!({"token": "new"})).await;
    assert_eq!(reply.json["success"], true, "{}", reply.text);
    assert_eq!(
        get(&alice, &id, "Slack").await["authData"],
        json!({"token": "new"})
    );
    assert_eq!(
        app.count("connections WHERE is_primary AND user_id = 'u1'")
            .await,
        1
    );
}

#[tokio::test]
async fn nothing_to_store_and_no_authentication_change_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Open"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = strata(&alice, "u1", json!(["Slack", "Open"])).await;
    set(&alice, &id, "Slack", json!({"token": "kept"})).await;
    let before = app.fingerprint().await;
    for (service, data) in [
        ("Slack", json!({})),
        ("Slack", json!({"token": null, "api_key": ""})),
        ("Slack", json!({"data": {"a": null, "b": ""}})),
        ("Open", json!({"token": "t"})),
    ] {
        let reply = set(&alice, &id, service, data).await;
        assert_eq!((reply.status, &reply.json["success"]), (200, &json!(false)));
        assert!(reply.json["message"].is_string());
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(
        get(&alice, &id, "Slack").await["authData"],
        json!({"token": "kept"})
    );
}

#[tokio::test]
async fn declared_fields_are_checked_where_they_stand_in_the_request() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "Acme"}))
        .await;
    let path = format!(
        "/integrations/v1/{}/auth",
        made.json["integration"]["id"].as_str().unwrap()
    );
    let field = |slug: &str, kind: &str| json!({"slug": slug, "label": slug, "type": kind, "required": true});
    let fields = json!({"authType": "API_KEY", "authFields": [field("service", "TEXT"), field("port", "NUMBER")]});
    assert_eq!(alice.langdock().patch(&path, fields).await.status, 200);
    let id = strata(&alice, "u1", json!(["Acme"])).await;

    let reply = set(&alice, &id, "Acme", json!({"data": {"port": "x"}})).await;

    let loc = |slug: &str| json!(["body", "authData", "GeneralAuth", "data", slug]);
    assert_eq!(reply.status, 422);
    let items = reply.json["detail"].as_array().unwrap();
    let told: Vec<_> = items
        .iter()
        .map(|item| (&item["type"], &item["loc"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("missing"), &loc("service")),
            (&json!("float_parsing"), &loc("port"))
        ]
    );
    let reply = set(
        &alice,
        &id,
        "Acme",
        json!({"data": {"port": 1, "service": "s"}}),
    )
    .await;
    assert_eq!(reply.json["success"], true, "{}", reply.text);
}

#[tokio::test]
async fn a_connection_that_is_not_active_is_not_authenticated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    set(&alice, &id, "Slack", json!({"token": "t"})).await;
    app.execute("UPDATE connections SET status = 'EXPIRED'")
        .await;
    let found = get(&alice, &id, "Slack").await;
    assert_eq!(
        (&found["success"], &found["isAuthenticated"]),
        (&json!(true), &json!(false))
    );
}
