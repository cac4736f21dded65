//! Whatever can be sent to the changes of a connected account: taken or refused with every fault, never a fault of ours,
//! and never repeated.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::account_changing::{Account, at, at_3_1, connected};
use crate::common::client::{Client, Reply};
use crate::common::{TestApp, canary, secrecy};
use crate::story::told;

/// A server with one account, on a runtime of its own.
struct House {
    runtime: Runtime,
    app: TestApp,
    client: Client,
    id: String,
}

impl House {
    fn open() -> Self {
        let runtime = Runtime::new().unwrap();
        let (app, client, id) = runtime.block_on(async {
            let app = TestApp::start().await;
            let client = app.tenant("alice").await.composio();
            let val = json!({ "username": "u", "password": canary() });
            let Account { id, .. } = connected(&client, "BASIC", val).await;
            (app, client, id)
        });
        Self {
            runtime,
            app,
            client,
            id,
        }
    }

    /// The answer, and whether anything was changed or written down.
    fn ask(&self, method: Method, path: &str, body: String) -> (Reply, bool) {
        self.runtime.block_on(async {
            let state = async || {
                (
                    self.app.fingerprint().await,
                    self.app.count("audit_log").await,
                )
            };
            let before = state().await;
            let request = self
                .client
                .request(method, path)
                .header("content-type", "application/json");
            let reply = request.body(body).send().await;
            (reply, state().await != before)
        })
    }

    fn close(self) {
        self.runtime.block_on(self.app.finish());
    }
}

fn config(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    }
}

/// Ways to spoil a change, with the line that names each; `SECRET` stands for a planted one. They go together.
const FAULTS: [(&str, &str, &str); 9] = [
    (
        "/alias",
        r#"["SECRET"]"#,
        "alias: Expected string, received array",
    ),
    ("/SECRETLESS", r#""SECRET""#, "SECRETLESS: Unrecognized key"),
    ("/user_id", r#""SECRET""#, "user_id: Unrecognized key"),
    (
        "/connection/data",
        r#"{"password":"SECRET"}"#,
        "connection.data: Unrecognized key",
    ),
    (
        "/connection/state/authScheme",
        r#"{"x":"SECRET"}"#,
        "connection.state.authScheme: Expected string, received object",
    ),
    (
        "/connection/state/more",
        r#""SECRET""#,
        "connection.state.more: Unrecognized key",
    ),
    (
        "/connection/state/val/password",
        r#"["SECRET"]"#,
        "connection.state.val.password: Expected string, received array",
    ),
    (
        "/connection/state/val/username",
        r#"{"SECRET":"SECRET"}"#,
        "connection.state.val.username: Expected string, received object",
    ),
    (
        "/connection/state/val/pin",
        "12345",
        "connection.state.val.pin: Expected string, received number",
    ),
];

fn spoilt(faults: &[usize], secret: &str) -> Value {
    let val = json!({ "username": "ada", "note": secret });
    let mut body = json!({ "connection": { "state": { "authScheme": "BASIC", "val": val } } });
    for fault in faults {
        let (pointer, value, _) = FAULTS[*fault];
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let value = serde_json::from_str(&value.replace("SECRET", secret)).unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
    }
    body
}

#[test]
fn three_faults_and_more_are_all_named_and_change_nothing() {
    let house = House::open();
    let secret = canary();
    let some = prop::sample::subsequence((0..FAULTS.len()).collect::<Vec<_>>(), 3..=FAULTS.len());
    TestRunner::new(config(80))
        .run(&(some, any::<bool>()), |(faults, newer)| {
            let path = if newer {
                at_3_1(&house.id, "")
            } else {
                at(&house.id)
            };
            let body = spoilt(&faults, &secret).to_string();
            let (reply, changed) = house.ask(Method::PATCH, &path, body);
            prop_assert_eq!(told(&reply), (400, 10400, "HTTP_BadRequest"));
            let lines = reply.json["error"]["errors"].as_array().unwrap();
            for fault in &faults {
                let line = json!(format!("Error in payload.{}", FAULTS[*fault].2));
                prop_assert!(lines.contains(&line), "{} lacks {}", reply.text, line);
            }
            prop_assert_eq!(lines.len(), faults.len(), "{}", reply.text);
            prop_assert!(!changed);
            secrecy::assert_absent("a refusal", &reply.text);
            Ok(())
        })
        .unwrap();
    house.close();
}

/// Bodies that are nearly right.
fn bodies() -> impl Strategy<Value = Value> {
    let words = vec![
        "",
        "SECRET",
        "BASIC",
        "API_KEY",
        "ACTIVE",
        "...",
        "REDACTED",
        "a\u{0}",
        "https://x.example/",
        "🔑",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
    ];
    let key = prop::sample::select(vec![
        "alias",
        "connection",
        "experimental",
        "state",
        "authScheme",
        "val",
        "username",
        "password",
        "status",
        "redirectUrl",
        "enabled",
        "redirect_url",
        "validate_credentials",
        "?",
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
    let text = prop_oneof![1 => tree.clone(), 3 => Just(json!("work"))];
    let members = prop::collection::btree_map(
        prop::sample::select(vec!["username", "password", "note", "status"]),
        prop::sample::select(vec![
            json!("SECRET"),
            json!("ada"),
            json!("..."),
            Value::Null,
        ]),
        0..4,
    );
    let members = members.prop_map(|members| members.into_iter().collect::<Value>());
    let val = prop_oneof![1 => tree.clone(), 2 => members];
    let scheme = prop_oneof![1 => tree.clone(), 4 => Just(json!("BASIC"))];
    let flag = prop_oneof![1 => tree.clone(), 2 => any::<bool>().prop_map(Value::from)];
    (tree, text, scheme, val, flag, 0..4u8).prop_map(|(whole, alias, scheme, val, flag, kind)| {
        match kind {
            0 => whole,
            1 => json!({ "alias": alias, "connection": { "state": { "authScheme": scheme, "val": val } } }),
            2 => json!({ "connection": { "state": { "authScheme": scheme, "val": val } }, "enabled": flag }),
            _ => json!({ "enabled": flag, "validate_credentials": flag, "redirect_url": alias }),
        }
    })
}

#[test]
fn arbitrary_bodies_are_taken_or_refused_and_never_a_fault_of_ours() {
    let house = House::open();
    let secret = canary();
    let counts = std::cell::Cell::new((0, 0));
    let routes = prop::sample::select(vec![
        (Method::PATCH, ""),
        (Method::PATCH, ""),
        (Method::PATCH, "/status"),
        (Method::POST, "/refresh"),
        (Method::POST, "/refresh?redirect_url=%00"),
    ]);
    TestRunner::new(config(250))
        .run(&(bodies(), routes), |(body, (method, what))| {
            // An alias is no secret, and stored as it is.
            prop_assume!(body.get("alias") != Some(&json!("SECRET")));
            let text = body.to_string().replace("SECRET", &secret);
            let (reply, changed) = house.ask(method, &at_3_1(&house.id, what), text.clone());
            let known = [200, 400, 409, 501].contains(&reply.status);
            prop_assert!(known, "{what} {text}: {}", reply.text);
            prop_assert!(reply.status == 200 || !changed, "{what} {text}");
            secrecy::assert_absent(what, &reply.text);
            let (taken, refused) = counts.get();
            let ok = u32::from(reply.status == 200);
            counts.set((taken + ok, refused + 1 - ok));
            Ok(())
        })
        .unwrap();
    let (taken, refused) = counts.get();
    eprintln!("{taken} taken, {refused} refused");
    assert!(
        taken > 20 && refused > 20,
        "{taken} taken, {refused} refused"
    );
    house.close();
}
