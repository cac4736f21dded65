//! A secret in every place that takes one, through every dialect: it comes out of the authorised hand-out only.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};

use crate::common::client::Reply;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, secrecy};
use crate::dump::dump;

fn ok(reply: Reply) -> Value {
    assert!((200..300).contains(&reply.status), "{}", reply.text);
    reply.json
}

async fn integration(tenant: &Tenant, name: &str) -> String {
    let made = tenant
        .langdock()
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
    ok(made)["integration"]["id"].as_str().unwrap().to_owned()
}

async fn instance(tenant: &Tenant, service: &str, user: &str) -> String {
    let body = json!({"serverName": service, "userId": user});
    let made = tenant
        .klavis()
        .post("/mcp-server/instance/create", body)
        .await;
    ok(made)["instanceId"].as_str().unwrap().to_owned()
}

/// Klavis: each form of `authData`; gives the instances with what get-auth must hand out.
async fn credentials(tenant: &Tenant) -> Vec<(String, Value)> {
    let (token, key) = (canary(), canary());
    let deep = json!({"a": {"b": [canary(), {"c": format!("prefix {} suffix", canary())}]}, "password": canary()});
    let multi_line = json!({"pem": format!("-----BEGIN-----\n{}\n-----END-----", canary()), "quoted": format!("\"{}\\", canary())});
    let mut held = Vec::new();
    for (user, auth_data, expected) in [
        ("token", json!({"token": token}), json!({"token": token})),
        (
            "key",
            json!({"api_key": key, "token": null}),
            json!({"api_key": key}),
        ),
        ("deep", json!({"data": deep}), deep),
        ("lines", json!({"data": multi_line}), multi_line),
    ] {
        let id = instance(tenant, "OpenAI", user).await;
        let body = json!({"instanceId": id, "authData": auth_data});
        assert_eq!(
            ok(tenant
                .klavis()
                .post("/mcp-server/instance/set-auth", body)
                .await)["success"],
            true
        );
        held.push((id, expected));
    }
    held
}

/// Klavis: a strata, whose external servers' headers are never shown, and the credential of a service in it.
async fn strata(tenant: &Tenant) -> (String, Value) {
    let server = |name: &str| {
        let headers = json!({"Authorization": format!("Bearer {}", canary()), "X-Key": canary()});
        json!({"name": name, "url": "https://mcp.example", "headers": headers})
    };
    let klavis = tenant.klavis();
    let body =
        json!({"userId": "strata", "servers": ["OpenAI"], "externalServers": [server("wiki")]});
    let id = ok(klavis.post("/mcp-server/strata/create", body).await)["strataId"].clone();
    let body = json!({"strataId": id, "externalServers": [server("wiki"), server("crm")]});
    ok(klavis.post("/mcp-server/strata/add", body).await);
    let data = json!({"token": canary()});
    let body = json!({"strataId": id, "serverName": "OpenAI", "authData": data});
    let set = ok(klavis.post("/mcp-server/strata/set-auth", body).await);
    assert_eq!(set["success"], true);
    (format!("/mcp-server/strata/{}", id.as_str().unwrap()), data)
}

/// Composio: every map and member that holds secrets, made and changed; gives the config.
async fn config(tenant: &Tenant, toolkit: &str) -> String {
    let secrets = || json!({"generic_api_key": canary(), "nested": {"private": [canary()]}, "password": canary(), "client_secret": canary()});
    let proxy = || json!({"proxy_url": "https://proxy.example", "proxy_auth_key": canary()});
    let body = json!({
        "toolkit": {"slug": toolkit},
        "auth_config": {
            "type": "use_custom_auth", "authScheme": "API_KEY", "credentials": secrets(), "shared_credentials": secrets(),
            "proxy_config": proxy(),
        },
    });
    let made = ok(tenant.composio().post("/api/v3/auth_configs", body).await);
    let id = made["auth_config"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v3.1/auth_configs/{id}");
    let change = json!({"type": "custom", "credentials": secrets(), "shared_credentials": secrets(), "proxy_config": proxy()});
    ok(tenant.composio().patch(&path, change).await);
    // The published example of the endpoint, wrapped and without a type.
    let wrapped = json!({"auth_config": {"credentials": {"client_secret": canary()}}});
    ok(tenant.composio().patch(&path, wrapped).await);
    id
}

/// Langdock: the four sealed members of an OAuth client. Client id and URLs are no secret to Composio, whose contract
/// shows them; in this dialect they never return.
async fn client(tenant: &Tenant, integration: &str, client_id: &str) {
    let url = |of: &str| format!("https://idp.example/{of}?tenant={client_id}");
    let body = json!({
        "authType": "OAUTH",
        "oauthClient": {
            "clientId": client_id, "clientSecret": canary(), "authUrl": url("authorize"), "tokenUrl": url("token"),
            "scopes": "read", "label": "Connect",
        },
    });
    ok(tenant
        .langdock()
        .patch(&format!("/integrations/v1/{integration}/auth"), body)
        .await);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Klavis: a white label, made and changed; its client id is no secret, and sealed all the same.
async fn white_label(tenant: &Tenant, client_id: &str) {
    for service in ["Gmail", "Gmail", "Google Calendar"] {
        let body =
            json!({"client_id": client_id, "client_secret": canary(), "server_name": service});
        let set = tenant.klavis().post("/white-labeling/create", body).await;
        assert_eq!(ok(set)["data"]["client_id"], client_id);
    }
    let path = format!("/white-labeling/get/{client_id}");
    assert_eq!(ok(tenant.klavis().get(&path).await)["success"], true);
}

/// No client id, no API key and no root key is in the dump or in the log, and something was logged.
fn assert_keyless(app: &TestApp, dump: &str, client_ids: &[&str]) {
    let logs = app.logs();
    for (place, text) in [("pg_dump", dump), ("the log", &logs)] {
        for client_id in client_ids {
            assert!(
                !text.contains(client_id),
                "{place} holds the client id or a URL"
            );
        }
    }
    for secret in app.api_key_secrets() {
        assert!(!dump.contains(&secret), "pg_dump holds an API key");
        let hex = hexadecimal(secret.as_bytes());
        assert!(
            !dump.contains(&hex),
            "pg_dump holds an API key in hexadecimal"
        );
    }
    let root_key = STANDARD.decode(app.root_key()).unwrap();
    let hex = hexadecimal(&root_key);
    for (place, text) in [("pg_dump", dump), ("the log", &logs)] {
        assert!(
            !text.contains(app.root_key()) && !text.contains(&hex),
            "{place} holds the root key"
        );
    }
    assert!(
        logs.contains("\"TRACE\"") || logs.contains("\"INFO\""),
        "nothing was logged"
    );
}

#[tokio::test]
async fn a_secret_comes_out_of_the_authorised_hand_out_only() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let acme = integration(&alice, "Acme").await;
    let client_id = uuid::Uuid::new_v4().to_string();
    client(&alice, &acme, &client_id).await;
    let held = credentials(&alice).await;
    let config = config(&alice, "stripe").await;
    let labelled = uuid::Uuid::new_v4().to_string();
    white_label(&alice, &labelled).await;

    // Every read there is. The kit keeps each answer but the hand-outs and looks through them at the end.
    for prefix in ["/integrations/v1", "/api/public/integrations/v1"] {
        let read = alice.langdock().get(&format!("{prefix}/{acme}")).await;
        assert!(!read.text.contains(&client_id));
        ok(read);
    }
    for prefix in ["/api/v3", "/api/v3.1"] {
        ok(alice
            .composio()
            .get(&format!("{prefix}/auth_configs?show_disabled=true"))
            .await);
        ok(alice
            .composio()
            .get(&format!("{prefix}/auth_configs/{config}"))
            .await);
        ok(alice
            .composio()
            .get(&format!("{prefix}/auth_configs?search=CANARY"))
            .await);
    }
    let reader = alice
        .with_scopes(&["connections:read", "connections:write"])
        .await;
    for (id, expected) in &held {
        ok(alice
            .klavis()
            .get(&format!("/mcp-server/instance/{id}"))
            .await);
        let path = format!("/mcp-server/instance/{id}/auth");
        let handed_out = ok(alice.klavis().get(&path).await);
        assert_eq!(&handed_out["authData"], expected);
        assert_eq!(
            reader.klavis().get(&path).await.status,
            403,
            "the scope credentials:read alone reveals"
        );
    }
    // The same by user and server, which makes all that is absent.
    let (token, by_user) = (canary(), "/user/someone/auth/Linear");
    let body = json!({"userId": "someone", "serverName": "Linear", "authData": {"token": token}});
    assert_eq!(
        ok(alice.klavis().post("/user/set-auth", body).await)["success"],
        true
    );
    assert_eq!(
        ok(alice.klavis().get(by_user).await)["authData"],
        json!({"token": token})
    );
    assert_eq!(reader.klavis().get(by_user).await.status, 403);
    for path in ["/user/", "/user/someone", "/user/someone/integrations"] {
        ok(reader.klavis().get(path).await);
    }
    let (strata, data) = strata(&alice).await;
    ok(alice.klavis().get(&strata).await);
    let path = format!("{strata}/auth/OpenAI");
    assert_eq!(ok(alice.klavis().get(&path).await)["authData"], data);
    assert_eq!(reader.klavis().get(&path).await.status, 403);
    let path = format!("{strata}/servers?servers=ALL&externalServers=crm");
    ok(alice.klavis().delete(&path).await);
    // A change of type retires; the retired bytes stay sealed.
    let retiring = integration(&alice, "Retiring").await;
    let path = format!("/integrations/v1/{retiring}/auth");
    ok(alice
        .langdock()
        .patch(&path, json!({"authType": "API_KEY"}))
        .await);
    let id = instance(&alice, "Retiring", "u1").await;
    let body = json!({"instanceId": id, "authData": {"token": canary()}});
    ok(alice
        .klavis()
        .post("/mcp-server/instance/set-auth", body)
        .await);
    ok(alice
        .langdock()
        .patch(&path, json!({"authType": "NONE"}))
        .await);
    assert_eq!(
        app.count("retired_connections WHERE sealed_credential IS NOT NULL")
            .await,
        1
    );

    let dump = dump(&app);
    assert!(dump.contains("COPY public.auth_config_secrets") && dump.contains("Retiring"));
    secrecy::assert_absent("pg_dump", &dump);
    assert_keyless(&app, &dump, &[&client_id, &labelled]);
    app.finish().await;
}

/// A key in the wrong header, in the path, in the query or in a body is not repeated and not logged.
#[tokio::test]
async fn an_api_key_in_the_wrong_place_is_not_repeated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let key = alice.key.clone();
    let anyone = app.anonymous();
    for path in [
        "/mcp-server/instance/x",
        "/api/v3/auth_configs",
        "/integrations/v1/x",
        "/nowhere",
    ] {
        for (name, value) in [
            ("authorization", format!("Basic {key}")),
            ("authorization", key.clone()),
            ("authorization", format!("Bearer {key} {key}")),
            ("authorization", format!("Bearer {key}x")),
            ("x-api-key", format!("Bearer {key}")),
            ("x-api-key", format!("{key},{key}")),
            ("x-request-id", key.clone()),
            ("cookie", format!("key={key}")),
            ("user-agent", key.clone()),
        ] {
            let reply = anyone
                .request(Method::GET, path)
                .header(name, &value)
                .send()
                .await;
            assert!(
                (400..500).contains(&reply.status),
                "{path} {name}: {}",
                reply.text
            );
        }
        anyone.get(&format!("{path}/{key}")).await;
        anyone
            .get(&format!("{path}?api_key={key}&cursor={key}&limit={key}"))
            .await;
    }
    let (klavis, composio, langdock) = (alice.klavis(), alice.composio(), alice.langdock());
    klavis.get(&format!("/mcp-server/instance/{key}")).await;
    klavis
        .get(&format!("/mcp-server/instance/{key}/auth"))
        .await;
    composio.get(&format!("/api/v3/auth_configs/{key}")).await;
    composio
        .get(&format!(
            "/api/v3/auth_configs?limit={key}&cursor={key}&is_composio_managed={key}"
        ))
        .await;
    langdock.get(&format!("/integrations/v1/{key}")).await;
    composio
        .request(Method::GET, "/api/v3/auth_configs")
        .header("x-user-api-key", &key)
        .send()
        .await;
    let set_auth = json!({"instanceId": key, "authData": {"token": key}});
    let reply = klavis.post("/mcp-server/instance/set-auth", set_auth).await;
    assert_eq!(reply.status, 404);
    // The kit looks for the key's secret in every answer above and in the log when `app` ends.
}
