//! Connections: one primary per service and user, made once whoever asks how often; their status.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::speak::{
    config_shown, configs, create, credential, instance, integration, set_auth, shown, store,
    stored,
};

#[tokio::test]
async fn sixty_four_at_once_make_one_connection() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let replies = join_all((0..64).map(|_| create(&alice, "Asana", "u1"))).await;

    let done: HashSet<_> = replies
        .iter()
        .filter(|reply| reply.status == 200)
        .map(|reply| reply.json["instanceId"].as_str().unwrap())
        .collect();
    assert_eq!(done.len(), 1, "{done:?}");
    for reply in &replies {
        assert!([200, 503].contains(&reply.status), "{}", reply.text);
    }
    for (table, rows) in [
        ("integrations", 1),
        ("auth_configs", 1),
        ("users", 1),
        ("connections", 1),
    ] {
        assert_eq!(app.count(table).await, rows, "{table}");
    }
    let primary = "connections WHERE is_primary AND status = 'INITIALIZING'";
    assert_eq!(app.count(primary).await, 1);
    for action in ["integration.create", "connection.create"] {
        assert_eq!(
            app.count(&format!("audit_log WHERE action = '{action}'"))
                .await,
            1,
            "{action}"
        );
    }
}

#[tokio::test]
async fn users_are_texts_and_told_apart_to_the_letter() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let long = "\u{1F511}".repeat(2_048);
    let users = [
        "u1",
        "U1",
        " u1",
        "u1 ",
        "ü1",
        "u\u{308}1",
        "'; DROP TABLE users; --",
        "%",
        long.as_str(),
    ];
    let mut made = HashSet::new();
    for user in users {
        let id = instance(&alice, "Asana", user).await;
        assert_eq!(shown(&alice, &id).await.json["externalUserId"], user);
        assert!(made.insert(id), "{user:?} is somebody else");
    }
    let rows = i64::try_from(users.len()).unwrap();
    assert_eq!(
        (app.count("users").await, app.count("connections").await),
        (rows, rows)
    );
}

/// No credential, one, none again: what each dialect says of it.
#[tokio::test]
async fn a_connection_is_initializing_active_and_initializing_again() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    let status = async || {
        app.sql(
            "SELECT status, sealed_credential IS NOT NULL AS sealed, generation FROM connections",
        )
        .await
        .remove(0)
    };
    let said = async || {
        let klavis = shown(&alice, &id).await.json["isAuthenticated"].clone();
        let composio = configs(&alice, "openai").await[0]["no_of_connections"].clone();
        (klavis, composio)
    };
    assert_eq!(
        status().await,
        json!({"status": "INITIALIZING", "sealed": false, "generation": null})
    );
    assert_eq!(said().await, (json!(false), json!(1)));
    let none = credential(&alice, &id).await;
    assert_eq!(
        (none.status, &none.json["success"], &none.json["authData"]),
        (200, &json!(false), &json!(null))
    );

    stored(&alice, &id, json!({"api_key": canary()})).await;
    let active = status().await;
    assert_eq!(
        (&active["status"], &active["sealed"]),
        (&json!("ACTIVE"), &json!(true))
    );
    assert_eq!(said().await, (json!(true), json!(1)));

    let nothing = store(&alice, &id, json!({"api_key": ""})).await;
    assert_eq!(
        (nothing.status, &nothing.json["success"]),
        (200, &json!(false))
    );
    assert_eq!(status().await, active, "nothing to store changes nothing");
    stored(&alice, &id, json!({"api_key": canary()})).await;
    assert_ne!(
        status().await["generation"],
        active["generation"],
        "each credential has its own generation"
    );

    let path = format!("/mcp-server/instance/{id}/auth");
    assert_eq!(alice.klavis().delete(&path).await.json["success"], true);
    assert_eq!(
        status().await,
        json!({"status": "INITIALIZING", "sealed": false, "generation": null})
    );
    assert_eq!(said().await, (json!(false), json!(1)));
    assert_eq!(credential(&alice, &id).await.json["authData"], Value::Null);
    app.finish().await;
}

/// Each status that other issues will write: only ACTIVE with a credential is authenticated.
#[tokio::test]
async fn only_an_active_connection_with_a_credential_is_authenticated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = instance(&alice, "OpenAI", "u1").await;
    stored(&alice, &id, json!({"api_key": "k"})).await;
    for status in [
        "INITIALIZING",
        "INITIATED",
        "INACTIVE",
        "EXPIRED",
        "FAILED",
        "REVOKED",
        "ACTIVE",
    ] {
        app.execute(&format!("UPDATE connections SET status = '{status}'"))
            .await;
        let authenticated = shown(&alice, &id).await.json["isAuthenticated"].clone();
        assert_eq!(authenticated, status == "ACTIVE", "{status}");
        stored(&alice, &id, json!({"api_key": "k"})).await;
        assert_eq!(
            app.count("connections WHERE status = 'ACTIVE'").await,
            1,
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_langdock_integration_takes_klavis_instances_that_composio_counts() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let config = configs(&alice, "acme").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(config_shown(&alice, &config).await["no_of_connections"], 0);

    for user in ["u1", "u2", "u3"] {
        let connection = instance(&alice, "ACME", user).await;
        stored(
            &alice,
            &connection,
            json!({"data": {"token": canary(), "nested": {"deep": [canary()]}}}),
        )
        .await;
    }

    assert_eq!(config_shown(&alice, &config).await["no_of_connections"], 3);
    let path = format!("/integrations/v1/{id}/auth");
    let plan = alice
        .langdock()
        .request(http::Method::PATCH, &path)
        .header("x-dry-run", "true");
    let plan = plan.json(json!({"authType": "NONE"})).send().await;
    assert_eq!(plan.json["plan"]["connectionsDeleted"], 3);
    assert_eq!(plan.json["plan"]["users"], json!(["u1", "u2", "u3"]));
    app.finish().await;
}
