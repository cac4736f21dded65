//! Spellings of paths, and headers that say nothing about what is asked for.

use http::Method;
use serde_json::json;

use crate::common::TestApp;
use crate::stories::{CREATE, SET_AUTH, handed_out, instance, path};

/// Something to store in `instance`.
fn token(instance: &str) -> serde_json::Value {
    json!({"instanceId": instance, "authData": {"token": "tok-1"}})
}

#[tokio::test]
async fn an_encoded_word_of_a_route_is_that_word() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let live = instance(&alice, "Slack", "u").await;

    let reply = alice
        .klavis()
        .post("/mcp%2Dserver/%69nstance/set%2dauth", token(&live))
        .await;
    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));
    assert_eq!(handed_out(&alice, &live).await, json!({"token": "tok-1"}));

    let encoded = live.replace('-', "%2D");
    let reply = alice.klavis().get(&path(&encoded)).await;
    assert_eq!(
        (reply.status, &reply.json["instanceId"]),
        (200, &json!(live))
    );

    // In the words of the dialect that the decoded path belongs to.
    let reply = alice.klavis().get("/api/v3%2E1/nothing").await;
    assert_eq!(
        (reply.status, &reply.json["error"]["status"]),
        (404, &json!(404))
    );
}

#[tokio::test]
async fn an_encoded_slash_is_no_separator_and_stands_in_no_id() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let live = instance(&alice, "Slack", "a/b").await;

    let user = alice.klavis().get("/user/a%2Fb").await;
    assert_eq!((user.status, &user.json["userId"]), (200, &json!("a/b")));
    let auth = alice.klavis().get(&format!("{}%2Fauth", path(&live))).await;
    assert_eq!(
        (auth.status, auth.json),
        (404, json!({"detail": "Not Found"}))
    );
    let post = alice
        .klavis()
        .post("/mcp-server/instance%2Fset-auth", token(&live))
        .await;
    assert_eq!(
        (post.status, post.json),
        (404, json!({"detail": "Not Found"}))
    );
}

#[tokio::test]
async fn a_path_with_one_slash_more_is_elsewhere_for_every_method_and_everyone() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    for (asked, place) in [
        ("/mcp-server/instance/set-auth/", "../set-auth"),
        (
            "/mcp-server/instance/%C3%A9/auth/?a=%20b&c",
            "../auth?a=%20b&c",
        ),
        ("/mcp-server/servers/?", "../servers"),
        ("/user/a:b/", "../a:b"),
        ("/white-labeling/get/a%2Fb/", "../a%2Fb"),
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
        ] {
            let request = anyone.request(method.clone(), asked);
            let reply = request.header("host", "evil.example").send().await;
            assert_eq!(
                (reply.status, reply.header("location")),
                (307, place),
                "{method} {asked}"
            );
        }
    }
    for unknown in [
        "/mcp-server/instance/",
        "/mcp-server/strata/s/auth/",
        "/user//",
        "/nothing/",
    ] {
        let reply = anyone.get(unknown).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({"detail": "Not Found"})),
            "{unknown}"
        );
    }
}

#[tokio::test]
async fn a_body_is_taken_as_it_came_whatever_encoding_is_named() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let live = instance(&alice, "Slack", "u").await;
    let with = |path: &str, encoding: &str| {
        let request = alice.klavis().request(Method::POST, path);
        request.header("content-encoding", encoding)
    };

    let reply = with(SET_AUTH, "gzip").json(token(&live)).send().await;
    assert_eq!((reply.status, &reply.json["success"]), (200, &json!(true)));

    let request = with(CREATE, "gzip").header("content-type", "application/json");
    let reply = request.body(b"\x1F\x8B\x08\x00".to_vec()).send().await;
    let detail = json!({"detail": "There was an error parsing the body"});
    assert_eq!((reply.status, reply.json), (400, detail));
}
