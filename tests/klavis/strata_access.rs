//! Who sees which strata: other users, other tenants; and many at once.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;
use crate::stories::instance;
use crate::strata::{ADD, STRATA, at, create, external, shown, strata};

/// The reply of every operation that names a strata.
pub async fn everything(klavis: &Client, id: &str) -> Vec<Reply> {
    let auth = json!({"strataId": id, "serverName": "Slack", "authData": {"token": "t"}});
    vec![
        klavis.get(&at(id)).await,
        klavis
            .post(
                ADD,
                json!({"strataId": id, "servers": ["Slack"], "externalServers": [external("x")]}),
            )
            .await,
        klavis
            .delete(&format!(
                "{}/servers?servers=ALL&externalServers=wiki",
                at(id)
            ))
            .await,
        klavis.post("/mcp-server/strata/set-auth", auth).await,
        klavis.get(&format!("{}/auth/Slack", at(id))).await,
        klavis.delete(&format!("{}/auth/Slack", at(id))).await,
    ]
}

/// The services in a strata.
pub async fn servers(tenant: &Tenant, id: &str) -> Value {
    shown(tenant, id).await["connectedServers"].clone()
}

#[tokio::test]
async fn a_foreign_strata_is_as_unknown_as_one_that_never_was() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let body = json!({"userId": "u1", "servers": ["Slack"], "externalServers": [external("wiki")]});
    let made = create(&alice, body).await;
    let hers = made.json["strataId"].as_str().unwrap();
    strata(&mallory, "u1", json!(["Slack"])).await;
    let before = app.fingerprint().await;

    let foreign = everything(&mallory.klavis(), hers).await;
    let unknown = everything(&mallory.klavis(), "0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10").await;

    for (foreign, unknown) in foreign.into_iter().zip(unknown) {
        assert_eq!((foreign.status, &foreign.text), (404, &unknown.text));
        assert_eq!(foreign.json, json!({"detail": "Strata not found"}));
    }
    assert_eq!(app.fingerprint().await, before);
    for reply in everything(&alice.klavis(), hers).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
}

#[tokio::test]
async fn two_users_strata_are_apart() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (one, other) = (
        strata(&alice, "u1", json!(["Slack"])).await,
        strata(&alice, "u2", json!(["Slack"])).await,
    );
    for (id, token) in [(&one, "of one"), (&other, "of other")] {
        let body = json!({"strataId": id, "serverName": "Slack", "authData": {"token": token}});
        let reply = alice
            .klavis()
            .post("/mcp-server/strata/set-auth", body)
            .await;
        assert_eq!(reply.json["success"], true, "{}", reply.text);
    }

    let path = format!("{}/servers?servers=ALL", at(&one));
    assert_eq!(alice.klavis().delete(&path).await.status, 200);

    assert_eq!(servers(&alice, &one).await, json!([]));
    assert_eq!(servers(&alice, &other).await, json!(["Slack"]));
    for (user, token) in [("u1", "of one"), ("u2", "of other")] {
        let reply = alice
            .klavis()
            .get(&format!("/user/{user}/auth/Slack"))
            .await;
        assert_eq!(reply.json["authData"], json!({"token": token}));
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused_by_its_name() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let reader = alice.with_scopes(&["connections:read"]).await;
    let writer = alice.with_scopes(&["connections:write"]).await;
    let before = app.fingerprint().await;
    let lacks = |scope: &str| json!({"detail": format!("The API key lacks the scope {scope}")});

    let of_reader = everything(&reader.klavis(), &id).await;
    let made = create(&reader, json!({"userId": "u"})).await;

    assert_eq!(of_reader[0].status, 200);
    assert_eq!(of_reader[4].json, lacks("credentials:read"));
    for at in [1, 2, 3, 5] {
        assert_eq!(of_reader[at].json, lacks("connections:write"));
    }
    assert_eq!(made.json, lacks("connections:write"));
    assert_eq!(app.fingerprint().await, before);
    let of_writer = everything(&writer.klavis(), &id).await;
    assert_eq!(of_writer[0].json, lacks("connections:read"));
    assert_eq!(of_writer[4].json, lacks("credentials:read"));
    assert!([1, 2, 3, 5].iter().all(|at| of_writer[*at].status == 200));
}

/// The most that one request can mean: an integration, a config and a connection for each.
#[tokio::test]
async fn every_service_of_the_catalogue_fits_into_one_strata() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let listed = alice.klavis().get("/mcp-server/servers").await;
    let listed = listed.json["servers"].as_array().unwrap().clone();
    let names: Vec<Value> = listed.iter().map(|server| server["name"].clone()).collect();
    assert!(names.len() > 100);

    let made = create(&alice, json!({"userId": "u1", "servers": names})).await;

    assert_eq!(made.json["addedServers"], json!(names), "{}", made.text);
    let all = create(&alice, json!({"userId": "u2", "servers": "ALL"})).await;
    let count = all.json["addedServers"].as_array().unwrap().len();
    assert_eq!(count, names.len(), "{}", all.text);
    let connections = i64::try_from(2 * names.len()).unwrap();
    assert_eq!(app.count("connections").await, connections);
}

/// However many put in at once, there are never more than a hundred external servers.
#[tokio::test]
async fn the_limit_of_external_servers_holds_against_many_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack"])).await;
    let requests = (0..12).map(|request| {
        let servers: Vec<Value> = (0..15)
            .map(|number| json!({"name": format!("{request}-{number}"), "url": "https://mcp.example"}))
            .collect();
        let (klavis, body) = (alice.klavis(), json!({"strataId": id, "externalServers": servers}));
        async move { klavis.post(ADD, body).await }
    });

    let mut taken = 0;
    for reply in join_all(requests).await {
        assert!([200, 422, 503].contains(&reply.status), "{}", reply.text);
        taken += i64::from(reply.status == 200);
        if reply.status == 422 {
            assert_eq!(reply.json["detail"][0]["type"], "too_long");
            assert_eq!(
                reply.json["detail"][0]["loc"],
                json!(["body", "externalServers"])
            );
        }
    }
    assert!(taken > 0 && taken <= 6, "{taken}");
    assert_eq!(app.count("strata_external_servers").await, taken * 15);
    assert_eq!(app.deadlocks().await, 0);
}

/// The same services in every order, for users and integrations that are not there yet.
#[tokio::test]
async fn many_at_once_make_each_connection_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let names = ["Slack", "Linear", "Gmail", "Notion", "GitHub"];
    let requests = (0..16).map(|request| {
        let mut servers = names;
        servers.rotate_left(request % names.len());
        if request % 2 == 0 {
            servers.reverse();
        }
        let body = json!({"userId": format!("u{}", request % 2), "servers": servers});
        let alice = &alice;
        async move { create(alice, body).await }
    });
    let mut made = 0;
    for reply in join_all(requests).await {
        // Who has waited too long for the others is told so.
        assert!([200, 503].contains(&reply.status), "{}", reply.text);
        if reply.status == 200 {
            made += 1;
            assert_eq!(reply.json["addedServers"].as_array().unwrap().len(), 5);
        }
    }
    for user in ["u0", "u1"] {
        strata(&alice, user, json!(names)).await;
    }
    assert!(made > 2, "{made}");
    assert_eq!(app.count("integrations").await, 5);
    assert_eq!(app.count("auth_configs WHERE is_default").await, 5);
    assert_eq!(app.count("connections WHERE is_primary").await, 10);
    assert_eq!(
        (app.count("connections").await, app.count("strata").await),
        (10, made + 2)
    );
    assert_eq!(app.deadlocks().await, 0);
}

/// Each lacks what the other has: what one makes, the other one's strata refers to.
#[tokio::test]
async fn two_who_each_lack_what_the_other_has_do_not_wait_for_each_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for round in 0..30 {
        let (gmail, slack) = (format!("gmail{round}"), format!("slack{round}"));
        instance(&alice, "Gmail", &gmail).await;
        instance(&alice, "Slack", &slack).await;
        let both = |user: &str| json!({"userId": user, "servers": ["Gmail", "Slack"]});

        let (one, other) = tokio::join!(create(&alice, both(&gmail)), create(&alice, both(&slack)));

        for reply in [one, other] {
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(reply.json["addedServers"], json!(["Gmail", "Slack"]));
        }
    }
    assert_eq!(app.count("connections WHERE is_primary").await, 120);
    assert_eq!(app.deadlocks().await, 0);
}

/// Users are deleted while servers are put into their strata: nothing is torn, and never a fault of ours.
#[tokio::test]
async fn a_user_who_is_deleted_meanwhile_takes_their_strata_along() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for _ in 0..3 {
        let id = strata(&alice, "u1", json!(["Slack"])).await;
        let requests = (0..12).map(|number| {
            let (klavis, id) = (alice.klavis(), id.clone());
            async move {
                match number % 4 {
                    0 => klavis.delete("/user/u1").await,
                    1 => klavis.post(STRATA, json!({"userId": "u1", "servers": ["Slack"]})).await,
                    2 => klavis.post(ADD, json!({"strataId": id, "servers": ["Linear"]})).await,
                    _ => {
                        let body = json!({"strataId": id, "serverName": "Slack", "authData": {"token": "t"}});
                        klavis.post("/mcp-server/strata/set-auth", body).await
                    }
                }
            }
        });
        for reply in join_all(requests).await {
            let ok = [200, 404, 503].contains(&reply.status);
            assert!(ok, "{} {}", reply.status, reply.text);
        }
        let orphans = "strata_servers s WHERE NOT EXISTS (SELECT FROM connections c JOIN strata USING (tenant_id, user_hash) \
                       WHERE strata.strata_id = s.strata_id AND c.integration_id = s.integration_id)";
        assert_eq!(app.count(orphans).await, 0);
    }
    assert_eq!(app.deadlocks().await, 0);
}
