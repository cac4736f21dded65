//! `GET /auth_configs`

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Client;
use crate::story::{V3, V3_1, assert_invalid, custom, made};

async fn page(client: &Client, query: &str) -> Value {
    let reply = client.get(&format!("{V3}?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

async fn named(client: &Client, toolkit: &str, name: &str) -> String {
    let mut body = custom(toolkit, "API_KEY", json!({}));
    body["auth_config"]["name"] = json!(name);
    made(client, body).await
}

#[tokio::test]
async fn nothing_yet_is_one_empty_answer() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let empty = json!({ "items": [], "next_cursor": null, "total_pages": 0, "current_page": 1, "total_items": 0 });
    for prefix in [V3, V3_1] {
        let reply = alice.get(prefix).await;
        assert_eq!((reply.status, &reply.json), (200, &empty));
    }
}

#[tokio::test]
async fn an_item_is_what_get_shows() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = named(&alice, "openai", "One").await;
    let one = alice.get(&format!("{V3}/{id}")).await.json;
    assert_eq!(
        page(&alice, "").await,
        json!({ "items": [one], "next_cursor": null, "total_pages": 1, "current_page": 1, "total_items": 1 })
    );
}

#[tokio::test]
async fn pages_are_stable_while_configs_are_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let mut expected = Vec::new();
    for number in 0..5 {
        expected.insert(0, named(&alice, "openai", &format!("n{number}")).await);
    }
    let mut seen = Vec::new();
    let mut current = page(&alice, "limit=2").await;
    assert_eq!(
        (&current["total_pages"], &current["total_items"]),
        (&json!(3), &json!(5))
    );
    for number in 1.. {
        assert_eq!(current["current_page"], number);
        seen.extend(ids(&current).into_iter().map(str::to_owned));
        let Some(cursor) = current["next_cursor"].as_str().map(str::to_owned) else {
            break;
        };
        named(&alice, "github", "made meanwhile").await;
        current = page(&alice, &format!("limit=2&cursor={cursor}")).await;
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn filters_choose() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let github = named(&alice, "github", "Build robot").await;
    let slack = named(&alice, "slack", "100% chat_room").await;
    let disabled = named(&alice, "gmail", "Old mail").await;
    app.execute(&format!(
        "UPDATE auth_configs SET enabled = false WHERE public_id = '{disabled}'"
    ))
    .await;

    let part = &github[3..9];
    let part = part.to_lowercase();
    for (query, expected) in [
        ("", vec![&slack, &github]),
        ("show_disabled=false", vec![&slack, &github]),
        ("show_disabled=true", vec![&disabled, &slack, &github]),
        ("toolkit_slug=github", vec![&github]),
        ("toolkit_slug=GITHUB%2Cslack", vec![&slack, &github]),
        (
            "toolkit_slug=github&toolkit_slug=slack",
            vec![&slack, &github],
        ),
        ("toolkit_slug=unknown", vec![]),
        ("is_composio_managed=true", vec![]),
        ("is_composio_managed=false", vec![&slack, &github]),
        ("search=ROBOT", vec![&github]),
        ("search=0%25", vec![&slack]),
        ("search=_", vec![&slack]),
        ("limit=1", vec![&slack]),
        ("limit=1000.0&search=&cursor=", vec![&slack, &github]),
    ] {
        let found = page(&alice, query).await;
        // A random id may hold the one-character patterns; the names decide.
        let found: Vec<_> = match query {
            "search=_" => ids(&found).into_iter().filter(|id| *id == slack).collect(),
            _ => ids(&found),
        };
        assert_eq!(found, expected, "{query}");
    }
    assert!(ids(&page(&alice, &format!("search={part}")).await).contains(&github.as_str()));
}

#[tokio::test]
async fn every_bad_value_of_the_query_is_named_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let query = "limit=1001&cursor=nonsense&show_disabled=perhaps&is_composio_managed=5&search=%00";
    assert_invalid(
        &alice.get(&format!("{V3}?{query}")).await,
        &[
            "Error in query.is_composio_managed: Expected boolean, received string",
            "Error in query.show_disabled: Expected boolean, received string",
            "Error in query.search: The text must not contain the character U+0000",
            "Error in query.limit: Number must be greater than or equal to 1 and less than or equal to 1000",
            "Error in query.cursor: Expected the next_cursor of an earlier answer, received string",
        ],
    );
}
