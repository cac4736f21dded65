//! What a commit refuses was acknowledged to nobody, and takes nothing else with it.

use futures_util::future::join_all;
use keyway::domain::ids::IntegrationId;
use keyway::store::{Access, Db, integrations};
use serde_json::{Value, json};

use crate::arrange::{
    audited, auth_config, change, hand_out, held, instance, integration, request_id, set_auth,
};
use crate::common::TestApp;

/// Has the commit of every audit row fail that carries this request's id.
async fn refuse_at_commit(app: &TestApp, request: &str) {
    app.execute(&format!(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.request_id = '{request}' THEN RAISE EXCEPTION 'refused at commit'; END IF;
             RETURN NULL;
         END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON audit_log DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse()"
    ))
    .await;
}

#[tokio::test]
async fn a_credential_whose_commit_fails_is_not_acknowledged_and_harms_no_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Plain", json!({"authType": "API_KEY"})).await;
    let mut ids = Vec::new();
    for user in 0..6 {
        ids.push(instance(&alice, "Plain", &format!("u{user}")).await);
    }
    let marked = request_id();
    refuse_at_commit(&app, &marked).await;
    // Alone first.
    let reply = set_auth(&alice, &ids[0], json!({"key": "alone"}), &marked).await;
    assert_eq!(reply.status, 500, "{}", reply.text);
    assert_eq!(held(&alice, &ids[0]).await, Value::Null);

    let writes: Vec<_> = (0..48)
        .map(|n| {
            let request = if n == 24 {
                marked.clone()
            } else {
                request_id()
            };
            // The marked one writes where no other does.
            let id = if n == 24 { &ids[0] } else { &ids[1 + n % 5] };
            (id, json!({"key": request}), request)
        })
        .collect();
    let replies = join_all(
        writes
            .iter()
            .map(|(id, data, request)| set_auth(&alice, id, data.clone(), request)),
    )
    .await;

    for ((_, _, request), reply) in writes.iter().zip(&replies) {
        let is_marked = *request == marked;
        assert_eq!(
            reply.status,
            if is_marked { 500 } else { 200 },
            "{}",
            reply.text
        );
        assert_eq!(audited(&app, request).await, i64::from(!is_marked));
    }
    assert_eq!(held(&alice, &ids[0]).await, Value::Null);
    for id in &ids[1..] {
        let now = held(&alice, id).await;
        assert_eq!(audited(&app, now["key"].as_str().unwrap()).await, 1);
    }
}

#[tokio::test]
async fn a_credential_whose_audit_row_cannot_be_committed_is_not_handed_out() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    integration(&alice, "Plain", json!({"authType": "API_KEY"})).await;
    let id = instance(&alice, "Plain", "u").await;
    let secret = crate::common::canary();
    let reply = set_auth(&alice, &id, json!({"key": secret}), &request_id()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let marked = request_id();
    refuse_at_commit(&app, &marked).await;

    let reads: Vec<_> = (0..32)
        .map(|n| {
            if n % 8 == 3 {
                marked.clone()
            } else {
                request_id()
            }
        })
        .collect();
    let replies = join_all(reads.iter().map(|request| hand_out(&alice, &id, request))).await;

    for (request, reply) in reads.iter().zip(&replies) {
        if *request == marked {
            assert_eq!(reply.status, 500);
            assert!(!reply.text.contains(&secret));
        } else {
            assert_eq!(
                (reply.status, &reply.json["authData"]["key"]),
                (200, &json!(secret))
            );
            assert_eq!(audited(&app, request).await, 1);
        }
    }
    assert_eq!(audited(&app, &marked).await, 0);
}

#[tokio::test]
async fn a_change_whose_commit_fails_is_not_acknowledged_and_harms_no_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let mut configs = Vec::new();
    for n in 0..6 {
        configs.push(auth_config(&alice, json!({"key": n})).await);
    }
    let marked = request_id();
    refuse_at_commit(&app, &marked).await;
    let before = app
        .sql(&format!(
            "SELECT * FROM auth_configs WHERE public_id = '{}'",
            configs[0]
        ))
        .await;

    let changes: Vec<_> = configs
        .iter()
        .enumerate()
        .map(|(n, id)| (id, if n == 0 { marked.clone() } else { request_id() }))
        .collect();
    let replies = join_all(changes.iter().map(|(id, request)| {
        change(
            &alice,
            id,
            json!({"name": request, "credentials": {"key": request}}),
            request,
        )
    }))
    .await;

    for ((_, request), reply) in changes.iter().zip(&replies) {
        let is_marked = *request == marked;
        assert_eq!(
            reply.status,
            if is_marked { 500 } else { 200 },
            "{}",
            reply.text
        );
        assert_eq!(audited(&app, request).await, i64::from(!is_marked));
        let named = format!("auth_configs WHERE name = '{request}' AND version = 2");
        assert_eq!(app.count(&named).await, i64::from(!is_marked));
    }
    let after = app
        .sql(&format!(
            "SELECT * FROM auth_configs WHERE public_id = '{}'",
            configs[0]
        ))
        .await;
    assert_eq!(after, before);
}

/// The slow way too: a transaction that is refused at its end was acknowledged to nobody.
#[tokio::test]
async fn an_explicit_transaction_whose_commit_fails_is_not_acknowledged() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let marked = request_id();
    refuse_at_commit(&app, &marked).await;
    let before = app.fingerprint().await;

    let klavis = alice.klavis();
    let request = klavis
        .request(reqwest::Method::POST, "/mcp-server/instance/create")
        .header("x-request-id", &marked);
    let body = json!({"serverName": "Slack", "userId": "u"});
    let reply = request.json(body).send().await;

    assert_eq!(reply.status, 500, "{}", reply.text);
    assert_eq!(app.fingerprint().await, before);
}

/// COMMIT of a transaction in which a statement failed answers ROLLBACK, and no error.
#[tokio::test]
async fn a_commit_that_is_answered_by_a_rollback_is_none() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let db = Db::new(app.login());

    let done = db.tenant(alice.id, Access::Write, |tx| {
        Box::pin(async move {
            let row = |name| integrations::NewRow {
                id: IntegrationId::new(),
                match_key: "key",
                slug: "key",
                name,
                description: "",
                catalogue_slug: None,
            };
            integrations::insert(tx, &row("kept")).await?;
            let refused = integrations::insert(tx, &row("no\0text")).await;
            assert!(refused.is_err());
            Ok(())
        })
    });

    assert!(done.await.is_err());
    assert_eq!(app.count("integrations").await, 0);
    db.close().await;
}
