//! Declared fields: those that someone declared are enforced, those of the catalogue are advice.

use serde_json::{Value, json};

use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::stories::{handed_out, instance, refused, set_auth, store};

/// An integration of the tenant's own with these fields, through Langdock's dialect.
async fn declare(tenant: &Tenant, name: &str, fields: Value) {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = format!(
        "/integrations/v1/{}/auth",
        made.json["integration"]["id"].as_str().unwrap()
    );
    let reply = tenant
        .langdock()
        .patch(&path, json!({"authType": "API_KEY", "authFields": fields}))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

fn field(slug: &str, kind: &str, required: bool) -> Value {
    json!({"slug": slug, "label": slug, "type": kind, "required": required})
}

#[tokio::test]
async fn a_missing_field_and_a_wrong_number_are_named_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let fields = json!([
        field("shop", "TEXT", true),
        field("port", "NUMBER", false),
        field("key", "PASSWORD", true)
    ]);
    declare(&alice, "Shop", fields).await;
    let id = instance(&alice, "Shop", "u1").await;
    let before = app.fingerprint().await;

    let reply = set_auth(&alice, &id, json!({"data": {"port": canary(), "more": 1}})).await;

    let at = |slug: &str| json!(["body", "authData", "GeneralAuth", "data", slug]);
    let expected = json!({"detail": [
        {"type": "missing", "loc": at("shop"), "msg": "Field required"},
        {
            "type": "float_parsing",
            "loc": at("port"),
            "msg": "Input should be a valid number, unable to parse string as a number"
        },
        {"type": "missing", "loc": at("key"), "msg": "Field required"},
    ]});
    assert_eq!((reply.status, reply.json), (422, expected));
    assert_eq!(app.fingerprint().await, before);

    let whole = json!({"shop": "s", "port": 5432, "key": "k", "more": {"undeclared": true}});
    store(&alice, &id, json!({ "data": whole })).await;
    assert_eq!(handed_out(&alice, &id).await, whole);
}

#[tokio::test]
async fn a_token_satisfies_a_sole_secret_field() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    declare(
        &alice,
        "One secret",
        json!([field("secret", "PASSWORD", true)]),
    )
    .await;
    declare(
        &alice,
        "Two fields",
        json!([
            field("secret", "PASSWORD", true),
            field("shop", "TEXT", true)
        ]),
    )
    .await;
    let (one, two) = (
        instance(&alice, "One secret", "u1").await,
        instance(&alice, "Two fields", "u1").await,
    );

    store(&alice, &one, json!({"api_key": "k"})).await;
    let reply = set_auth(&alice, &two, json!({"token": "t"})).await;

    assert_eq!(handed_out(&alice, &one).await, json!({"api_key": "k"}));
    let place = ["body", "authData", "GeneralAuth", "data", "shop"];
    assert_eq!(
        (reply.status, reply.json),
        (422, refused("missing", &place, "Field required"))
    );
}

#[tokio::test]
async fn the_fields_of_the_catalogue_are_advice() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    for service in ["Shopify", "Zendesk", "Twilio", "Postgres", "Jira"] {
        let id = instance(&alice, service, "u1").await;
        store(&alice, &id, json!({"data": {"anything": service}})).await;
        assert_eq!(handed_out(&alice, &id).await, json!({"anything": service}));
    }
}
