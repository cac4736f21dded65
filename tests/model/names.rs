//! Match keys: one service under every spelling, in every dialect.

use serde_json::json;

use crate::common::TestApp;
use crate::speak::{
    config, config_shown, configs, create, instance, integration, make_config, read, shown,
};

#[tokio::test]
async fn a_langdock_integration_is_found_under_every_spelling() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Zurich Data-Hub 2").await;
    let slug = app.sql("SELECT slug FROM integrations").await[0]["slug"].clone();
    assert_eq!(slug, "zurich-data-hub-2");

    let first = instance(&alice, "zurich-data-hub-2", "u1").await;
    for spelling in [
        "ZURICH_DATA_HUB_2",
        "zurichdatahub2",
        "zurich data hub 2",
        "Zurich Data-Hub 2",
    ] {
        assert_eq!(instance(&alice, spelling, "u1").await, first, "{spelling}");
    }
    let made = config(&alice, "ZURICH-data-HUB_2", "API_KEY").await;
    assert_eq!(config_shown(&alice, &made).await["toolkit"]["slug"], slug);
    assert_eq!(app.count("integrations").await, 1);
}

#[tokio::test]
async fn names_become_slugs_and_a_second_one_gets_a_number() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let bob = app.tenant("bob").await;
    let mut ids = Vec::new();
    for name in ["Acme CRM", "acme crm", "ACME-CRM!", "acmecrm"] {
        ids.push(integration(&alice, name).await);
    }
    integration(&bob, "Acme CRM").await;

    let slugs = app
        .sql(&format!("SELECT slug, match_key, name FROM integrations WHERE tenant_id = '{}' ORDER BY integration_id", alice.id))
        .await;
    let expected = [
        ("acme-crm", "acmecrm", "Acme CRM"),
        ("acme-crm-2", "acmecrm2", "acme crm"),
        ("acme-crm-3", "acmecrm3", "ACME-CRM!"),
        // Its own slug would be free, its match key is not: the number makes it so.
        ("acmecrm-4", "acmecrm4", "acmecrm"),
    ];
    let expected =
        expected.map(|(slug, key, name)| json!({"slug": slug, "match_key": key, "name": name}));
    assert_eq!(slugs, expected);
    assert_eq!(
        app.count("integrations WHERE slug = 'acme-crm'").await,
        2,
        "slugs are a tenant's own"
    );
    let second = instance(&alice, "ACME CRM 2", "u1").await;
    assert_eq!(shown(&alice, &second).await.json["serverName"], "acme crm");
}

#[tokio::test]
async fn a_name_without_letters_gets_a_slug_and_is_found_by_its_name() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "🔑🔑").await;
    integration(&alice, "***").await;

    let rows = app
        .sql("SELECT slug FROM integrations ORDER BY integration_id")
        .await;
    for row in &rows {
        let suffix = row["slug"]
            .as_str()
            .unwrap()
            .strip_prefix("integration-")
            .unwrap();
        assert!(
            suffix.len() == 6
                && suffix
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        );
    }
    assert_ne!(rows[0], rows[1]);
    assert_eq!(read(&alice, &id).await["name"], "🔑🔑");
    let by_name = instance(&alice, "🔑🔑", "u1").await;
    assert_eq!(
        instance(&alice, rows[0]["slug"].as_str().unwrap(), "u1").await,
        by_name
    );
    assert_eq!(shown(&alice, &by_name).await.json["serverName"], "🔑🔑");
}

/// A slug that loses a letter would answer to another name.
#[tokio::test]
async fn a_name_with_other_letters_gets_a_slug_of_ours_and_is_found_by_its_name() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Café").await;
    let connection = instance(&alice, "Café", "u1").await;
    assert_eq!(shown(&alice, &connection).await.json["serverName"], "Café");
    assert_eq!(create(&alice, "Caf", "u1").await.status, 422);
    assert_eq!(
        app.count("integrations WHERE slug LIKE 'integration-______'")
            .await,
        1
    );
    integration(&alice, "Caf").await;
    assert_ne!(instance(&alice, "Caf", "u1").await, connection);
    assert_eq!(instance(&alice, "Café", "u1").await, connection);
}

#[tokio::test]
async fn a_display_name_leads_to_an_integration_only_while_it_is_the_only_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "🗂").await;
    let connection = instance(&alice, "🗂", "u1").await;
    integration(&alice, "🗂").await;

    let reply = create(&alice, "🗂", "u1").await;
    assert_eq!(
        (reply.status, &reply.json["detail"][0]["type"]),
        (422, &json!("enum"))
    );

    app.execute(&format!(
        "UPDATE integrations SET deleted_at = now() WHERE integration_id <> '{id}'"
    ))
    .await;
    assert_eq!(instance(&alice, "🗂", "u1").await, connection);
}

#[tokio::test]
async fn an_integration_of_the_tenants_own_shadows_the_catalogue() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let own = integration(&alice, "Google Calendar").await;

    let mine = instance(&alice, "GOOGLE_CALENDAR", "u1").await;
    let theirs = instance(&bob, "GOOGLE_CALENDAR", "u1").await;

    assert_eq!(
        app.count("integrations WHERE catalogue_slug IS NULL").await,
        1
    );
    // Alice's is the one that she made: scheme NONE; Bob's is the catalogue's: OAuth.
    assert_eq!(shown(&alice, &mine).await.json["authNeeded"], false);
    assert_eq!(shown(&bob, &theirs).await.json["authNeeded"], true);
    let made = config(&alice, "googlecalendar", "API_KEY").await;
    assert_eq!(
        config_shown(&alice, &made).await["toolkit"]["slug"],
        "google-calendar"
    );
    assert_eq!(read(&alice, &own).await["authType"], "API_KEY");
    assert_eq!(
        configs(&bob, "googlecalendar").await[0]["toolkit"]["slug"],
        "googlecalendar"
    );
}

#[tokio::test]
async fn an_integration_made_after_the_catalogues_gets_a_number() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let from_catalogue = instance(&alice, "Slack", "u1").await;

    let own = integration(&alice, "Slack").await;

    let rows = app
        .sql("SELECT slug, catalogue_slug FROM integrations ORDER BY integration_id")
        .await;
    assert_eq!(
        rows,
        [
            json!({"slug": "slack", "catalogue_slug": "slack"}),
            json!({"slug": "slack-2", "catalogue_slug": null})
        ]
    );
    assert_eq!(instance(&alice, "slack", "u1").await, from_catalogue);
    assert_ne!(instance(&alice, "slack-2", "u1").await, from_catalogue);
    assert_eq!(read(&alice, &own).await["authType"], "NONE");
}

#[tokio::test]
async fn an_unknown_service_is_refused_in_the_words_of_each_dialect() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;

    let klavis = create(&alice, "Nowhere", "u1").await;
    let composio = make_config(&alice, "nowhere", "API_KEY", json!({})).await;

    assert_eq!(
        (klavis.status, &klavis.json["detail"][0]["type"]),
        (422, &json!("enum"))
    );
    assert_eq!(
        (composio.status, &composio.json["error"]["slug"]),
        (404, &json!("Toolkit_NotFound"))
    );
    assert_eq!(configs(&alice, "nowhere").await, [json!(null); 0]);
    assert_eq!(app.fingerprint().await, before);
}
