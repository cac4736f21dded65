//! The dialect's OpenAPI document: the public names, and no promise that an answer breaks.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::story::{V3, made_key_config, path};

fn document() -> Value {
    serde_json::from_str(&keyway::http::openapi_json("composio").unwrap()).unwrap()
}

#[test]
fn operations_have_their_public_ids() {
    let document = document();
    let paths = &document["paths"];
    for (path, method, id) in [
        ("/auth_configs", "get", "getAuthConfigs"),
        ("/auth_configs", "post", "postAuthConfigs"),
        ("/auth_configs/{nanoid}", "get", "getAuthConfigsByNanoid"),
        (
            "/auth_configs/{nanoid}",
            "patch",
            "patchAuthConfigsByNanoid",
        ),
    ] {
        assert_eq!(paths[path][method]["operationId"], id);
        assert_eq!(paths[path][method]["tags"], json!(["Auth Configs"]));
        assert!(paths[path][method]["responses"]["400"].is_object());
    }
    let servers: Vec<_> = document["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| &server["url"])
        .collect();
    assert_eq!(servers, [&json!("/api/v3"), &json!("/api/v3.1")]);
    let scheme = &document["components"]["securitySchemes"]["ApiKeyAuth"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("x-api-key"))
    );
}

#[test]
fn a_change_is_one_of_two_told_apart_by_type() {
    let document = document();
    let body = &document["components"]["schemas"]["PatchAuthConfigsByNanoidRequest"];
    assert_eq!(body["oneOf"].as_array().unwrap().len(), 2);
    let wrapped = &document["components"]["schemas"]["WrappedChange"];
    assert_eq!(wrapped["required"], json!(["auth_config"]));
    let change = &document["components"]["schemas"]["ChangeOfAuthConfig"];
    assert_eq!(change["oneOf"].as_array().unwrap().len(), 2);
    assert_eq!(change["discriminator"]["propertyName"], "type");
    for (schema, word) in [
        ("ChangeOfCustom", "custom"),
        ("ChangeOfDefault", "default"),
        ("UseCustomAuth", "use_custom_auth"),
        ("UseManagedAuth", "use_composio_managed_auth"),
    ] {
        let schema = &document["components"]["schemas"][schema];
        assert_eq!(schema["properties"]["type"]["enum"], json!([word]));
        assert_eq!(
            schema["properties"]["name"]["type"], "string",
            "null is no name"
        );
    }
    let custom = &document["components"]["schemas"]["UseCustomAuth"];
    assert_eq!(custom["required"], json!(["type", "authScheme"]));
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for reference in text
        .split("\"#/")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(
            document.pointer(&format!("/{reference}")).is_some(),
            "{reference}"
        );
    }
}

#[tokio::test]
async fn answers_are_what_the_document_says() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "k": "v" })).await;
    let mut document = document();
    for (schema, reply) in [
        ("AuthConfig", alice.get(&path(&id)).await),
        ("GetAuthConfigsResponse", alice.get(V3).await),
        ("Error", alice.get(&path("nonsense")).await),
    ] {
        document["$ref"] = json!(format!("#/components/schemas/{schema}"));
        let validator = jsonschema::validator_for(&document).unwrap();
        let faults: Vec<_> = validator
            .iter_errors(&reply.json)
            .map(|fault| fault.to_string())
            .collect();
        assert_eq!(faults, Vec::<String>::new(), "{schema}: {}", reply.text);
    }
}
