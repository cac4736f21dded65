//! Whatever can be sent to the operations that make connected accounts: taken or refused, and never a fault of ours.

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::account_making::{ACCOUNTS, LINK, config, create, set_config};
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, secrecy};

/// Stand for ids of configs, in this order; and for a planted secret.
const CONFIGS: [&str; 6] = ["KEY", "BASIC", "OAUTH", "NONE", "SAML", "DISABLED"];

/// Faults that a body can have, by the member that they are at.
fn fault() -> impl Strategy<Value = (&'static str, Value)> {
    let places = vec![
        "auth_config",
        "auth_config.id",
        "auth_config_id",
        "connection",
        "connection.state",
        "connection.state.authScheme",
        "connection.state.val",
        "connection.state.val.status",
        "connection.data",
        "connection.user_id",
        "connection.callback_url",
        "connection.redirect_uri",
        "connection.alias",
        "connection_data",
        "validate_credentials",
        "user_id",
        "callback_url",
        "alias",
    ];
    (prop::sample::select(places), tree())
}

fn tree() -> impl Strategy<Value = Value> {
    let texts = vec![
        "",
        "a\u{0}b",
        "SECRET",
        "https://SECRET.example",
        "http://x",
        "🔑",
        "OAUTH2",
        "FAILED",
        "ac_abcdefghijkl",
        "REDACTED",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(texts).prop_map(Value::from),
    ];
    let keys = vec![
        "id",
        "val",
        "status",
        "access_token",
        "api_key",
        "token",
        "\u{0}",
        "__proto__",
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let member = (prop::sample::select(keys.clone()), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            prop::collection::vec(member, 0..5).prop_map(|members| members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

/// Sets a member by its path, where the way there is one of objects.
fn set(body: &mut Value, path: &str, value: Value) {
    let mut place = body;
    for step in path.split('.') {
        let Some(object) = place.as_object_mut() else {
            return;
        };
        place = object.entry(step).or_insert_with(|| json!({}));
    }
    *place = value;
}

/// Bodies that are right but for some faults, mostly none or three and more at once.
fn bodies() -> impl Strategy<Value = (&'static str, Value)> {
    let val = prop::sample::select(vec![
        json!({ "api_key": "SECRET", "username": "SECRET", "access_token": "SECRET" }),
        json!({ "status": "ACTIVE", "username": "SECRET" }),
        json!({ "status": "INITIALIZING", "shop": "SECRET" }),
        json!({ "status": "INITIATED" }),
        json!({ "other": ["SECRET", 1.5, null] }),
        json!({}),
    ]);
    let user = prop::sample::select(vec!["u-1", "u-2", "🔑"]);
    let faults = prop_oneof![
        2 => prop::collection::vec(fault(), 0..1),
        1 => prop::collection::vec(fault(), 1..3),
        4 => prop::collection::vec(fault(), 3..9),
    ];
    let alias = prop::option::of(prop::sample::select(vec!["taken", "b"]));
    (prop::sample::select(&CONFIGS[..]), val, user, alias, any::<bool>(), faults).prop_map(
        |(config, val, user, alias, link, faults)| {
            let mut body = if link {
                json!({ "auth_config_id": config, "user_id": user, "connection_data": val,
                    "callback_url": "https://SECRET.example/" })
            } else {
                json!({ "auth_config": { "id": config }, "connection": {
                    "user_id": user, "state": { "val": val }, "callback_url": "https://SECRET.example/" } })
            };
            if let Some(alias) = alias {
                set(&mut body, if link { "alias" } else { "connection.alias" }, json!(alias));
            }
            for (path, value) in faults {
                set(&mut body, path, value);
            }
            (if link { LINK } else { ACCOUNTS }, body)
        },
    )
}

async fn configs(app: &TestApp, alice: &Tenant) -> Vec<String> {
    let client = alice.composio();
    let mut ids = Vec::new();
    for scheme in ["API_KEY", "BASIC", "OAUTH2", "NO_AUTH", "SAML", "API_KEY"] {
        ids.push(config(&client, scheme).await);
    }
    set_config(app, &ids[5], "enabled = false").await;
    let taken = json!({ "auth_config": { "id": ids[0] },
        "connection": { "user_id": "u-1", "alias": "taken", "data": { "api_key": "k" } } });
    create(&client, taken).await;
    ids
}

#[test]
fn arbitrary_bodies_are_taken_or_refused_and_never_a_fault_of_ours() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let _inside = runtime.enter();
    let secret = canary();
    let (app, alice, ids) = runtime.block_on(async {
        let app = TestApp::start().await;
        let alice = app.tenant("alice").await;
        let ids = configs(&app, &alice).await;
        (app, alice, ids)
    });
    let counts = std::cell::Cell::new((0, 0, 0));
    let config = Config {
        cases: 400,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&bodies(), |(path, body)| {
            let named = CONFIGS.iter().zip(&ids);
            let text = named.fold(body.to_string(), |text, (word, id)| {
                text.replace(&format!("\"{word}\""), &format!("\"{id}\""))
            });
            let text = text.replace("SECRET", &secret);
            let reply = runtime.block_on(async {
                let before = (app.fingerprint().await, app.count("audit_log").await);
                let request = alice
                    .composio()
                    .request(Method::POST, path)
                    .header("content-type", "application/json");
                let reply = request.body(text.clone()).send().await;
                if reply.status >= 400 {
                    let after = (app.fingerprint().await, app.count("audit_log").await);
                    assert_eq!(after, before, "{path} {text}");
                }
                reply
            });
            let known = [201, 400, 404, 409, 501].contains(&reply.status);
            prop_assert!(known, "{path} {text}: {}", reply.text);
            secrecy::assert_absent(path, &reply.text);
            let faults = reply.json["error"]["errors"].as_array().map_or(0, Vec::len);
            let (taken, refused, many) = counts.get();
            let ok = u32::from(reply.status == 201);
            counts.set((taken + ok, refused + 1 - ok, many + u32::from(faults >= 3)));
            Ok(())
        })
        .unwrap();
    let (taken, refused, many) = counts.get();
    eprintln!("{taken} taken, {refused} refused, {many} with three faults and more");
    assert!(
        taken >= 20 && refused >= 50 && many >= 15,
        "{taken} {refused} {many}"
    );
    runtime.block_on(async {
        // What stands in the clear: whose a connection is, its alias, and where the browser goes.
        app.execute(
            "UPDATE link_tokens SET callback_url = NULL; UPDATE connections SET alias = NULL",
        )
        .await;
        for table in ["connections", "users"] {
            app.execute(&format!(
                "DELETE FROM {table} WHERE user_id LIKE '%CANARY-%'"
            ))
            .await;
        }
        app.finish().await;
    });
}
