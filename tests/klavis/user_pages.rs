//! The list of users: its pages, its query by pydantic's rules, its place.

use http::Method;
use serde_json::{Value, json};

use crate::common::TestApp;
use crate::stories::instance;
use crate::users::{ids, moment, users};

#[tokio::test]
async fn users_are_listed_in_pages_first_made_first() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    instance(&app.tenant("mallory").await, "Slack", "hers").await;
    let empty = json!({"users": [], "totalCount": 0, "page": 1, "pageSize": 50, "totalPages": 0});
    assert_eq!(users(&alice, "").await, empty);
    for user in ["u3", "u1", "u2", "\u{1F511} ü", "u4"] {
        instance(&alice, "Slack", user).await;
        instance(&alice, "Gmail", user).await;
    }

    let all = users(&alice, "").await;

    assert_eq!(ids(&all), ["u3", "u1", "u2", "\u{1F511} ü", "u4"]);
    let first = all["users"][0].as_object().unwrap();
    assert_eq!(first.keys().collect::<Vec<_>>(), ["userId", "createdAt"]);
    assert!(moment(&first["createdAt"]) <= moment(&all["users"][1]["createdAt"]));
    let rest = |page: &Value| {
        let member = |name: &str| page[name].clone();
        ["totalCount", "page", "pageSize", "totalPages"].map(member)
    };
    assert_eq!(rest(&all), [5, 1, 50, 1].map(Value::from));
    for (number, expected) in [
        (1, vec!["u3", "u1"]),
        (2, vec!["u2", "\u{1F511} ü"]),
        (3, vec!["u4"]),
        (4, vec![]),
    ] {
        let page = users(&alice, &format!("?page_size=2&page_number={number}")).await;
        assert_eq!(ids(&page), expected);
        assert_eq!(rest(&page), [5, number, 2, 3].map(Value::from));
    }
    assert_eq!(users(&alice, "?page_size=5").await["totalPages"], 1);
}

#[tokio::test]
async fn a_page_far_beyond_the_last_is_empty_and_keeps_its_number() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    instance(&alice, "Slack", "u1").await;
    let digits = "9".repeat(4300);
    for number in [
        "2",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        &digits,
    ] {
        let path = format!("/user/?page_size=1000&page_number={number}");
        let reply = alice.klavis().get(&path).await;
        let expected = format!(
            r#"{{"users":[],"totalCount":1,"page":{number},"pageSize":1000,"totalPages":1}}"#
        );
        assert_eq!((reply.status, reply.text), (200, expected));
    }
}

/// Measured with FastAPI 0.163 and pydantic 2.14.
#[tokio::test]
async fn the_query_is_read_by_pydantics_rules() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (query, size) in [
        ("page_size=+5", 5),
        ("page_size=%2B5", 5),
        ("page_size=%205%20", 5),
        ("page_size=1_0", 10),
        ("page_size=1.0", 1),
        ("page_size=0005", 5),
        ("page_size=x&page_size=5", 5),
        ("PAGE_SIZE=3&page_size[]=3&unknown=", 50),
        ("page_size=1000", 1000),
    ] {
        let page = users(&alice, &format!("?{query}")).await;
        assert_eq!(page["pageSize"], size, "{query}");
    }
    let parsing = "Input should be a valid integer, unable to parse string as an integer";
    let item = |name: &str, kind: &str, msg: &str| json!({"type": kind, "loc": ["query", name], "msg": msg});
    let with = |mut item: Value, ctx: Value| {
        item["ctx"] = ctx;
        item
    };
    let at_least = |name: &str| {
        let msg = "Input should be greater than or equal to 1";
        with(item(name, "greater_than_equal", msg), json!({"ge": 1}))
    };
    let at_most = with(
        item(
            "page_size",
            "less_than_equal",
            "Input should be less than or equal to 1000",
        ),
        json!({"le": 1000}),
    );
    let too_long = item(
        "page_number",
        "int_parsing_size",
        "Unable to parse input string as an integer, exceeded maximum size",
    );
    let no_integer = |name: &str| item(name, "int_parsing", parsing);
    let nines = format!("page_number={}", "9".repeat(4301));
    for (query, items) in [
        ("page_size=", vec![no_integer("page_size")]),
        ("page_size", vec![no_integer("page_size")]),
        ("page_size=1.5", vec![no_integer("page_size")]),
        ("page_size=5&page_size=x", vec![no_integer("page_size")]),
        (
            "page_size=%00&page_number=%FF",
            vec![no_integer("page_size"), no_integer("page_number")],
        ),
        (
            "page_number=x&page_size=y",
            vec![no_integer("page_size"), no_integer("page_number")],
        ),
        (
            "page_number=0&page_size=1001",
            vec![at_most.clone(), at_least("page_number")],
        ),
        ("page_size=-0", vec![at_least("page_size")]),
        (&nines, vec![too_long]),
    ] {
        let reply = alice.klavis().get(&format!("/user/?{query}")).await;
        assert_eq!(
            (reply.status, reply.json),
            (422, json!({"detail": items})),
            "{query}"
        );
    }
}

#[tokio::test]
async fn without_its_slash_the_list_is_elsewhere_for_every_method_and_everyone() {
    let app = TestApp::start().await;
    let anyone = app.anonymous();
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for (asked, place) in [
            ("/user", "user/"),
            ("/user?", "user/"),
            ("/user?page_size=2&x=%20b&c", "user/?page_size=2&x=%20b&c"),
        ] {
            let request = anyone.request(method.clone(), asked);
            let reply = request.header("host", "evil.example").send().await;
            assert_eq!(
                (reply.status, reply.header("location")),
                (307, place),
                "{method}"
            );
            assert_eq!(reply.text, "");
        }
    }
}
