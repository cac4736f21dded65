//! Many changes of connected accounts at the same time: what was acknowledged is there, nothing is mixed, and nobody
//! waits in a circle.

use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::account_changing::{at, at_3_1, changed, connected, connected_under, members, switch};
use crate::account_making::{ACCOUNTS, account, config, handed_out, row};
use crate::common::TestApp;
use crate::common::client::Reply;
use crate::common::tenant::Tenant;

/// Done, or told to try again: never a fault of ours.
fn assert_done(reply: &Reply) {
    let retry = reply.status == 503 && !reply.header("retry-after").is_empty();
    assert!(
        reply.status == 200 || retry,
        "{} {}",
        reply.status,
        reply.text
    );
}

async fn set_auth(tenant: &Tenant, instance: &Value, data: Value) -> Reply {
    let body = json!({ "instanceId": instance, "authData": { "data": data } });
    let path = "/mcp-server/instance/set-auth";
    tenant.klavis().post(path, body).await
}

#[tokio::test]
async fn each_acknowledged_member_is_in_the_final_state() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let config = config(&client, "BEARER_TOKEN").await;
    let token = || json!({ "token": "t" });
    let one = connected_under(&client, &config, "BEARER_TOKEN", token()).await;
    let other = connected_under(&client, &config, "BEARER_TOKEN", token()).await;
    for round in 0..4 {
        let changes = join_all((0..32).map(|writer| {
            let mut val = json!({});
            val[format!("key_{writer:02}")] = json!(format!("{round}-{writer}"));
            let (client, path) = (&client, at(&one.id));
            async move { client.patch(&path, members("BEARER_TOKEN", val)).await }
        }));
        let flaps = join_all((0..12).map(|number| switch(&client, &one.id, number % 2 == 0)));
        let beside = join_all((0..8).map(|number| {
            let data = json!({ "token": format!("{round}-{number}") });
            set_auth(&alice, &other.uuid, data)
        }));
        let aliases = join_all((0..4).map(|number| {
            let (client, path) = (&client, at(&one.id));
            let body = json!({ "alias": format!("a-{number}") });
            async move { client.patch(&path, body).await }
        }));
        let ((changes, flaps), (beside, aliases)) =
            join(join(changes, flaps), join(beside, aliases)).await;

        for reply in changes.iter().chain(&flaps).chain(&beside).chain(&aliases) {
            assert_done(reply);
        }
        let credential = handed_out(&alice, &one.uuid).await;
        assert_eq!(credential["token"], "t");
        let mut done = 0;
        for (writer, reply) in changes.iter().enumerate() {
            if reply.status == 200 {
                done += 1;
                let value = json!(format!("{round}-{writer}"));
                assert_eq!(credential[format!("key_{writer:02}")], value);
            }
        }
        assert!(done > 16, "{done}");
        let state = row(&app, &one.id).await;
        let reason = if state["status"] == "INACTIVE" {
            json!("Connection status updated by user")
        } else {
            Value::Null
        };
        assert_eq!(state["status_reason"], reason, "{state}");
    }
    assert_eq!(app.deadlocks().await, 0);
}

/// A set-auth of Klavis replaces the whole credential: what is left is one of these, and changes that came after it.
#[tokio::test]
async fn a_merge_and_a_replacement_never_mix() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let account = connected(
        &client,
        "BEARER_TOKEN",
        json!({ "token": "t", "twin": "t" }),
    )
    .await;
    for round in 0..6 {
        let before = app
            .count("audit_log WHERE action = 'connection.set_credential'")
            .await;
        let changes = join_all((0..16).map(|writer| {
            let mut val = json!({});
            val[format!("key_{writer:02}")] = json!(round.to_string());
            let (client, path) = (&client, at(&account.id));
            async move { client.patch(&path, members("BEARER_TOKEN", val)).await }
        }));
        let sets = join_all((0..6).map(|number| {
            let mark = format!("{round}-{number}");
            set_auth(
                &alice,
                &account.uuid,
                json!({ "token": mark, "twin": mark }),
            )
        }));
        let flaps = join_all((0..6).map(|number| switch(&client, &account.id, number % 2 == 0)));
        let (changes, (sets, flaps)) = join(changes, join(sets, flaps)).await;

        for reply in changes.iter().chain(&sets).chain(&flaps) {
            assert_done(reply);
        }
        let credential = handed_out(&alice, &account.uuid).await;
        assert_eq!(credential["token"], credential["twin"], "{credential}");
        let begins = credential["token"]
            .as_str()
            .unwrap()
            .starts_with(&format!("{round}-"));
        assert!(begins, "{credential}");
        let done = |replies: &[Reply]| replies.iter().filter(|reply| reply.status == 200).count();
        let after = app
            .count("audit_log WHERE action = 'connection.set_credential'")
            .await;
        let written = i64::try_from(done(&changes) + done(&sets)).unwrap();
        assert_eq!(after - before, written);
    }
    assert_eq!(app.deadlocks().await, 0);
}

#[tokio::test]
async fn of_many_that_want_one_alias_one_gets_it() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "BEARER_TOKEN").await;
    let mut ids = Vec::new();
    for _ in 0..12 {
        let made = connected_under(&client, &config, "BEARER_TOKEN", json!({ "token": "t" })).await;
        ids.push(made.id);
    }
    for round in 0..4 {
        let body = json!({ "alias": format!("wanted-{round}") });
        let wanting = join_all(ids.iter().map(|id| {
            let (client, body) = (&client, body.clone());
            async move { client.patch(&at(id), body).await }
        }));
        let mut new = account(&config, "BEARER_TOKEN", json!({ "token": "t" }));
        new["connection"]["alias"] = body["alias"].clone();
        let (mut replies, made) = join(wanting, client.post(ACCOUNTS, new)).await;
        replies.push(made);
        let got = replies.iter().filter(|reply| reply.status < 300).count();
        assert_eq!(got, 1);
        let refused = replies.iter().filter(|reply| reply.status == 409).count();
        assert_eq!(refused, replies.len() - 1);
        let alias = format!("connections WHERE alias = 'wanted-{round}'");
        assert_eq!(app.count(&alias).await, 1);
    }
    assert_eq!(app.deadlocks().await, 0);
}

/// Two that swap their aliases, again and again, beside one that takes both away.
#[tokio::test]
async fn who_swaps_aliases_never_waits_in_a_circle() {
    let app = TestApp::start().await;
    let client = app.tenant("alice").await.composio();
    let config = config(&client, "BEARER_TOKEN").await;
    let token = || json!({ "token": "t" });
    let one = connected_under(&client, &config, "BEARER_TOKEN", token()).await;
    let other = connected_under(&client, &config, "BEARER_TOKEN", token()).await;
    changed(&client, &one.id, json!({ "alias": "x" })).await;
    changed(&client, &other.id, json!({ "alias": "y" })).await;
    for round in 0..12 {
        let [mine, yours] = if round % 2 == 0 {
            ["y", "x"]
        } else {
            ["x", "y"]
        };
        let swap = |id: &str, alias: &str| {
            let (client, path) = (client.clone(), at(id));
            let body = json!({ "alias": alias });
            async move { client.patch(&path, body).await }
        };
        let swaps = [
            swap(&one.id, mine),
            swap(&other.id, yours),
            swap(&one.id, ""),
            swap(&other.id, ""),
        ];
        for reply in join_all(swaps).await {
            assert!([200, 409].contains(&reply.status), "{}", reply.text);
        }
    }
    assert_eq!(app.deadlocks().await, 0);
}

/// Everything that touches a connection, at once, in every dialect.
#[tokio::test]
async fn whatever_happens_at_once_leaves_whole_rows() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (client, klavis) = (alice.composio(), alice.klavis());
    for round in 0..8 {
        let config = config(&client, "BEARER_TOKEN").await;
        let mut ids = Vec::new();
        let mut uuids = Vec::new();
        for _ in 0..4 {
            let token = json!({ "token": "t" });
            let made = connected_under(&client, &config, "BEARER_TOKEN", token).await;
            ids.push(made.id);
            uuids.push(made.uuid);
        }
        let ask = |method: Method, path: String, body: Option<Value>| {
            let client = if path.starts_with("/api") {
                &client
            } else {
                &klavis
            };
            let request = client.request(method, &path);
            async move {
                match body {
                    Some(body) => request.json(body).send().await,
                    None => request.send().await,
                }
            }
        };
        let mut asks = Vec::new();
        for (number, (id, uuid)) in ids.iter().zip(&uuids).enumerate() {
            let uuid = uuid.as_str().unwrap();
            let val = members("BEARER_TOKEN", json!({ "token": format!("n-{number}") }));
            let set = json!({ "instanceId": uuid, "authData": { "token": "k" } });
            let alias = json!({ "alias": format!("a-{}", number % 2) });
            let on = json!({ "enabled": number % 2 == 0 });
            asks.push(ask(Method::PATCH, at(id), Some(val)));
            asks.push(ask(Method::PATCH, at(id), Some(alias)));
            asks.push(ask(Method::PATCH, at_3_1(id, "/status"), Some(on)));
            asks.push(ask(
                Method::POST,
                "/mcp-server/instance/set-auth".into(),
                Some(set),
            ));
            asks.push(ask(
                Method::DELETE,
                format!("/mcp-server/instance/{uuid}/auth"),
                None,
            ));
            if number % 2 == 0 {
                asks.push(ask(Method::POST, at_3_1(id, "/revoke"), None));
            }
            if number == 1 {
                asks.push(ask(Method::DELETE, at(id), None));
            }
        }
        let rename =
            json!({ "type": "custom", "name": "renamed", "shared_credentials": { "a": "b" } });
        asks.push(ask(
            Method::PATCH,
            format!("/api/v3/auth_configs/{config}"),
            Some(rename),
        ));
        match round % 4 {
            1 => asks.push(ask(Method::DELETE, "/user/u-1".into(), None)),
            2 => asks.push(ask(
                Method::DELETE,
                format!("/api/v3/auth_configs/{config}"),
                None,
            )),
            _ => {}
        }
        for reply in join_all(asks).await {
            let known = [200, 400, 404, 409].contains(&reply.status);
            let retry = reply.status == 503 && !reply.header("retry-after").is_empty();
            assert!(known || retry, "{} {}", reply.status, reply.text);
        }
        let torn = "connections WHERE (status = 'ACTIVE') <> (sealed_credential IS NOT NULL) AND status <> 'INACTIVE' \
                    OR status = 'INACTIVE' AND (sealed_credential IS NULL OR status_reason IS NULL) \
                    OR status = 'REVOKED' AND status_reason IS NULL \
                    OR status IN ('ACTIVE', 'INITIALIZING') AND status_reason IS NOT NULL";
        assert_eq!(app.count(torn).await, 0, "{round}");
        let twice = "(SELECT FROM connections GROUP BY tenant_id, integration_id, user_hash \
                     HAVING count(*) FILTER (WHERE is_primary) <> 1) AS pairs";
        assert_eq!(app.count(twice).await, 0, "{round}");
    }
    assert_eq!(app.deadlocks().await, 0);
}
