//! Making and reading integrations.

use serde_json::json;

use crate::common::TestApp;
use crate::stories::{CREATE, PREFIXES, integration, invalid, read};

#[tokio::test]
async fn an_integration_is_made_and_read_at_both_prefixes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (made_at, read_at) in [(PREFIXES[0], PREFIXES[1]), (PREFIXES[1], PREFIXES[0])] {
        let body = json!({"name": "Acme CRM", "description": "Customers of Acme"});

        let made = alice
            .langdock()
            .post(&format!("{made_at}/create"), body)
            .await;

        let (id, created_at) = (
            &made.json["integration"]["id"],
            &made.json["integration"]["createdAt"],
        );
        let expected = json!({"integration": {
            "id": id, "name": "Acme CRM", "description": "Customers of Acme", "createdAt": created_at,
        }});
        assert_eq!((made.status, &made.json), (201, &expected));
        let time = created_at.as_str().unwrap();
        assert!(
            time.len() == 24 && time.contains('T') && time.ends_with('Z'),
            "{time}"
        );

        let found = alice
            .langdock()
            .get(&format!("{read_at}/{}", id.as_str().unwrap()))
            .await;
        let expected = json!({"integration": {
            "id": id, "name": "Acme CRM", "description": "Customers of Acme", "authType": "NONE",
            "authTestCode": null, "authFields": [], "oauthClient": null, "actions": [], "triggers": [],
        }});
        assert_eq!((found.status, &found.json), (200, &expected));
    }
    assert_eq!(app.count("integrations").await, 2);
    app.finish().await;
}

#[tokio::test]
async fn the_description_is_optional_and_unknown_members_are_ignored() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let body = json!({"name": "n", "id": "mine", "authType": 7});

    let made = alice.langdock().post(CREATE, body).await;

    assert_eq!(
        (made.status, &made.json["integration"]["description"]),
        (201, &json!(""))
    );
}

#[tokio::test]
async fn a_name_has_1_to_40_and_a_description_up_to_90_utf_16_units() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let text = |units: usize| "é".repeat(units - 2) + "🔑";

    let at_the_limit = alice
        .langdock()
        .post(CREATE, json!({"name": text(40), "description": text(90)}))
        .await;
    let past_it = alice
        .langdock()
        .post(CREATE, json!({"name": text(41), "description": text(91)}))
        .await;
    let nothing = alice
        .langdock()
        .post(CREATE, json!({"description": null}))
        .await;
    let empty = alice.langdock().post(CREATE, json!({"name": ""})).await;

    assert_eq!(at_the_limit.status, 201, "{}", at_the_limit.text);
    assert_eq!(at_the_limit.json["integration"]["name"], text(40));
    let too_long = [
        (
            json!(["name"]),
            "must have at most 40 characters (UTF-16 units)",
        ),
        (
            json!(["description"]),
            "must have at most 90 characters (UTF-16 units)",
        ),
    ];
    assert_eq!((past_it.status, past_it.json), (400, invalid(&too_long)));
    let missing = [
        (json!(["name"]), "is required"),
        (json!(["description"]), "must be a string, not null"),
    ];
    assert_eq!((nothing.status, nothing.json), (400, invalid(&missing)));
    assert_eq!(
        (empty.status, empty.json),
        (400, invalid(&[(json!(["name"]), "must not be empty")]))
    );
    assert_eq!(app.count("integrations").await, 1);
}

#[tokio::test]
async fn integrations_of_one_name_are_different_ones() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let (one, other) = (
        integration(&alice, "Acme CRM").await,
        integration(&alice, "acme-crm").await,
    );

    assert_ne!(one, other);
    assert_eq!(read(&alice, &one).await["name"], "Acme CRM");
    let slugs = app.sql("SELECT slug FROM integrations ORDER BY slug").await;
    assert_eq!(
        slugs,
        [json!({"slug": "acme-crm"}), json!({"slug": "acme-crm-2"})]
    );
}

#[tokio::test]
async fn making_an_integration_is_audited() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let id = integration(&alice, "Acme CRM").await;

    let rows = app
        .sql(&format!(
            "SELECT key_id FROM audit_log WHERE object_id = '{id}'"
        ))
        .await;
    assert_eq!(rows, [json!({"key_id": alice.key_id})]);
}
