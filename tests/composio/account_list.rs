//! `GET /connected_accounts`: its shape, filters, orders.

use serde_json::json;

use crate::account_changing::connected_under;
use crate::account_listing::{World, page, world};
use crate::account_making::{ACCOUNTS, ACCOUNTS_3_1, config};
use crate::account_read::shown;
use crate::common::TestApp;

#[tokio::test]
async fn nothing_yet_is_one_empty_answer() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let empty = json!({ "items": [], "next_cursor": null, "total_pages": 0, "current_page": 1, "total_items": 0 });
    for prefix in [ACCOUNTS, ACCOUNTS_3_1] {
        let reply = alice.get(prefix).await;
        assert_eq!((reply.status, &reply.json), (200, &empty));
    }
}

#[tokio::test]
async fn an_item_is_what_get_shows_a_key_that_does_not_read_credentials() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let config = config(&alice.composio(), "BASIC").await;
    let val = json!({ "username": "a-long-user-name", "password": "secret-enough" });
    let made = connected_under(&alice.composio(), &config, "BASIC", val).await;
    let reader = alice.with_scopes(&["connections:read"]).await.composio();
    let one = shown(&reader, &made.id).await;
    assert_eq!(one["data"]["password"], "secr...");
    let before = app.fingerprint().await;

    for client in [reader, alice.composio()] {
        assert_eq!(
            page(&client, "").await,
            json!({ "items": [one], "next_cursor": null, "total_pages": 1, "current_page": 1, "total_items": 1 })
        );
    }
    assert_eq!(app.fingerprint().await, before);
}

#[tokio::test]
async fn each_filter_chooses_and_all_together() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let World {
        slack,
        github,
        accounts,
        ..
    } = &world;

    world.finds("", &[4, 3, 2, 1, 0]).await;
    world.finds("toolkit_slugs=slack", &[2, 1, 0]).await;
    world
        .finds("toolkit_slugs=SLACK,nobody,git-hub", &[4, 3, 2, 1, 0])
        .await;
    world.finds("toolkit_slugs=nobody", &[]).await;
    world.finds("statuses=ACTIVE", &[3, 2, 0]).await;
    world.finds("statuses=EXPIRED%2CINACTIVE", &[4, 1]).await;
    world
        .finds(
            "statuses[]=EXPIRED&statuses=INACTIVE&statuses=REVOKED",
            &[4, 1],
        )
        .await;
    world.finds("user_ids=u-1", &[3, 2, 0]).await;
    world.finds("user_ids=u-1,u-2", &[3, 2, 1, 0]).await;
    world
        .finds(&format!("auth_config_ids={}", slack[0]), &[1, 0])
        .await;
    world
        .finds(
            &format!("auth_config_ids={},{github}", slack[0]),
            &[4, 3, 1, 0],
        )
        .await;
    world.finds("auth_config_ids=ac_AAAAAAAAAAAA", &[]).await;
    world
        .finds(
            &format!("connected_account_ids={},{}", accounts[0], accounts[4]),
            &[4, 0],
        )
        .await;
    world
        .finds("connected_account_ids=ca_AAAAAAAAAAAA", &[])
        .await;
    world
        .finds(
            &format!(
                "user_ids=u-1&auth_config_ids={},{github}&statuses=ACTIVE",
                slack[0]
            ),
            &[3, 0],
        )
        .await;
    world
        .finds("user_ids=u-1&toolkit_slugs=slack", &[2, 0])
        .await;
    world
        .finds("toolkit_slugs=slack&statuses=INACTIVE", &[1])
        .await;
    let all = format!(
        "user_ids=u-1&toolkit_slugs=github&statuses=ACTIVE&auth_config_ids={github}&connected_account_ids={}",
        accounts[3]
    );
    world.finds(&all, &[3]).await;
    world
        .finds(&format!("{all}&account_type=PRIVATE"), &[3])
        .await;
    world.finds(&format!("{all}&account_type=ALL"), &[3]).await;
    world
        .finds(&format!("{all}&account_type=SHARED"), &[])
        .await;
    // Absent, as the SDKs say it.
    world
        .finds(
            "user_ids=&statuses=&limit=&cursor=&order_by=",
            &[4, 3, 2, 1, 0],
        )
        .await;
}

#[tokio::test]
async fn a_user_whose_id_holds_a_comma_is_found_where_the_parameter_is_repeated() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    world.finds("user_ids=u,3", &[]).await;
    world.finds("user_ids=u,3&user_ids=nobody", &[4]).await;
    world.finds("user_ids[]=u%2C3&user_ids=u-2", &[4, 1]).await;
}

#[tokio::test]
async fn both_orders_go_both_ways() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let World {
        slack,
        github,
        accounts,
        ..
    } = &world;
    let ids = accounts.join(",");
    for (filter, among) in [
        (String::new(), [0, 1, 2, 3, 4].as_slice()),
        (
            "statuses=ACTIVE,INACTIVE,EXPIRED".to_owned(),
            &[0, 1, 2, 3, 4],
        ),
        ("statuses=ACTIVE".to_owned(), &[0, 2, 3]),
        ("toolkit_slugs=slack".to_owned(), &[0, 1, 2]),
        ("user_ids=u-1".to_owned(), &[0, 2, 3]),
        ("user_ids=u-1&toolkit_slugs=slack".to_owned(), &[0, 2]),
        (
            format!("auth_config_ids={},{github}", slack[0]),
            &[0, 1, 3, 4],
        ),
        (
            format!("auth_config_ids={},{github}&user_ids=u-1", slack[0]),
            &[0, 3],
        ),
        (format!("connected_account_ids={ids}"), &[0, 1, 2, 3, 4]),
    ] {
        for (by, order) in [
            ("created_at", [0, 1, 2, 3, 4]),
            ("updated_at", [4, 2, 0, 1, 3]),
        ] {
            let mut expected: Vec<usize> = order
                .into_iter()
                .filter(|number| among.contains(number))
                .collect();
            world
                .finds(
                    &format!("{filter}&order_by={by}&order_direction=asc"),
                    &expected,
                )
                .await;
            expected.reverse();
            world
                .finds(
                    &format!("{filter}&order_by={by}&order_direction=desc"),
                    &expected,
                )
                .await;
        }
    }
}
