//! The default auth config: which one it is, who takes it over, what existing connections follow.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::tenant::Tenant;
use crate::speak::{
    config, config_shown, configs, instance, integration, make_config, read, set_auth, shown,
    stored,
};

/// The integration's only default config: public id, scheme, implicit.
async fn default(app: &TestApp) -> Value {
    let mut rows = app
        .sql("SELECT public_id AS id, scheme, is_implicit AS implicit FROM auth_configs WHERE is_default AND deleted_at IS NULL")
        .await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}

async fn only_integration(app: &TestApp) -> String {
    let rows = app.sql("SELECT integration_id FROM integrations").await;
    assert_eq!(rows.len(), 1);
    rows[0]["integration_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_first_explicit_config_takes_the_implicit_row_over() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let before = default(&app).await;
    assert_eq!(
        (&before["scheme"], &before["implicit"]),
        (&json!("NO_AUTH"), &json!(true))
    );
    let connection = instance(&alice, "Acme", "u1").await;

    let made = config(&alice, "acme", "BASIC").await;

    assert_eq!(
        default(&app).await,
        json!({"id": before["id"], "scheme": "BASIC", "implicit": false})
    );
    assert_eq!(json!(made), before["id"]);
    assert_eq!(app.count("auth_configs").await, 1);
    assert_eq!(read(&alice, &id).await["authType"], "API_KEY");
    // The connection that waited for a credential waits under the explicit config now.
    assert_eq!(shown(&alice, &connection).await.json["authNeeded"], true);
    assert_eq!(config_shown(&alice, &made).await["no_of_connections"], 1);
    assert_eq!(
        config_shown(&alice, &made).await["created_by"],
        alice.key_id.as_str()
    );

    let second = config(&alice, "acme", "BEARER_TOKEN").await;
    assert_ne!(second, made);
    assert_eq!(
        default(&app).await["id"],
        json!(made),
        "an explicit default stays"
    );
}

#[tokio::test]
async fn an_implicit_config_with_a_credential_is_not_taken_over() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let connection = instance(&alice, "OpenAI", "u1").await;
    stored(&alice, &connection, json!({"api_key": "k"})).await;
    let before = default(&app).await;
    assert_eq!(before["implicit"], true);

    let made = config(&alice, "openai", "BASIC").await;

    assert_eq!(default(&app).await, before);
    assert_ne!(json!(made), before["id"]);
    assert_eq!(config_shown(&alice, &made).await["no_of_connections"], 0);
    assert_eq!(
        shown(&alice, &connection).await.json["isAuthenticated"],
        true
    );
    let later = instance(&alice, "OpenAI", "u2").await;
    let of_default = before["id"].as_str().unwrap();
    assert_eq!(
        config_shown(&alice, of_default).await["no_of_connections"],
        2,
        "{later}"
    );

    // Once the credential is gone, the next explicit config takes the row.
    let path = format!("/mcp-server/instance/{connection}/auth");
    assert_eq!(alice.klavis().delete(&path).await.status, 200);
    let taking = config(&alice, "openai", "BEARER_TOKEN").await;
    assert_eq!(
        default(&app).await,
        json!({"id": taking, "scheme": "BEARER_TOKEN", "implicit": false})
    );
}

/// A credential that is being stored while the explicit config is made: the two wait for each other.
#[tokio::test]
async fn a_credential_that_arrives_meanwhile_keeps_its_implicit_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let connection = instance(&alice, "OpenAI", "u1").await;
    let before = default(&app).await;
    // Another transaction stores a credential as set-auth does, and commits only after the request has begun.
    let slow = format!(
        "DO $$ BEGIN UPDATE connections SET generation = gen_random_uuid(), sealed_credential = '\\x01', \
         status = 'ACTIVE' WHERE connection_id = '{connection}'; PERFORM pg_sleep(1); END $$"
    );
    let request = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        config(&alice, "openai", "BASIC").await
    };

    let ((), made) = tokio::join!(app.execute(&slow), request);

    assert_eq!(default(&app).await, before);
    assert_ne!(json!(made), before["id"]);
}

/// The other way round: a config that is being taken over, which holds its connections, while a credential is stored.
#[tokio::test]
async fn a_credential_waits_for_a_change_of_its_config_and_keeps_the_new_rules() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let connection = instance(&alice, "OpenAI", "u1").await;
    let slow = "DO $$ BEGIN UPDATE auth_configs SET scheme = 'NO_AUTH' WHERE auth_config_id = \
                (SELECT auth_config_id FROM auth_configs WHERE is_default FOR UPDATE); \
                PERFORM FROM connections FOR NO KEY UPDATE; PERFORM pg_sleep(1); END $$";
    let request = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        let body = json!({ "instanceId": connection, "authData": { "api_key": "k" } });
        alice
            .klavis()
            .post("/mcp-server/instance/set-auth", body)
            .await
    };

    let ((), reply) = tokio::join!(app.execute(slow), request);

    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(false)));
    assert_eq!(
        app.count("connections WHERE sealed_credential IS NOT NULL")
            .await,
        0
    );
}

#[tokio::test]
async fn langdock_makes_the_implicit_config_explicit() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let before = default(&app).await;

    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;

    assert_eq!(
        default(&app).await,
        json!({"id": before["id"], "scheme": "API_KEY", "implicit": false})
    );
    let made = config(&alice, "acme", "BASIC").await;
    assert_ne!(json!(made), before["id"], "not implicit any more");
    assert_eq!(configs(&alice, "acme").await.len(), 2);
    assert_eq!(read(&alice, &id).await["authType"], "API_KEY");
}

#[tokio::test]
async fn the_first_config_of_a_service_is_its_default_whoever_makes_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let made = config(&alice, "linear", "API_KEY").await;

    assert_eq!(
        default(&app).await,
        json!({"id": made, "scheme": "API_KEY", "implicit": false})
    );
    let connection = instance(&alice, "Linear", "u1").await;
    assert_eq!(config_shown(&alice, &made).await["no_of_connections"], 1);
    assert_eq!(shown(&alice, &connection).await.json["authNeeded"], true);
    let id = only_integration(&app).await;
    assert_eq!(read(&alice, &id).await["authType"], "API_KEY");
}

async fn second_default(app: &TestApp, alice: &Tenant, toolkit: &str, scheme: &str) -> String {
    let id = config(alice, toolkit, scheme).await;
    app.execute("UPDATE auth_configs SET is_default = false")
        .await;
    app.execute(&format!(
        "UPDATE auth_configs SET is_default = true WHERE public_id = '{id}'"
    ))
    .await;
    id
}

#[tokio::test]
async fn an_existing_instance_follows_its_own_connections_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "NONE"})).await;
    let old = instance(&alice, "Acme", "u1").await;
    second_default(&app, &alice, "acme", "API_KEY").await;

    let new = instance(&alice, "Acme", "u2").await;

    assert_eq!(read(&alice, &id).await["authType"], "API_KEY");
    assert_eq!(instance(&alice, "Acme", "u1").await, old);
    assert_eq!(shown(&alice, &old).await.json["authNeeded"], false);
    assert_eq!(shown(&alice, &new).await.json["authNeeded"], true);
    let refused = crate::speak::store(&alice, &old, json!({"token": "t"})).await;
    assert_eq!(
        (refused.status, &refused.json["success"]),
        (200, &json!(false))
    );
    stored(&alice, &new, json!({"token": "t"})).await;
}

async fn without_default(app: &TestApp) {
    app.execute("UPDATE auth_configs SET deleted_at = now()")
        .await;
}

#[tokio::test]
async fn none_left_reads_as_none_and_the_next_writer_makes_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;

    without_default(&app).await;
    let seen = read(&alice, &id).await;
    assert_eq!(
        (&seen["authType"], &seen["authFields"], &seen["oauthClient"]),
        (&json!("NONE"), &json!([]), &json!(null))
    );
    let before = app.fingerprint().await;
    read(&alice, &id).await;
    assert_eq!(app.fingerprint().await, before, "a read makes nothing");

    set_auth(&alice, &id, json!({"authType": "SERVICE_ACCOUNT"})).await;
    assert_eq!(default(&app).await["scheme"], "SERVICE_ACCOUNT");
    assert_eq!(default(&app).await["implicit"], false);

    without_default(&app).await;
    let made = config(&alice, "acme", "BASIC").await;
    assert_eq!(
        default(&app).await,
        json!({"id": made, "scheme": "BASIC", "implicit": false})
    );

    without_default(&app).await;
    let connection = instance(&alice, "Acme", "u1").await;
    assert_eq!(default(&app).await["implicit"], true);
    assert_eq!(shown(&alice, &connection).await.json["authNeeded"], false);
}

#[tokio::test]
async fn klavis_makes_the_default_of_a_catalogue_entry_anew_with_its_usual_scheme() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    config(&alice, "linear", "BASIC").await;
    without_default(&app).await;

    instance(&alice, "Linear", "u1").await;

    let made = default(&app).await;
    let usual = keyway::domain::catalogue::Catalogue::built_in()
        .find_name("linear")
        .unwrap();
    assert_eq!(
        (&made["scheme"], &made["implicit"]),
        (&json!(usual.default_scheme), &json!(true))
    );
}

#[tokio::test]
async fn many_first_writers_at_once_make_one_default() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let klavis = futures_util::future::join_all((0..8).map(|user| {
        let user = format!("u{user}");
        let alice = &alice;
        async move { instance(alice, "Notion", &user).await }
    }));
    let composio = futures_util::future::join_all(
        (0..8).map(|_| make_config(&alice, "notion", "API_KEY", json!({}))),
    );

    let (_, replies) = tokio::join!(klavis, composio);

    assert!(
        replies.iter().all(|reply| reply.status == 201),
        "{replies:?}"
    );
    assert_eq!(app.count("integrations").await, 1);
    assert_eq!(default(&app).await["implicit"], false);
    assert_eq!(app.count("connections").await, 8);
    let explicit = configs(&alice, "notion").await.len();
    assert_eq!(
        explicit, 8,
        "the implicit row, if there was one, was taken over"
    );
}

#[tokio::test]
async fn an_oauth_config_without_its_client_leaves_no_integration_behind() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (before, audited) = (app.fingerprint().await, app.count("audit_log").await);

    let refused = make_config(
        &alice,
        "github",
        "OAUTH2",
        json!({"credentials": {"client_id": "x"}}),
    )
    .await;

    assert_eq!(
        (refused.status, &refused.json["error"]["slug"]),
        (400, &json!("Auth_Config_ValidationError"))
    );
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audited);
}
