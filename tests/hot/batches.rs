//! Many requests of several tenants at once: each caller gets its own result, and what is acknowledged is audited.

use std::collections::HashMap;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::arrange::{
    audited, hand_out, held, instance, integration, request_id, requires, set_auth,
};
use crate::common::TestApp;
use crate::common::tenant::Tenant;

/// How often the whole mix is sent.
const ROUNDS: usize = 3;

/// One tenant with instances of each kind, and a key that is limited to the service with a required field.
struct House {
    tenant: Tenant,
    limited: Tenant,
    plain: Vec<String>,
    strict: Vec<String>,
    open: String,
}

async fn house(app: &TestApp, name: &str) -> House {
    let tenant = app.tenant(name).await;
    integration(&tenant, "Plain", json!({"authType": "API_KEY"})).await;
    let strict = integration(&tenant, "Strict", requires(&["shop"])).await;
    integration(&tenant, "Open", json!({"authType": "NONE"})).await;
    let mut instances = Vec::new();
    for user in 0..4 {
        instances.push(instance(&tenant, "Plain", &format!("user-{user}")).await);
    }
    House {
        limited: tenant.limited_to(&[strict]).await,
        strict: vec![
            instance(&tenant, "Strict", "one").await,
            instance(&tenant, "Strict", "two").await,
        ],
        open: instance(&tenant, "Open", "one").await,
        plain: instances,
        tenant,
    }
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Expected {
    Stored,
    Unknown,
    Nothing,
    Missing,
}

/// A set-auth and what it has to be answered with.
struct Write<'a> {
    by: &'a Tenant,
    instance: String,
    data: Value,
    request: String,
    expected: Expected,
}

/// Every kind of item, of every tenant, interleaved.
fn writes(houses: &[House]) -> Vec<Write<'_>> {
    let mut writes = Vec::new();
    for round in 0..ROUNDS {
        for kind in 0..11 {
            for (at, house) in houses.iter().enumerate() {
                let other = &houses[(at + 1) % houses.len()];
                let absent = uuid::Uuid::now_v7().to_string();
                let mark = request_id();
                let data = json!({"key": mark, "shop": mark});
                let (all, limited) = (&house.tenant, &house.limited);
                let (by, id, data, expected) = match kind {
                    0..4 => (all, &house.plain[kind], data, Expected::Stored),
                    4 => (all, &other.plain[round % 4], data, Expected::Unknown),
                    5 => (all, &absent, data, Expected::Unknown),
                    6 => (limited, &house.plain[round % 4], data, Expected::Unknown),
                    7 => (limited, &house.strict[0], data, Expected::Stored),
                    8 => (all, &house.plain[0], json!({"key": ""}), Expected::Nothing),
                    9 => (all, &house.open, data, Expected::Nothing),
                    _ => (
                        all,
                        &house.strict[1],
                        json!({"key": mark}),
                        Expected::Missing,
                    ),
                };
                writes.push(Write {
                    by,
                    instance: id.clone(),
                    data,
                    request: mark,
                    expected,
                });
            }
        }
    }
    writes
}

/// How many transactions wrote more than one of these audit rows.
async fn batches(app: &TestApp, action: &str) -> i64 {
    app.count(&format!(
        "(SELECT xmin::text FROM audit_log WHERE action = '{action}' GROUP BY xmin::text HAVING count(*) > 1) AS several"
    ))
    .await
}

#[tokio::test]
async fn of_many_writes_each_gets_its_own_result() {
    let app = TestApp::start().await;
    let houses = [
        house(&app, "alice").await,
        house(&app, "bob").await,
        house(&app, "carol").await,
    ];
    let writes = writes(&houses);
    assert!(writes.len() > 64);

    let replies = join_all(writes.iter().map(|write| {
        set_auth(
            write.by,
            &write.instance,
            write.data.clone(),
            &write.request,
        )
    }))
    .await;

    let mut acknowledged: HashMap<&str, Vec<&Value>> = HashMap::new();
    for (write, reply) in writes.iter().zip(&replies) {
        let got = match (reply.status, &reply.json["success"]) {
            (200, Value::Bool(true)) => Expected::Stored,
            (200, Value::Bool(false)) => Expected::Nothing,
            (404, _) => Expected::Unknown,
            (422, _) => Expected::Missing,
            other => panic!("{other:?}: {}", reply.text),
        };
        assert_eq!(got, write.expected, "{}: {}", write.data, reply.text);
        assert_eq!(reply.header("x-request-id"), write.request);
        if got == Expected::Missing {
            assert_eq!(reply.json["detail"][0]["loc"][4], "shop", "{}", reply.text);
        }
        let rows = audited(&app, &write.request).await;
        assert_eq!(rows, i64::from(got == Expected::Stored), "{}", reply.text);
        if got == Expected::Stored {
            acknowledged
                .entry(&write.instance)
                .or_default()
                .push(&write.data);
        }
    }
    for house in &houses {
        for id in house.plain.iter().chain(&house.strict[..1]) {
            let now = held(&house.tenant, id).await;
            assert!(acknowledged[id.as_str()].contains(&&now), "{now}");
        }
        for id in [&house.strict[1], &house.open] {
            assert_eq!(held(&house.tenant, id).await, Value::Null);
        }
    }
    let batches = batches(&app, "connection.set_credential").await;
    assert!(batches > 0, "no call held more than one item");
    // The audit row says who and what, whoever was in the same call.
    let wrong = "audit_log l WHERE action = 'connection.set_credential' AND NOT EXISTS (SELECT FROM connections c \
         JOIN api_keys k ON k.tenant_id = c.tenant_id WHERE c.tenant_id = l.tenant_id AND k.key_id = l.key_id \
         AND c.connection_id::text = l.object_id)";
    assert_eq!(app.count(wrong).await, 0);
    app.finish().await;
}

#[tokio::test]
async fn of_many_hand_outs_each_gets_its_own_credential() {
    let app = TestApp::start().await;
    let houses = [house(&app, "alice").await, house(&app, "bob").await];
    let mut secrets: HashMap<String, Value> = HashMap::new();
    for house in &houses {
        for id in house.plain.iter().chain(&house.strict[..1]) {
            let data = json!({"key": request_id(), "shop": "s"});
            let reply = set_auth(&house.tenant, id, data.clone(), &request_id()).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            secrets.insert(id.clone(), data);
        }
    }
    let mut reads = Vec::new();
    for round in 0..8 {
        for (at, house) in houses.iter().enumerate() {
            let other = &houses[(at + 1) % houses.len()];
            let absent = uuid::Uuid::now_v7().to_string();
            let (all, limited) = (&house.tenant, &house.limited);
            for (by, id, status) in [
                (all, &house.plain[round % 4], 200),
                (all, &other.plain[round % 4], 404),
                (all, &absent, 404),
                (limited, &house.plain[round % 4], 404),
                (limited, &house.strict[0], 200),
                (all, &house.strict[1], 200),
                (all, &house.plain[(round + 1) % 4], 200),
            ] {
                reads.push((by, id.clone(), status, request_id()));
            }
        }
    }

    let replies = join_all(
        reads
            .iter()
            .map(|(by, id, _, request)| hand_out(by, id, request)),
    )
    .await;

    for ((_, id, status, request), reply) in reads.iter().zip(&replies) {
        assert_eq!(reply.status, *status, "{}", reply.text);
        assert_eq!(reply.header("x-request-id"), request);
        let expected = secrets.get(id).filter(|_| *status == 200);
        let shown = Some(&reply.json["authData"]).filter(|data| !data.is_null());
        assert_eq!(shown, expected);
        let rows = audited(&app, request).await;
        assert_eq!(rows, i64::from(expected.is_some()), "{}", reply.text);
    }
    let batches = batches(&app, "connection.hand_out").await;
    assert!(batches > 0, "no call held more than one item");
}

/// A client that goes away in the middle changes nothing for those in the same call.
#[tokio::test]
async fn a_client_that_disconnects_harms_no_other() {
    let app = TestApp::start().await;
    let house = house(&app, "alice").await;
    let lock = crate::arrange::Lock::of_audit_log(&app).await;
    let mut sent = Vec::new();
    for n in 0..40 {
        let (tenant, id) = (house.tenant.klavis(), house.plain[n / 2 % 4].clone());
        let request = request_id();
        let body =
            json!({"instanceId": id, "authData": {"data": {"key": request, "same": request}}});
        let call = tenant
            .request(reqwest::Method::POST, crate::arrange::SET_AUTH)
            .header("x-request-id", &request)
            .json(body);
        sent.push((request, tokio::spawn(call.send())));
        if n == 0 {
            crate::arrange::until_one_waits(&app).await;
        }
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    for (_, gone) in sent.iter().step_by(2) {
        gone.abort();
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    lock.release().await;

    let mut served = 0;
    for (n, (request, stays)) in sent.into_iter().enumerate() {
        if n % 2 == 0 {
            assert!(stays.await.is_err());
            // Done as a whole or not at all.
            assert!(audited(&app, &request).await <= 1);
        } else {
            let reply = stays.await.unwrap();
            // A slow machine may have kept one waiting too long: then it may be done or not.
            if !crate::arrange::is_later(&reply) {
                assert_eq!(reply.status, 200, "{}", reply.text);
                assert_eq!(reply.json["success"], true);
                assert_eq!(audited(&app, &request).await, 1);
                served += 1;
            }
        }
    }
    assert!(served > 0);
    for id in &house.plain {
        let now = held(&house.tenant, id).await;
        assert_eq!(now["key"], now["same"]);
        assert_eq!(audited(&app, now["key"].as_str().unwrap()).await, 1);
    }
}
