//! What an `authType` change takes away: for every dialect at once, kept where no read reaches it.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::speak::{
    config, config_shown, create, credential, instance, integration, set_auth, shown, store, stored,
};

#[tokio::test]
async fn retired_bytes_are_the_same_and_no_read_reaches_them() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let (full, empty) = (
        instance(&alice, "Acme", "u1").await,
        instance(&alice, "Acme", "u2").await,
    );
    stored(&alice, &full, json!({"data": {"key": canary()}})).await;
    let columns = "connection_id, public_id, auth_config_id, integration_id, user_id, user_hash, is_primary, status, \
        generation, sealed_credential, platform, read_only, created_at, updated_at";
    let version = app.sql("SELECT version FROM auth_configs").await[0]["version"].clone();
    let before = app
        .sql(&format!("SELECT {columns} FROM connections ORDER BY 1"))
        .await;

    set_auth(&alice, &id, json!({"authType": "SERVICE_ACCOUNT"})).await;

    let retired = app
        .sql(&format!(
            "SELECT {columns} FROM retired_connections ORDER BY 1"
        ))
        .await;
    assert_eq!(retired, before);
    let versions = app
        .sql("SELECT DISTINCT auth_config_version AS version FROM retired_connections")
        .await;
    assert_eq!(
        versions,
        [json!({"version": version})],
        "the version that they were made under"
    );
    assert_eq!(app.count("connections").await, 0);
    for connection in [&full, &empty] {
        for reply in [
            shown(&alice, connection).await,
            credential(&alice, connection).await,
            store(&alice, connection, json!({"token": "t"})).await,
            alice
                .klavis()
                .delete(&format!("/mcp-server/instance/{connection}/auth"))
                .await,
        ] {
            assert_eq!(
                (reply.status, reply.json),
                (404, json!({"detail": "Instance not found"}))
            );
        }
    }
    let shown_config = app.sql("SELECT public_id FROM auth_configs").await[0]["public_id"].clone();
    assert_eq!(
        config_shown(&alice, shown_config.as_str().unwrap()).await["no_of_connections"],
        0
    );
    let again = instance(&alice, "Acme", "u1").await;
    assert!(again != full && again != empty);
    assert_eq!(shown(&alice, &again).await.json["isAuthenticated"], false);
    app.finish().await;
}

/// A user whose primary connection goes and who has others: the oldest of these is the primary one now.
#[tokio::test]
async fn the_oldest_remaining_connection_becomes_the_primary_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let second = config(&alice, "acme", "BEARER_TOKEN").await;
    let third = config(&alice, "acme", "BASIC").await;
    let mut gone = Vec::new();
    for user in ["u1", "u2"] {
        gone.push(instance(&alice, "Acme", user).await);
    }
    // Connections beside the primary one come with Composio's endpoints; until then they are made here.
    let beside = async |id: &str, config: &str, user: &str, age: u32| {
        app.execute(&format!(
            "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, \
                 user_hash, is_primary, status, created_at) \
             SELECT p.tenant_id, '{id}', 'ca_{}', c.auth_config_id, p.integration_id, p.user_id, p.user_hash, false, \
                 'INITIALIZING', now() - interval '{age} hours' \
             FROM connections p, auth_configs c WHERE p.user_id = '{user}' AND p.is_primary AND c.public_id = '{config}'",
            &id[24..]
        ))
        .await;
    };
    // Age decides, not the order of the ids.
    let [newer, older, other] = [
        "01900000-0000-7000-8000-000000000001",
        "01900000-0000-7000-8000-000000000002",
        "01900000-0000-7000-8000-000000000003",
    ];
    beside(newer, &second, "u1", 1).await;
    beside(older, &third, "u1", 2).await;
    let keeper = instance(&alice, "Acme", "u3").await;
    app.execute(&format!(
        "UPDATE connections SET auth_config_id = (SELECT auth_config_id FROM auth_configs WHERE public_id = '{second}') \
         WHERE connection_id = '{keeper}'"
    ))
    .await;
    beside(other, &third, "u3", 3).await;

    set_auth(&alice, &id, json!({"authType": "NONE"})).await;

    let left = app.sql("SELECT connection_id AS id, user_id, is_primary FROM connections ORDER BY user_id, connection_id").await;
    let row = |id: &str, user: &str, primary: bool| json!({"id": id, "user_id": user, "is_primary": primary});
    let mut expected = vec![
        row(older, "u1", true),
        row(newer, "u1", false),
        row(other, "u3", false),
        row(&keeper, "u3", true),
    ];
    expected.sort_by_key(|row| (row["user_id"].to_string(), row["id"].to_string()));
    assert_eq!(left, expected);
    assert_eq!(instance(&alice, "Acme", "u1").await, older);
    assert_eq!(instance(&alice, "Acme", "u3").await, keeper);
    let fresh = instance(&alice, "Acme", "u2").await;
    assert!(!gone.contains(&fresh));
}

/// Every change between two kinds retires; the same kind again retires nothing.
#[tokio::test]
async fn every_change_of_kind_retires_and_no_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let kinds = ["NONE", "API_KEY", "SERVICE_ACCOUNT", "OAUTH", "OAUTH_DCR"];
    for from in kinds {
        for to in kinds {
            set_auth(&alice, &id, json!({"authType": from})).await;
            let connection = instance(&alice, "Acme", "u1").await;
            let version = app.sql("SELECT version FROM auth_configs").await[0]["version"].as_i64();

            let told = set_auth(&alice, &id, json!({"authType": to})).await;

            assert_eq!(told["authType"], to);
            let expected = if from == to { 200 } else { 404 };
            assert_eq!(
                shown(&alice, &connection).await.status,
                expected,
                "{from} to {to}"
            );
            let now = app.sql("SELECT version FROM auth_configs").await[0]["version"].as_i64();
            assert_eq!(
                now,
                version.map(|version| version + 1),
                "{from} to {to}: the entity tag moves"
            );
        }
    }
}

/// A credential that is being stored while the type changes is retired with its connection, or refused: never left.
#[tokio::test]
async fn a_change_of_kind_and_a_credential_at_once_leave_nothing_behind() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    for round in 0..10 {
        set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
        let users: Vec<_> = (0..6).map(|user| format!("u{round}x{user}")).collect();
        let mut instances = Vec::new();
        for user in &users {
            instances.push(instance(&alice, "Acme", user).await);
        }
        let storing = futures_util::future::join_all(
            instances
                .iter()
                .map(|id| store(&alice, id, json!({"token": "t"}))),
        );
        let making =
            futures_util::future::join_all(users.iter().map(|user| create(&alice, "Acme", user)));
        let (replies, made, _) = tokio::join!(
            storing,
            making,
            set_auth(&alice, &id, json!({"authType": "NONE"}))
        );

        for reply in replies.iter().chain(&made) {
            assert!([200, 404].contains(&reply.status), "{}", reply.text);
        }
        let acknowledged: Vec<&Value> = replies
            .iter()
            .map(|reply| &reply.json["success"])
            .filter(|done| **done == true)
            .collect();
        let kept = app
            .count(&format!("retired_connections WHERE sealed_credential IS NOT NULL AND user_id LIKE 'u{round}x%'"))
            .await;
        assert_eq!(
            kept,
            i64::try_from(acknowledged.len()).unwrap(),
            "what was acknowledged is retired"
        );
        assert_eq!(
            app.count("connections WHERE sealed_credential IS NOT NULL")
                .await,
            0
        );
    }
}
