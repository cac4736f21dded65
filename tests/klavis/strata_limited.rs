//! Strata to a limited key: it knows the services in its list, and nothing else of what is in one.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::strata::{ADD, STRATA, at, create, external, shown, strata};
use crate::strata_access::{everything, servers};

async fn integration_id(app: &TestApp, slug: &str) -> String {
    let query = format!("SELECT integration_id FROM integrations WHERE slug = '{slug}'");
    let row = app.sql(&query).await;
    row[0]["integration_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn to_a_limited_key_other_services_are_neither_in_it_nor_known() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = strata(&alice, "u1", json!(["Slack", "Linear", "Gmail"])).await;
    let closed = strata(&alice, "u1", json!(["Gmail"])).await;
    let open = strata(&alice, "u1", json!([])).await;
    let allowed = [
        integration_id(&app, "slack").await,
        integration_id(&app, "linear").await,
    ];
    let limited = alice.limited_to(&allowed).await;

    assert_eq!(servers(&limited, &id).await, json!(["Linear", "Slack"]));
    assert_eq!(servers(&limited, &open).await, json!([]));
    let unknown = everything(&limited.klavis(), &closed).await;
    assert!(
        unknown.iter().all(|reply| reply.status == 404),
        "{unknown:?}"
    );
    let before = app.fingerprint().await;
    for outside in ["Gmail", "Notion"] {
        let bodies = [
            (STRATA, json!({"userId": "u9", "servers": [outside]})),
            (ADD, json!({"strataId": id, "servers": ["Slack", outside]})),
            (
                "/mcp-server/strata/set-auth",
                json!({"strataId": id, "serverName": outside, "authData": {"token": "t"}}),
            ),
        ];
        for (path, body) in bodies {
            let reply = limited.klavis().post(path, body).await;
            assert_eq!(reply.status, 422, "{path}: {}", reply.text);
            assert_eq!(reply.json["detail"][0]["type"], "enum");
        }
        let auth = format!("{}/auth/{outside}", at(&id));
        assert_eq!(limited.klavis().get(&auth).await.status, 422);
        assert_eq!(limited.klavis().delete(&auth).await.status, 422);
        let path = format!("{}/servers?servers={outside}", at(&id));
        assert_eq!(limited.klavis().delete(&path).await.status, 422);
    }
    assert_eq!(app.fingerprint().await, before);

    let added = limited
        .klavis()
        .post(ADD, json!({"strataId": open, "servers": "ALL"}))
        .await;
    assert_eq!(added.json["addedServers"], json!(["Linear", "Slack"]));
    let path = format!("{}/servers?servers=ALL", at(&id));
    let removed = limited.klavis().delete(&path).await;
    assert_eq!(removed.json["deletedServers"], json!(["Linear", "Slack"]));
    assert_eq!(servers(&alice, &id).await, json!(["Gmail"]));
    assert_eq!(limited.klavis().get(&at(&id)).await.status, 404);
}

/// They are nobody's integration, so they are in no key's list.
#[tokio::test]
async fn to_a_limited_key_there_are_no_external_servers() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let body = json!({"userId": "u1", "servers": ["Slack"], "externalServers": [external("wiki")]});
    let made = create(&alice, body).await;
    let mixed = made.json["strataId"].as_str().unwrap();
    let body = json!({"userId": "u1", "externalServers": [external("wiki")]});
    let made = create(&alice, body).await;
    let closed = made.json["strataId"].as_str().unwrap();
    let empty = strata(&alice, "u1", json!([])).await;
    let limited = alice
        .limited_to(&[integration_id(&app, "slack").await])
        .await;

    let seen = shown(&limited, mixed).await;
    assert_eq!(seen["connectedServers"], json!(["Slack"]));
    assert_eq!(seen["connectedExternalServers"], json!([]));
    assert_eq!(servers(&limited, &empty).await, json!([]));
    let before = app.fingerprint().await;
    let of_closed = everything(&limited.klavis(), closed).await;
    let of_none = everything(&limited.klavis(), "none").await;
    for (closed, none) in of_closed.into_iter().zip(of_none) {
        assert_eq!((closed.status, closed.text), (404, none.text));
    }
    let others = json!([external("wiki"), external("crm")]);
    let refused =
        json!({"detail": "The API key is limited to some integrations and cannot do this"});
    for (path, body) in [
        (STRATA, json!({"userId": "u9", "externalServers": others})),
        (
            STRATA,
            json!({"userId": "u9", "servers": ["Slack"], "externalServers": others}),
        ),
        (ADD, json!({"strataId": mixed, "externalServers": others})),
        (
            ADD,
            json!({"strataId": empty, "servers": "ALL", "externalServers": others}),
        ),
    ] {
        let reply = limited.klavis().post(path, body.clone()).await;
        assert_eq!((reply.status, &reply.json), (403, &refused), "{body}");
        let mut wrong = body;
        wrong["servers"] = json!(["Gmail"]);
        let reply = limited.klavis().post(path, wrong).await;
        assert_eq!(reply.json["detail"][0]["type"], "enum", "{}", reply.text);
        assert_eq!(reply.json["detail"].as_array().unwrap().len(), 2);
    }
    let path = |query: &str| format!("{}/servers?{query}", at(mixed));
    let nothing = json!({"deletedServers": [], "deletedExternalServers": []});
    let removed = limited.klavis().delete(&path("externalServers=wiki")).await;
    assert_eq!((removed.status, removed.json), (200, nothing));
    assert_eq!(app.fingerprint().await, before);

    for none in [json!([]), Value::Null] {
        let body = json!({"strataId": empty, "externalServers": none});
        assert_eq!(limited.klavis().post(ADD, body).await.status, 200);
    }
    let all = path("servers=ALL&externalServers=wiki,crm");
    let removed = limited.klavis().delete(&all).await;
    let slack = json!({"deletedServers": ["Slack"], "deletedExternalServers": []});
    assert_eq!((removed.status, removed.json), (200, slack));
    assert_eq!(limited.klavis().get(&at(mixed)).await.status, 404);
    let left = shown(&alice, mixed).await;
    assert_eq!(left["connectedExternalServers"][0]["name"], "wiki");
}

/// How many of them are there is not for its eyes either.
#[tokio::test]
async fn a_limited_key_does_not_learn_that_a_strata_is_full() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let many: Vec<Value> = (0..100)
        .map(|number| json!({"name": number.to_string(), "url": "https://mcp.example"}))
        .collect();
    let body = json!({"userId": "u1", "servers": ["Slack"], "externalServers": many});
    let id = create(&alice, body).await.json["strataId"].clone();
    let limited = alice
        .limited_to(&[integration_id(&app, "slack").await])
        .await;
    let one_more = json!({"strataId": id, "externalServers": [external("wiki")]});

    let reply = limited.klavis().post(ADD, one_more.clone()).await;

    assert_eq!(reply.status, 403, "{}", reply.text);
    assert_eq!(alice.klavis().post(ADD, one_more).await.status, 422);
}
