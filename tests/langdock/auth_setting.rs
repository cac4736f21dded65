//! The auth setting, apart from the OAuth client: the seed's example, and the decisions where it is silent.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::stories::{auth_path, field, integration, invalid, patch_auth, places, read, set_auth};

#[tokio::test]
async fn the_published_example_is_answered_as_published() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let test_code = "
        const response = await fetch(secrets.base_url + '/me', {
          headers: { 'Authorization': 'Bearer ' + secrets.api_key }
        });
        if (!response.ok) throw new Error('Invalid credentials');
        return { success: true };
      ";
    let fields = json!([
        {
            "slug": "api_key", "label": "API Key", "type": "PASSWORD",
            "description": "Your API key from the service dashboard", "placeholder": "sk-...", "required": true,
        },
        {
            "slug": "base_url", "label": "Base URL", "type": "TEXT", "description": "API base URL",
            "placeholder": "https://api.example.com", "required": true,
        },
    ]);
    let body = json!({"authType": "API_KEY", "authFields": fields, "authTestCode": test_code});

    let reply = patch_auth(&alice, &id, body.clone()).await;

    let expected = json!({"integration": {
        "id": id, "authType": "API_KEY", "authTestCode": test_code, "authFields": fields, "oauthClient": null,
    }});
    assert_eq!((reply.status, &reply.json), (200, &expected));
    let other_prefix = format!("/api/public/integrations/v1/{id}/auth");
    let again = alice.langdock().patch(&other_prefix, body).await;
    assert_eq!((again.status, again.json), (200, expected));
}

#[tokio::test]
async fn a_field_has_defaults_and_its_id_is_ignored() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let fields =
        json!([{"id": "x", "slug": "key", "label": "Key", "type": "NUMBER", "placeholder": null}]);

    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "SERVICE_ACCOUNT", "authFields": fields, "else": 1}),
    )
    .await;

    let expected = json!({
        "slug": "key", "label": "Key", "type": "NUMBER", "description": "", "placeholder": null, "required": false,
    });
    assert_eq!(auth["authType"], "SERVICE_ACCOUNT");
    assert_eq!(auth["authFields"], json!([expected]));
}

/// Line 1.
#[tokio::test]
async fn fields_are_made_anew_on_every_call() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let slugs = |auth: &Value| {
        let fields = auth["authFields"].as_array().unwrap();
        fields
            .iter()
            .map(|field| field["slug"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": [field("b"), field("a")]}),
    )
    .await;
    assert_eq!(slugs(&auth), ["b", "a"]);
    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": [field("c"), field("b")]}),
    )
    .await;
    assert_eq!(slugs(&auth), ["c", "b"]);
    let auth = set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    assert_eq!(slugs(&auth), [""; 0]);
    assert_eq!(slugs(&read(&alice, &id).await), [""; 0]);

    let reply = patch_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": null}),
    )
    .await;
    let problem = (json!(["authFields"]), "must be an array, not null");
    assert_eq!((reply.status, reply.json), (400, invalid(&[problem])));
}

/// Line 1.
#[tokio::test]
async fn the_test_code_is_kept_with_its_type_and_cleared_by_null_or_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let code = |auth: Value| auth["authTestCode"].clone();
    let set = |body: Value| set_auth(&alice, &id, body);
    let with_code = json!({"authType": "API_KEY", "authTestCode": "return 1;"});

    assert_eq!(code(set(with_code.clone()).await), "return 1;");
    assert_eq!(code(set(json!({"authType": "API_KEY"})).await), "return 1;");
    assert_eq!(
        code(set(json!({"authType": "API_KEY", "authTestCode": null})).await),
        Value::Null
    );
    set(with_code.clone()).await;
    assert_eq!(
        code(set(json!({"authType": "API_KEY", "authTestCode": ""})).await),
        Value::Null
    );
    set(with_code).await;
    assert_eq!(
        code(set(json!({"authType": "SERVICE_ACCOUNT"})).await),
        Value::Null
    );
    let with_another = json!({"authType": "NONE", "authTestCode": "return 2;"});
    assert_eq!(code(set(with_another).await), "return 2;");
    assert_eq!(read(&alice, &id).await["authTestCode"], "return 2;");
}

/// Line 3.
#[tokio::test]
async fn a_client_without_oauth_and_fields_without_authentication_change_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": {"clientId": "c"}}),
    )
    .await;
    let before = app.fingerprint().await;

    for auth_type in ["NONE", "API_KEY", "SERVICE_ACCOUNT"] {
        for client in [json!({}), json!({"label": "Connect"})] {
            let reply = patch_auth(
                &alice,
                &id,
                json!({"authType": auth_type, "oauthClient": client}),
            )
            .await;
            let problem = (
                json!(["oauthClient"]),
                "does not go with an authentication type other than OAuth",
            );
            assert_eq!((reply.status, reply.json), (400, invalid(&[problem])));
        }
    }
    let reply = patch_auth(
        &alice,
        &id,
        json!({"authType": "NONE", "authFields": [field("a")]}),
    )
    .await;
    let problem = (
        json!(["authFields"]),
        "does not go with no authentication (NONE)",
    );
    assert_eq!((reply.status, reply.json), (400, invalid(&[problem])));

    assert_eq!(app.fingerprint().await, before);
    set_auth(
        &alice,
        &id,
        json!({"authType": "NONE", "authFields": [], "oauthClient": null}),
    )
    .await;
}

/// Line 6.
#[tokio::test]
async fn slugs_are_unique_without_case() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let body = |slugs: &[&str]| {
        let fields: Vec<_> = slugs.iter().map(|slug| field(slug)).collect();
        json!({"authType": "API_KEY", "authFields": fields})
    };

    let reply = patch_auth(
        &alice,
        &id,
        body(&["api_key", "other", "API_KEY", "Api_Key"]),
    )
    .await;

    assert_eq!(
        places(&reply),
        [
            json!(["authFields", 2, "slug"]),
            json!(["authFields", 3, "slug"])
        ]
    );
    set_auth(&alice, &id, body(&["api_key", "api-key", "apikey"])).await;
}

/// Values that a caller sends are never repeated to it, nor logged.
#[tokio::test]
async fn a_refused_value_is_not_repeated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let secret = canary();
    let body = json!({
        "authType": secret,
        "authFields": [{"slug": format!("{secret}!"), "label": {(secret.clone()): 1}, "type": secret, "required": secret}],
        "authTestCode": [secret],
        "oauthClient": {"clientSecret": secret.repeat(20), "authUrl": format!("http://{secret}/"), "label": [secret]},
    });

    let reply = patch_auth(&alice, &id, body).await;
    assert_eq!(places(&reply).len(), 9);
    let cut = format!("{{\"authType\": \"{secret}\", {secret}");
    let request = alice
        .langdock()
        .request(reqwest::Method::PATCH, &auth_path(&id));
    let reply = request
        .header("content-type", "application/json")
        .body(cut)
        .send()
        .await;

    assert_eq!(places(&reply), [json!([])]);
    app.finish().await;
}
