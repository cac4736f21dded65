//! Probes, and a database that goes away, hangs, and comes back.

use std::time::{Duration, Instant};

use keyway::http::{layers, serve};
use serde_json::json;

use crate::common::client::Reply;
use crate::common::proxy::Proxy;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, database};

async fn app_behind_a_proxy() -> (TestApp, Proxy) {
    let database = database().await;
    let (proxy, login) = Proxy::before(&database.login());
    let app = TestApp::start_on(
        database,
        login,
        serve::Limits::default(),
        layers::REQUEST_TIMEOUT,
    )
    .await;
    (app, proxy)
}

/// One request in each dialect.
async fn one_each(tenant: &Tenant) -> [Reply; 3] {
    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    let (klavis, composio, langdock) = (tenant.klavis(), tenant.composio(), tenant.langdock());
    let unknown = "/integrations/v1/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
    tokio::join!(
        klavis.post("/mcp-server/instance/create", instance),
        composio.get("/api/v3/auth_configs"),
        langdock.get(unknown),
    )
    .into()
}

fn statuses(replies: &[Reply; 3]) -> [u16; 3] {
    replies.each_ref().map(|reply| reply.status)
}

async fn assert_unavailable(app: &TestApp, tenant: &Tenant) {
    let begun = Instant::now();
    let replies = one_each(tenant).await;
    let took = begun.elapsed();
    assert_eq!(statuses(&replies), [503; 3], "{replies:#?}");
    assert!(took < Duration::from_millis(2_300), "{took:?}");
    for reply in &replies {
        assert!(
            reply.header("retry-after").parse::<u64>().unwrap() >= 1,
            "{reply:?}"
        );
    }
    let [klavis, composio, langdock] = replies;
    assert_eq!(klavis.json, json!({ "detail": "Service Unavailable" }));
    assert_eq!(composio.json["error"]["slug"], "HTTP_ServiceUnavailable");
    assert_eq!(
        langdock.json,
        json!({ "message": "Temporarily unavailable, try again later" })
    );

    let begun = Instant::now();
    let ready = app.anonymous().get("/readyz").await;
    assert_eq!(
        (ready.status, &ready.json),
        (503, &json!({ "status": "unavailable" }))
    );
    assert!(!ready.header("retry-after").is_empty());
    assert!(begun.elapsed() < Duration::from_millis(2_300));
    assert_eq!(app.anonymous().get("/livez").await.status, 200);
}

async fn assert_recovers(tenant: &Tenant) {
    let begun = Instant::now();
    loop {
        let replies = one_each(tenant).await;
        if statuses(&replies) == [200, 200, 404] {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{replies:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn probes_tell_living_from_ready() {
    let app = TestApp::start().await;

    let alive = app.anonymous().get("/livez").await;
    assert_eq!(
        (alive.status, alive.json),
        (200, json!({ "status": "alive" }))
    );
    let ready = app.anonymous().get("/readyz").await;
    assert_eq!(
        (ready.status, ready.json),
        (200, json!({ "status": "ready" }))
    );
    app.finish().await;
}

#[tokio::test]
async fn without_its_database_the_server_says_so_at_once_and_recovers_by_itself() {
    let (app, mut proxy) = app_behind_a_proxy().await;
    let alice = app.tenant("alice").await;
    assert_recovers(&alice).await;

    proxy.cut();
    assert_unavailable(&app, &alice).await;
    assert_unavailable(&app, &alice).await;

    proxy.open();
    assert_recovers(&alice).await;
    app.finish().await;
}

#[tokio::test]
async fn a_database_that_hangs_is_a_database_that_is_away() {
    let (app, mut proxy) = app_behind_a_proxy().await;
    let alice = app.tenant("alice").await;
    assert_recovers(&alice).await;

    proxy.hang();
    assert_unavailable(&app, &alice).await;

    proxy.open();
    assert_recovers(&alice).await;
    app.finish().await;
}

#[tokio::test]
async fn a_killed_backend_costs_at_most_a_503() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    assert_recovers(&alice).await;

    app.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;

    let replies = one_each(&alice).await;
    for (status, usual) in statuses(&replies).into_iter().zip([200, 200, 404]) {
        assert!(status == usual || status == 503, "{replies:#?}");
    }
    assert_recovers(&alice).await;
    app.finish().await;
}
