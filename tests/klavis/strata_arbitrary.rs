//! Whatever can be sent to the operations on strata: taken or refused, and never a fault of ours.

use http::Method;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::common::{TestApp, canary, secrecy};
use crate::strata::{ADD, STRATA, strata};

const SET_AUTH: &str = "/mcp-server/strata/set-auth";

/// Bodies that are nearly right.
fn bodies() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "", "ALL", "Slack", "nope", "u1", "STRATA", "a\u{0}b", "🔑"
        ])
        .prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "userId",
        "strataId",
        "servers",
        "externalServers",
        "enableAuthHandling",
        "serverName",
        "authData",
        "name",
        "url",
        "headers",
        "token",
        "data",
        "\u{0}",
    ]);
    let tree = leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|members| members
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    });
    let headers = prop_oneof![
        tree.clone(),
        Just(json!({"Authorization": "SECRET", "X-None": null}))
    ];
    let text = prop_oneof![1 => tree.clone(), 3 => Just(json!("wiki"))];
    let server = (text.clone(), text, headers)
        .prop_map(|(name, url, headers)| json!({"name": name, "url": url, "headers": headers}));
    let servers = prop_oneof![
        tree.clone(),
        prop::collection::vec(server, 0..3).prop_map(Value::from)
    ];
    let data = prop_oneof![
        tree.clone(),
        Just(json!({"token": "SECRET"})),
        Just(json!({"data": {"a": ["SECRET"]}}))
    ];
    let names = prop_oneof![
        tree.clone(),
        prop::sample::select(vec![json!(["Slack"]), json!("ALL"), json!(null)])
    ];
    let whole = prop_oneof![tree.clone(), Just(Value::Null)];
    (whole, names, tree, servers, data).prop_map(|(whole, names, flag, servers, data)| {
        let mut body = json!({
            "userId": "u1", "strataId": "STRATA", "serverName": "Slack", "servers": names, "externalServers": servers,
            "authData": data,
        });
        match whole {
            Value::Object(members) => {
                body.as_object_mut().unwrap().extend(members);
                body
            }
            Value::Bool(true) => {
                body["enableAuthHandling"] = flag;
                body
            }
            Value::Null | Value::Bool(false) => body,
            other => other,
        }
    })
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
    let (app, alice, id) = runtime.block_on(async {
        let app = TestApp::start().await;
        let alice = app.tenant("alice").await;
        let id = strata(&alice, "u1", json!(["Slack"])).await;
        (app, alice, id)
    });
    let counts = std::cell::Cell::new((0, 0));
    let config = Config {
        cases: 250,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let paths = prop::sample::select(vec![STRATA, ADD, SET_AUTH]);
    TestRunner::new(config)
        .run(&(bodies(), paths), |(body, path)| {
            let text = body
                .to_string()
                .replace("STRATA", &id)
                .replace("SECRET", &secret);
            let reply = runtime.block_on(async {
                let before = (app.fingerprint().await, app.count("audit_log").await);
                let request = alice
                    .klavis()
                    .request(Method::POST, path)
                    .header("content-type", "application/json");
                let reply = request.body(text.clone()).send().await;
                let after = (app.fingerprint().await, app.count("audit_log").await);
                if reply.status >= 400 {
                    assert_eq!(after, before, "{path} {text}");
                }
                reply
            });
            prop_assert!(reply.status < 500, "{path} {text}: {}", reply.text);
            secrecy::assert_absent(path, &reply.text);
            let (taken, refused) = counts.get();
            let ok = u32::from(reply.status == 200);
            counts.set((taken + ok, refused + 1 - ok));
            Ok(())
        })
        .unwrap();
    let (taken, refused) = counts.get();
    eprintln!("{taken} taken, {refused} refused");
    assert!(
        taken >= 20 && refused >= 50,
        "{taken} taken, {refused} refused"
    );
    runtime.block_on(app.finish());
}
