//! `apiKeyUrls`: where a strata's user enters what its servers still need.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use keyway::crypto::{KeyRing, RootKey};
use keyway::store::Db;
use keyway::store::keys::Vault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{handed_out, instance, store};
use crate::strata::{ADD, at, create, shown, strata};

/// The pages of an answer: paths by server.
fn pages(app: &TestApp, answer: &Value) -> BTreeMap<String, String> {
    let urls = answer["apiKeyUrls"].as_object().unwrap();
    let path = |url: &Value| {
        url.as_str()
            .unwrap()
            .strip_prefix(&app.url())
            .unwrap()
            .to_owned()
    };
    urls.iter()
        .map(|(name, url)| (name.clone(), path(url)))
        .collect()
}

/// The servers of an answer that have a page.
fn names(answer: &Value) -> Vec<&str> {
    answer["apiKeyUrls"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// Opens a page and sends its form with this key.
async fn enter(app: &TestApp, page: &str, key: &str) -> Reply {
    let shown = app.anonymous().get(page).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let cookie = shown.header("set-cookie").split(';').next().unwrap();
    let (_, rest) = shown.text.split_once("name=\"proof\" value=\"").unwrap();
    let body = format!(
        "proof={}&field.generic_api_key={key}",
        rest.split('"').next().unwrap()
    );
    let sent = app
        .anonymous()
        .request(Method::POST, page)
        .header("cookie", cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    sent.send().await
}

async fn declare(tenant: &Tenant, name: &str, auth: Value) {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({"name": name}))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!(
        "/integrations/v1/{}/auth",
        made.json["integration"]["id"].as_str().unwrap()
    );
    assert_eq!(tenant.langdock().patch(&path, auth).await.status, 200);
}

#[tokio::test]
async fn every_server_that_waits_for_its_user_has_a_page() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    declare(&alice, "Acme", json!({"authType": "API_KEY"})).await;
    declare(&alice, "Robot", json!({"authType": "SERVICE_ACCOUNT"})).await;
    declare(&alice, "Open", json!({"authType": "NONE"})).await;
    let ready = instance(&alice, "Exa", "u1").await;
    store(&alice, &ready, json!({"token": canary()})).await;
    let servers = json!(["Slack", "Acme", "Exa", "Robot", "Open", "brave search"]);

    let made = create(&alice, json!({"userId": "u1", "servers": servers})).await;

    // Slack asks at the provider, Exa has its key, Open needs none.
    let waiting = ["Acme", "Brave Search", "Robot"];
    assert_eq!(
        (made.status, names(&made.json)),
        (200, waiting.to_vec()),
        "{}",
        made.text
    );
    assert_eq!(made.json["oauthUrls"], json!({}));
    let id = made.json["strataId"].as_str().unwrap();
    assert_eq!(names(&shown(&alice, id).await), waiting);
    let body = json!({"strataId": id, "servers": ["Acme", "Slack", "Tavily"]});
    let added = alice.klavis().post(ADD, body).await;
    assert_eq!(names(&added.json), ["Acme", "Tavily"], "{}", added.text);
    for (name, path) in pages(&app, &made.json) {
        let page = app.anonymous().get(&path).await;
        assert_eq!(page.status, 200, "{name}");
        assert!(
            page.text.contains(&format!("<h1>Connect {name}</h1>")),
            "{name}: {}",
            page.text
        );
    }
    app.execute("UPDATE auth_configs SET enabled = false WHERE scheme = 'SERVICE_ACCOUNT'")
        .await;
    assert_eq!(
        names(&shown(&alice, id).await),
        ["Acme", "Brave Search", "Tavily"]
    );
    app.finish().await;
}

#[tokio::test]
async fn a_page_gives_the_instance_its_key_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Exa"])).await;
    let page = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
    let other = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
    let key = canary();

    let done = enter(&app, &page, &key).await;

    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.text.contains("Exa is connected"));
    let exa = instance(&alice, "Exa", "u1").await;
    assert_eq!(
        handed_out(&alice, &exa).await["generic_api_key"],
        key.as_str()
    );
    assert_eq!(names(&shown(&alice, &id).await), [""; 0]);
    let audit = app
        .sql("SELECT key_id, object_id, detail FROM audit_log WHERE action = 'connection.set_credential'")
        .await;
    let expected = json!({"key_id": alice.key_id, "object_id": exa, "detail": {"link": true}});
    assert_eq!(audit, [expected]);
    // All pages of the connection end with its change.
    for used in [&page, &other] {
        let gone = app.anonymous().get(used).await;
        assert_eq!(gone.status, 410, "{}", gone.text);
        assert!(
            gone.text.contains("This link cannot be used any more") && !gone.text.contains("Exa")
        );
    }
    app.finish().await;
}

/// Only the tenant switches on again what it switched off, and only it ends what it revoked.
#[tokio::test]
async fn what_the_tenant_switched_off_or_revoked_has_no_page() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Exa", "Tavily", "Brave Search"])).await;
    let page = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
    let account = async |slug: &str| {
        let query = format!(
            "SELECT connection_id, public_id FROM connections JOIN integrations USING (tenant_id, integration_id) \
             WHERE slug = '{slug}'"
        );
        let row = app.sql(&query).await.remove(0);
        let [id, path] =
            ["connection_id", "public_id"].map(|name| row[name].as_str().unwrap().to_owned());
        (id, format!("/api/v3.1/connected_accounts/{path}"))
    };
    let (exa, exa_path) = account("exa").await;
    store(&alice, &exa, json!({"api_key": canary()})).await;
    let off = json!({"enabled": false});
    let status = format!("{exa_path}/status");
    let switched = alice.composio().patch(&status, off).await;
    assert_eq!(switched.status, 200, "{}", switched.text);
    let (_, tavily) = account("tavily").await;
    let revoke = format!("{tavily}/revoke");
    let revoked = alice.composio().request(Method::POST, &revoke).send().await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);

    assert_eq!(names(&shown(&alice, &id).await), ["Brave Search"]);
    assert_eq!(app.anonymous().get(&page).await.status, 410);
    app.finish().await;
}

#[tokio::test]
async fn of_two_forms_of_a_page_one_is_taken() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for user in 0..4 {
        let id = strata(&alice, &format!("u{user}"), json!(["Exa"])).await;
        let page = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
        let (one, two) = (canary(), canary());

        let sent = tokio::join!(enter(&app, &page, &one), enter(&app, &page, &two));

        let mut statuses = [sent.0.status, sent.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410]);
    }
    assert_eq!(
        app.count("audit_log WHERE action = 'connection.set_credential'")
            .await,
        4
    );
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn showing_pages_writes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let small = strata(&alice, "u1", json!(["Exa", "Slack"])).await;
    let many = [
        "Exa",
        "Slack",
        "Tavily",
        "Brave Search",
        "Cloudflare",
        "ElevenLabs",
        "Linear",
        "Gmail",
    ];
    let large = strata(&alice, "u1", json!(many)).await;
    let (before, audited) = (app.fingerprint().await, app.count("audit_log").await);
    for (id, waiting) in [(&small, 1), (&large, 5)] {
        assert_eq!(names(&shown(&alice, id).await).len(), waiting);
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audited);
    assert_eq!(app.count("link_tokens").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn who_may_not_change_connections_gets_no_page() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Exa"])).await;
    let exa = app
        .sql("SELECT integration_id AS id FROM integrations WHERE slug = 'exa'")
        .await[0]["id"]
        .clone();
    let exa = exa.as_str().unwrap();

    let reading = alice.with_scopes(&["connections:read"]).await;
    assert_eq!(names(&shown(&reading, &id).await), [""; 0]);
    let limited = alice.limited_to(&[exa]).await;
    assert_eq!(names(&shown(&limited, &id).await), ["Exa"]);
    let nobody = app.tenant("bob").await;
    assert_eq!(nobody.klavis().get(&at(&id)).await.status, 404);
    app.finish().await;
}

/// What is wrong with a ticket is no difference in the answer, but for one that was good.
#[tokio::test]
async fn a_page_cannot_be_made_up_or_moved() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let (ours, theirs) = (
        strata(&alice, "u1", json!(["Exa"])).await,
        strata(&bob, "u1", json!(["Exa"])).await,
    );
    let mine = pages(&app, &shown(&alice, &ours).await)["Exa"].clone();
    let other = pages(&app, &shown(&bob, &theirs).await)["Exa"].clone();
    let bytes = |path: &str| {
        URL_SAFE_NO_PAD
            .decode(path.strip_prefix("/connect/lt_").unwrap())
            .unwrap()
    };
    let (mine_bytes, other_bytes) = (bytes(&mine), bytes(&other));
    // Another's connection with our proof, another tenant, a later end, another change, another key, another proof.
    let moved = |from: usize, to: usize| {
        let mut moved = mine_bytes.clone();
        moved[from..to].copy_from_slice(&other_bytes[from..to]);
        moved
    };
    let mut later = mine_bytes.clone();
    later[39] ^= 0x80;
    let length = mine_bytes.len();
    let mut forged = vec![
        moved(0, 16),
        moved(16, 32),
        moved(0, 32),
        later,
        moved(40, 48),
        moved(48, 60),
    ];
    forged.push(moved(length - 32, length));
    forged.push([&[7; 16][..], &mine_bytes[16..]].concat());
    for bytes in forged {
        let path = format!("/connect/lt_{}", URL_SAFE_NO_PAD.encode(bytes));
        let reply = app.anonymous().get(&path).await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
        assert!(reply.text.contains("This link is not valid") && !reply.text.contains("Exa"));
    }
    assert_eq!(app.anonymous().get(&mine).await.status, 200);
    app.finish().await;
}

#[tokio::test]
async fn a_page_ends_with_its_connection_and_its_key() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let key = alice
        .with_scopes(&["connections:read", "connections:write"])
        .await;
    let id = strata(&key, "u1", json!(["Exa", "Tavily"])).await;
    let all = pages(&app, &shown(&key, &id).await);
    let exa = instance(&alice, "Exa", "u1").await;

    // Any change ends it, also one that has nothing to do with the credential.
    app.execute("UPDATE connections SET updated_at = updated_at + interval '1 microsecond'")
        .await;
    assert_eq!(app.anonymous().get(&all["Exa"]).await.status, 410);
    let fresh = pages(&app, &shown(&key, &id).await);
    assert_eq!(app.anonymous().get(&fresh["Exa"]).await.status, 200);
    assert_eq!(
        alice
            .klavis()
            .delete(&format!("/mcp-server/instance/{exa}"))
            .await
            .status,
        200
    );
    assert_eq!(app.anonymous().get(&fresh["Exa"]).await.status, 404);
    assert_eq!(app.anonymous().get(&fresh["Tavily"]).await.status, 200);
    key.revoke().await;
    assert_eq!(app.anonymous().get(&fresh["Tavily"]).await.status, 404);
    app.finish().await;
}

/// A genuine page whose time has passed, made with the tenant's own keys.
#[tokio::test]
async fn a_page_ends_by_the_databases_clock() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Exa"])).await;
    let page = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
    let root = RootKey::from_base64(app.root_key()).unwrap();
    let vault = Vault::unlock(Db::new(app.superuser()), KeyRing::new(&root, &[]))
        .await
        .unwrap();
    let keys = vault.tenant_keys(alice.id).await.unwrap();
    let mut bytes = URL_SAFE_NO_PAD
        .decode(page.strip_prefix("/connect/lt_").unwrap())
        .unwrap();
    let number = |at: usize| i64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    let connection = Uuid::from_slice(&bytes[16..32]).unwrap();
    let (ends, changed) = (number(32), number(40));
    let now = app
        .sql("SELECT extract(epoch FROM now())::bigint AS now")
        .await[0]["now"]
        .as_i64()
        .unwrap();
    assert!(
        (590..=600).contains(&(ends - now)),
        "ten minutes: {ends} - {now}"
    );
    for (ends, status) in [(now + 60, 200), (now - 1, 410)] {
        let all = format!(
            "{}/{connection}/{ends}/{changed}/{}",
            alice.id, alice.key_id
        );
        let length = bytes.len();
        bytes[32..40].copy_from_slice(&ends.to_be_bytes());
        bytes[length - 32..].copy_from_slice(&keys.index("keyway/connect-ticket/v1", &all));
        let path = format!("/connect/lt_{}", URL_SAFE_NO_PAD.encode(&bytes));
        let reply = app.anonymous().get(&path).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.text.contains("This link has expired"), status == 410);
    }
    app.finish().await;
}

/// The index key stays when the data key is replaced, and so do the pages.
#[tokio::test]
async fn a_page_outlives_a_rotation() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Exa"])).await;
    let page = pages(&app, &shown(&alice, &id).await)["Exa"].clone();
    app.service()
        .rotate_tenant_key("alice", false, &|_| {})
        .await
        .unwrap();

    let done = enter(&app, &page, &canary()).await;

    assert_eq!(done.status, 200, "{}", done.text);
    app.finish().await;
}
