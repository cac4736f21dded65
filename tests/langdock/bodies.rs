//! What a body of `PATCH …/auth` may be, to the last UTF-16 unit.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::stories::{auth_path, field, integration, invalid, patch_auth, places, read, set_auth};

/// A text of this many UTF-16 units with an emoji, which has two, at its edge.
fn text(units: usize) -> String {
    "é".repeat(units - 2) + "🔑"
}

fn url(units: usize) -> String {
    format!("https://idp.example/{}", "u".repeat(units - 20))
}

/// A body with every limited member `more` units past its limit.
fn longest(more: usize) -> Value {
    json!({
        "authType": "OAUTH",
        "authFields": [{
            "slug": "s".repeat(100 + more), "label": text(100 + more), "type": "EMBEDDING_MODEL",
            "description": text(500 + more), "placeholder": text(200 + more), "required": true,
        }],
        "authTestCode": text(1_000 + more),
        "oauthClient": {
            "scopes": text(2_000 + more), "authUrl": url(2_000 + more), "tokenUrl": url(2_000 + more),
            "clientId": text(500 + more), "clientSecret": text(500 + more), "label": text(100 + more),
            "authorizationCode": text(1_000 + more), "accessTokenCode": text(1_000 + more),
            "refreshTokenCode": text(1_000 + more),
        },
    })
}

#[tokio::test]
async fn every_member_may_be_as_long_as_its_limit() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;

    let auth = set_auth(&alice, &id, longest(0)).await;

    let expected = json!({
        "id": id,
        "authType": "OAUTH",
        "authTestCode": text(1_000),
        "authFields": longest(0)["authFields"],
        "oauthClient": {
            "scopes": text(2_000), "label": text(100), "authorizationCode": text(1_000),
            "accessTokenCode": text(1_000), "refreshTokenCode": text(1_000),
        },
    });
    assert_eq!(auth, expected);
    let shown = read(&alice, &id).await;
    for member in ["authType", "authTestCode", "authFields", "oauthClient"] {
        assert_eq!(shown[member], expected[member]);
    }
}

#[tokio::test]
async fn one_unit_past_each_limit_is_told_for_all_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let before = app.fingerprint().await;

    let reply = patch_auth(&alice, &id, longest(1)).await;

    let too_long = |path: Value, max: usize| json!({"path": path, "message": format!("must have at most {max} characters (UTF-16 units)")});
    let errors = [
        too_long(json!(["authFields", 0, "slug"]), 100),
        too_long(json!(["authFields", 0, "label"]), 100),
        too_long(json!(["authFields", 0, "description"]), 500),
        too_long(json!(["authFields", 0, "placeholder"]), 200),
        too_long(json!(["authTestCode"]), 1_000),
        too_long(json!(["oauthClient", "scopes"]), 2_000),
        too_long(json!(["oauthClient", "authUrl"]), 2_000),
        too_long(json!(["oauthClient", "tokenUrl"]), 2_000),
        too_long(json!(["oauthClient", "clientId"]), 500),
        too_long(json!(["oauthClient", "clientSecret"]), 500),
        too_long(json!(["oauthClient", "label"]), 100),
        too_long(json!(["oauthClient", "authorizationCode"]), 1_000),
        too_long(json!(["oauthClient", "accessTokenCode"]), 1_000),
        too_long(json!(["oauthClient", "refreshTokenCode"]), 1_000),
    ];
    assert_eq!(
        (reply.status, reply.json),
        (
            400,
            json!({"message": "Invalid request body", "errors": errors})
        )
    );
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_config_has_up_to_a_hundred_fields_in_their_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let fields = |count: usize| {
        (0..count)
            .rev()
            .map(|number| field(&format!("f{number}")))
            .collect::<Vec<_>>()
    };

    let auth = set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": fields(100)}),
    )
    .await;
    let reply = patch_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": fields(101)}),
    )
    .await;

    let slugs: Vec<_> = auth["authFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["slug"])
        .collect();
    assert_eq!(
        (slugs.len(), slugs[0], slugs[99]),
        (100, &json!("f99"), &json!("f0"))
    );
    let problem = (json!(["authFields"]), "must have at most 100 elements");
    assert_eq!((reply.status, reply.json), (400, invalid(&[problem])));
}

#[tokio::test]
async fn faults_of_shape_limits_and_rules_are_told_together() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let body = json!({
        "authType": "SERVICE_ACCOUNT",
        "authFields": [{"slug": "Key", "label": "", "type": "OBJECT"}, {"slug": "kEY", "type": "TEXT", "label": "L"}, 1],
        "authTestCode": {},
        "oauthClient": {"authUrl": "ftp://idp.example", "scopes": ["a", "b"]},
    });

    let reply = patch_auth(&alice, &id, body).await;

    let expected = [
        json!(["authFields", 0, "label"]),
        json!(["authFields", 0, "type"]),
        json!(["authFields", 1, "slug"]),
        json!(["authFields", 2]),
        json!(["authTestCode"]),
        json!(["oauthClient"]),
        json!(["oauthClient", "scopes"]),
        json!(["oauthClient", "authUrl"]),
    ];
    assert_eq!(places(&reply), expected);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_told_at_the_top() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let deep = format!("{{\"authType\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for body in [
        &b""[..],
        b" ",
        b"{",
        b"{\"authType\":\"NONE\"} x",
        b"{\"authType\":\"NONE\",\"authType\":\"API_KEY\"}",
        b"{\"authType\":\"\xff\"}",
        b"{\"authType\":\"\\ud800\"}",
        b"[]",
        b"null",
        deep.as_bytes(),
    ] {
        let request = alice.langdock().request(Method::PATCH, &auth_path(&id));
        let reply = request
            .header("content-type", "application/json")
            .body(body.to_vec())
            .send()
            .await;
        assert_eq!(
            places(&reply),
            [json!([])],
            "{}",
            String::from_utf8_lossy(body)
        );
        assert_eq!(reply.json["message"], "Invalid request body");
    }
}

#[tokio::test]
async fn another_content_type_and_a_body_past_256_kib_are_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let ask = || alice.langdock().request(Method::PATCH, &auth_path(&id));
    let body = json!({"authType": "NONE"}).to_string();

    for content_type in ["", "text/plain", "application/x-www-form-urlencoded"] {
        let request = ask().body(body.clone());
        let request = if content_type.is_empty() {
            request
        } else {
            request.header("content-type", content_type)
        };
        let reply = request.send().await;
        let expected = json!({"message": "The Content-Type must be application/json"});
        assert_eq!(
            (reply.status, reply.json),
            (415, expected),
            "{content_type}"
        );
    }
    let padded = |length: usize| body.replace('}', &" ".repeat(length - body.len())) + "}";
    let with = |length| {
        ask()
            .header("content-type", "application/json; charset=utf-8")
            .body(padded(length))
            .send()
    };
    assert_eq!(with(262_144).await.status, 200);
    let reply = with(262_145).await;
    let expected = json!({"message": "The request body is larger than 262144 bytes"});
    assert_eq!((reply.status, reply.json), (413, expected));
}

#[tokio::test]
async fn slugs_are_names_that_do_no_harm_in_javascript() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let good = ["a", "0", "api_key", "Api-Key-2"];
    let bad = [
        "",
        "_a",
        "-a",
        "a b",
        "a.b",
        "é",
        "__proto__",
        "constructor",
        "prototype",
        "Constructor",
    ];

    let fields = |slugs: &[&str]| json!({"authType": "API_KEY", "authFields": slugs.iter().map(|slug| field(slug)).collect::<Vec<_>>()});
    set_auth(&alice, &id, fields(&good)).await;
    let reply = patch_auth(&alice, &id, fields(&bad)).await;

    let mut expected: Vec<_> = (0..bad.len())
        .map(|index| json!(["authFields", index, "slug"]))
        .collect();
    expected.push(json!(["authFields", 9, "slug"]));
    assert_eq!(
        places(&reply),
        expected,
        "the last one is reserved and a duplicate"
    );
}
