//! Recorded requests with the answers that the published API's own stack gives (`note` in the fixture tells how).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::Value;

use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::stories::instance;

const RECORDED_INSTANCE: &str = "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
/// The cases that came with the contract.
const GIVEN: &str = include_str!("../fixtures/klavis.json");
/// Further ones of the same kinds, measured by us.
const MORE: &str = include_str!("../fixtures/klavis_more.json");

#[tokio::test]
async fn every_recorded_case_is_answered_as_recorded() {
    replay_all(GIVEN, 189).await;
}

#[tokio::test]
async fn every_further_case_is_answered_as_measured() {
    replay_all(MORE, 300).await;
}

async fn replay_all(fixture: &str, count: usize) {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let live = instance(&alice, "Slack", "recorded").await;

    let mut wrong = Vec::new();
    let fixture: Value = serde_json::from_str(fixture).unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    for case in cases {
        let reply = replay(&alice, &live, case).await;
        for difference in differences(case, &reply) {
            wrong.push(format!(
                "{}: {difference}; answered {} {}",
                name(case),
                reply.status,
                reply.text
            ));
        }
    }

    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(cases.len(), count);
}

fn name(case: &Value) -> &str {
    case["name"].as_str().unwrap()
}

async fn replay(tenant: &Tenant, live: &str, case: &Value) -> Reply {
    let here = |text: &str| {
        text.replace(RECORDED_INSTANCE, live)
            .replace(&RECORDED_INSTANCE.to_uppercase(), &live.to_uppercase())
            .replace(&RECORDED_INSTANCE.replace('-', ""), &live.replace('-', ""))
    };
    let method = Method::from_bytes(case["method"].as_str().unwrap().as_bytes()).unwrap();
    let mut request = tenant
        .klavis()
        .request(method, &here(case["path"].as_str().unwrap()))
        .no_auth();
    for header in case["headers"].as_array().unwrap() {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        let value = match value.split_once(' ') {
            Some((scheme, "key" | "key_123456789")) => format!("{scheme} {}", tenant.key),
            _ => value.to_owned(),
        };
        request = request.header(name, &value);
    }
    if let Some(body) = body(case) {
        request = request.body(replaced(
            body,
            RECORDED_INSTANCE.as_bytes(),
            live.as_bytes(),
        ));
    }
    request.send().await
}

fn body(case: &Value) -> Option<Vec<u8>> {
    let body = STANDARD.decode(case["body_base64"].as_str()?).unwrap();
    (!body.is_empty()).then_some(body)
}

/// As `str::replace`, for bytes that may be no text.
fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len(), "positions must stay");
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// What is not as recorded.
fn differences(case: &Value, reply: &Reply) -> Vec<String> {
    let expect = &case["expect"];
    let mut found = Vec::new();
    let mut check = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    let status = Value::from(reply.status);
    let statuses = expect["status_in"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![expect["status"].clone()]);
    check(statuses.contains(&status), "another status");
    match &expect["detail"] {
        Value::Null => {}
        Value::Array(items) => {
            let answered = reply.json["detail"].as_array().cloned().unwrap_or_default();
            check(answered.len() == items.len(), "another number of items");
            for (item, answered) in items.iter().zip(&answered) {
                check(is_item(item, answered), "another item");
            }
        }
        text => check(&reply.json["detail"] == text, "another text"),
    }
    if let Some(types) = expect["types"].as_array() {
        let answered = reply.json["detail"].as_array().cloned().unwrap_or_default();
        check(
            answered.iter().map(|item| &item["type"]).eq(types),
            "other types",
        );
    }
    for (member, value) in expect["json"].as_object().into_iter().flatten() {
        check(&reply.json[member] == value, "another member");
    }
    check(
        secrets(case)
            .iter()
            .all(|secret| !reply.text.contains(secret)),
        "a value of authData is repeated",
    );
    check(!reply.text.contains("\"input\""), "an item carries input");
    found
}

fn is_item(expected: &Value, answered: &Value) -> bool {
    let same = |member: &str| {
        expected
            .get(member)
            .is_none_or(|value| &answered[member] == value)
    };
    let place = if expected["type"] == "json_invalid" {
        answered["loc"][0] == expected["loc"][0] && answered["loc"][1].is_u64()
    } else {
        same("loc")
    };
    place && same("type") && same("msg") && same("ctx")
}

/// The values under authData that are long enough to be recognised.
fn secrets(case: &Value) -> Vec<String> {
    fn collect(value: &Value, into: &mut Vec<String>) {
        match value {
            Value::String(text) => into.push(text.clone()),
            Value::Number(number) => into.push(number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => members.values().for_each(|value| collect(value, into)),
            Value::Null | Value::Bool(_) => {}
        }
    }
    let mut found = Vec::new();
    if let Some(json) = body(case).and_then(|body| serde_json::from_slice::<Value>(&body).ok()) {
        collect(&json["authData"], &mut found);
    }
    found.retain(|text| text.len() > 3);
    found
}
