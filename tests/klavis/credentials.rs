//! Credentials: replaced as a whole, handed out as they were written, destroyed at once.

use http::Method;
use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::stories::{SET_AUTH, audited, auth_path, handed_out, instance, path, set_auth, store};

#[tokio::test]
async fn each_form_is_stored_under_its_own_names_and_replaces_the_last() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;

    for (sent, stored) in [
        (json!({"token": "t"}), json!({"token": "t"})),
        (json!({"api_key": "k"}), json!({"api_key": "k"})),
        (
            json!({"api_key": "k", "token": "t"}),
            json!({"token": "t", "api_key": "k"}),
        ),
        (
            json!({"token": null, "api_key": "k"}),
            json!({"api_key": "k"}),
        ),
        (
            json!({"data": {"bot_token": "xoxb", "team": {"id": [1, null]}}}),
            json!({"bot_token": "xoxb", "team": {"id": [1, null]}}),
        ),
        (
            json!({"data": {"data": {"a": "\u{0}"}, "": null}}),
            json!({"data": {"a": "\u{0}"}, "": null}),
        ),
        (json!({"token": " \t"}), json!({"token": " \t"})),
    ] {
        let reply = set_auth(&alice, &id, sent).await;
        assert_eq!(
            (reply.status, reply.json),
            (
                200,
                json!({"success": true, "message": "Authentication data saved"})
            )
        );

        let reply = alice.klavis().get(&auth_path(&id)).await;
        assert_eq!(
            (reply.status, reply.json),
            (
                200,
                json!({"success": true, "authData": stored, "error": null})
            )
        );
    }
    assert_eq!(app.count("connections").await, 1);
}

#[tokio::test]
async fn numbers_and_members_keep_the_form_in_which_they_were_written() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let members = r#"{"z":1e400,"n":123456789012345678901234567890,"a":-0.0,"b":1E+2,"c":0.10}"#;
    let body = format!(r#"{{"instanceId":"{id}","authData":{{"data":{members}}}}}"#);

    let request = alice
        .klavis()
        .request(Method::POST, SET_AUTH)
        .header("content-type", "application/json");
    assert_eq!(request.body(body).send().await.status, 200);

    let reply = alice.klavis().get(&auth_path(&id)).await;
    assert_eq!(
        reply.text,
        format!(r#"{{"success":true,"authData":{members},"error":null}}"#)
    );
}

#[tokio::test]
async fn nothing_to_store_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "kept"})).await;
    let before = app.fingerprint().await;

    for nothing in [
        json!({}),
        json!({"token": null}),
        json!({"token": "", "api_key": null}),
        json!({"data": {}}),
        json!({"data": {"a": null, "b": ""}}),
    ] {
        let reply = set_auth(&alice, &id, nothing.clone()).await;
        assert_eq!(
            (reply.status, &reply.json["success"]),
            (200, &json!(false)),
            "{nothing}"
        );
        assert!(reply.json["message"].is_string(), "{nothing}");
    }

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "kept"}));
}

#[tokio::test]
async fn an_instance_without_a_credential_says_so() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;

    let reply = alice.klavis().get(&auth_path(&id)).await;

    let expected = json!({
        "success": false, "authData": null, "error": "No authentication data is stored for this instance",
    });
    assert_eq!((reply.status, reply.json), (200, expected));
}

#[tokio::test]
async fn deleting_a_credential_destroys_it_and_keeps_the_instance() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "t"})).await;
    let sealed = "connections WHERE sealed_credential IS NOT NULL";
    assert_eq!(app.count(sealed).await, 1);

    let reply = alice.klavis().delete(&auth_path(&id)).await;

    assert_eq!(
        (reply.status, reply.json),
        (
            200,
            json!({"success": true, "message": "Authentication data deleted"})
        )
    );
    assert_eq!(app.count(sealed).await, 0);
    assert_eq!(handed_out(&alice, &id).await, Value::Null);
    assert_eq!(
        alice.klavis().get(&path(&id)).await.json["isAuthenticated"],
        json!(false)
    );
    assert_eq!(alice.klavis().delete(&auth_path(&id)).await.status, 200);
    store(&alice, &id, json!({"token": "next"})).await;
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "next"}));
}

#[tokio::test]
async fn a_credential_shows_in_no_answer_no_log_and_no_row() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": canary(), "api_key": canary()})).await;
    store(&alice, &id, json!({"data": {"nested": [canary()]}})).await;

    for refused in [
        json!({"token": canary(), "data": {"a": canary()}}),
        json!({"token": [canary()]}),
        json!(canary()),
        json!({"apiKey": {"deep": canary()}}),
    ] {
        assert_eq!(set_auth(&alice, &id, refused).await.status, 422);
    }

    assert_eq!(
        app.count("connections WHERE sealed_credential IS NOT NULL")
            .await,
        1
    );
    app.finish().await;
}

#[tokio::test]
async fn changes_and_hand_outs_leave_one_audit_row_each() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let made = audited(&app, &id).await.len();
    let (all, before) = (app.count("audit_log").await, app.fingerprint().await);

    store(&alice, &id, json!({"token": "t"})).await;
    assert_eq!(
        (audited(&app, &id).await.len(), app.count("audit_log").await),
        (made + 1, all + 1)
    );
    assert_ne!(app.fingerprint().await, before);

    let before = app.fingerprint().await;
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "t"}));
    assert_eq!(
        (audited(&app, &id).await.len(), app.count("audit_log").await),
        (made + 2, all + 2)
    );
    assert_eq!(
        app.fingerprint().await,
        before,
        "a hand-out updates nothing"
    );

    assert_eq!(alice.klavis().delete(&auth_path(&id)).await.status, 200);
    assert_eq!(
        (audited(&app, &id).await.len(), app.count("audit_log").await),
        (made + 3, all + 3)
    );
    let actions = audited(&app, &id).await;
    let last = &actions[made..];
    assert!(
        last.iter().all(|action| action.starts_with("connection.")),
        "{last:?}"
    );
    assert!(
        last[0] != last[1] && last[1] != last[2] && last[0] != last[2],
        "{last:?}"
    );
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_nothing_changes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    let before = app.fingerprint().await;

    let reply = set_auth(&alice, &id, json!({"token": "a".repeat(256 * 1024)})).await;

    assert_eq!(
        (reply.status, reply.json),
        (413, json!({"detail": "Request body too large"}))
    );
    assert_eq!(app.fingerprint().await, before);
}
