//! Many changes of auth configs at once, and what a change may hold.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::arrange::{audited, auth_config, change, is_later, request_id};
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};

async fn shown(tenant: &Tenant, config: &str) -> Reply {
    let path = format!("/api/v3/auth_configs/{config}");
    let reply = tenant.composio().get(&path).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply
}

/// The proxy key's bytes.
async fn proxy_key(app: &TestApp, config: &str) -> Value {
    let query = format!(
        "SELECT sealed_proxy_auth_key AS key FROM auth_configs WHERE public_id = '{config}'"
    );
    app.sql(&query).await[0]["key"].clone()
}

/// The config's version.
async fn version(app: &TestApp, config: &str) -> i64 {
    let query = format!("SELECT version FROM auth_configs WHERE public_id = '{config}'");
    app.sql(&query).await[0]["version"].as_i64().unwrap()
}

#[tokio::test]
async fn of_many_changes_of_one_config_all_that_are_acknowledged_are_kept() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = auth_config(&alice, json!({"before": "kept-as-it-was"})).await;
    let other = auth_config(&alice, json!({})).await;
    let first = version(&app, &id).await;
    let changes: Vec<_> = (0..64).map(|n| (n, request_id())).collect();

    let replies = join_all(changes.iter().map(|(n, mark)| {
        // A few on another config, so that calls hold both; of the rest three name a part each that nobody else names.
        let config = if n % 8 == 7 { &other } else { &id };
        let mut body = json!({"credentials": {format!("key-{n}"): mark, "same": mark}});
        match n {
            10 => body["name"] = json!(mark),
            20 => {
                body["tool_access_config"] = json!({"tools_available_for_execution": [mark]});
            }
            30 => {
                body["proxy_config"] =
                    json!({"proxy_url": format!("https://proxy.example/{mark}")});
            }
            _ => {
                let tools = json!({"tools_for_connected_account_creation": [mark, mark]});
                body["tool_access_config"] = tools;
            }
        }
        change(&alice, config, body, mark)
    }))
    .await;

    let mut acknowledged = Vec::new();
    for ((n, mark), reply) in changes.iter().zip(&replies) {
        assert!(reply.status == 200 || is_later(reply), "{reply:?}");
        assert_eq!(audited(&app, mark).await, i64::from(reply.status == 200));
        if reply.status == 200 && n % 8 != 7 {
            acknowledged.push((*n, mark.as_str()));
        }
    }
    assert!(acknowledged.len() >= 16, "{} of 56", acknowledged.len());
    let told = shown(&alice, &id).await.json;
    let credentials = told["credentials"].as_object().unwrap();
    assert_eq!(credentials.len(), acknowledged.len() + 2);
    for (n, mark) in &acknowledged {
        assert!(
            mark.starts_with(
                credentials[&format!("key-{n}")]
                    .as_str()
                    .unwrap()
                    .trim_end_matches('.')
            )
        );
    }
    // What one alone named is as it said, whoever came after; what many named is as one of them said.
    let said = |n: usize| {
        let acked = acknowledged.iter().find(|(of, _)| *of == n);
        acked.map(|(_, mark)| *mark)
    };
    if let Some(mark) = said(10) {
        assert_eq!(told["name"], mark);
    }
    if let Some(mark) = said(20) {
        assert_eq!(told["restrict_to_following_tools"], json!([mark]));
    }
    if let Some(mark) = said(30) {
        let url = format!("https://proxy.example/{mark}");
        assert_eq!(told["proxy_config"]["proxy_url"], url);
    }
    let tools = &told["tool_access_config"]["tools_for_connected_account_creation"];
    let mut marks = acknowledged.iter().map(|(_, mark)| json!([mark, mark]));
    assert!(marks.any(|both| both == *tools), "{tools}");
    let same = credentials["same"].as_str().unwrap().trim_end_matches('.');
    assert!(acknowledged.iter().any(|(_, mark)| mark.starts_with(same)));
    let grown = version(&app, &id).await - first;
    assert_eq!(grown, i64::try_from(acknowledged.len()).unwrap());
}

#[tokio::test]
async fn a_stale_tag_is_refused_whatever_way_the_change_takes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = auth_config(&alice, json!({"key": "k"})).await;
    let stale = shown(&alice, &id).await.header("etag").to_owned();
    assert_eq!(
        change(&alice, &id, json!({"name": "next"}), &request_id())
            .await
            .status,
        200
    );
    let current = shown(&alice, &id).await.header("etag").to_owned();
    let (before, rows) = (app.fingerprint().await, app.count("audit_log").await);
    let send = async |tag: &str| {
        let path = format!("/api/v3/auth_configs/{id}");
        let composio = alice.composio();
        let request = composio
            .request(Method::PATCH, &path)
            .header("if-match", tag);
        request
            .json(json!({"type": "custom", "name": "tagged"}))
            .send()
            .await
    };

    let replies = join_all((0..8).map(|_| send(&stale))).await;

    for reply in replies {
        assert_eq!(
            (reply.status, &reply.json["error"]["slug"]),
            (412, &json!("HTTP_PreconditionFailed"))
        );
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        (before, rows)
    );
    // Of many with the current one, one is made.
    let replies = join_all((0..16).map(|_| send(&current))).await;
    let made = replies.iter().filter(|reply| reply.status == 200).count();
    assert_eq!(made, 1);
    assert!(
        replies
            .iter()
            .all(|reply| [200, 412].contains(&reply.status))
    );
    assert_eq!(version(&app, &id).await, 3);
}

#[tokio::test]
async fn a_proxy_and_its_key_come_stay_and_go() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = auth_config(&alice, json!({})).await;
    let url = "https://proxy.example/it's%20%22here%22";
    assert_eq!(proxy_key(&app, &id).await, Value::Null);
    let set = async |proxy: Value| {
        let reply = change(&alice, &id, json!({"proxy_config": proxy}), &request_id()).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        proxy_key(&app, &id).await
    };

    let first = set(json!({"proxy_url": url, "proxy_auth_key": canary()})).await;
    assert!(first.is_string());
    // As it is shown, masked: the key stays to the byte.
    let told = shown(&alice, &id).await.json["proxy_config"].clone();
    assert_eq!(told["proxy_url"], url);
    assert_eq!(set(told.clone()).await, first);
    let reply = change(&alice, &id, json!({"name": "other"}), &request_id()).await;
    assert_eq!(reply.status, 200);
    assert_eq!(proxy_key(&app, &id).await, first);
    assert_ne!(
        set(json!({"proxy_url": url, "proxy_auth_key": canary()})).await,
        first
    );
    assert_eq!(set(json!({"proxy_url": url})).await, Value::Null);
    assert!(
        set(json!({"proxy_url": url, "proxy_auth_key": canary()}))
            .await
            .is_string()
    );
    assert_eq!(set(Value::Null).await, Value::Null);
    assert_eq!(shown(&alice, &id).await.json["proxy_config"], Value::Null);
    app.finish().await;
}

/// What is written as JSON into the call comes out as it went in.
#[tokio::test]
async fn names_of_any_kind_are_kept_and_none_reaches_the_database_that_cannot_be() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = auth_config(&alice, json!({"gone": "g"})).await;
    let long = "ß".repeat(250);
    let odd = [
        "it's",
        "\"quoted\"",
        "back\\slash",
        "{\"json\": [1]}",
        "$1 %s $$",
        "line\nbreak\ttab",
        "\u{1}\u{7f}\u{2028}",
        "ключ 鍵 🗝️",
        "\\u0000",
        "' OR true --",
        "",
        long.as_str(),
    ];
    let mut credentials = serde_json::Map::new();
    for name in odd {
        credentials.insert(name.to_owned(), json!("one value of its own"));
    }
    credentials.insert("gone".to_owned(), Value::Null);
    let tools: Vec<_> = odd.iter().filter(|name| !name.is_empty()).collect();
    let body = json!({
        "name": odd.concat(),
        "credentials": credentials,
        "tool_access_config": {"tools_available_for_execution": tools},
    });
    let reply = change(&alice, &id, body, &request_id()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let told = shown(&alice, &id).await.json;
    assert_eq!(told["name"], odd.concat());
    assert_eq!(
        told["tool_access_config"]["tools_available_for_execution"],
        json!(tools)
    );
    let kept = told["credentials"].as_object().unwrap();
    assert_eq!(kept.len(), odd.len());
    assert!(odd.iter().all(|name| kept[*name] == "one ..."), "{kept:?}");
    // And again, and away: the function finds them by their names.
    let nulls: serde_json::Map<_, _> = odd
        .iter()
        .map(|name| ((*name).to_owned(), Value::Null))
        .collect();
    let reply = change(&alice, &id, json!({"credentials": nulls}), &request_id()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(app.count("auth_config_secrets").await, 0);

    let before = app.fingerprint().await;
    let too_long = "x".repeat(501);
    for refused in [
        r#"{"name": "a\u0000b"}"#.to_owned(),
        r#"{"credentials": {"a\u0000b": "v"}}"#.to_owned(),
        r#"{"shared_credentials": {"\u0000": "v"}}"#.to_owned(),
        r#"{"tool_access_config": {"tools_available_for_execution": ["a\u0000"]}}"#.to_owned(),
        r#"{"restrict_to_following_tools": ["\ud800"]}"#.to_owned(),
        r#"{"restrict_to_following_tools": [1e400]}"#.to_owned(),
        r#"{"proxy_config": {"proxy_url": "https://proxy.example/\u0000"}}"#.to_owned(),
        r#"{"name": 1e400}"#.to_owned(),
        format!(r#"{{"credentials": {{"{too_long}": "v"}}}}"#),
    ] {
        let body = refused.replacen('{', r#"{"type": "custom", "#, 1);
        let path = format!("/api/v3/auth_configs/{id}");
        let composio = alice.composio();
        let request = composio.request(Method::PATCH, &path);
        let request = request.header("content-type", "application/json");
        let reply = request.body(body).send().await;
        assert_eq!(reply.status, 400, "{refused}: {}", reply.text);
    }
    assert_eq!(app.fingerprint().await, before);
    // Sealed values take what JSON has.
    let body = r#"{"type": "custom", "credentials": {"n": 1e400, "z": "\u0000", "deep": {"a": [-0.0, 1E+2]}}}"#;
    let path = format!("/api/v3/auth_configs/{id}");
    let composio = alice.composio();
    let request = composio.request(Method::PATCH, &path);
    let reply = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(app.count("auth_config_secrets").await, 3);
}
