//! White labels: a client is found by its id, whichever dialect set it, and by nothing once that is gone.

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::white_label::{assert_not_found, configs, found, label, labelled, shown};

/// Composio: makes a config of this scheme with a client; its path.
async fn config(tenant: &Tenant, toolkit: &str, scheme: &str, credentials: Value) -> String {
    let body = json!({
        "toolkit": {"slug": toolkit},
        "auth_config": {"type": "use_custom_auth", "authScheme": scheme, "credentials": credentials},
    });
    let made = tenant.composio().post("/api/v3/auth_configs", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let id = made.json["auth_config"]["id"].as_str().unwrap();
    format!("/api/v3/auth_configs/{id}")
}

/// Composio: changes the credentials of a config.
async fn change(tenant: &Tenant, path: &str, credentials: Value) {
    let body = json!({"type": "custom", "credentials": credentials});
    let reply = tenant.composio().patch(path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

/// What is shown of a client, which must have an index: without one it would be found too, by opening it.
async fn indexed(app: &TestApp, tenant: &Tenant, client_id: &str) -> Value {
    let without = "auth_config_secrets WHERE name = 'client_id' AND value_index IS NULL";
    assert_eq!(app.count(without).await, 0, "{client_id}");
    shown(tenant, client_id).await
}

#[tokio::test]
async fn a_client_that_composio_sets_is_found_until_it_is_removed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (toolkit, scheme) in [
        ("gmail", "OAUTH2"),
        ("paypal", "S2S_OAUTH2"),
        ("notion", "DCR_OAUTH"),
    ] {
        let id = |of: &str| format!("{scheme}-{of}");
        let client = json!({"client_id": id("made"), "client_secret": canary()});
        let path = config(&alice, toolkit, scheme, client).await;
        let data = indexed(&app, &alice, &id("made")).await;
        assert_eq!(
            (&data["callback_url"], &data["account_id"]),
            (&json!(null), &json!(null))
        );

        change(&alice, &path, json!({"client_id": id("changed")})).await;
        assert_not_found(&found(&alice, &id("made")).await);
        indexed(&app, &alice, &id("changed")).await;
        // What is only shown back, and what does not name it, leaves it.
        change(
            &alice,
            &path,
            json!({"client_id": id("changed"), "client_secret": canary()}),
        )
        .await;
        change(&alice, &path, json!({"scopes": "a b"})).await;
        indexed(&app, &alice, &id("changed")).await;
        change(&alice, &path, json!({"client_id": null})).await;
        assert_not_found(&found(&alice, &id("changed")).await);
        change(&alice, &path, json!({"client_id": id("again")})).await;
        indexed(&app, &alice, &id("again")).await;
    }
    app.finish().await;
}

/// A change whose config is held by somebody goes another way to the table.
#[tokio::test]
async fn a_client_that_composio_changes_behind_somebody_else_is_found_too() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = json!({"client_id": "before", "client_secret": canary()});
    let path = config(&alice, "gmail", "OAUTH2", client).await;
    for (client_id, credentials) in [
        (Some("after"), json!({"client_id": "after"})),
        (None, json!({"client_id": null})),
    ] {
        let mut other = PgConnection::connect_with(&app.superuser()).await.unwrap();
        let hold = "BEGIN; SELECT FROM auth_configs FOR UPDATE";
        other
            .execute(sqlx::raw_sql(AssertSqlSafe(hold)))
            .await
            .unwrap();
        let release = async {
            while app.count("pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()").await == 0 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            other.execute("COMMIT").await.unwrap();
        };
        tokio::join!(change(&alice, &path, credentials), release);

        assert_not_found(&found(&alice, "before").await);
        match client_id {
            Some(client_id) => assert_eq!(
                indexed(&app, &alice, client_id).await["client_id"],
                client_id
            ),
            None => assert_not_found(&found(&alice, "after").await),
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_client_that_langdock_sets_is_found_until_it_is_removed() {
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
    let set = async |auth: &str, client: Value| {
        let body = json!({"authType": auth, "oauthClient": client});
        let reply = alice.langdock().patch(&path, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    };

    set(
        "OAUTH",
        json!({"clientId": "one", "clientSecret": canary()}),
    )
    .await;
    assert_eq!(indexed(&app, &alice, "one").await["server_name"], "Acme");
    set("OAUTH", json!({"clientId": "two"})).await;
    assert_not_found(&found(&alice, "one").await);
    set("OAUTH", json!({"label": "Connect"})).await;
    indexed(&app, &alice, "two").await;
    for gone in [
        json!({"clientId": null}),
        json!({"clientId": ""}),
        json!(null),
    ] {
        set("OAUTH", json!({"clientId": "three"})).await;
        indexed(&app, &alice, "three").await;
        set("OAUTH", gone).await;
        assert_not_found(&found(&alice, "three").await);
    }
    set("OAUTH_DCR", json!({"clientId": "four"})).await;
    indexed(&app, &alice, "four").await;
    // Another kind drops the client.
    let body = json!({"authType": "API_KEY"});
    assert_eq!(alice.langdock().patch(&path, body).await.status, 200);
    assert_not_found(&found(&alice, "four").await);
    assert_eq!(app.count("auth_config_secrets").await, 0);
    app.finish().await;
}

#[tokio::test]
async fn a_config_that_another_dialect_made_is_changed_by_its_client_id() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    config(
        &alice,
        "slack",
        "OAUTH2",
        json!({"client_id": "one", "client_secret": "s"}),
    )
    .await;
    let second = json!({"client_id": "two", "client_secret": "short", "scopes": "a", "auth_url": "https://a.example"});
    config(&alice, "slack", "OAUTH2", second).await;

    labelled(&alice, "two", "Slack", json!({"account_id": "a"})).await;

    let [one, two] = configs(&alice).await.try_into().unwrap();
    assert_eq!(one["credentials"]["client_secret"], "...");
    assert_eq!(two["credentials"]["client_secret"], "CANA...");
    assert_eq!(
        (
            &two["credentials"]["scopes"],
            &two["credentials"]["auth_url"]
        ),
        (&json!("a"), &json!("https://a.example"))
    );
    app.finish().await;
}

/// A credential that happens to be called so is no OAuth client.
#[tokio::test]
async fn what_is_no_oauth_client_is_not_found() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    config(
        &alice,
        "stripe",
        "API_KEY",
        json!({"client_id": "a", "generic_api_key": canary()}),
    )
    .await;
    let shared = json!({
        "toolkit": {"slug": "gmail"},
        "auth_config": {"type": "use_custom_auth", "authScheme": "OAUTH2",
            "credentials": {"client_id": "b", "client_secret": canary()}, "shared_credentials": {"client_id": "c"}},
    });
    assert_eq!(
        alice
            .composio()
            .post("/api/v3/auth_configs", shared)
            .await
            .status,
        201
    );
    let odd = json!({"client_id": ["d"]});
    config(&alice, "notion", "DCR_OAUTH", odd).await;

    for client_id in ["a", "c", "d", "[\"d\"]"] {
        assert_not_found(&found(&alice, client_id).await);
    }
    shown(&alice, "b").await;
    let indexed = "auth_config_secrets WHERE value_index IS NOT NULL";
    assert_eq!(
        app.count(&format!(
            "{indexed} AND (kind <> 'credential' OR name <> 'client_id')"
        ))
        .await,
        0
    );
    assert_eq!(label(&alice, "a", "Stripe", json!({})).await.status, 200);
    shown(&alice, "a").await;
    assert_eq!(app.count("auth_configs WHERE scheme = 'API_KEY'").await, 1);
    app.finish().await;
}

#[tokio::test]
async fn a_rotation_of_the_tenants_key_loses_no_client() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "kept", "Gmail", json!({"account_id": "a"})).await;
    let before = indexed(&app, &alice, "kept").await;
    for data_key in 2..4 {
        let rotated = app
            .service()
            .rotate_tenant_key("alice", false, &|_| {})
            .await;
        assert_eq!(rotated.unwrap().data_key, data_key);
        // Long ago, so that the replaced key goes where nothing needs it.
        app.execute(
            "UPDATE tenant_data_keys SET looked_at = NULL, created_at = created_at - interval '30 days', \
             emptied_at = emptied_at - interval '30 days'",
        )
        .await;
        app.service().tidy().await.unwrap();

        assert_eq!(indexed(&app, &alice, "kept").await, before);
    }
    // Under the new key, by the old index.
    labelled(&alice, "kept", "Gmail", json!({"account_id": "b"})).await;
    labelled(&alice, "new", "Gmail", json!({})).await;
    assert_eq!(indexed(&app, &alice, "kept").await["account_id"], "b");
    assert_eq!(app.count("auth_configs").await, 2);
    app.finish().await;
}

/// Rows of a database from before there was an index.
#[tokio::test]
async fn a_client_id_without_an_index_is_found_by_opening_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "old", "Gmail", json!({})).await;
    labelled(&alice, "other", "Slack", json!({})).await;
    app.execute("UPDATE auth_config_secrets SET value_index = NULL")
        .await;
    let before = app.fingerprint().await;

    assert_eq!(shown(&alice, "old").await["server_name"], "Gmail");
    assert_eq!(shown(&alice, "other").await["server_name"], "Slack");
    assert_not_found(&found(&alice, "neither").await);
    assert_eq!(app.fingerprint().await, before, "a read writes nothing");
    labelled(&alice, "old", "Gmail", json!({"account_id": "a"})).await;

    assert_eq!(
        app.count("auth_configs").await,
        2,
        "found, and so no other one made"
    );
    assert_eq!(
        app.count("auth_config_secrets WHERE value_index IS NOT NULL")
            .await,
        1
    );
    // One that does not open hides none of the others.
    app.execute("UPDATE auth_config_secrets SET value_index = NULL")
        .await;
    app.execute(
        "UPDATE auth_config_secrets SET sealed_value = set_byte(sealed_value, 40, get_byte(sealed_value, 40) # 1) \
         WHERE auth_config_id = (SELECT max(auth_config_id::text)::uuid FROM auth_configs)",
    )
    .await;
    assert_eq!(shown(&alice, "old").await["account_id"], "a");
    assert_not_found(&found(&alice, "other").await);
    app.finish().await;
}

/// More of them than one page has.
#[tokio::test]
async fn many_client_ids_without_an_index_are_all_looked_at() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "last", "Gmail", json!({})).await;
    app.execute(
        "UPDATE auth_config_secrets SET value_index = NULL; \
         INSERT INTO auth_configs (tenant_id, auth_config_id, public_id, integration_id, is_default, is_implicit, name, \
             scheme, tool_access, fields, created_by) \
         SELECT tenant_id, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'ac_' || n, integration_id, \
             false, false, 'n', scheme, tool_access, fields, created_by FROM auth_configs, generate_series(1, 1100) AS n; \
         INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value) \
         SELECT a.tenant_id, a.auth_config_id, s.kind, s.name, s.sealed_value \
         FROM auth_configs a JOIN auth_config_secrets s ON s.name = 'client_id' WHERE NOT is_default",
    )
    .await;

    // The copies lie where they were not sealed, so that none of them opens.
    assert_eq!(shown(&alice, "last").await["server_name"], "Gmail");
    app.finish().await;
}

/// What a server of an older version leaves: it seals another client id and does not know of the index.
#[tokio::test]
async fn an_index_that_another_client_id_left_behind_shows_nothing_wrong() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "old", "Gmail", json!({})).await;
    let kept = app
        .sql("SELECT encode(value_index, 'hex') AS hex FROM auth_config_secrets WHERE value_index IS NOT NULL")
        .await;
    labelled(&alice, "other", "Slack", json!({})).await;
    app.execute("UPDATE auth_config_secrets SET value_index = NULL WHERE value_index IS NOT NULL")
        .await;
    app.execute(&format!(
        "UPDATE auth_config_secrets s SET value_index = decode('{}', 'hex') FROM auth_configs a, integrations i
            WHERE s.name = 'client_id' AND a.auth_config_id = s.auth_config_id
                AND i.integration_id = a.integration_id AND i.slug = 'slack'",
        kept[0]["hex"].as_str().unwrap()
    ))
    .await;
    // By index that of Slack is found first, being the one that was changed last.
    assert_not_found(&found(&alice, "old").await);

    let again = label(&alice, "old", "Slack", json!({})).await;
    assert_eq!(again.status, 503, "{}", again.text);
}
