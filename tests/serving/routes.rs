//! Paths and methods that are not there, and browsers.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Reply;

const ID: &str = "2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";

/// Composio's envelope of a failure without further errors.
fn envelope(reply: &Reply, status: u16, code: u32, slug: &str, message: &str, fix: &str) -> Value {
    json!({ "error": {
        "message": message,
        "code": code,
        "slug": slug,
        "status": status,
        "request_id": reply.header("x-request-id"),
        "suggested_fix": fix,
        "errors": [],
    }})
}

#[tokio::test]
async fn an_unknown_path_is_refused_in_the_words_of_its_dialect() {
    let app = TestApp::start().await;
    let client = app.anonymous();

    for path in [
        "/",
        "/nothing",
        "/mcp-server/instance",
        "/mcp-server/instance/set-auth/x",
        "/api/v33/auth_configs",
    ] {
        let reply = client.get(path).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({ "detail": "Not Found" })),
            "{path}"
        );
    }
    for path in [
        "/api/v3",
        "/api/v3/nothing",
        "/api/v3.1/auth_configs/ac_x/nothing/x",
        "/api/v3/connected_accounts/ca_x/nothing",
        "/api/v3/toolkits/x/nothing",
    ] {
        let reply = client.get(path).await;
        let expected = envelope(
            &reply,
            404,
            10404,
            "HTTP_NotFound",
            "URL not found",
            "Check the URL.",
        );
        assert_eq!((reply.status, &reply.json), (404, &expected), "{path}");
    }
    for path in ["/integrations/v1", "/api/public/integrations/v1/a/b/c"] {
        let reply = client.get(path).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({ "message": "No such endpoint" })),
            "{path}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_wrong_method_is_refused_with_the_allowed_ones() {
    let app = TestApp::start().await;
    let client = app.anonymous();

    let klavis = client
        .request(Method::PUT, &format!("/mcp-server/instance/{ID}"))
        .send()
        .await;
    assert_eq!(
        (klavis.status, &klavis.json),
        (405, &json!({ "detail": "Method Not Allowed" }))
    );
    assert_eq!(klavis.header("allow"), "GET, PATCH, DELETE");

    let composio = client
        .request(Method::PUT, "/api/v3.1/auth_configs/ac_x")
        .send()
        .await;
    let (message, fix) = (
        "The method is not allowed for this URL",
        "Use one of the methods that the header Allow names.",
    );
    assert_eq!(
        composio.json,
        envelope(&composio, 405, 10405, "HTTP_MethodNotAllowed", message, fix)
    );
    assert_eq!(
        (composio.status, composio.header("allow")),
        (405, "GET,HEAD,PATCH,DELETE")
    );

    let langdock = client
        .request(Method::POST, &format!("/integrations/v1/{ID}/auth"))
        .send()
        .await;
    assert_eq!(
        (langdock.status, &langdock.json),
        (405, &json!({ "message": "Method not allowed" }))
    );
    assert_eq!(langdock.header("allow"), "PATCH");
    app.finish().await;
}

#[tokio::test]
async fn head_is_a_get_without_a_body_where_the_dialect_takes_it() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    let klavis = alice
        .klavis()
        .request(Method::HEAD, &format!("/mcp-server/instance/{ID}"))
        .send()
        .await;
    assert_eq!(
        (klavis.status, klavis.header("allow"), klavis.text.as_str()),
        (405, "GET, PATCH, DELETE", "")
    );
    let nowhere = alice
        .klavis()
        .request(Method::HEAD, "/nothing")
        .send()
        .await;
    assert_eq!((nowhere.status, nowhere.header("allow")), (404, ""));

    let get = alice.composio().get("/api/v3/auth_configs").await;
    let head = alice
        .composio()
        .request(Method::HEAD, "/api/v3/auth_configs")
        .send()
        .await;
    assert_eq!(
        (get.status, head.status, head.text.as_str()),
        (200, 200, "")
    );
    assert_eq!(head.header("content-length"), get.text.len().to_string());
    app.finish().await;
}

#[tokio::test]
async fn every_prefix_of_a_dialect_leads_to_the_same_routes() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    for prefix in ["/api/v3", "/api/v3.1"] {
        let reply = alice
            .composio()
            .get(&format!("{prefix}/auth_configs"))
            .await;
        assert_eq!(
            (reply.status, &reply.json["items"]),
            (200, &json!([])),
            "{prefix}: {}",
            reply.text
        );
        let missing = app.anonymous().get(&format!("{prefix}/auth_configs")).await;
        assert_eq!(
            (missing.status, &missing.json["error"]["code"]),
            (401, &json!(906)),
            "{prefix}"
        );
    }
    for prefix in ["/integrations/v1", "/api/public/integrations/v1"] {
        let reply = alice.langdock().get(&format!("{prefix}/{ID}")).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({ "message": "Integration not found" })),
            "{prefix}"
        );
        let missing = app.anonymous().get(&format!("{prefix}/{ID}")).await;
        let expected = json!({ "message": "Invalid or missing API key" });
        assert_eq!((missing.status, missing.json), (401, expected), "{prefix}");
    }
    app.finish().await;
}

#[tokio::test]
async fn browsers_are_refused_on_every_path_of_langdock_and_get_no_cors_headers() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;

    for (method, path) in [
        (Method::GET, format!("/integrations/v1/{ID}")),
        (Method::GET, "/integrations/v1/a/b/c".to_owned()),
        (Method::OPTIONS, "/integrations/v1/create".to_owned()),
    ] {
        let request = alice
            .langdock()
            .request(method, &path)
            .header("origin", "https://example.com");
        let reply = request
            .header("access-control-request-method", "POST")
            .send()
            .await;
        let expected =
            json!({ "message": "Requests from browsers are blocked to protect your API key" });
        assert_eq!((reply.status, reply.json), (403, expected), "{path}");
        let cors = reply
            .headers
            .keys()
            .find(|name| name.as_str().starts_with("access-control"));
        assert_eq!(cors, None, "{path}");
    }
    app.finish().await;
}
