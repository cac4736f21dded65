//! Arbitrary credentials: what GET shows can be sent back, edited or not, and destroys no secret.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::common::TestApp;
use crate::common::client::Client;
use crate::story::{V3, V3_1, changed, custom, made, sealed, shown, updated};

/// How many configs are made, changed and compared.
const CASES: u32 = 64;

/// Texts of every length and look: also such as a mask has, and such as pass unmasked.
fn text() -> impl Strategy<Value = String> {
    let characters = prop_oneof![
        any::<char>(),
        proptest::char::range('a', 'z'),
        Just('\0'),
        Just('.')
    ];
    let of = move |size: std::ops::RangeInclusive<usize>| {
        let characters = vec(characters.clone(), size);
        characters.prop_map(|all| all.into_iter().collect::<String>())
    };
    prop_oneof![
        of(0..=11),
        of(12..=12),
        of(13..=80),
        of(2_000..=4_000),
        "[a-z]{4}\\.\\.\\.",
        "https?://[a-z]{1,9}\\.example(:[0-9]{1,4})?(/[a-z]{0,5}){0,3}",
        "https://[a-z]{1,5}:[a-z]{1,5}@idp\\.example/(\\?[a-z]=[a-z]{1,9})?(#[a-z]{1,9})?",
        prop::sample::select(vec![
            "...",
            "REDACTED",
            "redacted",
            "REDACTED ",
            "null",
            "abcd...",
            "https://",
            "{}"
        ])
        .prop_map(str::to_owned),
    ]
}

/// Values of every JSON kind, nested too.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<i16>().prop_map(|number| json!(f64::from(number) / 8.0)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let members = btree_map(text(), inner.clone(), 0..4);
        let object = |members: std::collections::BTreeMap<_, _>| {
            Value::Object(members.into_iter().collect())
        };
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            members.prop_map(object)
        ]
    })
}

/// Keys of any text that a row can hold, and those that mean something to somebody.
fn key() -> impl Strategy<Value = String> {
    let any_text = vec(any::<char>(), 0..40)
        .prop_map(|all| all.into_iter().filter(|one| *one != '\0').collect());
    let known = prop::sample::select(vec![
        "client_id",
        "client_secret",
        "consumer_key",
        "token_url",
        "auth_url",
        "base_url",
        "webhook_url",
        "generic_api_key",
        "password",
        "constructor",
        "__proto__",
        "a.b",
        "type",
        "",
        "REDACTED",
    ]);
    prop_oneof![any_text, known.prop_map(str::to_owned)]
}

fn scopes() -> impl Strategy<Value = Value> {
    prop_oneof![
        text().prop_map(Value::from),
        vec(text(), 0..4).prop_map(Value::from)
    ]
}

fn cells() -> impl Strategy<Value = Value> {
    let plain = btree_map(key(), value(), 0..8);
    let special = btree_map(
        prop::sample::select(vec!["scopes", "user_scopes"]),
        scopes(),
        0..3,
    );
    (plain, special).prop_map(|(plain, special)| {
        let special = special
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        let all: Map<_, _> = plain
            .into_iter()
            .filter(|(key, _)| key != "scopes" && key != "user_scopes")
            .chain(special)
            .collect();
        Value::Object(all)
    })
}

fn proxy() -> impl Strategy<Value = Value> {
    let url = "https?://[a-z]{1,9}\\.example(:[0-9]{1,4})?/[a-z]{0,5}";
    prop_oneof![
        Just(Value::Null),
        url.prop_map(|url| json!({ "proxy_url": url })),
        (url, text()).prop_map(|(url, key)| json!({ "proxy_url": url, "proxy_auth_key": key })),
    ]
}

/// A config that is made with arbitrary secrets.
#[derive(Debug, Clone)]
struct Made {
    credentials: Value,
    shared: Value,
    proxy: Value,
    tools: [Vec<String>; 2],
    wrapped: bool,
}

fn config() -> impl Strategy<Value = Made> {
    let tools = || vec("[A-Z_]{1,12}", 0..3);
    (cells(), cells(), proxy(), [tools(), tools()], any::<bool>()).prop_map(
        |(credentials, shared, proxy, tools, wrapped)| Made {
            credentials,
            shared,
            proxy,
            tools,
            wrapped,
        },
    )
}

/// Every sealed byte of the config.
async fn bytes(app: &TestApp, id: &str) -> (Vec<Value>, Vec<Value>) {
    let proxy = format!("SELECT sealed_proxy_auth_key FROM auth_configs WHERE public_id = '{id}'");
    (sealed(app, id).await, app.sql(&proxy).await)
}

/// What a change can say of what GET shows.
fn as_change(told: &Value) -> Value {
    let members = [
        "type",
        "name",
        "credentials",
        "shared_credentials",
        "proxy_config",
        "tool_access_config",
        "restrict_to_following_tools",
        "is_enabled_for_tool_router",
    ];
    let members = members.map(|name| (name.to_owned(), told[name].clone()));
    Value::Object(members.into_iter().collect())
}

async fn edit(client: &Client, id: &str, made: &Made, change: Value) {
    if made.wrapped {
        let place = format!("{V3_1}/{id}");
        let reply = client.patch(&place, json!({ "auth_config": change })).await;
        assert_eq!(
            (reply.status, &reply.json),
            (200, &updated()),
            "{}",
            reply.text
        );
    } else {
        changed(client, id, change).await;
    }
}

async fn round_trip(app: &TestApp, client: &Client, config: &Made) -> Result<(), TestCaseError> {
    let mut body = custom("openai", "API_KEY", config.credentials.clone());
    body["auth_config"]["shared_credentials"] = config.shared.clone();
    body["auth_config"]["proxy_config"] = config.proxy.clone();
    body["auth_config"]["tool_access_config"] = json!({
        "tools_for_connected_account_creation": config.tools[0], "tools_available_for_execution": config.tools[1],
    });
    let id = made(client, body).await;
    let (before, told) = (bytes(app, &id).await, shown(client, &id).await);
    let kept = |map: &Value| {
        let values = map.as_object().unwrap().values();
        values
            .filter(|value| !value.is_null() && **value != "REDACTED")
            .count()
    };
    prop_assert_eq!(
        before.0.len(),
        kept(&config.credentials) + kept(&config.shared)
    );

    let mut change = as_change(&told);
    change["name"] = json!("Edited");
    edit(client, &id, config, change).await;

    prop_assert_eq!(
        &bytes(app, &id).await,
        &before,
        "an edited name has touched a secret"
    );
    let mut expected = told.clone();
    let after = shown(client, &id).await;
    expected["name"] = json!("Edited");
    expected["last_updated_at"] = after["last_updated_at"].clone();
    prop_assert_eq!(&after, &expected);

    // The same once more without any edit, and with one value that is new.
    edit(client, &id, config, as_change(&after)).await;
    let mut change = as_change(&after);
    change["credentials"]["a key of its own"] = json!("a value of its own");
    edit(client, &id, config, change).await;
    let mut left = bytes(app, &id).await;
    left.0.retain(|cell| cell["name"] != "a key of its own");
    prop_assert_eq!(&left, &before, "another key's value has touched a secret");
    prop_assert_eq!(client.delete(&format!("{V3}/{id}")).await.status, 200);
    Ok(())
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

#[test]
fn what_is_shown_and_sent_back_keeps_every_secret() {
    let runtime = runtime();
    let (app, client) = runtime.block_on(async {
        let app = TestApp::start().await;
        let client = app.tenant("alice").await.composio();
        (app, client)
    });
    let settings = Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 80,
        ..Config::default()
    };
    let _inside = runtime.enter();
    let outcome = TestRunner::new(settings).run(&config(), |config| {
        runtime.block_on(round_trip(&app, &client, &config))
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:#?}"),
        Err(error) => panic!("{error}"),
    }
}
