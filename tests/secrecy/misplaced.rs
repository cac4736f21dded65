//! Secrets in places that take none, in bodies of the wrong form: refused without a repetition, nothing changed.

use http::Method;
use serde_json::{Value, json};

use crate::bodies::{Targets, targets};
use crate::common::client::Client;
use crate::common::tenant::Tenant;
use crate::common::{TestApp, canary, secrecy};

const JSON: &str = "application/json";

/// Sends a body that must be refused.
async fn refused(
    app: &TestApp,
    client: &Client,
    (method, path): (&Method, &str),
    kind: &str,
    body: String,
) {
    let before = app.fingerprint().await;
    let request = client
        .request(method.clone(), path)
        .header("content-type", kind);
    let reply = request.body(body.clone()).send().await;
    let shape = body.chars().take(200).collect::<String>();
    assert!(
        (400..500).contains(&reply.status),
        "{method} {path} {shape}: {} {}",
        reply.status,
        reply.text
    );
    secrecy::assert_absent(
        &format!("the answer to {method} {path}"),
        &format!("{:?}{}", reply.headers, reply.text),
    );
    assert_eq!(app.fingerprint().await, before, "{method} {path} {shape}");
}

/// Bodies around a secret that are no JSON of ours.
fn broken(secret: &str) -> Vec<(&'static str, String)> {
    let nested = format!("{}\"{secret}\"{}", "[".repeat(200), "]".repeat(200));
    vec![
        (JSON, format!("{{\"token\": \"{secret}\"")),
        (JSON, format!("{{\"token\": \"{secret}")),
        (JSON, format!("{{\"token\": {secret}}}")),
        (JSON, format!("{{'token': '{secret}'}}")),
        (JSON, format!("{{\"token\": \"{secret}\",}}")),
        (JSON, format!("{{\"token\": \"{secret}\"}} {secret}")),
        (
            JSON,
            format!("{{\"a\": \"{secret}\", \"a\": \"{secret}\"}}"),
        ),
        (JSON, format!("{{\"{secret}\": 1, \"{secret}\": 2}}")),
        (JSON, format!("{{\"token\": \"{secret}\\ud800\"}}")),
        (JSON, format!("{{\"token\": \"{secret}\\x\"}}")),
        (JSON, format!("{{\"token\": \"{secret}\u{1}\"}}")),
        (JSON, format!("{{\"token\": [\"{secret}\", NaN]}}")),
        (JSON, format!("{{\"token\": [\"{secret}\", 1e]}}")),
        (JSON, format!("\"{secret}\"")),
        (JSON, format!("[\"{secret}\"]")),
        (JSON, secret.to_owned()),
        (JSON, nested),
        (
            JSON,
            format!("{{\"token\": \"{}{secret}\"}}", "x".repeat(300_000)),
        ),
        ("text/plain", format!("{{\"token\": \"{secret}\"}}")),
        (
            "application/x-www-form-urlencoded",
            format!("token={secret}"),
        ),
        (secret_type(), format!("{{\"token\": \"{secret}\"}}")),
    ]
}

fn secret_type() -> &'static str {
    "multipart/form-data; boundary=x"
}

#[tokio::test]
async fn a_body_that_is_no_json_of_ours_is_not_repeated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let targets = targets(&alice).await;
    for route in targets.routes() {
        for (kind, body) in broken(&canary()) {
            refused(
                &app,
                &route.client(&alice),
                (&route.method, &route.path),
                kind,
                body,
            )
            .await;
        }
    }
    app.finish().await;
}

/// Klavis: what is under `authData` is never repeated, nor what stands beside it.
fn klavis(targets: &Targets) -> Vec<Value> {
    let (id, secret) = (&targets.instance, canary());
    let auth_data = [
        json!(secret),
        json!([secret]),
        json!([[{"token": secret}]]),
        json!({"token": {"x": secret}}),
        json!({"token": [secret]}),
        json!({"api_key": {"x": secret}, "token": secret}),
        json!({"token": secret, "data": {"x": secret}}),
        json!({"token": secret, "more": secret}),
        json!({"data": secret}),
        json!({"data": [secret]}),
        json!({"data": {"x": secret}, "more": {"y": secret}}),
        json!({"data": null, "token": secret}),
        json!({"Token": secret}),
        json!({"token": 1, "api_key": 2, "data": 3, "secret": secret}),
    ];
    let mut bodies: Vec<_> = auth_data
        .into_iter()
        .map(|data| json!({"instanceId": id, "authData": data}))
        .collect();
    bodies.extend([
        json!({"instanceId": id, "authdata": {"token": secret}}),
        json!({"instanceId": id, "token": secret}),
        json!({"authData": {"token": secret}}),
        json!({"authData": {"data": {"x": secret}}, "token": secret}),
        json!({"instanceId": null, "authData": {"token": secret}}),
        json!({"instanceId": 7, "authData": secret}),
        json!({"instanceId": [id], "authData": {"token": {"x": secret}}, "password": secret}),
        json!({"instance_id": id, "auth_data": {"token": secret}}),
    ]);
    bodies
}

/// The same bodies with a user and a server in place of the instance.
fn klavis_user(targets: &Targets) -> Vec<Value> {
    let mut bodies = klavis(targets);
    for body in &mut bodies {
        if let Some(id) = body
            .as_object_mut()
            .and_then(|body| body.remove("instanceId"))
        {
            body["userId"] = if id.is_string() { json!("u1") } else { id };
            body["serverName"] = json!("Acme");
        }
    }
    bodies
}

/// Klavis: header values of external servers, and what stands beside them.
fn klavis_strata() -> Vec<Value> {
    let secret = canary();
    let with = |server: Value| json!({"userId": "u1", "externalServers": [server]});
    let server =
        json!({"name": "wiki", "url": "https://mcp.example", "headers": {"Authorization": secret}});
    vec![
        with(json!(secret)),
        with(json!([server])),
        with(json!({"name": "wiki", "url": "https://mcp.example", "headers": secret})),
        with(json!({"name": "wiki", "url": "https://mcp.example", "headers": [secret]})),
        with(json!({"name": "wiki", "url": "https://mcp.example", "headers": {"a": [secret]}})),
        with(
            json!({"name": "wiki", "url": "https://mcp.example", "headers": {"a": {"b": secret}}}),
        ),
        with(json!({"name": "wiki", "url": 1, "headers": {"a": secret}, "more": secret})),
        with(json!({"name": "", "headers": {"a": secret}})),
        json!({"userId": "u1", "externalServers": server}),
        json!({"userId": "u1", "servers": ["nobody"], "externalServers": [server]}),
        json!({"userId": "u1", "servers": [secret], "externalServers": [server]}),
        json!({"userId": "u1", "servers": secret, "enableAuthHandling": secret}),
        json!({"externalServers": [server]}),
    ]
}

fn composio_config(secret: &str) -> Vec<Value> {
    vec![
        json!({"credentials": secret}),
        json!({"credentials": [secret]}),
        json!({"credentials": {"scopes": {"x": secret}}}),
        json!({"credentials": {"scopes": [1, secret]}}),
        json!({"credentials": {"user_scopes": 7, "client_secret": secret}}),
        json!({"shared_credentials": secret}),
        json!({"shared_credentials": [[secret]]}),
        json!({"proxy_config": secret}),
        json!({"proxy_config": {"proxy_auth_key": secret}}),
        json!({"proxy_config": {"proxy_url": 1, "proxy_auth_key": secret}}),
        json!({"proxy_config": {"proxy_url": secret, "proxy_auth_key": {"x": secret}}}),
        json!({"name": {"x": secret}}),
        json!({"name": 1, "credentials": {"client_secret": secret}, "shared_credentials": 2, "tool_access_config": secret}),
        json!({"restrict_to_following_tools": secret}),
        json!({"restrict_to_following_tools": [{"x": secret}]}),
        json!({"tool_access_config": [secret]}),
        json!({"is_enabled_for_tool_router": secret}),
    ]
}

fn composio_changes() -> Vec<Value> {
    let secret = canary();
    let mut bodies: Vec<Value> = composio_config(&secret)
        .into_iter()
        .map(|mut body| {
            body["type"] = json!("custom");
            body
        })
        .collect();
    bodies.extend([
        json!({"type": secret}),
        json!({"type": "default", "credentials": {"client_secret": secret}}),
        json!({"type": "custom", "client_secret": secret}),
        json!({"type": "custom", "api_key": {"x": secret}, "password": secret}),
        json!({"credentials": {"client_secret": secret}}),
        json!({"auth_config": {"credentials": secret}}),
        json!({"auth_config": secret}),
        json!({"auth_config": {"credentials": {"client_secret": secret}}, "more": secret}),
    ]);
    bodies
}

fn composio_creations() -> Vec<Value> {
    let secret = canary();
    let whole = |config: Value| json!({"toolkit": {"slug": "stripe"}, "auth_config": config});
    let mut bodies: Vec<Value> = composio_config(&secret)
        .into_iter()
        .map(|mut config| {
            config["type"] = json!("use_custom_auth");
            config["authScheme"] = json!("API_KEY");
            whole(config)
        })
        .collect();
    bodies.extend([
        whole(json!({"type": secret, "authScheme": "API_KEY"})),
        whole(json!({"type": "use_custom_auth", "authScheme": secret})),
        whole(json!({"type": "use_custom_auth", "credentials": {"client_secret": secret}})),
        whole(json!({"type": "use_custom_auth", "authScheme": "OAUTH2", "credentials": {"client_secret": secret}})),
        whole(json!({"type": "use_composio_managed_auth", "credentials": {"client_secret": secret}})),
        whole(json!(secret)),
        json!({"toolkit": {"slug": {"x": secret}}, "auth_config": {"credentials": {"x": secret}}}),
        json!({"toolkit": [secret]}),
        json!({"auth_config": {"type": "use_custom_auth", "authScheme": "API_KEY", "credentials": {"k": secret}}}),
    ]);
    bodies
}

fn langdock() -> Vec<Value> {
    let secret = canary();
    let client = |client: Value| json!({"authType": "OAUTH", "oauthClient": client});
    vec![
        client(json!(secret)),
        client(json!([secret])),
        client(json!({"clientId": {"x": secret}})),
        client(json!({"clientSecret": [secret]})),
        client(json!({"clientSecret": format!("{secret}{}", "x".repeat(500))})),
        client(
            json!({"clientId": format!("{}{secret}", "x".repeat(500)), "clientSecret": secret, "label": 7}),
        ),
        client(json!({"authUrl": secret})),
        client(json!({"authUrl": format!("https://user:{secret}@idp.example/a")})),
        client(json!({"tokenUrl": format!("http://idp.example/{secret}")})),
        client(
            json!({"tokenUrl": format!("https://idp.example/#{secret}"), "clientSecret": secret}),
        ),
        client(
            json!({"clientSecret": secret, "scopes": {"x": secret}, "authorizationCode": [secret]}),
        ),
        client(
            json!({"clientSecret": format!("{secret}\u{0}"), "label": format!("{}", "x".repeat(101))}),
        ),
        json!({"authType": "API_KEY", "oauthClient": {"clientSecret": secret}}),
        json!({"authType": "NONE", "oauthClient": {"clientSecret": secret}, "authFields": [{"slug": secret}]}),
        json!({"authType": secret}),
        json!({"authType": "API_KEY", "authFields": secret}),
        json!({"authType": "API_KEY", "authFields": [secret, {"slug": {"x": secret}, "label": [secret], "type": secret}]}),
        json!({"authType": "API_KEY", "authTestCode": {"x": secret}}),
        json!({"oauthClient": {"clientSecret": secret}}),
    ]
}

async fn all_refused(
    app: &TestApp,
    tenant: &Tenant,
    targets: &Targets,
    name: &str,
    bodies: Vec<Value>,
) {
    let route = targets.route(name);
    for body in bodies {
        refused(
            app,
            &route.client(tenant),
            (&route.method, &route.path),
            JSON,
            body.to_string(),
        )
        .await;
    }
}

#[tokio::test]
async fn a_secret_where_none_belongs_is_not_repeated() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let targets = targets(&alice).await;
    all_refused(&app, &alice, &targets, "klavis set-auth", klavis(&targets)).await;
    all_refused(
        &app,
        &alice,
        &targets,
        "klavis strata create",
        klavis_strata(),
    )
    .await;
    let of_user = klavis_user(&targets);
    all_refused(&app, &alice, &targets, "klavis user set-auth", of_user).await;
    all_refused(
        &app,
        &alice,
        &targets,
        "composio create",
        composio_creations(),
    )
    .await;
    all_refused(
        &app,
        &alice,
        &targets,
        "composio update",
        composio_changes(),
    )
    .await;
    all_refused(&app, &alice, &targets, "langdock auth", langdock()).await;
    app.finish().await;
}
