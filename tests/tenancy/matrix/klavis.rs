//! The routes of the Klavis dialect.

use http::Method;
use serde_json::{Value, json};

use super::{ANY_KEY, By, Example, example};
use crate::world::{EVERYBODYS, Named};

/// The example of every route that needs a key.
pub(super) fn all() -> Vec<Example> {
    [instances(), users(), strata(), white_labels()]
        .into_iter()
        .flatten()
        .collect()
}

fn instances() -> Vec<Example> {
    vec![
        example(
            (
                "klavis",
                Method::POST,
                "/mcp-server/self-hosted/instance/create",
            ),
            "connections:write",
            By::Service,
            |_| "/mcp-server/self-hosted/instance/create".to_owned(),
            |named| Some(json!({"serverName": named.service, "userId": "someone"})),
        ),
        example(
            ("klavis", Method::PATCH, "/mcp-server/instance/{instanceId}"),
            "connections:write",
            By::Id,
            |named| format!("/mcp-server/instance/{}", named.instance),
            |_| Some(json!({"isReadOnly": true})),
        ),
        example(
            (
                "klavis",
                Method::DELETE,
                "/mcp-server/instance/{instanceId}",
            ),
            "connections:write",
            By::Id,
            |named| format!("/mcp-server/instance/{}", named.instance),
            |_| None,
        ),
        example(
            ("klavis", Method::GET, "/mcp-server/servers"),
            ANY_KEY,
            By::Nothing,
            |_| "/mcp-server/servers".to_owned(),
            |_| None,
        ),
        example(
            ("klavis", Method::POST, "/mcp-server/instance/create"),
            "connections:write",
            By::Service,
            |_| "/mcp-server/instance/create".to_owned(),
            |named| Some(json!({"serverName": named.service, "userId": "someone"})),
        ),
        example(
            ("klavis", Method::POST, "/mcp-server/instance/set-auth"),
            "connections:write",
            By::Id,
            |_| "/mcp-server/instance/set-auth".to_owned(),
            |named| Some(json!({"instanceId": named.instance, "authData": {"token": "t"}})),
        ),
        example(
            ("klavis", Method::GET, "/mcp-server/instance/{instanceId}"),
            "connections:read",
            By::Id,
            |named| format!("/mcp-server/instance/{}", named.instance),
            |_| None,
        ),
        example(
            (
                "klavis",
                Method::GET,
                "/mcp-server/instance/{instanceId}/auth",
            ),
            "credentials:read",
            By::Id,
            |named| format!("/mcp-server/instance/{}/auth", named.instance),
            |_| None,
        ),
        example(
            (
                "klavis",
                Method::DELETE,
                "/mcp-server/instance/{instanceId}/auth",
            ),
            "connections:write",
            By::Id,
            |named| format!("/mcp-server/instance/{}/auth", named.instance),
            |_| None,
        ),
    ]
}

fn users() -> Vec<Example> {
    let of_user =
        |method, path, scope, at| example(("klavis", method, path), scope, By::Id, at, |_| None);
    let of_server = |method, scope, by, at| {
        let path = "/user/{userId}/auth/{serverName}";
        example(("klavis", method, path), scope, by, at, |_| None)
    };
    let its_own = |named: &Named| format!("/user/{}/auth/{}", named.user, named.service);
    let everybodys = |named: &Named| format!("/user/{}/auth/{EVERYBODYS}", named.user);
    vec![
        example(
            ("klavis", Method::POST, "/user/set-auth"),
            "connections:write",
            By::Service,
            |_| "/user/set-auth".to_owned(),
            |named| {
                let data = json!({"token": "t"});
                Some(json!({"userId": "someone", "serverName": named.service, "authData": data}))
            },
        ),
        of_server(Method::GET, "credentials:read", By::Service, its_own),
        of_server(Method::GET, "credentials:read", By::Id, everybodys),
        of_server(Method::DELETE, "connections:write", By::Service, its_own),
        of_server(Method::DELETE, "connections:write", By::Id, everybodys),
        example(
            ("klavis", Method::GET, "/user/"),
            "connections:read",
            By::Nothing,
            |_| "/user/?page_size=1000".to_owned(),
            |_| None,
        ),
        of_user(
            Method::GET,
            "/user/{userId}",
            "connections:read",
            |named: &Named| format!("/user/{}", named.user),
        ),
        of_user(
            Method::GET,
            "/user/{userId}/integrations",
            "connections:read",
            |named: &Named| format!("/user/{}/integrations", named.user),
        ),
        of_user(
            Method::DELETE,
            "/user/{userId}",
            "connections:write",
            |named: &Named| format!("/user/{}", named.user),
        ),
    ]
}

fn set_auth_body(strata: &str, service: &str) -> Value {
    json!({"strataId": strata, "serverName": service, "authData": {"token": "t"}})
}

fn strata() -> Vec<Example> {
    let of_server = |method, scope, by, at| {
        let path = "/mcp-server/strata/{strataId}/auth/{serverName}";
        example(("klavis", method, path), scope, by, at, |_| None)
    };
    let its_own = |named: &Named| {
        let (strata, service) = (&named.strata, &named.service);
        format!("/mcp-server/strata/{strata}/auth/{service}")
    };
    let everybodys =
        |named: &Named| format!("/mcp-server/strata/{}/auth/{EVERYBODYS}", named.strata);
    let set_auth = |by, body| {
        let route = ("klavis", Method::POST, "/mcp-server/strata/set-auth");
        let at = |_: &Named| "/mcp-server/strata/set-auth".to_owned();
        example(route, "connections:write", by, at, body)
    };
    vec![
        example(
            ("klavis", Method::POST, "/mcp-server/strata/create"),
            "connections:write",
            By::Service,
            |_| "/mcp-server/strata/create".to_owned(),
            |named| Some(json!({"userId": "someone", "servers": [named.service]})),
        ),
        example(
            ("klavis", Method::POST, "/mcp-server/strata/add"),
            "connections:write",
            By::Id,
            |_| "/mcp-server/strata/add".to_owned(),
            |named| {
                let external =
                    json!({"name": "more", "url": "https://mcp.example", "headers": {"a": "b"}});
                Some(json!({"strataId": named.strata, "externalServers": [external]}))
            },
        ),
        set_auth(By::Service, |named| {
            Some(set_auth_body(&named.strata, &named.service))
        }),
        set_auth(By::Id, |named| {
            Some(set_auth_body(&named.strata, EVERYBODYS))
        }),
        example(
            (
                "klavis",
                Method::DELETE,
                "/mcp-server/strata/{strataId}/servers",
            ),
            "connections:write",
            By::Id,
            |named| format!("/mcp-server/strata/{}/servers?servers=ALL", named.strata),
            |_| None,
        ),
        example(
            ("klavis", Method::GET, "/mcp-server/strata/{strataId}"),
            "connections:read",
            By::Id,
            |named| format!("/mcp-server/strata/{}", named.strata),
            |_| None,
        ),
        of_server(Method::GET, "credentials:read", By::Service, its_own),
        of_server(Method::GET, "credentials:read", By::Id, everybodys),
        of_server(Method::DELETE, "connections:write", By::Service, its_own),
        of_server(Method::DELETE, "connections:write", By::Id, everybodys),
    ]
}

fn white_labels() -> Vec<Example> {
    vec![
        example(
            ("klavis", Method::POST, "/white-labeling/create"),
            "auth_configs:write",
            By::Service,
            |_| "/white-labeling/create".to_owned(),
            |named| {
                Some(json!({
                    "client_id": "app", "client_secret": "s", "server_name": named.service, "account_id": "a",
                }))
            },
        ),
        example(
            ("klavis", Method::GET, "/white-labeling/get/{client_id}"),
            "auth_configs:read",
            By::Id,
            |named| format!("/white-labeling/get/app-of-{}", named.service),
            |_| None,
        ),
    ]
}
