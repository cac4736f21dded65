//! Every failure of every route of auth configs under both prefixes: the whole envelope, its code, its request.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::client::{Client, Reply, Request};
use crate::common::{TestApp, canary};
use crate::story::{V3, V3_1, changed, custom, made_key_config, path, shown};

/// Asserts that the answer is the envelope with all its members, and nothing else.
fn assert_complete(what: &str, reply: &Reply, expected: (u16, u64, &str)) {
    let (status, code, slug) = expected;
    assert_eq!(reply.status, status, "{what}: {}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json", "{what}");
    let envelope = reply.json.as_object().unwrap();
    assert_eq!(envelope.keys().collect::<Vec<_>>(), ["error"], "{what}");
    let error = envelope["error"].as_object().unwrap();
    let mut names: Vec<_> = error.keys().map(String::as_str).collect();
    names.sort_unstable();
    let all = [
        "code",
        "errors",
        "message",
        "request_id",
        "slug",
        "status",
        "suggested_fix",
    ];
    assert_eq!(names, all, "{what}");
    assert_eq!(
        (&error["code"], &error["slug"], &error["status"]),
        (&json!(code), &json!(slug), &json!(status)),
        "{what}"
    );
    for name in ["message", "suggested_fix", "request_id"] {
        assert_ne!(error[name].as_str().unwrap(), "", "{what}: {name}");
    }
    assert_eq!(error["request_id"], reply.header("x-request-id"), "{what}");
    let lines = error["errors"].as_array().unwrap();
    assert!(lines.iter().all(Value::is_string), "{what}: {lines:?}");
    assert_eq!(
        lines.is_empty(),
        ![10400, 10413, 10415].contains(&code),
        "{what}"
    );
}

const UNKNOWN: &str = "ac_abcdefghijkl";

/// A request of each kind that takes a body.
fn with_body<'a>(
    client: &'a Client,
    prefix: &'a str,
    id: &'a str,
) -> [Box<dyn Fn() -> Request + 'a>; 2] {
    [
        Box::new(move || client.request(Method::POST, prefix)),
        Box::new(move || client.request(Method::PATCH, &format!("{prefix}/{id}"))),
    ]
}

#[tokio::test]
async fn urls_and_methods_that_there_are_not() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    for prefix in [V3, V3_1] {
        for place in [
            format!("{prefix}/"),
            format!("{prefix}/{id}/"),
            format!("{prefix}/{id}/ENABLED/more"),
            prefix.replace("auth_configs", "auth_config"),
            prefix.replace("/auth_configs", ""),
            prefix.replace("/auth_configs", "/Auth_Configs"),
        ] {
            for method in [Method::GET, Method::POST, Method::PATCH, Method::DELETE] {
                let reply = alice.request(method, &place).json(json!({})).send().await;
                assert_complete(&place, &reply, (404, 10404, "HTTP_NotFound"));
                assert_eq!(reply.json["error"]["message"], "URL not found");
            }
        }
        for (place, methods, allow) in [
            (
                prefix.to_owned(),
                ["PUT", "DELETE", "PATCH"],
                "GET,HEAD,POST",
            ),
            (
                format!("{prefix}/{id}"),
                ["PUT", "POST", "OPTIONS"],
                "GET,HEAD,PATCH,DELETE",
            ),
            (
                format!("{prefix}/{id}/ENABLED"),
                ["GET", "POST", "DELETE"],
                "PATCH",
            ),
        ] {
            for method in methods {
                let method: Method = method.parse().unwrap();
                let reply = alice.request(method, &place).send().await;
                assert_complete(&place, &reply, (405, 10405, "HTTP_MethodNotAllowed"));
                let mut allowed: Vec<_> = reply.header("allow").split(',').map(str::trim).collect();
                allowed.sort_unstable();
                let mut expected: Vec<_> = allow.split(',').collect();
                expected.sort_unstable();
                assert_eq!(allowed, expected, "{place}");
            }
        }
    }
}

#[tokio::test]
async fn keys_that_may_not() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (full, expired) = (
        alice.composio(),
        alice.with_expiry_passed().await.composio(),
    );
    let none = alice.with_scopes(&["connections:read"]).await.composio();
    let id = made_key_config(&full, json!({})).await;
    for prefix in [V3, V3_1] {
        let one = format!("{prefix}/{id}");
        let switch = format!("{one}/ENABLED");
        for (method, place) in [
            (Method::GET, prefix),
            (Method::POST, prefix),
            (Method::GET, &one),
            (Method::PATCH, &one),
            (Method::DELETE, &one),
            (Method::PATCH, &switch),
        ] {
            let what = format!("{method} {place}");
            let ask = |client: &Client| client.request(method.clone(), place);
            let nobody = ask(&full).no_auth().send().await;
            assert_complete(&what, &nobody, (401, 906, "Auth_NoAuthProvided"));
            let twice = ask(&full).header("x-user-api-key", &alice.key).send().await;
            assert_complete(&what, &twice, (401, 10401, "HTTP_Unauthorized"));
            let stranger = ask(&full)
                .no_auth()
                .header("x-user-api-key", "ak_nobody_knows_this");
            let stranger = stranger.send().await;
            assert_complete(&what, &stranger, (401, 801, "APIKey_InvalidAPIKey"));
            assert_eq!(
                stranger.json["error"]["message"],
                "Invalid API key: ak_...this"
            );
            let late = ask(&expired).send().await;
            assert_complete(&what, &late, (401, 811, "APIKey_APIKeyExpired"));
            let powerless = ask(&none).send().await;
            assert_complete(
                &what,
                &powerless,
                (403, 812, "APIKey_InsufficientPermissions"),
            );
        }
    }
    assert_eq!(shown(&full, &id).await["status"], "ENABLED");
}

#[tokio::test]
async fn bodies_that_cannot_be_read() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let secret = canary();
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"type\":{open}{close}}}").into_bytes()
    };
    let texts: Vec<Vec<u8>> = vec![
        b" ".to_vec(),
        b"{".to_vec(),
        format!("{{\"type\":\"custom\",\"name\":\"{secret}").into_bytes(),
        format!("{{\"type\":\"custom\"}} {secret}").into_bytes(),
        format!("{{\"type\":\"{secret}\",\"type\":\"custom\"}}").into_bytes(),
        format!("{{\"type\":\"custom\",\"credentials\":{{\"a\":\"{secret}\",\"\\u0061\":1}}}}")
            .into_bytes(),
        format!("{{type:'{secret}'}}").into_bytes(),
        format!("{{\"type\":\"custom\",\"name\":\"{secret}\\ud800\"}}").into_bytes(),
        [b"{\"type\":\"", secret.as_bytes(), b"\xff\"}"].concat(),
        [b"{\"type\":\"", secret.as_bytes(), b"\xed\xa0\x80\"}"].concat(),
        b"NaN".to_vec(),
        b"[1,]".to_vec(),
        b"{\"type\":01}".to_vec(),
        nested(129),
        nested(5_000),
    ];
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for prefix in [V3, V3_1] {
        for request in with_body(&alice, prefix, &id) {
            let json = |body: Vec<u8>| {
                request()
                    .header("content-type", "application/json")
                    .body(body)
            };
            for (index, text) in texts.iter().enumerate() {
                let reply = json(text.clone()).send().await;
                assert_complete(&index.to_string(), &reply, (400, 10400, "HTTP_BadRequest"));
                let lines = reply.json["error"]["errors"].as_array().unwrap();
                assert_eq!(lines.len(), 1);
                let line = lines[0].as_str().unwrap();
                assert!(
                    line.starts_with("Error in payload: Invalid JSON: "),
                    "{line}"
                );
            }
            let empty = json(Vec::new()).send().await;
            assert_eq!(
                empty.json["error"]["errors"],
                json!(["Error in payload: Required"])
            );
            // Deep, but not too deep to be understood.
            let deep = json(nested(128)).send().await;
            assert_complete("deep", &deep, (400, 10400, "HTTP_BadRequest"));
            assert!(!deep.text.contains("Invalid JSON"), "{}", deep.text);
            let large = json(vec![b' '; 256 * 1024 + 1]).send().await;
            assert_complete("large", &large, (413, 10413, "HTTP_PayloadTooLarge"));
            for content_type in [
                "text/plain",
                "",
                "multipart/form-data; boundary=x",
                "application/jsonx",
            ] {
                let reply = request()
                    .header("content-type", content_type)
                    .body("{}")
                    .send()
                    .await;
                let expected = (415, 10415, "HTTP_UnsupportedMediaType");
                assert_complete(content_type, &reply, expected);
            }
            let packed = json(b"{}".to_vec())
                .header("content-encoding", "gzip")
                .send()
                .await;
            assert_complete("packed", &packed, (415, 10415, "HTTP_UnsupportedMediaType"));
        }
        // What is wrong with a body is said of a config that there is.
        let nobody = format!("{prefix}/{UNKNOWN}");
        for (content_type, body) in [
            ("text/plain", b"x".to_vec()),
            ("application/json", b"{".to_vec()),
            ("application/json", vec![b' '; 300 * 1024]),
        ] {
            let request = alice.request(Method::PATCH, &nobody);
            let request = request.header("content-type", content_type).body(body);
            let reply = request.send().await;
            assert_complete(content_type, &reply, (404, 302, "Auth_Config_NotFound"));
        }
    }
    assert_eq!(
        (app.fingerprint().await, app.count("audit_log").await),
        before
    );
    app.finish().await;
}

#[tokio::test]
async fn everything_that_the_rules_refuse() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let change = json!({ "type": "custom", "name": "n" });
    changed(&alice, &id, change.clone()).await;
    for prefix in [V3, V3_1] {
        let managed = json!({ "toolkit": { "slug": "github" } });
        for (what, body, expected) in [
            (
                "unknown",
                custom("nope", "BASIC", json!({})),
                (404, 401, "Toolkit_NotFound"),
            ),
            (
                "no auth",
                custom("hacker-news", "BASIC", json!({})),
                (400, 303, "Auth_Config_NoAuthApp"),
            ),
            (
                "managed",
                managed,
                (400, 306, "Auth_Config_DefaultAuthConfigNotFound"),
            ),
            (
                "client",
                custom("github", "OAUTH2", json!({})),
                (400, 301, "Auth_Config_ValidationError"),
            ),
        ] {
            assert_complete(what, &alice.post(prefix, body).await, expected);
        }
        let one = format!("{prefix}/{id}");
        let other = alice
            .patch(&one, json!({ "type": "default", "name": "n" }))
            .await;
        assert_complete("type", &other, (400, 301, "Auth_Config_ValidationError"));
        let stale = alice
            .request(Method::PATCH, &one)
            .header("if-match", "\"1\"");
        let stale = stale.json(&change).send().await;
        assert_complete("stale", &stale, (412, 10412, "HTTP_PreconditionFailed"));
        for nanoid in [
            "x",
            "ca_abcdefghijkl",
            "ac_abcdefghijk",
            "%FF",
            "ac_abcdefghijk%2F",
        ] {
            let reply = alice.get(&format!("{prefix}/{nanoid}")).await;
            assert_complete(nanoid, &reply, (400, 10400, "HTTP_BadRequest"));
        }
        let query = alice.get(&format!("{prefix}?limit=0")).await;
        assert_complete("query", &query, (400, 10400, "HTTP_BadRequest"));
    }
}

/// The same headers as the answer to GET, without its body.
#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "generic_api_key": canary() })).await;
    for place in [
        path(&id),
        V3_1.to_owned(),
        path(UNKNOWN),
        path("x"),
        format!("{V3}?limit=x"),
    ] {
        let get = alice.get(&place).await;
        let head = alice.request(Method::HEAD, &place).send().await;
        assert_eq!(
            (head.status, head.text.as_str()),
            (get.status, ""),
            "{place}"
        );
        for name in ["content-type", "etag", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{place}: {name}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_request_id_is_taken_over_where_it_is_one() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let ask = async |id: &str| {
        let request = alice.request(Method::GET, &path(UNKNOWN));
        request.header("x-request-id", id).send().await
    };
    for id in [
        "0123456789abcdef0123456789abcdef",
        "0123456789ABCDEF0123456789ABCDEF",
        "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21",
    ] {
        assert_eq!(ask(id).await.json["error"]["request_id"], id);
    }
    for id in [
        "",
        "mine",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdeg",
        "{2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21}",
        "2f1b4c6e9d3a-4c55-8a1e-0b7d5a3f9c21-",
    ] {
        let reply = ask(id).await;
        assert_complete(id, &reply, (404, 302, "Auth_Config_NotFound"));
        let ours = reply.header("x-request-id");
        assert!(ours != id && ours.len() == 36, "{id}: {ours}");
    }
}
