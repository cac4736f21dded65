//! Changes with three faults and more: all of them are named at their places, in one answer, and nothing is changed.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Value, json};

use crate::common::client::Client;
use crate::common::{TestApp, canary};
use crate::story::{V3, V3_1, assert_invalid, made_key_config};

/// A member of the body with a value that breaks rules, and what is said of it after the member's place.
type Fault = (&'static str, Value, &'static [&'static str]);

const TOOLS: &str = "tools_available_for_execution";
const CREATION: &str = "tools_for_connected_account_creation";

/// For each member of a change every kind of fault that it can have. `secret` is what a caller may have put into the
/// wrong place.
#[expect(clippy::too_many_lines, reason = "one table, read line by line")]
fn faults(secret: &str) -> Vec<Vec<Fault>> {
    let name: Vec<Fault> = vec![
        (
            "name",
            json!([secret]),
            &[": Expected string, received array"],
        ),
        ("name", json!(null), &[": Expected string, received null"]),
        (
            "name",
            json!(""),
            &[": String must contain at least 1 character(s)"],
        ),
        (
            "name",
            json!(format!("{secret}\0")),
            &[": The text must not contain the character U+0000"],
        ),
        (
            "name",
            json!(secret.repeat(30)),
            &[": String must contain at most 1000 character(s)"],
        ),
    ];
    let credentials: Vec<Fault> = vec![
        (
            "credentials",
            json!(secret),
            &[": Expected object, received string"],
        ),
        (
            "credentials",
            json!(null),
            &[": Expected object, received null"],
        ),
        (
            "credentials",
            json!({ "api_key": secret, "scopes": { "a": secret }, "user_scopes": [secret, 1, true] }),
            &[
                ".scopes: Invalid input: expected string or array of strings, received object",
                ".user_scopes.1: Expected string, received number",
                ".user_scopes.2: Expected string, received boolean",
            ],
        ),
        (
            "credentials",
            json!({ "a\0": secret, "b": secret.repeat(900) }),
            &[
                ".a\0: The text must not contain the character U+0000",
                ".b: String must contain at most 32768 character(s)",
            ],
        ),
    ];
    let proxy: Vec<Fault> = vec![
        (
            "proxy_config",
            json!([secret]),
            &[": Expected object, received array"],
        ),
        (
            "proxy_config",
            json!({ "proxy_auth_key": [secret] }),
            &[
                ".proxy_url: Required",
                ".proxy_auth_key: Expected string, received array",
            ],
        ),
        (
            "proxy_config",
            json!({ "proxy_url": secret, "proxy_auth_key": 7 }),
            &[
                ".proxy_url: Invalid url",
                ".proxy_auth_key: Expected string, received number",
            ],
        ),
        (
            "proxy_config",
            json!({ "proxy_url": format!("https://u:{secret}@proxy.example") }),
            &[".proxy_url: Expected a url without user name and password \
                (the secret goes into proxy_auth_key), received string"],
        ),
    ];
    let tools: Vec<Fault> = vec![
        (
            "tool_access_config",
            json!(secret),
            &[": Expected object, received string"],
        ),
        (
            "tool_access_config",
            json!(null),
            &[": Expected object, received null"],
        ),
        (
            "tool_access_config",
            json!({ TOOLS: [1, secret, {}] }),
            &[
                ".tools_available_for_execution.0: Expected string, received number",
                ".tools_available_for_execution.2: Expected string, received object",
            ],
        ),
        (
            "tool_access_config",
            json!({ CREATION: secret, TOOLS: null }),
            &[
                ".tools_for_connected_account_creation: Expected array, received string",
                ".tools_available_for_execution: Expected array, received null",
            ],
        ),
    ];
    let alias: Vec<Fault> = vec![
        (
            "restrict_to_following_tools",
            json!(secret),
            &[": Expected array, received string"],
        ),
        (
            "restrict_to_following_tools",
            json!([secret, [secret]]),
            &[".1: Expected string, received array"],
        ),
    ];
    let shared: Vec<Fault> = vec![
        (
            "shared_credentials",
            json!([secret]),
            &[": Expected object, received array"],
        ),
        (
            "shared_credentials",
            json!(0.5),
            &[": Expected object, received number"],
        ),
        (
            "shared_credentials",
            json!({ "\0": secret }),
            &[".\0: The text must not contain the character U+0000"],
        ),
    ];
    let router: Vec<Fault> = vec![
        (
            "is_enabled_for_tool_router",
            json!(secret),
            &[": Expected boolean, received string"],
        ),
        (
            "is_enabled_for_tool_router",
            json!(1),
            &[": Expected boolean, received number"],
        ),
        (
            "is_enabled_for_tool_router",
            json!(null),
            &[": Expected boolean, received null"],
        ),
    ];
    let unknown: Vec<Fault> = vec![
        ("colour", json!(secret), &[": Unrecognized key"]),
        ("scopes", json!(secret), &[": Unrecognized key"]),
        ("authScheme", json!("API_KEY"), &[": Unrecognized key"]),
        ("status", json!("DISABLED"), &[": Unrecognized key"]),
    ];
    vec![
        name,
        credentials,
        proxy,
        tools,
        alias,
        shared,
        router,
        unknown,
    ]
}

#[derive(Debug, Clone)]
struct Body {
    faults: Vec<Fault>,
    wrapped: bool,
    prefix: &'static str,
}

fn bodies(secret: &str) -> impl Strategy<Value = Body> + use<> {
    let members = faults(secret);
    let members = subsequence(members.clone(), 3..=members.len());
    let faults = members.prop_flat_map(|kinds| kinds.into_iter().map(select).collect::<Vec<_>>());
    (faults, any::<bool>(), select(vec![V3, V3_1])).prop_map(|(faults, wrapped, prefix)| Body {
        faults,
        wrapped,
        prefix,
    })
}

async fn refused(app: &TestApp, client: &Client, id: &str, body: &Body) {
    let place = if body.wrapped {
        "payload.auth_config"
    } else {
        "payload"
    };
    let mut change = json!({ "type": "custom" });
    let mut expected = Vec::new();
    for (member, value, said) in &body.faults {
        change[*member] = value.clone();
        expected.extend(
            said.iter()
                .map(|said| format!("Error in {place}.{member}{said}")),
        );
    }
    if body.wrapped {
        change = json!({ "auth_config": change });
    }
    let before = (app.fingerprint().await, app.count("audit_log").await);

    let reply = client.patch(&format!("{}/{id}", body.prefix), change).await;

    let mut told = reply.json["error"]["errors"].as_array().unwrap().clone();
    let told_as_they_are: Vec<_> = told.iter().map(|line| line.as_str().unwrap()).collect();
    assert_invalid(&reply, &told_as_they_are);
    told.sort_by_key(Value::to_string);
    let mut expected: Vec<_> = expected.into_iter().map(Value::from).collect();
    expected.sort_by_key(Value::to_string);
    assert_eq!(told, expected);
    assert!(expected.len() >= 3);
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
}

#[test]
fn every_fault_of_a_change_is_named_at_its_place() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let (app, client, id) = runtime.block_on(async {
        let app = TestApp::start().await;
        let client = app.tenant("alice").await.composio();
        let id = made_key_config(&client, json!({ "generic_api_key": canary() })).await;
        (app, client, id)
    });
    let settings = Config {
        cases: 150,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let outcome = TestRunner::new(settings).run(&bodies(&canary()), |body| {
        runtime.block_on(refused(&app, &client, &id, &body));
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:#?}"),
        Err(error) => panic!("{error}"),
    }
    runtime.block_on(app.finish());
}
