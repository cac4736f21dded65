//! Many changes of one auth config at the same time.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use crate::common::TestApp;
use crate::story::{assert_envelope, made_key_config, path, shown, updated};

#[tokio::test]
async fn concurrent_changes_never_mix_their_fields() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({ "client_id": "before" })).await;
    let place = path(&id);
    for round in 0..4 {
        let replies = join_all((0..12).map(|writer| {
            let mark = format!("{round}-{writer}");
            alice.patch(
                &place,
                json!({
                    "type": "custom",
                    "name": mark,
                    "credentials": { "client_id": mark, "scopes": [mark] },
                    "shared_credentials": { "client_id": mark },
                    "proxy_config": { "proxy_url": format!("https://proxy.example/{mark}") },
                    "tool_access_config":
                        { "tools_for_connected_account_creation": [mark], "tools_available_for_execution": [mark] },
                }),
            )
        }))
        .await;
        assert!(
            replies
                .iter()
                .all(|reply| reply.status == 200 && reply.json == updated())
        );
        let told = shown(&alice, &id).await;
        let mark = &told["name"];
        assert_ne!(mark, "before");
        assert_eq!(
            told["credentials"],
            json!({ "client_id": mark, "scopes": [mark] })
        );
        assert_eq!(told["restrict_to_following_tools"], json!([mark]));
        assert_eq!(
            told["tool_access_config"]["tools_for_connected_account_creation"],
            json!([mark])
        );
        let url = format!("https://proxy.example/{}", mark.as_str().unwrap());
        assert_eq!(told["proxy_config"]["proxy_url"], json!(url));
    }
}

#[tokio::test]
async fn changes_of_different_fields_are_all_kept() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let place = path(&id);
    let replies = join_all((0..16).map(|writer| {
        let key = format!("key_{writer:02}");
        alice.patch(
            &place,
            json!({ "type": "custom", "credentials": { key: "a-value-of-its-own" } }),
        )
    }))
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(
        shown(&alice, &id).await["credentials"]
            .as_object()
            .unwrap()
            .len(),
        16
    );
}

#[tokio::test]
async fn of_two_changes_with_one_etag_the_later_is_refused() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let id = made_key_config(&alice, json!({})).await;
    let place = path(&id);
    let etag = alice.get(&place).await.header("etag").to_owned();
    let change = |name: &'static str| {
        let request = alice
            .request(Method::PATCH, &place)
            .header("if-match", &etag);
        request
            .json(json!({ "type": "custom", "name": name }))
            .send()
    };

    let (one, other) = tokio::join!(change("one"), change("other"));

    let (winner, name, loser) = if one.status == 200 {
        (one, "one", other)
    } else {
        (other, "other", one)
    };
    assert_eq!((winner.status, &winner.json), (200, &updated()));
    let message = "The object was changed since the ETag in If-Match was read";
    let fix = "Read it again and send its new ETag.";
    assert_envelope(
        &loser,
        (412, 10412, "HTTP_PreconditionFailed", message, fix),
        &[],
    );
    assert_eq!(shown(&alice, &id).await["name"], name);
    let any = alice.request(Method::PATCH, &place).header("if-match", "*");
    assert_eq!(
        any.json(json!({ "type": "custom", "name": "any" }))
            .send()
            .await
            .status,
        200
    );
}
