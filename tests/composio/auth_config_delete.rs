//! `DELETE /auth_configs/{nanoid}`: what it answers, and what is unknown from then on.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary};
use crate::story::{
    V3, V3_1, assert_envelope, assert_invalid, changed, custom, integration_of, made,
    made_key_config, path, shown, told,
};

fn deleted() -> Value {
    json!({ "success": true, "message": "Auth config deleted successfully" })
}

async fn assert_unknown(client: &Client, id: &str) {
    let missing = (
        404,
        302,
        "Auth_Config_NotFound",
        "Auth config not found",
        "Check the auth config id.",
    );
    let patch = |place: String| client.request(Method::PATCH, &place);
    let change = json!({ "type": "custom", "name": "n" });
    for reply in [
        client.get(&path(id)).await,
        client.delete(&path(id)).await,
        client
            .delete(&format!("{V3_1}/{id}?revoke_on_delete=true"))
            .await,
        client.patch(&path(id), change).await,
        patch(format!("{V3}/{id}/ENABLED")).send().await,
        patch(format!("{V3_1}/{id}/DISABLED")).send().await,
    ] {
        assert_envelope(&reply, missing, &[]);
    }
    for query in ["", "?show_disabled=true", &format!("?search={id}")] {
        let listed = client.get(&format!("{V3}{query}")).await;
        assert!(!listed.text.contains(id), "{}", listed.text);
    }
}

#[tokio::test]
async fn a_deleted_config_is_unknown_under_both_prefixes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    for prefix in [V3, V3_1] {
        let id = made_key_config(&client, json!({ "generic_api_key": canary() })).await;
        let other = made_key_config(&client, json!({})).await;
        let before = shown(&client, &other).await;

        let reply = client.delete(&format!("{prefix}/{id}")).await;

        assert_eq!((reply.status, &reply.json), (200, &deleted()));
        assert_unknown(&client, &id).await;
        assert_eq!(shown(&client, &other).await, before);
        let newest = "SELECT action, object_kind, object_id, key_id, request_id, detail FROM audit_log \
                      WHERE action = 'auth_config.delete' ORDER BY audit_id DESC LIMIT 1";
        let is_first = prefix == V3;
        let expected = json!({
            "action": "auth_config.delete", "object_kind": "auth_config", "object_id": id,
            "key_id": alice.key_id, "request_id": reply.header("x-request-id"),
            "detail": {
                "connections": 0, "retired_connections": 0, "connections_promoted": 0,
                "new_default": is_first.then_some(&other), "revoke_job_id": null,
            },
        });
        assert_eq!(app.sql(newest).await, [expected]);
    }
    app.finish().await;
}

#[tokio::test]
async fn revocation_is_answered_with_its_id_and_written_down() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    for (query, asked) in [
        ("?revoke_on_delete=true", true),
        ("?revoke_on_delete=True", true),
        ("?revoke_on_delete=1", true),
        ("?revoke_on_delete=false", false),
        ("?revoke_on_delete=0", false),
        ("?revoke_on_delete=", false),
        ("?other=1", false),
    ] {
        let id = made_key_config(&alice, json!({})).await;
        let reply = alice.delete(&format!("{V3_1}/{id}{query}")).await;
        assert_eq!(
            (reply.status, &reply.json["success"]),
            (200, &json!(true)),
            "{query}: {}",
            reply.text
        );
        let job = reply.json["revoke_job_id"].as_str();
        assert_eq!(job.is_some(), asked, "{query}");
        assert_eq!(reply.json != deleted(), asked, "{query}");
        if let Some(job) = job {
            assert!(job.starts_with("pj_") && job.len() == 15, "{job}");
        }
        let written =
            "SELECT detail->>'revoke_job_id' AS job FROM audit_log ORDER BY audit_id DESC LIMIT 1";
        assert_eq!(app.sql(written).await, [json!({ "job": job })]);
    }
}

/// The SDKs say that JSON follows and send none.
#[tokio::test]
async fn no_body_is_looked_at() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    for (content_type, body) in [
        ("application/json", Vec::new()),
        ("application/json", b"{\"revoke_on_delete\":5".to_vec()),
        ("text/plain", b"\xff".to_vec()),
        ("application/json", vec![b' '; 300 * 1024]),
    ] {
        let id = made_key_config(&alice, json!({})).await;
        let request = alice.request(Method::DELETE, &path(&id));
        let request = request.header("content-type", content_type).body(body);
        let reply = request.send().await;
        assert_eq!((reply.status, &reply.json), (200, &deleted()));
    }
}

#[tokio::test]
async fn checks_come_in_their_order_and_a_refusal_changes_nothing() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let client = alice.composio();
    let id = made_key_config(&client, json!({ "generic_api_key": canary() })).await;
    let hidden = made(&client, custom("github", "API_KEY", json!({}))).await;
    let reader = alice
        .with_scopes(&["auth_configs:read", "connections:write", "tenant:admin"])
        .await
        .composio();
    let limited = alice
        .limited_to(&[integration_of(&app, &id).await])
        .await
        .composio();
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let at = |id: &str, query: &str| format!("{V3}/{id}?revoke_on_delete={query}");
    let unknown = "ac_abcdefghijkl";

    let nobody = client.request(Method::DELETE, &at("x", "perhaps"));
    let nobody = nobody.no_auth().send().await;
    assert_eq!(told(&nobody), (401, 906, "Auth_NoAuthProvided"));
    let outcome = |reply: &Reply| (reply.status, reply.json["error"]["code"].clone());
    for (client, place, expected) in [
        (&reader, at("x", "perhaps"), (403, json!(812))),
        (&client, at("x", "true"), (400, json!(10400))),
        (&client, at(unknown, "perhaps"), (400, json!(10400))),
        (&client, at(unknown, "true"), (404, json!(302))),
        (&mallory.composio(), at(&id, "true"), (404, json!(302))),
        (&limited, at(&hidden, "true"), (404, json!(302))),
        (&reader, at(&id, "true"), (403, json!(812))),
    ] {
        assert_eq!(outcome(&client.delete(&place).await), expected, "{place}");
    }
    assert_invalid(
        &client.delete(&at(&id, "perhaps")).await,
        &["Error in query.revoke_on_delete: Expected boolean, received string"],
    );
    assert_invalid(
        &client
            .delete(&format!("{}&revoke_on_delete=true", at(&id, "true")))
            .await,
        &["Error in query.revoke_on_delete: Expected boolean, received array"],
    );
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    assert_eq!(limited.delete(&path(&id)).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn a_deletion_can_name_the_state_that_it_saw() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let etag = alice.get(&path(&id)).await.header("etag").to_owned();
    changed(&alice, &id, json!({ "type": "custom", "name": "Other" })).await;
    for (seen, status) in [(etag.as_str(), 412), ("*", 200), ("*", 404)] {
        let request = alice.request(Method::DELETE, &path(&id));
        let reply = request.header("if-match", seen).send().await;
        assert_eq!(reply.status, status, "{}", reply.text);
    }
}

/// The row stays, without anything that could hold a secret: not for any read, and for no one else either.
#[tokio::test]
async fn the_row_that_stays_says_nothing_of_how_users_connected() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut body = custom(
        "github",
        "OAUTH2",
        json!({ "client_id": "Iv1.8a61f9b3a7aba766", "client_secret": canary() }),
    );
    body["auth_config"]["proxy_config"] =
        json!({ "proxy_url": "https://proxy.example/?k=1", "proxy_auth_key": canary() });
    let id = made(&alice, body).await;
    let field = json!([{
        "slug": "host", "label": "Host", "kind": "TEXT", "description": "", "required": true, "default": "d",
    }]);
    app.execute(&format!(
        "UPDATE auth_configs SET test_code = 'code', fields = '{field}'"
    ))
    .await;

    assert_eq!(alice.delete(&path(&id)).await.status, 200);

    let row = "SELECT public_id, deleted_at IS NOT NULL AS gone, is_default, proxy_url, sealed_proxy_auth_key, \
               test_code, fields, oauth_client FROM auth_configs";
    let expected = json!({
        "public_id": id, "gone": true, "is_default": false, "proxy_url": null, "sealed_proxy_auth_key": null,
        "test_code": null, "fields": [], "oauth_client": null,
    });
    assert_eq!(app.sql(row).await, [expected]);
    assert_eq!(app.count("auth_config_secrets").await, 0);
    let again = made(
        &alice,
        custom("github", "API_KEY", json!({ "generic_api_key": canary() })),
    )
    .await;
    assert_ne!(again, id);
    assert_eq!(app.count("auth_configs WHERE is_default").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn accounts_and_their_links_go_with_their_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let (gone, kept) = (
        made_key_config(&alice, json!({})).await,
        made_key_config(&alice, json!({})).await,
    );
    let accounts = "/api/v3.1/connected_accounts";
    let account = |config: &str| {
        json!({
            "auth_config": { "id": config },
            "connection":
                { "user_id": "u", "state": { "authScheme": "API_KEY", "val": { "generic_api_key": canary() } } },
        })
    };
    let link = |config: &str| json!({ "auth_config_id": config, "user_id": "u" });
    let make = async |place: &str, body: Value, id: &str| {
        let reply = alice.post(place, body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json[id].as_str().unwrap().to_owned()
    };
    let links = format!("{accounts}/link");
    let mut ids = Vec::new();
    for config in [&gone, &kept] {
        ids.push(make(accounts, account(config), "id").await);
        ids.push(make(&links, link(config), "connected_account_id").await);
    }
    let page = make(&links, link(&gone), "redirect_url").await;
    let page = page.strip_prefix(&app.url()).unwrap();
    let anonymous = app.anonymous();
    let before = anonymous.get(page).await;
    assert_eq!(before.status, 200, "{}", before.text);

    let reply = alice.delete(&path(&gone)).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    for id in &ids[..2] {
        let reply = alice.get(&format!("{accounts}/{id}")).await;
        let expected = (404, 606, "ConnectedAccount_ResourceNotFound");
        assert_eq!(told(&reply), expected, "{}", reply.text);
    }
    let after = anonymous.get(page).await;
    assert!((400..500).contains(&after.status), "{}", after.text);
    let left = alice.get(accounts).await.json;
    assert_eq!(left["total_items"], 2, "{left}");
    let primary = "SELECT public_id AS id FROM connections WHERE is_primary";
    assert_eq!(app.sql(primary).await, [json!({ "id": ids[2] })]);
    for (place, body) in [(accounts, account(&gone)), (&links, link(&gone))] {
        let reply = alice.post(place, body).await;
        let expected = (404, 302, "Auth_Config_NotFound");
        assert_eq!(told(&reply), expected, "{}", reply.text);
    }
    assert_eq!(app.count("link_tokens").await, 1);
    app.finish().await;
}
