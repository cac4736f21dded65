//! The `OpenAPI` documents: the files are what the code says, and are valid `OpenAPI` 3.1.
//! `fixtures/openapi/schema-3.1.json` is the `OpenAPI` Initiative's own schema (Apache-2.0).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashSet;
use std::path::Path;

use keyway::http::{DIALECTS, openapi_json};
use serde_json::Value;

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn document(name: &str) -> Value {
    serde_json::from_str(&openapi_json(name).unwrap()).unwrap()
}

/// Every operation as (path, method, operation).
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let operations = item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| METHODS.contains(&name.as_str()));
        operations
            .map(|(method, operation)| (path.clone(), method.clone(), operation.clone()))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn files_are_what_the_code_says() {
    for dialect in DIALECTS {
        let path = format!("openapi/{}.json", dialect.name);
        let same = read(&path) == openapi_json(dialect.name).unwrap();
        assert!(
            same,
            "{path} is out of date: run `keyway openapi {} > {path}`",
            dialect.name
        );
    }
}

#[test]
fn documents_are_valid_openapi_3_1() {
    let schema: Value =
        serde_json::from_str(&read("tests/fixtures/openapi/schema-3.1.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for dialect in DIALECTS {
        let document = document(dialect.name);
        let errors: Vec<_> = validator
            .iter_errors(&document)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", dialect.name);
    }
}

/// The schema above leaves JSON schemas unchecked: they are held against their own meta-schema here.
#[test]
fn schemas_are_valid_json_schemas() {
    for dialect in DIALECTS {
        let document = document(dialect.name);
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let valid = jsonschema::draft202012::meta::validate(schema);
            assert!(
                valid.is_ok(),
                "{} {name}: {}",
                dialect.name,
                valid.unwrap_err()
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(
                    members
                        .get("$ref")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                );
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(elements) => elements.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    for dialect in DIALECTS {
        let document = document(dialect.name);
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in found {
            let target = document.pointer(reference.strip_prefix('#').unwrap());
            assert!(target.is_some(), "{}: {reference}", dialect.name);
        }
    }
}

#[test]
fn operations_have_ids_of_their_own() {
    for dialect in DIALECTS {
        let mut seen = HashSet::new();
        for (path, method, operation) in operations(&document(dialect.name)) {
            let id = operation["operationId"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            assert!(
                !id.is_empty(),
                "{}: {method} {path} has no operation id",
                dialect.name
            );
            assert!(
                seen.insert(id.clone()),
                "{}: {id} stands twice",
                dialect.name
            );
        }
        assert!(!seen.is_empty(), "{} has no operations", dialect.name);
    }
}

#[test]
fn prefixes_are_servers_and_stand_in_no_path() {
    for (name, servers) in [
        ("klavis", &["/"][..]),
        ("composio", &["/api/v3", "/api/v3.1"]),
        (
            "langdock",
            &["/integrations/v1", "/api/public/integrations/v1"],
        ),
    ] {
        let document = document(name);
        let urls: Vec<_> = document["servers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|server| &server["url"])
            .collect();
        assert_eq!(urls, servers, "{name}");
        let prefixed = |path: &&String| {
            servers
                .iter()
                .any(|server| *server != "/" && path.starts_with(server))
        };
        assert_eq!(
            document["paths"].as_object().unwrap().keys().find(prefixed),
            None,
            "{name}"
        );
    }
}

#[test]
fn every_operation_says_how_it_authenticates() {
    for dialect in DIALECTS {
        let document = document(dialect.name);
        let schemes = document["components"]["securitySchemes"]
            .as_object()
            .unwrap();
        assert!(!schemes.is_empty(), "{}", dialect.name);
        for (path, method, operation) in operations(&document) {
            let said = operation
                .get("security")
                .or_else(|| document.get("security"));
            assert!(said.is_some(), "{}: {method} {path}", dialect.name);
        }
    }
}

#[test]
fn an_unknown_dialect_has_no_document() {
    assert_eq!(openapi_json("nobody"), None);
}
