//! Declared fields and OAuth clients: one thing, three views.

use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::speak::{
    config, config_shown, configs, credential, field, instance, integration, make_config, read,
    set_auth, store, stored,
};

fn summary(fields: &Value) -> Vec<Value> {
    let fields = fields.as_array().unwrap().iter();
    fields
        .map(|field| {
            json!([
                field["name"],
                field["displayName"],
                field["type"],
                field["required"],
                field["is_secret"]
            ])
        })
        .collect()
}

#[tokio::test]
async fn langdocks_fields_are_composios_expected_input_and_klavis_rules() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let fields = json!([
        {"slug": "subdomain", "label": "Your subdomain", "type": "TEXT", "required": true, "description": "Before .acme.example"},
        field("port", "NUMBER", false),
        field("key", "PASSWORD", true),
        field("notes", "MULTI_LINE_TEXT", false),
    ]);
    set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": fields}),
    )
    .await;

    let seen = configs(&alice, "acme").await.remove(0);
    let inputs = &seen["expected_input_fields"];
    let names: Vec<_> = inputs
        .as_array()
        .unwrap()
        .iter()
        .map(|input| &input["name"])
        .collect();
    assert_eq!(names, ["subdomain", "port", "key", "notes"]);
    let [first, port, key, _] = summary(inputs).try_into().unwrap();
    assert_eq!(
        (&first[1], &first[3], &first[4]),
        (&json!("Your subdomain"), &json!(true), &json!(false))
    );
    assert_eq!((&port[3], &port[4]), (&json!(false), &json!(false)));
    assert_eq!((&key[3], &key[4]), (&json!(true), &json!(true)));
    assert_eq!(inputs[0]["description"], "Before .acme.example");

    let connection = instance(&alice, "Acme", "u1").await;
    let reply = store(
        &alice,
        &connection,
        json!({"data": {"port": "not one", "notes": canary()}}),
    )
    .await;
    let found: Vec<_> = reply.json["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["loc"][4].clone(), item["type"].clone()))
        .collect();
    assert_eq!(reply.status, 422);
    assert_eq!(
        found,
        [
            (json!("subdomain"), json!("missing")),
            (json!("port"), json!("float_parsing")),
            (json!("key"), json!("missing"))
        ]
    );
    let whole = json!({"subdomain": "a", "port": 8080, "key": canary(), "undeclared": {"kept": [1.10, null]}});
    stored(&alice, &connection, json!({"data": whole})).await;
    assert_eq!(
        credential(&alice, &connection).await.json["authData"],
        whole
    );

    // Fields that go away are rules no more, for what comes after.
    set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authFields": []}),
    )
    .await;
    stored(&alice, &connection, json!({"data": {"anything": "goes"}})).await;
    app.finish().await;
}

#[tokio::test]
async fn an_oauth_client_given_to_composio_is_langdocks_client() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (name, scheme, word) in [
        ("One", "OAUTH2", "OAUTH"),
        ("Two", "S2S_OAUTH2", "OAUTH"),
        ("Three", "DCR_OAUTH", "OAUTH_DCR"),
    ] {
        let id = integration(&alice, name).await;
        let credentials = json!({
            "client_id": "shown-to-composio-only", "client_secret": canary(), "scopes": ["read", "write"],
        });
        let made = make_config(&alice, name, scheme, json!({"credentials": credentials})).await;
        assert_eq!(made.status, 201, "{}", made.text);

        let seen = read(&alice, &id).await;

        assert_eq!(seen["authType"], word);
        let client = &seen["oauthClient"];
        assert_eq!(
            (&client["scopes"], &client["label"]),
            (&json!("read write"), &json!(null)),
            "{scheme}"
        );
        assert!(
            client["accessTokenCode"]
                .as_str()
                .unwrap()
                .contains("env.TOKEN_URL")
        );
        assert!(
            !seen.to_string().contains("shown-to-composio-only"),
            "Langdock never returns the client id"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_client_given_to_langdock_is_composios_credentials() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let secret = format!("abcd{}", canary());
    let client = json!({
        "clientId": "the-client", "clientSecret": secret, "scopes": "read write",
        "authUrl": "https://idp.example/a", "tokenUrl": "https://idp.example/t", "label": "Connect",
    });
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": client}),
    )
    .await;

    let seen = configs(&alice, "acme").await.remove(0);
    assert_eq!(seen["auth_scheme"], "OAUTH2");
    assert_eq!(
        seen["credentials"],
        json!({
            "auth_url": "https://idp.example/a", "client_id": "the-client", "client_secret": "abcd...",
            "scopes": "read write", "token_url": "https://idp.example/t",
        })
    );

    // Composio changes one member; Langdock keeps the others, and sees the new scopes.
    let path = format!("/api/v3/auth_configs/{}", seen["id"].as_str().unwrap());
    let change =
        json!({"type": "custom", "credentials": {"scopes": ["admin"], "client_secret": "abcd..."}});
    assert_eq!(alice.composio().patch(&path, change).await.status, 200);
    let shown = read(&alice, &id).await["oauthClient"].clone();
    assert_eq!(
        (&shown["scopes"], &shown["label"]),
        (&json!("admin"), &json!("Connect"))
    );
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": {"label": "Log in"}}),
    )
    .await;
    let seen = config_shown(&alice, seen["id"].as_str().unwrap()).await;
    assert_eq!(
        (
            &seen["credentials"]["client_id"],
            &seen["credentials"]["client_secret"]
        ),
        (&json!("the-client"), &json!("abcd..."))
    );
    set_auth(
        &alice,
        &id,
        json!({"authType": "OAUTH", "oauthClient": null}),
    )
    .await;
    assert_eq!(
        config_shown(&alice, seen["id"].as_str().unwrap()).await["credentials"],
        json!({})
    );
    app.finish().await;
}

/// One entity tag moves with every write of either dialect.
#[tokio::test]
async fn a_write_in_one_dialect_moves_the_entity_tag_of_the_other() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme").await;
    let made = config(&alice, "acme", "BASIC").await;
    let (ours, theirs) = (
        format!("/integrations/v1/{id}"),
        format!("/api/v3/auth_configs/{made}"),
    );
    let langdock = alice.langdock().get(&ours).await.header("etag").to_owned();
    let composio = alice
        .composio()
        .get(&theirs)
        .await
        .header("etag")
        .to_owned();

    assert_eq!(
        alice
            .composio()
            .patch(&theirs, json!({"type": "custom", "name": "n"}))
            .await
            .status,
        200
    );

    let stale = alice
        .langdock()
        .request(http::Method::PATCH, &format!("{ours}/auth"));
    let stale = stale
        .header("if-match", &langdock)
        .json(json!({"authType": "NONE"}))
        .send()
        .await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    set_auth(
        &alice,
        &id,
        json!({"authType": "API_KEY", "authTestCode": "return 1;"}),
    )
    .await;
    let stale = alice.composio().request(http::Method::PATCH, &theirs);
    let stale = stale
        .header("if-match", &composio)
        .json(json!({"type": "custom", "name": "m"}))
        .send()
        .await;
    assert_eq!(stale.status, 412, "{}", stale.text);
    assert_eq!(config_shown(&alice, &made).await["name"], "n");
}
