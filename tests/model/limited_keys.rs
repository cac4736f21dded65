//! A key that is limited to some integrations: others are unknown to it, and it makes none.

use serde_json::json;

use crate::common::TestApp;
use crate::speak::{
    config, configs, create, credential, instance, integration, make_config, read, set_auth, shown,
    store, stored,
};

#[tokio::test]
async fn a_limited_key_works_in_every_dialect_on_what_it_is_limited_to() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    set_auth(&alice, &id, json!({"authType": "API_KEY"})).await;
    let limited = alice.limited_to(&[&id]).await;

    assert_eq!(read(&limited, &id).await["name"], "Acme");
    set_auth(
        &limited,
        &id,
        json!({"authType": "API_KEY", "authFields": []}),
    )
    .await;
    let connection = instance(&limited, "Acme", "u1").await;
    stored(&limited, &connection, json!({"token": "t"})).await;
    assert_eq!(
        credential(&limited, &connection).await.json["authData"],
        json!({"token": "t"})
    );
    let made = config(&limited, "acme", "BASIC").await;
    assert_eq!(configs(&limited, "acme").await.len(), 2);
    let path = format!("/api/v3/auth_configs/{made}");
    assert_eq!(
        limited
            .composio()
            .patch(&path, json!({"type": "custom", "name": "n"}))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn to_a_limited_key_others_are_unknown_and_the_catalogue_is_closed() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (mine, other) = (
        integration(&alice, "Mine").await,
        integration(&alice, "Other").await,
    );
    set_auth(&alice, &other, json!({"authType": "API_KEY"})).await;
    let connection = instance(&alice, "Other", "u1").await;
    stored(&alice, &connection, json!({"token": "t"})).await;
    let hidden = configs(&alice, "other").await[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let slack = instance(&alice, "Slack", "u1").await;
    let limited = alice.limited_to(&[&mine]).await;
    let before = app.fingerprint().await;

    for name in ["Other", "other", "Slack", "Gmail", "No such service"] {
        let reply = create(&limited, name, "u1").await;
        assert_eq!(
            (reply.status, &reply.json["detail"][0]["type"]),
            (422, &json!("enum")),
            "{name}"
        );
    }
    for id in [&connection, &slack] {
        assert_eq!(shown(&limited, id).await.status, 404);
        assert_eq!(credential(&limited, id).await.status, 404);
        assert_eq!(store(&limited, id, json!({"token": "x"})).await.status, 404);
    }
    let composio = limited.composio();
    let path = format!("/api/v3/auth_configs/{hidden}");
    assert_eq!(composio.get(&path).await.status, 404);
    assert_eq!(
        composio
            .patch(&path, json!({"type": "custom"}))
            .await
            .status,
        404
    );
    for (toolkit, status, code) in [
        ("other", 404, 401),
        ("slack", 404, 401),
        ("nowhere", 404, 401),
        ("gmail", 403, 812),
    ] {
        let reply = make_config(&limited, toolkit, "API_KEY", json!({})).await;
        assert_eq!(
            (reply.status, &reply.json["error"]["code"]),
            (status, &json!(code)),
            "{toolkit}"
        );
    }
    let all = composio.get("/api/v3/auth_configs").await.json;
    assert_eq!(
        (&all["total_items"], all["items"].as_array().unwrap().len()),
        (&json!(1), 1)
    );
    assert_eq!(configs(&limited, "other").await, [json!(null); 0]);
    let reply = limited
        .langdock()
        .get(&format!("/integrations/v1/{other}"))
        .await;
    assert_eq!(
        (reply.status, reply.json),
        (403, json!({"message": "No access to this integration"}))
    );
    let reply = limited
        .langdock()
        .post("/integrations/v1/create", json!({"name": "New"}))
        .await;
    assert_eq!(reply.status, 403, "{}", reply.text);
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn a_key_limited_to_nothing_reaches_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let limited = alice.limited_to(&[""; 0]).await;

    assert_eq!(create(&limited, "Acme", "u1").await.status, 422);
    assert_eq!(
        limited.composio().get("/api/v3/auth_configs").await.json["items"],
        json!([])
    );
    assert_eq!(
        limited
            .langdock()
            .get(&format!("/integrations/v1/{id}"))
            .await
            .status,
        403
    );
}
