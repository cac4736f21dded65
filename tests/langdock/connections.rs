//! What becomes of the users' connections, which are made through other dialects.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::stories::{
    composio_config, composio_scheme, field, integration, klavis_instance, klavis_status,
    klavis_store, read, set_auth,
};

/// The documented behaviour: another `authType` deletes every connection, for every dialect at once.
#[tokio::test]
async fn another_type_deletes_the_connections_that_were_made_through_klavis() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": [field("api_key")]}),
    )
    .await;
    let (one, two) = (
        klavis_instance(&alice, "Acme CRM", "u1").await,
        klavis_instance(&alice, "acme-crm", "u2").await,
    );
    klavis_store(&alice, &one, json!({"api_key": canary()})).await;

    set_auth(&alice, &id, json!({"authType": "OAUTH"})).await;

    for instance in [&one, &two] {
        assert_eq!(klavis_status(&alice, instance).await, 404);
        assert_eq!(
            alice
                .klavis()
                .get(&format!("/mcp-server/instance/{instance}/auth"))
                .await
                .status,
            404
        );
    }
    assert_eq!(app.count("connections").await, 0);
    assert_eq!(app.count("retired_connections").await, 2);
    let sealed = format!(
        "retired_connections WHERE connection_id = '{one}' AND sealed_credential IS NOT NULL"
    );
    assert_eq!(app.count(&sealed).await, 1);
    let again = klavis_instance(&alice, "Acme CRM", "u1").await;
    assert_ne!(again, one);
    app.finish().await;
}

/// Line 4.
#[tokio::test]
async fn one_oauth_type_for_the_other_is_a_change() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    for (from, to) in [("OAUTH", "OAUTH_DCR"), ("OAUTH_DCR", "OAUTH")] {
        set_auth(&alice, &id, json!({"authType": from})).await;
        let instance = klavis_instance(&alice, "Acme CRM", "u1").await;

        set_auth(&alice, &id, json!({"authType": to})).await;

        assert_eq!(
            klavis_status(&alice, &instance).await,
            404,
            "{from} to {to}"
        );
    }
}

/// Line 5.
#[tokio::test]
async fn the_same_type_keeps_the_connections_whatever_happens_to_the_fields() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    for auth_type in ["API_KEY", "SERVICE_ACCOUNT", "OAUTH", "OAUTH_DCR"] {
        set_auth(
            &alice,
            &id,
            json!({"authType": auth_type, "authFields": [field("a")]}),
        )
        .await;
        let instance = klavis_instance(&alice, "Acme CRM", "u1").await;
        klavis_store(&alice, &instance, json!({"data": {"a": "x"}})).await;

        set_auth(
            &alice,
            &id,
            json!({"authType": auth_type, "authFields": [field("b")], "authTestCode": "return;"}),
        )
        .await;

        assert_eq!(klavis_status(&alice, &instance).await, 200, "{auth_type}");
        let kept = app
            .count(&format!(
                "connections WHERE connection_id = '{instance}' AND status = 'ACTIVE'"
            ))
            .await;
        assert_eq!(kept, 1, "{auth_type}");
    }
}

/// Line 5.
#[tokio::test]
async fn a_richer_scheme_that_is_shown_under_the_same_word_stays() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (name, scheme, word) in [
        ("Basic Service", "BASIC", "API_KEY"),
        ("Bearer Service", "BEARER_TOKEN", "API_KEY"),
        (
            "Google Service",
            "GOOGLE_SERVICE_ACCOUNT",
            "SERVICE_ACCOUNT",
        ),
    ] {
        let id = integration(&alice, name).await;
        let slug = name.to_lowercase().replace(' ', "-");
        let config = composio_config(&alice, &slug, scheme).await;
        assert_eq!(read(&alice, &id).await["authType"], word, "{scheme}");
        let instance = klavis_instance(&alice, name, "u1").await;

        let auth = set_auth(&alice, &id, json!({"authType": word})).await;

        assert_eq!(auth["authType"], word);
        assert_eq!(composio_scheme(&alice, &config).await, scheme);
        assert_eq!(klavis_status(&alice, &instance).await, 200);
        let auth = set_auth(&alice, &id, json!({"authType": "NONE"})).await;
        assert_eq!(auth["authType"], "NONE");
        assert_eq!(composio_scheme(&alice, &config).await, "NO_AUTH");
    }
}

/// Line 5.
#[tokio::test]
async fn connections_of_other_configs_are_not_touched() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let other = integration(&alice, "Other").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    set_auth(&alice, &other, json!({"authType": "API_KEY"})).await;
    let second = composio_config(&alice, "acme-crm", "BEARER_TOKEN").await;
    let (of_default, of_second, of_other) = (
        klavis_instance(&alice, "Acme CRM", "u1").await,
        klavis_instance(&alice, "Acme CRM", "u2").await,
        klavis_instance(&alice, "Other", "u1").await,
    );
    let move_it = format!(
        "UPDATE connections SET auth_config_id = (SELECT auth_config_id FROM auth_configs WHERE public_id = '{second}') \
         WHERE connection_id = '{of_second}'"
    );
    app.execute(&move_it).await;

    set_auth(&alice, &id, json!({"authType": "SERVICE_ACCOUNT"})).await;

    assert_eq!(klavis_status(&alice, &of_default).await, 404);
    assert_eq!(klavis_status(&alice, &of_second).await, 200);
    assert_eq!(klavis_status(&alice, &of_other).await, 200);
    assert_eq!(composio_scheme(&alice, &second).await, "BEARER_TOKEN");
}

/// Line 10: the change and its audit row are one.
#[tokio::test]
async fn a_change_is_audited_with_what_it_retired() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    klavis_instance(&alice, "Acme CRM", "u1").await;

    set_auth(&alice, &id, json!({"authType": "NONE"})).await;

    let query = "SELECT key_id, detail FROM audit_log WHERE action = 'integration.set_auth' ORDER BY audit_id DESC LIMIT 1";
    let row: Value = app.sql(query).await.remove(0);
    let detail = json!({"integration": id, "scheme": "NO_AUTH", "connections_retired": 1});
    assert_eq!(row, json!({"key_id": alice.key_id, "detail": detail}));
}
