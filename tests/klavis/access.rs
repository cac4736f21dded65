//! Who may do what: keys, scopes, lists of integrations, other tenants; and what is no route at all.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::stories::{CREATE, SET_AUTH, auth_path, handed_out, instance, path, set_auth, store};

fn answered(reply: Reply) -> (u16, Value) {
    (reply.status, reply.json)
}

fn detail(text: &str) -> Value {
    json!({ "detail": text })
}

/// The reply of every built operation on one instance.
async fn everything(tenant: &Tenant, id: &str) -> Vec<Reply> {
    let klavis = tenant.klavis();
    vec![
        klavis.get(&path(id)).await,
        set_auth(tenant, id, json!({"token": "stolen"})).await,
        klavis.get(&auth_path(id)).await,
        klavis.delete(&auth_path(id)).await,
    ]
}

#[tokio::test]
async fn another_tenants_instance_is_not_found_and_stays_as_it_is() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "alice's"})).await;
    let (before, audit_rows) = (app.fingerprint().await, app.count("audit_log").await);

    for reply in everything(&mallory, &id).await {
        assert_eq!(answered(reply), (404, detail("Instance not found")));
    }
    for reply in everything(&mallory, "00000000-0000-7000-8000-000000000000").await {
        assert_eq!(answered(reply), (404, detail("Instance not found")));
    }

    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        (before, audit_rows)
    );
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "alice's"}));
}

#[tokio::test]
async fn an_instance_named_by_a_text_that_is_no_id_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for text in ["", "zz", "\u{0}", "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c2g"] {
        assert_eq!(
            answered(set_auth(&alice, text, json!({})).await),
            (404, detail("Instance not found")),
            "{text:?}"
        );
    }
}

#[tokio::test]
async fn a_missing_key_is_challenged_and_a_wrong_one_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let with = |header: Option<&'static str>| {
        let request = alice
            .klavis()
            .request(Method::POST, SET_AUTH)
            .no_auth()
            .json(json!({}));
        match header {
            Some(value) => request.header("authorization", value),
            None => request,
        }
    };

    for header in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer  "),
        Some("Basic eDp5"),
    ] {
        let reply = with(header).send().await;
        assert_eq!(reply.headers["www-authenticate"], "Bearer", "{header:?}");
        assert_eq!(
            answered(reply),
            (401, detail("Not authenticated")),
            "{header:?}"
        );
    }
    for header in [
        "Bearer nonsense",
        "bearer kw_live_00000000000000000000000000000000",
    ] {
        let reply = with(Some(header)).send().await;
        assert!(!reply.headers.contains_key("www-authenticate"));
        assert_eq!(
            answered(reply),
            (403, detail("Invalid API key")),
            "{header}"
        );
    }
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let expired = alice.with_expiry_passed().await;

    assert_eq!(
        answered(expired.klavis().post(CREATE, json!({})).await),
        (403, detail("Invalid API key"))
    );
}

#[tokio::test]
async fn a_revoked_key_is_refused_within_five_seconds() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;

    alice.revoke().await;

    let since = Instant::now();
    loop {
        let reply = alice.klavis().get(&path(&id)).await;
        if reply.status == 403 {
            break assert_eq!(reply.json, detail("Invalid API key"));
        }
        assert!(
            since.elapsed() < Duration::from_secs(6),
            "still answered {}",
            reply.text
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "Slack", "u1").await;
    store(&alice, &id, json!({"token": "t"})).await;
    let reader = alice.with_scopes(&["connections:read"]).await;
    let writer = alice.with_scopes(&["connections:write"]).await;
    let before = app.count("audit_log").await;
    let lacks = |scope: &str| (403, detail(&format!("The API key lacks the scope {scope}")));

    assert_eq!(reader.klavis().get(&path(&id)).await.status, 200);
    assert_eq!(
        answered(reader.klavis().post(CREATE, json!({})).await),
        lacks("connections:write")
    );
    assert_eq!(
        answered(set_auth(&reader, &id, json!({})).await),
        lacks("connections:write")
    );
    assert_eq!(
        answered(reader.klavis().delete(&auth_path(&id)).await),
        lacks("connections:write")
    );
    assert_eq!(
        answered(reader.klavis().get(&auth_path(&id)).await),
        lacks("credentials:read")
    );
    assert_eq!(
        answered(writer.klavis().get(&auth_path(&id)).await),
        lacks("credentials:read")
    );
    assert_eq!(
        answered(writer.klavis().get(&path(&id)).await),
        lacks("connections:read")
    );

    assert_eq!(app.count("audit_log").await, before);
    assert_eq!(handed_out(&alice, &id).await, json!({"token": "t"}));
}

#[tokio::test]
async fn to_a_limited_key_other_integrations_are_unknown() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (slack, linear) = (
        instance(&alice, "Slack", "u1").await,
        instance(&alice, "Linear", "u1").await,
    );
    let row = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'slack'")
        .await;
    let limited = alice
        .limited_to(&[row[0]["integration_id"].as_str().unwrap()])
        .await;

    assert_eq!(instance(&limited, "Slack", "u1").await, slack);
    assert_eq!(limited.klavis().get(&path(&slack)).await.status, 200);
    for reply in everything(&limited, &linear).await {
        assert_eq!(answered(reply), (404, detail("Instance not found")));
    }
    for outside in ["Linear", "Gmail"] {
        let reply = limited
            .klavis()
            .post(CREATE, json!({"serverName": outside, "userId": "u1"}))
            .await;
        assert_eq!(reply.status, 422, "{outside}: {}", reply.text);
        assert_eq!(reply.json["detail"][0]["type"], "enum");
        assert_eq!(
            reply.json["detail"][0]["loc"],
            json!(["body", "serverName"])
        );
    }
    assert_eq!(app.count("integrations").await, 2);
}

#[tokio::test]
async fn authentication_comes_before_the_path_and_the_body() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (method, path) in [
        (Method::GET, "/mcp-server/instance/zz"),
        (Method::GET, SET_AUTH),
        (Method::GET, "/mcp-server/instance/zz/auth"),
        (Method::DELETE, "/mcp-server/instance/zz/auth"),
        (Method::POST, CREATE),
    ] {
        let reply = alice
            .klavis()
            .request(method.clone(), path)
            .no_auth()
            .body("{")
            .send()
            .await;
        assert_eq!(
            answered(reply),
            (401, detail("Not authenticated")),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn wrong_methods_and_unknown_paths_are_told_in_this_dialect() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (method, path) in [
        (Method::PUT, SET_AUTH),
        (Method::PUT, CREATE),
        (Method::POST, "/mcp-server/instance/zz"),
        (Method::POST, "/mcp-server/instance/zz/auth"),
    ] {
        let reply = alice.klavis().request(method.clone(), path).send().await;
        assert!(reply.headers.contains_key("allow"), "{method} {path}");
        assert_eq!(
            answered(reply),
            (405, detail("Method Not Allowed")),
            "{method} {path}"
        );
    }
    for path in [SET_AUTH, "/mcp-server/instance/zz"] {
        assert_eq!(
            alice
                .klavis()
                .request(Method::HEAD, path)
                .send()
                .await
                .status,
            405,
            "{path}"
        );
    }
    for path in [
        "/mcp-server",
        "/mcp-server/instance/",
        "/mcp-server/list-tools",
        "/mcp-server/instance/a/b/c",
    ] {
        assert_eq!(
            answered(alice.klavis().get(path).await),
            (404, detail("Not Found")),
            "{path}"
        );
    }
}
