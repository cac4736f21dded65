//! Managed auth configs seen from the other dialects, and next to integrations of the tenant's own.

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::managed::{CLIENT_ID, managed, shared};
use crate::story::{V3, integration_of, made, sealed, shown, told};

#[tokio::test]
async fn an_own_integration_of_the_name_has_no_app_and_one_made_from_the_catalogue_has() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let own = json!({ "name": "GitHub" });
    let created = alice.langdock().post("/integrations/v1/create", own).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let before = app.fingerprint().await;

    let reply = alice
        .composio()
        .post(V3, managed("github", json!({})))
        .await;

    assert_eq!(
        told(&reply),
        (400, 306, "Auth_Config_DefaultAuthConfigNotFound")
    );
    assert_eq!(app.fingerprint().await, before);

    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    let created = bob
        .klavis()
        .post("/mcp-server/instance/create", instance)
        .await;
    assert_eq!(created.status, 200, "{}", created.text);
    // The implicit config that the instance made is taken over.
    let id = made(&bob.composio(), managed("github", json!({}))).await;
    assert_eq!(shown(&bob.composio(), &id).await["no_of_connections"], 1);
}

#[tokio::test]
async fn no_dialect_shows_anything_of_the_operators_app() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let scopes = json!({ "scopes": canary() });
    let id = made(&alice.composio(), managed("github", scopes)).await;
    let integration = integration_of(&app, &id).await;

    let auth = alice
        .langdock()
        .get(&format!("/integrations/v1/{integration}"))
        .await;
    assert_eq!(auth.status, 200, "{}", auth.text);
    let found = &auth.json["integration"];
    assert_eq!(
        (&found["authType"], &found["oauthClient"]),
        (&json!("OAUTH"), &json!(null))
    );
    assert!(!auth.text.contains(CLIENT_ID));
    for tenant in [&alice, &bob] {
        let found = tenant
            .klavis()
            .get(&format!("/white-labeling/get/{CLIENT_ID}"))
            .await;
        let never = tenant
            .klavis()
            .get("/white-labeling/get/no-such-client")
            .await;
        assert_eq!(found.status, never.status);
        assert_eq!(
            found.text.replace(CLIENT_ID, ""),
            never.text.replace("no-such-client", "")
        );
    }
    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    let created = alice
        .klavis()
        .post("/mcp-server/instance/create", instance)
        .await;
    assert_eq!(created.status, 200, "{}", created.text);
    let instance = created.json["instanceId"].as_str().unwrap();
    for path in [
        format!("/mcp-server/instance/get/{instance}"),
        format!("/mcp-server/instance/{instance}/auth"),
        "/user/u/integrations".to_owned(),
    ] {
        let reply = alice.klavis().get(&path).await;
        assert!(!reply.text.contains(CLIENT_ID), "{path}: {}", reply.text);
    }
    app.finish().await;
}

#[tokio::test]
async fn an_oauth_client_of_the_tenants_own_takes_the_place_of_the_operators_app() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await;
    let id = made(&alice.composio(), managed("github", json!({}))).await;
    let integration = integration_of(&app, &id).await;
    let auth = format!("/integrations/v1/{integration}/auth");

    let same = json!({ "authType": "OAUTH", "oauthClient": null });
    let reply = alice.langdock().patch(&auth, same).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(shown(&alice.composio(), &id).await["type"], "default");

    let own = json!({ "clientId": "mine", "clientSecret": canary() });
    let own = json!({ "authType": "OAUTH", "oauthClient": own });
    let reply = alice.langdock().patch(&auth, own).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    let one = shown(&alice.composio(), &id).await;
    assert_eq!(
        (&one["type"], &one["is_composio_managed"]),
        (&json!("custom"), &json!(false))
    );
    assert_eq!(one["credentials"]["client_id"], "mine");
    assert_eq!(sealed(&app, &id).await.len(), 2);
    let found = alice.klavis().get("/white-labeling/get/mine").await;
    assert_eq!(found.status, 200, "{}", found.text);
    app.finish().await;
}

#[tokio::test]
async fn a_white_label_app_beside_a_managed_config_is_another_one() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await;
    let id = made(&alice.composio(), managed("github", json!({}))).await;
    let label = json!({ "client_id": "mine", "client_secret": canary(), "server_name": "GitHub" });

    let reply = alice.klavis().post("/white-labeling/create", label).await;

    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(shown(&alice.composio(), &id).await["type"], "default");
    assert_eq!(sealed(&app, &id).await.len(), 0);
    assert_eq!(app.count("auth_configs WHERE NOT managed").await, 1);
    app.finish().await;
}
