//! An auth config that ends with a hundred thousand connections, and as many retired ones: all or nothing, in one
//! request.

use std::time::Instant;

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::rows::{instance, integration, many, set_auth, store};

async fn configs(app: &TestApp) -> Vec<Value> {
    app.sql(
        "SELECT public_id AS id, is_default FROM auth_configs WHERE deleted_at IS NULL \
         ORDER BY created_at, auth_config_id",
    )
    .await
}

async fn delete(tenant: &Tenant, config: &Value) -> Reply {
    let id = config["id"].as_str().unwrap();
    let path = format!("/api/v3.1/auth_configs/{id}");
    tenant.composio().delete(&path).await
}

/// The integration's default config with 100,000 connections and 100,000 retired ones; a fifth of the users have another
/// connection under a second config.
async fn full(app: &TestApp, alice: &Tenant) -> String {
    let id = integration(alice, "Acme").await;
    many(app, &id, 100_000).await;
    set_auth(alice, &id, "SERVICE_ACCOUNT").await;
    assert_eq!(app.count("retired_connections").await, 100_000);
    many(app, &id, 100_000).await;
    let second = json!({
        "toolkit": {"slug": "acme"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "BEARER_TOKEN", "credentials": {}},
    });
    let second = alice.composio().post("/api/v3/auth_configs", second).await;
    assert_eq!(second.status, 201, "{}", second.text);
    app.execute(
        "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, \
             user_hash, is_primary, status) \
         SELECT c.tenant_id, gen_random_uuid(), 'ca_' || substr(md5(c.user_id), 1, 12), a.auth_config_id, \
             c.integration_id, c.user_id, c.user_hash, false, 'INITIALIZING' \
         FROM connections c JOIN auth_configs a ON a.integration_id = c.integration_id AND NOT a.is_default \
         WHERE substr(c.user_id, 6)::int % 5 = 0;
         INSERT INTO link_tokens (tenant_id, token_hash, connection_id, key_id, expires_at) \
         SELECT tenant_id, sha256(public_id::bytea), connection_id, 'key', now() FROM connections \
         WHERE substr(user_id, 6)::int % 10 = 0;
         ANALYZE connections; ANALYZE retired_connections; ANALYZE link_tokens",
    )
    .await;
    id
}

#[tokio::test]
async fn a_config_ends_with_a_hundred_thousand_connections_in_one_request() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    full(&app, &alice).await;
    let [first, second] = configs(&app).await.try_into().unwrap();

    let begun = Instant::now();
    let reply = delete(&alice, &first).await;

    println!("210,000 rows were destroyed in {:?}", begun.elapsed());
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(app.count("retired_connections").await, 0);
    assert_eq!(app.count("connections").await, 20_000);
    assert_eq!(app.count("connections WHERE is_primary").await, 20_000);
    assert_eq!(app.count("link_tokens").await, 10_000);
    let left = json!({"id": second["id"], "is_default": true});
    assert_eq!(configs(&app).await, [left]);
    let detail = app
        .sql("SELECT detail FROM audit_log ORDER BY audit_id DESC LIMIT 1")
        .await;
    let expected = json!({
        "connections": 100_000, "retired_connections": 100_000, "connections_promoted": 20_000,
        "new_default": second["id"], "revoke_job_id": null,
    });
    assert_eq!(detail[0]["detail"], expected);
}

/// Others who want something of the config meanwhile get what there was, or are told to come again.
#[tokio::test]
async fn beside_a_big_deletion_nobody_gets_a_fault_of_ours() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    full(&app, &alice).await;
    let klavis = alice.klavis();
    let mine = instance(&alice, "Acme", "many-7").await;
    store(&alice, &mine, json!({"key": "before"})).await;
    let first = configs(&app).await.swap_remove(0);
    let path = format!("/api/v3/auth_configs/{}", first["id"].as_str().unwrap());

    let deletion = delete(&alice, &first);
    let others = async {
        let mut statuses = Vec::new();
        for round in 0..40 {
            let set =
                json!({"instanceId": mine, "authData": {"data": {"key": format!("k{round}")}}});
            let create = json!({"serverName": "Acme", "userId": format!("new-{round}")});
            let change = json!({"type": "custom", "name": format!("n{round}")});
            let composio = alice.composio();
            let auth = format!("/mcp-server/instance/{mine}/auth");
            let (set, read, made, changed, listed) = tokio::join!(
                klavis.post("/mcp-server/instance/set-auth", set),
                klavis.get(&auth),
                klavis.post("/mcp-server/instance/create", create),
                composio.patch(&path, change),
                composio.get("/api/v3/auth_configs"),
            );
            for (name, reply) in [
                ("set", set),
                ("read", read),
                ("made", made),
                ("changed", changed),
                ("listed", listed),
            ] {
                let allowed = [200, 404, 503].contains(&reply.status);
                assert!(allowed, "{name}: {} {}", reply.status, reply.text);
                statuses.push((name, reply.status));
            }
        }
        statuses
    };
    let (deleted, statuses) = tokio::join!(deletion, others);

    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert!(statuses.contains(&("set", 404)), "{statuses:?}");
    let under_the_dead = "connections JOIN auth_configs USING (tenant_id, auth_config_id) WHERE deleted_at IS NOT NULL";
    assert_eq!(app.count(under_the_dead).await, 0);
    let twice = "(SELECT FROM connections GROUP BY integration_id, user_hash \
                 HAVING count(*) FILTER (WHERE is_primary) <> 1) AS pairs";
    assert_eq!(app.count(twice).await, 0);
    assert_eq!(app.deadlocks().await, 0);
}
