//! Instances: made once per service and user, shown without their secret.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::stories::{CREATE, instance, path, refused, set_auth, store};

#[tokio::test]
async fn an_instance_is_made_once_for_each_service_and_user() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let request = |name: &str| json!({"serverName": name, "userId": "u1", "platformName": "web"});

    let first = alice
        .klavis()
        .post(CREATE, request("Google Calendar"))
        .await;

    assert_eq!(first.status, 200, "{}", first.text);
    let id = first.json["instanceId"].as_str().unwrap();
    let url = first.json["serverUrl"].as_str().unwrap();
    assert!(url.starts_with("http") && url.contains(id), "{url}");
    assert_eq!(
        first.json,
        json!({"serverUrl": url, "instanceId": id, "oauthUrl": null})
    );
    for name in [
        "GOOGLE_CALENDAR",
        "google-calendar",
        "google calendar",
        "googlecalendar",
    ] {
        let again = alice.klavis().post(CREATE, request(name)).await;
        assert_eq!((again.status, &again.json), (200, &first.json), "{name}");
    }
    assert_eq!(app.count("connections").await, 1);
    assert_ne!(instance(&alice, "Google Calendar", "u2").await, id);
    assert_ne!(instance(&alice, "Gmail", "u1").await, id);
    assert_ne!(instance(&bob, "Google Calendar", "u1").await, id);
    assert_eq!(app.count("connections").await, 4);
}

#[tokio::test]
async fn concurrent_creations_of_one_pair_make_one_instance() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let made =
        futures_util::future::join_all((0..16).map(|_| instance(&alice, "Notion", "u1"))).await;

    assert!(made.iter().all(|id| *id == made[0]), "{made:?}");
    assert_eq!(app.count("connections").await, 1);
    assert_eq!(app.count("integrations").await, 1);
}

#[tokio::test]
async fn an_instance_is_shown_as_it_is() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let request = json!({"serverName": "GOOGLE_CALENDAR", "userId": "u1", "platformName": "web", "isReadOnly": "yes"});
    let id = alice.klavis().post(CREATE, request).await.json["instanceId"]
        .as_str()
        .unwrap()
        .to_owned();
    let shown = |authenticated: bool| {
        json!({
            "instanceId": id, "authNeeded": true, "isAuthenticated": authenticated, "serverName": "Google Calendar",
            "platform": "web", "externalUserId": "u1", "oauthUrl": null,
        })
    };

    let reply = alice.klavis().get(&path(&id)).await;
    assert_eq!((reply.status, reply.json), (200, shown(false)));

    store(&alice, &id, json!({"token": "t"})).await;
    for text in [
        id.clone(),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("urn:uuid:{id}"),
        format!("%7B{id}%7D"),
    ] {
        let reply = alice.klavis().get(&path(&text)).await;
        assert_eq!((reply.status, reply.json), (200, shown(true)), "{text}");
    }
}

#[tokio::test]
async fn showing_an_instance_writes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let (before, audited) = (app.fingerprint().await, app.count("audit_log").await);

    assert_eq!(alice.klavis().get(&path(&id)).await.status, 200);

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audited);
}

#[tokio::test]
async fn an_unknown_server_is_refused_and_nothing_is_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;

    for name in [
        json!("No such server"),
        json!(""),
        json!("!!!"),
        json!(7),
        json!(null),
        json!("Gmail\u{0}"),
    ] {
        let reply = alice
            .klavis()
            .post(CREATE, json!({"serverName": name, "userId": "u1"}))
            .await;
        assert_eq!(reply.status, 422, "{name}");
        let detail = reply.json["detail"].as_array().unwrap();
        assert_eq!(detail.len(), 1, "{name}");
        assert_eq!(
            (&detail[0]["type"], &detail[0]["loc"]),
            (&json!("enum"), &json!(["body", "serverName"])),
            "{name}"
        );
        assert!(detail[0]["ctx"]["expected"].is_string());
    }

    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn an_unknown_server_is_named_beside_the_other_faults_and_first() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let places = async |server: &str| {
        let body = json!({ "serverName": server, "userId": "", "legacy": "x" });
        let reply = alice.klavis().post(CREATE, body).await;
        assert_eq!(reply.status, 422);
        let detail = reply.json["detail"].as_array().unwrap().clone();
        let place = |item: &serde_json::Value| item["loc"][1].as_str().unwrap().to_owned();
        detail.iter().map(place).collect::<Vec<_>>()
    };

    let unknown = places("No such server").await;
    let known = places("Gmail").await;

    assert_eq!(unknown, ["serverName", "userId", "legacy"]);
    assert_eq!(known, ["userId", "legacy"]);
}

#[tokio::test]
async fn texts_that_cannot_be_stored_are_refused_where_they_stand() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let request = json!({"serverName": "Gmail", "userId": "a\u{0}", "platformName": "b\u{0}"});
    let reply = alice.klavis().post(CREATE, request).await;

    let item = |member: &str| {
        json!({
            "type": "value_error", "loc": ["body", member],
            "msg": "Value error, the text holds U+0000, which cannot be stored",
            "ctx": {"error": "the text holds U+0000, which cannot be stored"},
        })
    };
    assert_eq!(
        (reply.status, reply.json),
        (
            422,
            json!({"detail": [item("userId"), item("platformName")]})
        )
    );
}

#[tokio::test]
async fn a_langdock_integration_takes_instances_and_needs_no_credential_at_first() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let made = alice
        .langdock()
        .post("/integrations/v1/create", json!({"name": "In-house CRM"}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);

    let id = instance(&alice, "IN_HOUSE_CRM", "u1").await;

    assert_eq!(instance(&alice, "In-house CRM", "u1").await, id);
    let shown = alice.klavis().get(&path(&id)).await;
    assert_eq!(
        shown.json,
        json!({
            "instanceId": id, "authNeeded": false, "isAuthenticated": false, "serverName": "In-house CRM",
            "platform": null, "externalUserId": "u1", "oauthUrl": null,
        })
    );
    let before = app.fingerprint().await;
    let reply = set_auth(&alice, &id, json!({"token": "t"})).await;
    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(false)));
    assert!(reply.json["message"].is_string());
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_disabled_config_makes_no_new_instances_and_keeps_the_old() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let old = instance(&alice, "Linear", "u1").await;
    app.execute("UPDATE auth_configs SET enabled = false").await;

    let refused = alice
        .klavis()
        .post(CREATE, json!({"serverName": "Linear", "userId": "u2"}))
        .await;

    assert_eq!(
        (refused.status, refused.json),
        (403, json!({"detail": "Auth config is disabled"}))
    );
    assert_eq!(instance(&alice, "Linear", "u1").await, old);
    store(&alice, &old, json!({"token": "t"})).await;
}

#[tokio::test]
async fn an_ill_formed_id_in_the_path_is_named() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let expected = {
        let error = "expected 32 hexadecimal digits, with hyphens or without";
        let mut body = refused(
            "uuid_parsing",
            &["path", "instanceId"],
            &format!("Input should be a valid UUID, {error}"),
        );
        body["detail"][0]["ctx"] = json!({ "error": error });
        body
    };
    for path in ["set-auth", "create", "zz", "%FF", "zz/auth"] {
        let reply = alice
            .klavis()
            .get(&format!("/mcp-server/instance/{path}"))
            .await;
        assert_eq!((reply.status, &reply.json), (422, &expected), "{path}");
    }
    let reply = alice.klavis().delete("/mcp-server/instance/zz/auth").await;
    assert_eq!((reply.status, reply.json), (422, expected));
}

/// Where a user is named in a body: the path, and the body for this id.
fn naming(user: &str) -> [(&'static str, Value); 4] {
    [
        (
            CREATE,
            json!({"serverName": "Slack", "userId": user, "platformName": user}),
        ),
        (
            "/mcp-server/self-hosted/instance/create",
            json!({"serverName": "Slack", "userId": user}),
        ),
        (
            "/user/set-auth",
            json!({"userId": user, "serverName": "Slack", "authData": {"token": "t"}}),
        ),
        (
            "/mcp-server/strata/create",
            json!({"userId": user, "servers": ["Slack"]}),
        ),
    ]
}

#[tokio::test]
async fn a_users_id_and_a_platforms_name_have_2048_characters_at_most() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let too_long = |member: &str| {
        json!({
            "type": "string_too_long", "loc": ["body", member], "msg": "String should have at most 2048 characters",
            "ctx": {"max_length": 2048},
        })
    };
    let before = app.fingerprint().await;
    for (path, mut body) in naming(&("\u{1F511}".repeat(2_048) + "u")) {
        let reply = alice.klavis().post(path, body.clone()).await;
        let mut faults = vec![too_long("userId")];
        if path == CREATE {
            faults.push(too_long("platformName"));
        }
        assert_eq!(
            (reply.status, &reply.json),
            (422, &json!({"detail": faults}))
        );

        // All faults at once, in declared order.
        body["serverName"] = json!("nope");
        body["servers"] = json!("nope");
        let reply = alice.klavis().post(path, body).await;
        let items = reply.json["detail"].as_array().unwrap();
        let members: Vec<_> = items.iter().map(|item| &item["loc"][1]).collect();
        let expected = match path {
            CREATE => json!(["serverName", "userId", "platformName"]),
            "/user/set-auth" => json!(["userId", "serverName"]),
            "/mcp-server/strata/create" => json!(["userId", "servers", "servers"]),
            _ => json!(["serverName", "userId"]),
        };
        assert_eq!(json!(members), expected, "{path}: {}", reply.text);
    }
    assert_eq!(app.fingerprint().await, before);

    let longest = "\u{1F511}".repeat(2_048);
    for (path, body) in naming(&longest) {
        let reply = alice.klavis().post(path, body).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    }
    let listed = alice.klavis().get("/user/").await;
    assert_eq!(listed.json["users"][0]["userId"], longest);
}
