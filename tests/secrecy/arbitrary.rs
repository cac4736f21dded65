//! Bodies with three and more faults, and bytes of any kind, at every route that takes a body: never a fault of ours,
//! never a repetition, and nothing changed by what was refused.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use tokio::runtime::Runtime;

use crate::bodies::{Route, Targets, targets};
use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, secrecy};
use crate::mutation::{cuts, faults, faulty, text};

/// No answer takes longer. The promise is a second; a busy machine gets ten times that.
const PATIENCE: Duration = Duration::from_secs(10);

struct House {
    app: TestApp,
    alice: Tenant,
    targets: Targets,
}

async fn house() -> House {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let targets = targets(&alice).await;
    House {
        app,
        alice,
        targets,
    }
}

/// Sends the body and holds the answer to every promise.
async fn sent(house: &House, route: &Route, body: Vec<u8>) -> Result<Reply, TestCaseError> {
    let before = house.app.fingerprint().await;
    let audited = house.app.count("audit_log").await;
    let request = route
        .client(&house.alice)
        .request(route.method.clone(), &route.path);
    let begun = Instant::now();
    let reply = request
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await;
    let took = begun.elapsed();
    let after = house.app.fingerprint().await;

    prop_assert!(
        reply.status < 500,
        "{}: {} {}",
        route.name,
        reply.status,
        reply.text
    );
    prop_assert!(took < PATIENCE, "{}: {took:?}", route.name);
    secrecy::assert_absent(route.name, &format!("{:?}{}", reply.headers, reply.text));
    if reply.status >= 400 {
        prop_assert_eq!(
            &after,
            &before,
            "{}: refused with {} and changed",
            route.name,
            reply.status
        );
        prop_assert_eq!(house.app.count("audit_log").await, audited);
        prop_assert!(reply.json.is_object(), "{}: {}", route.name, reply.text);
    }
    if route.name == "klavis set-auth" && reply.status == 200 {
        let stored = reply.json["success"] == true;
        prop_assert_eq!(
            stored,
            after != before,
            "success is told only of what was stored: {}",
            reply.text
        );
    }
    Ok(reply)
}

/// Runs the cases; they shrink no further than to the failing one, since each costs a request.
pub fn check<S: Strategy>(
    runtime: &Runtime,
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let _inside = runtime.enter();
    match TestRunner::new(config).run(strategy, test) {
        Ok(()) => {}
        Err(TestError::Fail(reason, case)) => panic!("{reason}\n{case:#?}"),
        Err(error) => panic!("{error}"),
    }
}

pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

/// One test for each route, so that they run beside each other.
fn many_faults(name: &str) {
    let runtime = runtime();
    let house = runtime.block_on(house());
    let route = house.targets.route(name);
    let secret = canary();
    let refused = std::cell::Cell::new(0);
    check(&runtime, 150, &(faults(), cuts()), |(faults, cut)| {
        let body = faulty(route.body.clone(), &faults, route.secrets, &secret);
        let reply = runtime.block_on(sent(&house, &route, text(&body, &cut).into_bytes()))?;
        refused.set(refused.get() + u32::from(reply.status >= 400));
        Ok(())
    });
    assert!(
        refused.get() >= 30,
        "only {} bodies were refused",
        refused.get()
    );
    runtime.block_on(house.app.finish());
}

#[test]
fn klavis_create_withstands_many_faults_at_once() {
    many_faults("klavis create");
}

#[test]
fn klavis_self_hosted_withstands_many_faults_at_once() {
    many_faults("klavis self-hosted");
}

#[test]
fn klavis_change_withstands_many_faults_at_once() {
    many_faults("klavis change");
}

#[test]
fn klavis_set_auth_withstands_many_faults_at_once() {
    many_faults("klavis set-auth");
}

#[test]
fn klavis_user_set_auth_withstands_many_faults_at_once() {
    many_faults("klavis user set-auth");
}

#[test]
fn klavis_white_label_withstands_many_faults_at_once() {
    many_faults("klavis white label");
}

#[test]
fn klavis_strata_create_withstands_many_faults_at_once() {
    many_faults("klavis strata create");
}

#[test]
fn klavis_strata_add_withstands_many_faults_at_once() {
    many_faults("klavis strata add");
}

#[test]
fn klavis_strata_set_auth_withstands_many_faults_at_once() {
    many_faults("klavis strata set-auth");
}

#[test]
fn composio_create_withstands_many_faults_at_once() {
    many_faults("composio create");
}

#[test]
fn composio_update_withstands_many_faults_at_once() {
    many_faults("composio update");
}

#[test]
fn composio_account_withstands_many_faults_at_once() {
    many_faults("composio account");
}

#[test]
fn composio_link_withstands_many_faults_at_once() {
    many_faults("composio link");
}

#[test]
fn composio_account_change_withstands_many_faults_at_once() {
    many_faults("composio account change");
}

#[test]
fn composio_account_status_withstands_many_faults_at_once() {
    many_faults("composio account status");
}

#[test]
fn composio_account_refresh_withstands_many_faults_at_once() {
    many_faults("composio account refresh");
}

#[test]
fn langdock_create_withstands_many_faults_at_once() {
    many_faults("langdock create");
}

#[test]
fn langdock_auth_withstands_many_faults_at_once() {
    many_faults("langdock auth");
}

#[test]
fn bytes_of_any_kind_are_refused_everywhere() {
    let runtime = runtime();
    let house = runtime.block_on(house());
    let routes = house.targets.routes();
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        "[\\[\\]{}\",:0-9a-z\\\\ \u{0}-\u{1f}]{0,200}".prop_map(String::into_bytes),
    ];
    check(
        &runtime,
        120,
        &(bytes, any::<prop::sample::Index>()),
        |(bytes, which)| {
            let route = which.get(&routes);
            let reply = runtime.block_on(sent(&house, route, bytes))?;
            prop_assert!(reply.status >= 400, "{}: {}", route.name, reply.text);
            Ok(())
        },
    );
    runtime.block_on(house.app.finish());
}

/// Without faults each body is taken, so that what is refused above is refused for its faults.
#[tokio::test]
async fn each_body_without_a_fault_is_taken() {
    let house = house().await;
    for route in house.targets.routes() {
        let request = route
            .client(&house.alice)
            .request(route.method.clone(), &route.path);
        let reply = request.json(&route.body).send().await;
        // A user name and a password have nothing to refresh, which is said once the body is read.
        let taken = match route.name {
            "composio account refresh" => reply.status == 409,
            _ => reply.status < 300,
        };
        assert!(taken, "{}: {}", route.name, reply.text);
    }
}
