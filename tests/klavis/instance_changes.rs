//! Instances made for a self-hosted server, and changed.

use http::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::deletion::{deleted, everything};
use crate::stories::{audited, handed_out, instance, path, store};

const SELF_HOSTED: &str = "/mcp-server/self-hosted/instance/create";

/// Status, and type and place of each fault.
fn faults(reply: &Reply) -> (u16, Vec<String>) {
    let items = reply.json["detail"].as_array().cloned().unwrap_or_default();
    let told = |item: &Value| format!("{} {}", item["type"].as_str().unwrap(), item["loc"]);
    (reply.status, items.iter().map(told).collect())
}

#[tokio::test]
async fn a_self_hosted_server_gets_the_same_instance() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let body =
        json!({"serverName": "GOOGLE_CALENDAR", "userId": "u1", "platformName": 7, "more": []});
    let reply = alice.klavis().post(SELF_HOSTED, body).await;

    let id = reply.json["instanceId"].as_str().unwrap().to_owned();
    assert_eq!(
        (reply.status, &reply.json),
        (200, &json!({"instanceId": id, "oauthUrl": null}))
    );
    assert_eq!(instance(&alice, "Google Calendar", "u1").await, id);
    assert_eq!(audited(&app, &id).await, ["connection.create"]);
    app.execute("UPDATE auth_configs SET enabled = false").await;
    let body = json!({"serverName": "Google Calendar", "userId": "u2"});
    let reply = alice.klavis().post(SELF_HOSTED, body).await;
    assert_eq!(
        (reply.status, reply.json),
        (403, json!({"detail": "Auth config is disabled"}))
    );
}

#[tokio::test]
async fn a_bad_request_for_a_self_hosted_server_names_every_fault() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;
    for (body, expected) in [
        (
            json!({}),
            &[
                "missing [\"body\",\"serverName\"]",
                "missing [\"body\",\"userId\"]",
            ][..],
        ),
        (
            json!({"userId": "", "serverName": "No such server"}),
            &[
                "enum [\"body\",\"serverName\"]",
                "string_too_short [\"body\",\"userId\"]",
            ],
        ),
        (
            json!({"userId": "u", "serverName": "No such server"}),
            &["enum [\"body\",\"serverName\"]"],
        ),
        (
            json!({"userId": null, "serverName": "Gmail"}),
            &["string_type [\"body\",\"userId\"]"],
        ),
        (json!([]), &["model_attributes_type [\"body\"]"]),
    ] {
        let reply = alice.klavis().post(SELF_HOSTED, body.clone()).await;
        let (status, found) = faults(&reply);
        assert_eq!(status, 422, "{body}");
        assert_eq!(found, expected, "{body}");
    }
    assert_eq!(app.fingerprint().await, before);
    let reply = alice.klavis().get(SELF_HOSTED).await;
    assert_eq!((reply.status, reply.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn an_instance_is_made_read_only_and_writable_again() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "kept"})).await;
    let patch = async |body: Value| {
        let reply = alice.klavis().patch(&path(&id), body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json.as_object().unwrap().len(), 3, "{}", reply.text);
        assert_eq!(reply.json["instanceId"], id.as_str());
        assert!(reply.json["message"].is_string());
        reply.json["isReadOnly"].as_bool().unwrap()
    };

    assert!(patch(json!({"isReadOnly": true})).await);
    let (before, rows) = (app.fingerprint().await, app.count("audit_log").await);
    for nothing in [
        json!({}),
        json!({"isReadOnly": null}),
        json!({"isReadOnly": 1}),
        json!({"isReadOnly": "YES"}),
    ] {
        assert!(patch(nothing.clone()).await, "{nothing}");
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        (before, rows)
    );
    assert_eq!(app.count("connections WHERE read_only").await, 1);
    assert!(!patch(json!({"isReadOnly": "off"})).await);

    assert_eq!(app.count("connections WHERE read_only").await, 0);
    let actions = [
        "connection.create",
        "connection.set_credential",
        "connection.update",
        "connection.update",
    ];
    assert_eq!(audited(&app, &id).await, actions);
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "kept"}));
}

/// What a body has of faults, beside those of the path.
const BODIES: &[(&str, &str, &[&str])] = &[
    ("", "application/json", &["missing [\"body\"]"]),
    (
        "null",
        "application/json",
        &["model_attributes_type [\"body\"]"],
    ),
    (
        "[1]",
        "application/json",
        &["model_attributes_type [\"body\"]"],
    ),
    ("{}", "text/plain", &["model_attributes_type [\"body\"]"]),
    (
        r#"{"isReadOnly":1.5}"#,
        "application/json",
        &["bool_type [\"body\",\"isReadOnly\"]"],
    ),
    (
        r#"{"z":1,"isReadOnly":"x","a":2}"#,
        "application/merge-patch+json",
        &[
            "bool_parsing [\"body\",\"isReadOnly\"]",
            "extra_forbidden [\"body\",\"z\"]",
            "extra_forbidden [\"body\",\"a\"]",
        ],
    ),
];

/// Measured on the original. The words that stand for other routes are ids to this one.
#[tokio::test]
async fn faults_of_path_and_body_are_told_together() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let before = app.fingerprint().await;
    let send = async |named: &str, kind: &str, body: &[u8]| {
        let request = alice.klavis().request(Method::PATCH, &path(named));
        request
            .header("content-type", kind)
            .body(body.to_vec())
            .send()
            .await
    };
    for named in [id.as_str(), "zz", "set-auth", "create"] {
        let of_path = (named != id).then(|| "uuid_parsing [\"path\",\"instanceId\"]".to_owned());
        for (body, kind, of_body) in BODIES {
            let reply = send(named, kind, body.as_bytes()).await;
            let of_body = of_body.iter().map(|fault| (*fault).to_owned());
            let expected: Vec<_> = of_path.iter().cloned().chain(of_body).collect();
            assert_eq!(faults(&reply), (422, expected), "{named} {kind} {body}");
        }
        let reply = send(named, "application/json", b"{").await;
        assert_eq!(
            (reply.status, &reply.json["detail"][0]["type"]),
            (422, &json!("json_invalid"))
        );
        assert_eq!(reply.json["detail"].as_array().unwrap().len(), 1, "{named}");
        let reply = send(named, "application/json", b"\"\xff\"").await;
        assert_eq!(
            reply.json,
            json!({"detail": "There was an error parsing the body"})
        );
        if named != id {
            let expected = (
                422,
                vec!["uuid_parsing [\"path\",\"instanceId\"]".to_owned()],
            );
            assert_eq!(
                faults(&send(named, "application/json", b"{}").await),
                expected
            );
            assert_eq!(faults(&alice.klavis().delete(&path(named)).await), expected);
        }
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_key_that_may_not_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (slack, linear) = (
        instance(&alice, "Slack", "u1").await,
        instance(&alice, "Linear", "u1").await,
    );
    let row = app
        .sql("SELECT integration_id AS id FROM integrations WHERE slug = 'slack'")
        .await;
    let limited = alice.limited_to(&[row[0]["id"].as_str().unwrap()]).await;
    let reader = alice.with_scopes(&["connections:read"]).await;
    let before = app.fingerprint().await;

    for reply in everything(&limited.klavis(), &linear).await {
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({"detail": "Instance not found"}))
        );
    }
    let body = json!({"serverName": "Linear", "userId": "u1"});
    let reply = limited.klavis().post(SELF_HOSTED, body.clone()).await;
    assert_eq!(
        faults(&reply),
        (422, vec!["enum [\"body\",\"serverName\"]".to_owned()])
    );
    for reply in [
        reader.klavis().patch(&path(&slack), json!({})).await,
        reader.klavis().delete(&path(&slack)).await,
        reader.klavis().post(SELF_HOSTED, body).await,
    ] {
        let detail = json!({"detail": "The API key lacks the scope connections:write"});
        assert_eq!((reply.status, reply.json), (403, detail));
    }
    assert_eq!(app.fingerprint().await, before);
    let reply = limited.klavis().delete(&path(&slack)).await;
    assert_eq!((reply.status, reply.json), deleted());
}
