//! What the other dialects write, as this one shows it.

use serde_json::json;

use crate::common::{TestApp, canary};
use crate::story::{V3, custom, made, made_key_config, shown};

#[tokio::test]
async fn a_klavis_credential_is_a_connection_of_the_auth_config() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = made_key_config(&alice.composio(), json!({})).await;
    let body = json!({ "serverName": "openai", "userId": "u-1" });
    let instance = alice
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    assert_eq!(instance.status, 200, "{}", instance.text);
    let body =
        json!({ "instanceId": instance.json["instanceId"], "authData": { "token": canary() } });
    let set = alice
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await;
    assert_eq!(set.status, 200, "{}", set.text);

    assert_eq!(shown(&alice.composio(), &id).await["no_of_connections"], 1);
    app.finish().await;
}

#[tokio::test]
async fn a_langdock_integration_is_a_toolkit_whose_fields_are_expected() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let new = alice
        .langdock()
        .post(
            "/integrations/v1/create",
            json!({ "name": "Our Wiki", "description": "" }),
        )
        .await;
    let id = new.json["integration"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", new.text))
        .to_owned();
    let fields = json!([
        { "slug": "host", "label": "Host", "type": "TEXT", "description": "Where it is.", "required": true },
        { "slug": "port", "label": "Port", "type": "NUMBER" },
        { "slug": "key", "label": "Key", "type": "PASSWORD", "required": true },
    ]);
    let setting = json!({ "authType": "API_KEY", "authFields": fields });
    let set = alice
        .langdock()
        .patch(&format!("/integrations/v1/{id}/auth"), setting)
        .await;
    assert_eq!(set.status, 200, "{}", set.text);

    let listed = alice
        .composio()
        .get(&format!("{V3}?toolkit_slug=our-wiki"))
        .await
        .json;

    let item = &listed["items"][0];
    assert_eq!(
        (&item["auth_scheme"], &item["toolkit"]["slug"]),
        (&json!("API_KEY"), &json!("our-wiki"))
    );
    let expected: Vec<_> = item["expected_input_fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            json!([
                field["name"],
                field["displayName"],
                field["type"],
                field["required"],
                field["is_secret"]
            ])
        })
        .collect();
    assert_eq!(
        expected,
        [
            json!(["host", "Host", "string", true, false]),
            json!(["port", "Port", "number", false, false]),
            json!(["key", "Key", "string", true, true]),
        ]
    );
}

#[tokio::test]
async fn the_first_explicit_config_takes_over_the_implicit_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let body = json!({ "serverName": "GitHub", "userId": "u-1" });
    assert_eq!(
        alice
            .klavis()
            .post("/mcp-server/instance/create", body)
            .await
            .status,
        200
    );
    let implicit = alice.composio().get(V3).await.json;
    assert_eq!(
        (
            &implicit["total_items"],
            &implicit["items"][0]["auth_scheme"]
        ),
        (&json!(1), &json!("OAUTH2"))
    );

    let id = made(&alice.composio(), custom("github", "API_KEY", json!({}))).await;

    let listed = alice.composio().get(V3).await.json;
    assert_eq!(
        (&listed["total_items"], &listed["items"][0]["id"]),
        (&json!(1), &json!(id))
    );
    assert_eq!(listed["items"][0]["id"], implicit["items"][0]["id"]);
    assert_eq!(listed["items"][0]["auth_scheme"], "API_KEY");
}
