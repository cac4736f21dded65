//! An auth config that Composio's DELETE ends, as the other dialects see it: with everything under it, and the next one in
//! its place.

use serde_json::{Value, json};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::speak::{
    config, config_shown, configs, create, credential, instance, integration, read, set_auth,
    shown, store, stored,
};

async fn delete(tenant: &Tenant, config: &str) {
    let path = format!("/api/v3/auth_configs/{config}");
    let reply = tenant.composio().delete(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// A connection of this user under the config, beside what the user has: its instance id.
async fn beside(app: &TestApp, config: &str, user: &str, hours: u32) -> String {
    let rows = format!(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, \
             user_hash, is_primary, status, created_at) \
         SELECT u.tenant_id, gen_random_uuid(), 'ca_' || substr(md5(random()::text), 1, 12), c.auth_config_id, \
             c.integration_id, u.user_id, u.user_hash, false, 'INITIALIZING', now() - interval '{hours} hours' \
         FROM users u, auth_configs c WHERE u.user_id = '{user}' AND c.public_id = '{config}'"
    );
    app.execute(&rows).await;
    let made = format!(
        "SELECT connection_id AS id FROM connections JOIN auth_configs c USING (tenant_id, auth_config_id) \
         WHERE c.public_id = '{config}'"
    );
    app.sql(&made).await[0]["id"].as_str().unwrap().to_owned()
}

/// None left reads as `NONE`.
#[tokio::test]
async fn the_last_config_takes_the_instances_with_it_and_leaves_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let full = instance(&alice, "Acme", "u1").await;
    stored(&alice, &full, json!({"data": {"key": canary()}})).await;
    let empty = instance(&alice, "Acme", "u2").await;
    let body = json!({"userId": "u1", "servers": ["Acme"]});
    let klavis = alice.klavis();
    let strata = klavis.post("/mcp-server/strata/create", body).await;
    assert_eq!(strata.status, 200, "{}", strata.text);
    let before = configs(&alice, "acme").await;
    let [config] = before.as_slice() else {
        panic!("one config: {before:?}")
    };
    assert_eq!(config["no_of_connections"], 2);
    let etag = alice
        .langdock()
        .get(&format!("/integrations/v1/{id}"))
        .await
        .header("etag")
        .to_owned();

    delete(&alice, config["id"].as_str().unwrap()).await;

    assert_eq!(read(&alice, &id).await["authType"], "NONE");
    for connection in [&full, &empty] {
        for reply in [
            shown(&alice, connection).await,
            credential(&alice, connection).await,
            store(&alice, connection, json!({"token": "t"})).await,
            klavis
                .delete(&format!("/mcp-server/instance/{connection}/auth"))
                .await,
        ] {
            assert_eq!(
                (reply.status, reply.json),
                (404, json!({"detail": "Instance not found"}))
            );
        }
    }
    assert_eq!(configs(&alice, "acme").await, [Value::Null; 0]);
    let strata = strata.json["strataId"].as_str().unwrap().to_owned();
    let members = klavis.get(&format!("/mcp-server/strata/{strata}")).await;
    assert_eq!(members.status, 200, "{}", members.text);
    let of_user = klavis.get("/user/u1/auth/Acme").await;
    assert_eq!(of_user.json["authData"], Value::Null, "{}", of_user.text);
    let path = format!("/integrations/v1/{id}/auth");
    let stale = alice.langdock().request(http::Method::PATCH, &path);
    let stale = stale.header("if-match", &etag);
    let stale = stale.json(json!({"authType": "OAUTH"})).send().await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    app.finish().await;
}

/// Each dialect makes one where there is none, as it does for a new integration.
#[tokio::test]
async fn the_next_writer_makes_a_config_where_none_is_left() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    for round in 0..3 {
        let first = configs(&alice, "acme").await[0].clone();
        let first = first["id"].as_str().unwrap();
        delete(&alice, first).await;
        assert_eq!(read(&alice, &id).await["authType"], "NONE");

        let (scheme, implicit) = match round {
            0 => {
                instance(&alice, "Acme", "u1").await;
                ("NO_AUTH", true)
            }
            1 => {
                set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
                ("API_KEY", false)
            }
            _ => {
                config(&alice, "acme", "BASIC").await;
                ("BASIC", false)
            }
        };

        let now = configs(&alice, "acme").await;
        assert_eq!(now.len(), 1);
        assert_eq!(now[0]["auth_scheme"], scheme);
        assert_ne!(now[0]["id"], first);
        let live = "SELECT is_default, is_implicit FROM auth_configs WHERE deleted_at IS NULL";
        let expected = json!({"is_default": true, "is_implicit": implicit});
        assert_eq!(app.sql(live).await, [expected]);
    }
}

/// Deleting the default promotes the oldest live config, and each user's oldest other connection.
#[tokio::test]
async fn the_oldest_config_and_the_oldest_connections_take_the_place() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "SERVICE_ACCOUNT"})).await;
    let first = configs(&alice, "acme").await[0]["id"].clone();
    let first = first.as_str().unwrap();
    let second = config(&alice, "acme", "BEARER_TOKEN").await;
    let third = config(&alice, "acme", "OAUTH2").await;
    // Age decides, not the order in which they were made.
    app.execute(&format!(
        "UPDATE auth_configs SET created_at = now() - interval '1 hour' WHERE public_id = '{third}'"
    ))
    .await;
    for user in ["u1", "u2"] {
        instance(&alice, "Acme", user).await;
    }
    let older = beside(&app, &third, "u1", 2).await;
    let newer = beside(&app, &second, "u1", 1).await;

    delete(&alice, first).await;

    assert_eq!(read(&alice, &id).await["authType"], "OAUTH");
    let default = "SELECT public_id AS id FROM auth_configs WHERE is_default";
    assert_eq!(app.sql(default).await, [json!({"id": third})]);
    assert_eq!(instance(&alice, "Acme", "u1").await, older);
    assert_eq!(shown(&alice, &newer).await.status, 200);
    let fresh = instance(&alice, "Acme", "u2").await;
    assert_eq!(shown(&alice, &fresh).await.json["authNeeded"], true);
    assert_eq!(config_shown(&alice, &third).await["no_of_connections"], 2);

    // One that is not the default takes its own connections only.
    delete(&alice, &second).await;
    assert_eq!(shown(&alice, &newer).await.status, 404);
    assert_eq!(shown(&alice, &older).await.status, 200);
    assert_eq!(app.sql(default).await, [json!({"id": third})]);
}

/// What is disabled is promoted too: it is the default then, and takes no new connections.
#[tokio::test]
async fn a_disabled_config_is_promoted_as_it_is() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let first = config(&alice, "linear", "API_KEY").await;
    let second = config(&alice, "linear", "BASIC").await;
    let path = format!("/api/v3/auth_configs/{second}/DISABLED");
    let disabled = alice.composio().request(http::Method::PATCH, &path);
    assert_eq!(disabled.send().await.status, 200);

    delete(&alice, &first).await;

    assert_eq!(create(&alice, "Linear", "u1").await.status, 403);
    assert_eq!(config_shown(&alice, &second).await["status"], "DISABLED");
}

/// An OAuth client that went with its config is found by its id no more.
#[tokio::test]
async fn a_white_label_goes_with_its_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let label = json!({"client_id": "app-1", "client_secret": canary(), "server_name": "GitHub"});
    let klavis = alice.klavis();
    let made = klavis.post("/white-labeling/create", label).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let found = klavis.get("/white-labeling/get/app-1").await;
    assert_eq!(found.status, 200, "{}", found.text);
    let config = configs(&alice, "github").await[0]["id"].clone();

    delete(&alice, config.as_str().unwrap()).await;

    let gone = klavis.get("/white-labeling/get/app-1").await;
    assert_eq!(gone.status, 404, "{}", gone.text);
    app.finish().await;
}
