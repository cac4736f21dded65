//! The OpenAPI documents and the page that shows them.

use serde_json::json;

use crate::common::TestApp;

#[tokio::test]
async fn each_dialects_document_is_served_as_it_stands_in_the_repository() {
    let app = TestApp::start().await;

    for name in ["klavis", "composio", "langdock"] {
        let reply = app.anonymous().get(&format!("/openapi/{name}.json")).await;
        assert_eq!(
            (reply.status, reply.header("content-type")),
            (200, "application/json"),
            "{name}"
        );
        assert_eq!(Some(reply.text), keyway::http::openapi_json(name), "{name}");
    }
    let nobody = app.anonymous().get("/openapi/nobody.json").await;
    assert_eq!(
        (nobody.status, nobody.json),
        (404, json!({ "detail": "Not Found" }))
    );
    app.finish().await;
}

#[tokio::test]
async fn the_reference_page_needs_no_other_host() {
    let app = TestApp::start().await;
    let client = app.anonymous();

    let redirect = client.get("/docs").await;
    assert_eq!(
        (redirect.status, redirect.header("location")),
        (303, "/docs/")
    );
    let page = client.get("/docs/").await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html")
    );
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self';"),
        "{policy}"
    );
    assert!(
        !page.text.contains("://") && !page.text.contains("src=\"//"),
        "{}",
        page.text
    );
    for part in [
        "swagger-ui.css",
        "index.css",
        "swagger-ui-bundle.js",
        "swagger-ui-standalone-preset.js",
    ] {
        assert!(page.text.contains(part), "{part}");
        assert_eq!(
            client.get(&format!("/docs/{part}")).await.status,
            200,
            "{part}"
        );
    }
    let start = client.get("/docs/swagger-initializer.js").await;
    for name in ["klavis", "composio", "langdock"] {
        assert!(
            start.text.contains(&format!("/openapi/{name}.json")),
            "{}",
            start.text
        );
    }
    assert!(
        start.text.contains("\"validatorUrl\": \"none\""),
        "{}",
        start.text
    );
    app.finish().await;
}

#[tokio::test]
async fn an_unknown_part_of_the_page_and_a_wrong_method_are_ordinary_failures() {
    let app = TestApp::start().await;

    let part = app.anonymous().get("/docs/nothing.js").await;
    assert_eq!(
        (part.status, part.json),
        (404, json!({ "detail": "Not Found" }))
    );
    let method = app.anonymous().post("/docs/", json!({})).await;
    assert_eq!(
        (method.status, method.json),
        (405, json!({ "detail": "Method Not Allowed" }))
    );
    app.finish().await;
}
