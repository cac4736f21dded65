//! A locked row makes its own request wait, and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::json;

use crate::arrange::{
    Lock, auth_config, change, held, instance, integration, is_later, patch_auth, request_id,
    requires, set_auth, until_one_waits, until_waiting,
};
use crate::common::TestApp;

#[tokio::test]
async fn a_locked_connection_holds_up_nobody_else() {
    let app = TestApp::start().await;
    let alice = Arc::new(app.tenant("alice").await);
    integration(&alice, "Plain", json!({"authType": "API_KEY"})).await;
    let mut ids = Vec::new();
    for user in 0..8 {
        ids.push(instance(&alice, "Plain", &format!("u{user}")).await);
    }
    let locked = ids[0].clone();
    let lock = Lock::of_instance(&app, &locked).await;
    let done = Arc::new(AtomicUsize::new(0));

    // All at once: some share a call with the locked one.
    let waiting: Vec<_> = (0..3)
        .map(|n| {
            let (alice, id, done) = (Arc::clone(&alice), locked.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let reply = set_auth(&alice, &id, json!({"key": n}), &request_id()).await;
                (done.fetch_add(1, Ordering::SeqCst), reply)
            })
        })
        .collect();
    let others = join_all(ids[1..].iter().cycle().take(35).map(async |id| {
        let reply = set_auth(&alice, id, json!({"key": "free"}), &request_id()).await;
        done.fetch_add(1, Ordering::SeqCst);
        reply
    }));
    for reply in others.await {
        assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
    }
    assert_eq!(done.load(Ordering::SeqCst), 35, "the locked one waits");
    until_one_waits(&app).await;
    // A hand-out locks nothing.
    assert_eq!(held(&alice, &locked).await, json!(null));
    lock.release().await;

    for waiting in waiting {
        let (place, reply) = waiting.await.unwrap();
        assert!(place >= 35);
        assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
    }
    for id in &ids {
        assert!(!held(&alice, id).await.is_null());
    }
}

#[tokio::test]
async fn a_connection_that_stays_locked_is_answered_later_and_not_changed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Plain", json!({"authType": "API_KEY"})).await;
    let id = instance(&alice, "Plain", "u").await;
    let (before, rows) = (app.fingerprint().await, app.count("audit_log").await);
    let lock = Lock::of_instance(&app, &id).await;

    let reply = set_auth(&alice, &id, json!({"key": "k"}), &request_id()).await;

    assert!(is_later(&reply), "{reply:?}");
    assert_eq!(reply.json, json!({"detail": "Service Unavailable"}));
    lock.release().await;
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        (before, rows)
    );
    assert_eq!(
        set_auth(&alice, &id, json!({"key": "k"}), &request_id())
            .await
            .status,
        200
    );
}

/// Who waits for the connection has read the fields already: they stay as they are until its credential is stored.
#[tokio::test]
async fn the_fields_do_not_change_under_a_credential_that_waits() {
    let app = TestApp::start().await;
    let alice = Arc::new(app.tenant("alice").await);
    let shop = integration(&alice, "Shop", requires(&[])).await;
    let id = instance(&alice, "Shop", "u").await;
    let lock = Lock::of_instance(&app, &id).await;
    let stores = {
        let (alice, id) = (Arc::clone(&alice), id.clone());
        tokio::spawn(async move { set_auth(&alice, &id, json!({"key": "k"}), &request_id()).await })
    };
    until_waiting(&app, 1).await;
    let changes = {
        let (alice, shop) = (Arc::clone(&alice), shop.clone());
        tokio::spawn(async move { patch_auth(&alice, &shop, requires(&["new"])).await })
    };
    until_waiting(&app, 2).await;
    assert!(!changes.is_finished());

    lock.release().await;

    let (first, second) = (stores.await.unwrap(), changes.await.unwrap());
    assert_eq!((first.status, second.status), (200, 200));
    let reply = set_auth(&alice, &id, json!({"key": "k"}), &request_id()).await;
    assert_eq!(reply.status, 422);
}

/// Each audit row points at its tenant: that one is on its way out must not stop the others' calls.
#[tokio::test]
async fn a_tenant_that_is_being_deleted_holds_up_nobody() {
    let app = TestApp::start().await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let mut ids = Vec::new();
    for tenant in [&alice, &bob] {
        integration(tenant, "Plain", json!({"authType": "API_KEY"})).await;
        ids.push(instance(tenant, "Plain", "u").await);
    }
    let statement = format!(
        "SELECT FROM tenant_data_keys WHERE tenant_id = '{}' FOR UPDATE",
        bob.id
    );
    let lock = Lock::take(&app, &statement).await;
    let service = app.service().clone();
    let deletion = tokio::spawn(async move { service.delete_tenant("bob").await });
    until_one_waits(&app).await;

    for _ in 0..3 {
        let data = json!({"key": "k"});
        let (first, second) = (request_id(), request_id());
        let (bobs, alices) = tokio::join!(
            set_auth(&bob, &ids[1], data.clone(), &first),
            set_auth(&alice, &ids[0], data, &second),
        );
        assert_eq!((bobs.status, alices.status), (200, 200));
    }
    assert!(!deletion.is_finished());
    lock.release().await;
    deletion.await.unwrap().unwrap();
    let reply = set_auth(&alice, &ids[0], json!({"key": "k"}), &request_id()).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn a_locked_auth_config_holds_up_nobody_else() {
    let app = TestApp::start().await;
    let alice = Arc::new(app.tenant("alice").await);
    let mut configs = Vec::new();
    for n in 0..5 {
        configs.push(auth_config(&alice, json!({"key": n})).await);
    }
    let locked = configs[0].clone();
    let statement = format!("SELECT FROM auth_configs WHERE public_id = '{locked}' FOR UPDATE");
    let lock = Lock::take(&app, &statement).await;
    let waiting = {
        let (alice, locked) = (Arc::clone(&alice), locked.clone());
        tokio::spawn(async move {
            change(&alice, &locked, json!({"name": "waited"}), &request_id()).await
        })
    };

    let others = configs[1..].iter().cycle().take(20);
    let others = others.map(|id| {
        let alice = &alice;
        async move { change(alice, id, json!({"name": "free"}), &request_id()).await }
    });
    for reply in join_all(others).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    until_one_waits(&app).await;
    assert!(!waiting.is_finished());
    lock.release().await;
    let reply = waiting.await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text);

    let before = app.fingerprint().await;
    let lock = Lock::take(&app, &statement).await;
    let reply = change(&alice, &locked, json!({"name": "refused"}), &request_id()).await;
    assert!(is_later(&reply), "{reply:?}");
    assert_eq!(reply.json["error"]["slug"], "HTTP_ServiceUnavailable");
    lock.release().await;
    assert_eq!(app.fingerprint().await, before);
}
