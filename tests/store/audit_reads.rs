//! `KEYWAY_AUDIT_READS=batched`: the audit rows of hand-outs are written a little later, each once, and where they
//! cannot be, nothing more is handed out unaudited.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Executor as _};
use uuid::Uuid;

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary};
use crate::rows::{instance, integration, store};

const ROWS: &str = "audit_log WHERE action = 'connection.hand_out'";

/// A tenant with an instance that holds a credential.
async fn holder(app: &TestApp, name: &str) -> (Tenant, String) {
    let tenant = app.tenant(name).await;
    integration(&tenant, "Acme").await;
    let id = instance(&tenant, "Acme", "u1").await;
    store(&tenant, &id, json!({"key": canary()})).await;
    (tenant, id)
}

async fn hand_out(tenant: &Tenant, instance: &str, request: Uuid) -> Reply {
    let path = format!("/mcp-server/instance/{instance}/auth");
    let klavis = tenant.klavis();
    let asked = klavis.request(Method::GET, &path);
    asked
        .header("x-request-id", &request.to_string())
        .send()
        .await
}

/// Waits until so many rows are there, and a little longer for one too many.
async fn until_rows(app: &TestApp, count: i64) {
    for _ in 0..60 {
        if app.count(ROWS).await >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(app.count(ROWS).await, count);
}

fn of(request: Uuid) -> String {
    format!("{ROWS} AND request_id = '{request}'")
}

/// How many rows a request has, once it has one, and a little later.
async fn rows_after(app: &TestApp, request: Uuid) -> i64 {
    for _ in 0..60 {
        if app.count(&of(request)).await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    app.count(&of(request)).await
}

async fn lock_audit_log(app: &TestApp) -> PgConnection {
    let mut lock = PgConnection::connect_with(&app.superuser()).await.unwrap();
    lock.execute("BEGIN; LOCK TABLE audit_log IN EXCLUSIVE MODE")
        .await
        .unwrap();
    lock
}

#[tokio::test]
async fn each_hand_out_gets_its_own_row_within_a_second() {
    let app = TestApp::start_batched().await;
    let (alice, one) = holder(&app, "alice").await;
    let (bob, two) = holder(&app, "bob").await;
    let requests: Vec<_> = (0..60).map(|_| Uuid::new_v4()).collect();

    let before = app.sql("SELECT clock_timestamp() AS at").await[0]["at"].to_string();
    let replies = join_all(requests.iter().enumerate().map(|(n, request)| {
        let (tenant, id) = if n % 2 == 0 {
            (&alice, &one)
        } else {
            (&bob, &two)
        };
        hand_out(tenant, id, *request)
    }))
    .await;
    let after = app.sql("SELECT clock_timestamp() AS at").await[0]["at"].to_string();
    // Another's, an absent and an empty one are no hand-outs.
    assert_eq!(hand_out(&alice, &two, Uuid::new_v4()).await.status, 404);
    assert_eq!(
        hand_out(&alice, &Uuid::new_v4().to_string(), Uuid::new_v4())
            .await
            .status,
        404
    );
    let empty = instance(&alice, "Acme", "u2").await;
    assert_eq!(hand_out(&alice, &empty, Uuid::new_v4()).await.status, 200);

    assert!(
        replies
            .iter()
            .all(|reply| reply.status == 200 && reply.text.contains("CANARY"))
    );
    until_rows(&app, 60).await;
    for (n, request) in requests.iter().enumerate() {
        let (tenant, id) = if n % 2 == 0 {
            (&alice, &one)
        } else {
            (&bob, &two)
        };
        let row = format!(
            "{ROWS} AND request_id = '{request}' AND tenant_id = '{}' AND object_id = '{id}' AND key_id = '{}' \
             AND object_kind = 'connection' AND at BETWEEN '{before}' AND '{after}'",
            tenant.id, tenant.key_id
        );
        assert_eq!(app.count(&row.replace('"', "")).await, 1);
    }
    // The time is that of the hand-out, and the row was written later: many by one transaction.
    let written = app
        .count(&format!("(SELECT DISTINCT xmin::text FROM {ROWS}) AS w"))
        .await;
    assert!(written < 30, "{written} transactions");
    app.finish().await;
}

#[tokio::test]
async fn rows_that_cannot_be_written_stop_the_hand_outs() {
    let app = TestApp::start_batched().await;
    let (alice, id) = holder(&app, "alice").await;
    let first = Uuid::new_v4();
    let revoked = "REVOKE INSERT ON audit_log FROM keyway_tenant, keyway_jobs";
    app.execute(revoked).await;

    assert_eq!(hand_out(&alice, &id, first).await.status, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;

    for _ in 0..3 {
        let reply = hand_out(&alice, &id, Uuid::new_v4()).await;
        assert_eq!(reply.status, 500, "{}", reply.status);
        assert!(!reply.text.contains("CANARY"));
    }
    assert_eq!(app.count(ROWS).await, 0);
    app.execute("GRANT INSERT ON audit_log TO keyway_tenant, keyway_jobs")
        .await;
    // What was kept is written, once, and hand-outs are served again.
    until_rows(&app, 1).await;
    assert_eq!(
        app.count(&format!("{ROWS} AND request_id = '{first}'"))
            .await,
        1
    );
    assert_eq!(hand_out(&alice, &id, Uuid::new_v4()).await.status, 200);
    until_rows(&app, 2).await;
}

#[tokio::test]
async fn a_log_that_is_locked_makes_hand_outs_wait_for_their_rows() {
    let app = TestApp::start_batched().await;
    let (alice, id) = holder(&app, "alice").await;
    let [first, second, third] = [(); 3].map(|()| Uuid::new_v4());
    let lock = lock_audit_log(&app).await;
    assert_eq!(hand_out(&alice, &id, first).await.status, 200);
    tokio::time::sleep(Duration::from_secs(1)).await;

    let reply = hand_out(&alice, &id, second).await;

    assert_eq!(reply.status, 503, "{}", reply.text);
    assert!(!reply.header("retry-after").is_empty());
    lock.close().await.unwrap();
    assert_eq!(rows_after(&app, first).await, 1);
    assert_eq!(hand_out(&alice, &id, third).await.status, 200);
    assert_eq!(rows_after(&app, third).await, 1);
    // What was answered 503 may have been done in the end, its row with it.
    assert!(app.count(&of(second)).await <= 1);
}

#[tokio::test]
async fn the_end_of_the_server_writes_what_waits() {
    let app = TestApp::start_batched().await;
    let (alice, id) = holder(&app, "alice").await;
    let requests: Vec<_> = (0..20).map(|_| Uuid::new_v4()).collect();
    for reply in join_all(
        requests
            .iter()
            .map(|request| hand_out(&alice, &id, *request)),
    )
    .await
    {
        assert_eq!(reply.status, 200);
    }

    app.service().close().await;

    assert_eq!(app.count(ROWS).await, 20);
    assert_eq!(
        app.count(&format!("(SELECT DISTINCT request_id FROM {ROWS}) AS r"))
            .await,
        20
    );
}

#[tokio::test]
async fn the_end_of_the_server_tries_again_where_the_log_is_locked() {
    let app = TestApp::start_batched().await;
    let (alice, id) = holder(&app, "alice").await;
    let lock = lock_audit_log(&app).await;
    assert_eq!(hand_out(&alice, &id, Uuid::new_v4()).await.status, 200);
    let service = app.service().clone();

    let closed = tokio::spawn(async move { service.close().await });
    // Longer than a statement waits for a lock.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    lock.close().await.unwrap();
    closed.await.unwrap();

    assert_eq!(app.count(ROWS).await, 1);
}

#[tokio::test]
async fn a_tenant_or_a_connection_that_is_gone_meanwhile_holds_up_no_other_row() {
    let app = TestApp::start_batched().await;
    let (alice, one) = holder(&app, "alice").await;
    let (bob, two) = holder(&app, "bob").await;
    let (carol, three) = holder(&app, "carol").await;
    let lock = lock_audit_log(&app).await;
    for (tenant, id) in [(&alice, &one), (&bob, &two), (&carol, &three)] {
        assert_eq!(hand_out(tenant, id, Uuid::new_v4()).await.status, 200);
    }
    // As the sweep leaves them: the one marked, the other without a connection.
    let gone = format!(
        "UPDATE tenants SET deleted_at = now() WHERE tenant_id = '{}'; DELETE FROM connections WHERE tenant_id = '{}'",
        alice.id, bob.id
    );
    app.execute(&gone).await;
    lock.close().await.unwrap();

    until_rows(&app, 2).await;

    for (tenant, rows) in [(&alice, 0), (&bob, 1), (&carol, 1)] {
        assert_eq!(
            app.count(&format!("{ROWS} AND tenant_id = '{}'", tenant.id))
                .await,
            rows
        );
    }
    assert_eq!(hand_out(&carol, &three, Uuid::new_v4()).await.status, 200);
    assert_eq!(hand_out(&alice, &one, Uuid::new_v4()).await.status, 403);
    until_rows(&app, 3).await;
}

/// A batch whose confirmation was lost is sent again: no row is written twice.
#[tokio::test]
async fn a_row_that_is_sent_again_is_there_once() {
    let app = TestApp::start_batched().await;
    let (alice, id) = holder(&app, "alice").await;
    let mut connection = PgConnection::connect_with(&app.login()).await.unwrap();
    connection.execute("SET ROLE keyway_jobs").await.unwrap();
    let audits = [Uuid::new_v4(), Uuid::new_v4()];
    let connections = [id.parse::<Uuid>().unwrap(); 2];
    for _ in 0..2 {
        sqlx::query(keyway::store::audit::JOB_STATEMENTS[0])
            .bind([alice.id.0; 2].as_slice())
            .bind(connections.as_slice())
            .bind(audits.as_slice())
            .bind(["k", "k"].as_slice())
            .bind(["one", "two"].as_slice())
            .bind([60.0_f64, 0.0].as_slice())
            .execute(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(app.count(ROWS).await, 2);
    assert_eq!(
        app.count(&format!("{ROWS} AND at < now() - interval '50 seconds'"))
            .await,
        1
    );
}
