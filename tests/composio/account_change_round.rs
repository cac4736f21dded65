//! A read-modify-write of a credential destroys nothing: whatever is stored, what a read shows can be sent back with one
//! member changed, and every other one is what it was, byte for byte.

use std::collections::BTreeMap;

use keyway::json::{Json, Object};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::account_changing::at;
use crate::common::TestApp;
use crate::common::client::Client;
use crate::common::tenant::Tenant;
use crate::story::{custom, made};

/// Schemes with the members that a credential of theirs needs.
const SCHEMES: [(&str, &[&str]); 7] = [
    ("API_KEY", &["generic_api_key"]),
    ("BEARER_TOKEN", &["token"]),
    ("BASIC", &["username"]),
    ("OAUTH2", &["access_token"]),
    ("DCR_OAUTH", &["client_id", "access_token"]),
    ("S2S_OAUTH2", &["client_id", "client_secret"]),
    ("CIMD_OAUTH", &["client_id", "access_token"]),
];

/// A connection under a config that shares something.
struct Arranged {
    scheme: &'static str,
    needed: &'static [&'static str],
    instance: String,
    account: String,
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,20}",
        "[a-zA-Z0-9]{10,40}",
        prop::sample::select(vec![
            "",
            "...",
            "REDACTED",
            "https://api.example.com/v1",
            "https://api.example.com/?token=abcdefghijkl",
            "a\u{0}b",
            "{\"a\":1}",
            "12345678901234567890",
            "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑",
        ])
        .prop_map(str::to_owned),
    ]
    .prop_map(Value::from);
    let leaf = prop_oneof![
        6 => text,
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f32>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Names that mean something to the schemes, to the masks or to the forms, and others.
fn names() -> impl Strategy<Value = String> {
    let known = vec![
        "token",
        "username",
        "password",
        "access_token",
        "refresh_token",
        "client_id",
        "client_secret",
        "generic_api_key",
        "api_key",
        "scopes",
        "scope",
        "user_scopes",
        "expires_in",
        "extra_token_data",
        "authed_user",
        "client_id_issued_at",
        "long_redirect_url",
        "token_url",
        "webhook_url",
        "team",
        "region",
        "status",
        "redirectUrl",
        "a\u{0}b",
        "__proto__",
    ];
    prop_oneof![
        3 => prop::sample::select(known).prop_map(str::to_owned),
        1 => ".{0,12}",
    ]
}

async fn arrange(
    alice: &Tenant,
    (scheme, needed): (&'static str, &'static [&'static str]),
) -> Arranged {
    let (client, klavis) = (alice.composio(), alice.klavis());
    let name = format!("acme-{}", scheme.to_ascii_lowercase().replace('_', "-"));
    let body = json!({ "name": name });
    let new = alice.langdock().post("/integrations/v1/create", body).await;
    assert_eq!(new.status, 201, "{}", new.text);
    let app = json!({ "client_id": "app", "client_secret": "app-secret" });
    let credentials = if scheme == "OAUTH2" { app } else { json!({}) };
    let mut body = custom(&name, scheme, credentials);
    body["auth_config"]["shared_credentials"] =
        json!({ "team": "shared-team-1234", "region": "eu", "number": 5, "list": ["a"] });
    let config = made(&client, body).await;
    let body = json!({ "serverName": name, "userId": "u-1" });
    let instance = klavis.post("/mcp-server/instance/create", body).await;
    let instance = instance.json["instanceId"].as_str().unwrap().to_owned();
    let listed = client
        .get(&format!(
            "/api/v3/connected_accounts?auth_config_ids={config}"
        ))
        .await;
    Arranged {
        scheme,
        needed,
        instance,
        account: listed.json["items"][0]["id"].as_str().unwrap().to_owned(),
    }
}

/// Replaces the whole credential; the text is sent as it is.
async fn store(klavis: &Client, instance: &str, data: &str) {
    let body = format!(r#"{{"instanceId":"{instance}","authData":{{"data":{data}}}}}"#);
    let request = klavis
        .request(Method::POST, "/mcp-server/instance/set-auth")
        .header("content-type", "application/json");
    let reply = request.body(body).send().await;
    assert_eq!(
        (reply.status, &reply.json["success"]),
        (200, &json!(true)),
        "{}",
        reply.text
    );
}

/// The members of the credential as they are handed out, each as its bytes.
async fn handed_out(klavis: &Client, instance: &str) -> BTreeMap<String, Vec<u8>> {
    let path = format!("/mcp-server/instance/{instance}/auth");
    let reply = klavis.get(&path).await;
    let Ok(Json::Object(answer)) = Json::parse(reply.text.as_bytes()) else {
        panic!("{}", reply.text);
    };
    let data = answer.get("authData").and_then(Json::as_object);
    let data: &Object = data.unwrap_or_else(|| panic!("{}", reply.text));
    data.iter()
        .map(|(name, value)| (name.to_owned(), value.to_bytes().to_vec()))
        .collect()
}

/// Reads, changes one member or none, writes; every other member must be what it was.
async fn round_trip(
    alice: &Tenant,
    reader: &Client,
    arranged: &Arranged,
    data: &serde_json::Map<String, Value>,
    change: Option<&str>,
) {
    let (client, klavis) = (alice.composio(), alice.klavis());
    store(
        &klavis,
        &arranged.instance,
        &Value::from(data.clone()).to_string(),
    )
    .await;
    let before = handed_out(&klavis, &arranged.instance).await;
    let read = reader.get(&at(&arranged.account)).await;
    assert_eq!(read.status, 200, "{}", read.text);
    let mut state = read.json["state"].clone();
    if let Some(name) = change {
        state["val"][name] = json!("a-new-value");
        state["authScheme"] = json!(arranged.scheme);
    }

    let body = json!({ "alias": "read", "connection": { "state": state } });
    let reply = client.patch(&at(&arranged.account), body).await;

    assert_eq!(reply.status, 200, "{state}: {}", reply.text);
    let mut after = handed_out(&klavis, &arranged.instance).await;
    if let Some(name) = change {
        assert_eq!(after.remove(name).as_deref(), Some(&b"\"a-new-value\""[..]));
    }
    for (name, value) in &before {
        if change != Some(name) {
            assert_eq!(
                after.remove(name).as_ref(),
                Some(value),
                "{name} of {data:?}, read as {state}"
            );
        }
    }
    assert_eq!(after, BTreeMap::new(), "{data:?}, read as {state}");
}

#[test]
fn every_other_member_of_any_credential_is_what_it_was() {
    let runtime = Runtime::new().unwrap();
    let _inside = runtime.enter();
    let (app, alice, masked, arranged) = runtime.block_on(async {
        let app = TestApp::start().await;
        let alice = app.tenant("alice").await;
        let masked = alice.with_scopes(&["connections:read"]).await.composio();
        let mut arranged = Vec::new();
        for scheme in SCHEMES {
            arranged.push(arrange(&alice, scheme).await);
        }
        (app, alice, masked, arranged)
    });
    let clear = alice.composio();
    let config = Config {
        cases: 200,
        failure_persistence: None,
        max_shrink_iters: 100,
        ..Config::default()
    };
    let credentials = prop::collection::btree_map(names(), values(), 0..8);
    let changed = prop_oneof![names().prop_map(Some), Just(None)];
    let cases = (
        credentials,
        0..SCHEMES.len(),
        changed,
        any::<bool>(),
        any::<bool>(),
    );
    TestRunner::new(config)
        .run(&cases, |(mut data, of, change, complete, sees)| {
            let arranged = &arranged[of];
            if complete || change.is_some() {
                for name in arranged.needed {
                    data.insert((*name).to_owned(), json!("needed-value-1"));
                }
            }
            let data: serde_json::Map<String, Value> = data.into_iter().collect();
            // What Klavis takes for nothing is not stored.
            prop_assume!(data.values().any(|value| !value.is_null() && *value != ""));
            // These are about the connection, and are not members to whoever changes them.
            let about = ["status", "redirectUrl"];
            let unstorable = |name: &String| about.contains(&name.as_str()) || name.contains('\0');
            prop_assume!(!change.as_ref().is_some_and(unstorable));
            let reader = if sees { &clear } else { &masked };
            runtime.block_on(round_trip(
                &alice,
                reader,
                arranged,
                &data,
                change.as_deref(),
            ));
            Ok(())
        })
        .unwrap();
    runtime.block_on(app.finish());
}
