//! `GET /connected_accounts`: pages that stay where they are, refused queries, who sees what.

use serde_json::json;

use crate::account_changing::at;
use crate::account_listing::{account, ids, in_order, page, world};
use crate::account_making::{ACCOUNTS, ACCOUNTS_3_1, config};
use crate::common::TestApp;
use crate::story::{assert_invalid, integration_of, told};

#[tokio::test]
async fn pages_stay_where_they_are_while_accounts_come_and_go() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let config = config(&alice, "API_KEY").await;
    for (direction, by) in [
        ("desc", "created_at"),
        ("asc", "created_at"),
        ("desc", "updated_at"),
        ("asc", "updated_at"),
    ] {
        let user = format!("{direction}-{by}");
        let mut expected = Vec::new();
        for _ in 0..7 {
            expected.push(account(&alice, &config, &user).await);
        }
        // Three of one moment, so that only their ids tell them apart.
        in_order(&app, by, &expected).await;
        let same = format!(
            "UPDATE connections SET {by} = '2026-01-01' WHERE public_id IN ('{}', '{}', '{}')",
            expected[2], expected[3], expected[4]
        );
        app.execute(&same).await;
        let order = format!(
            "SELECT public_id FROM connections WHERE user_id = '{user}' ORDER BY {by} {direction}, connection_id {direction}"
        );
        let rows = app.sql(&order).await;
        let expected: Vec<String> = rows
            .iter()
            .map(|row| row["public_id"].as_str().unwrap().to_owned())
            .collect();
        let query = format!("user_ids={user}&order_by={by}&order_direction={direction}&limit=2");
        let mut current = page(&alice, &query).await;
        assert_eq!(
            (&current["total_pages"], &current["total_items"]),
            (&json!(4), &json!(7))
        );
        let mut seen = ids(&current);

        // The last one that was shown goes, and one comes at either end.
        let gone = alice.delete(&at(&seen[1])).await;
        assert_eq!(gone.status, 200, "{}", gone.text);
        for at in ["1999-01-01", "2040-01-01"] {
            let new = account(&alice, &config, &user).await;
            app.execute(&format!(
                "UPDATE connections SET {by} = '{at}' WHERE public_id = '{new}'"
            ))
            .await;
        }
        for number in 2.. {
            let Some(cursor) = current["next_cursor"].as_str().map(str::to_owned) else {
                break;
            };
            current = page(&alice, &format!("{query}&cursor={cursor}")).await;
            assert_eq!(current["current_page"], number);
            assert_eq!(current["total_items"], 8);
            seen.extend(ids(&current));
        }
        assert_eq!(seen[..7], expected, "{direction} {by}");
        assert_eq!(seen.len(), 8, "the one that came at the far end");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_order() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let alice = world.alice.composio();
    let first = page(&alice, "limit=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(
        ids(&page(
            &alice,
            &format!("limit=3&order_direction=desc&cursor={cursor}")
        )
        .await)
        .len(),
        3
    );

    for other in ["order_direction=asc", "order_by=updated_at"] {
        let reply = alice
            .get(&format!("{ACCOUNTS}?cursor={cursor}&{other}"))
            .await;
        let line = "Error in query.cursor: Expected the next_cursor of an earlier answer in the same order, received string";
        assert_invalid(&reply, &[line]);
    }
}

#[tokio::test]
async fn every_fault_of_the_query_is_told_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let query = "toolkit_slugs=a%00b&statuses=ACTIVE,GONE&user_ids=%00&auth_config_ids=ca_AAAAAAAAAAAA,x\
        &connected_account_ids[]=ac_AAAAAAAAAAAA&order_by=name&order_direction=up&account_type=private&limit=1001&cursor=!";
    let reply = alice.get(&format!("{ACCOUNTS_3_1}?{query}")).await;
    let statuses =
        "'INITIALIZING' | 'INITIATED' | 'ACTIVE' | 'INACTIVE' | 'EXPIRED' | 'FAILED' | 'REVOKED'";
    let nul = "The text must not contain the character U+0000";
    assert_invalid(
        &reply,
        &[
            &format!("Error in query.toolkit_slugs.0: {nul}"),
            &format!("Error in query.statuses.1: Invalid enum value. Expected {statuses}"),
            &format!("Error in query.user_ids.0: {nul}"),
            "Error in query.auth_config_ids.0: Invalid auth config id",
            "Error in query.auth_config_ids.1: Invalid auth config id",
            "Error in query.connected_account_ids.0: Invalid connected account id",
            "Error in query.order_by: Invalid enum value. Expected 'created_at' | 'updated_at'",
            "Error in query.order_direction: Invalid enum value. Expected 'asc' | 'desc'",
            "Error in query.account_type: Invalid enum value. Expected 'PRIVATE' | 'SHARED' | 'ALL'",
            "Error in query.limit: Number must be greater than or equal to 1 and less than or equal to 1000",
            "Error in query.cursor: Expected the next_cursor of an earlier answer in the same order, received string",
        ],
    );
    let many = vec!["u"; 1_001].join(",");
    let reply = alice
        .get(&format!("{ACCOUNTS}?user_ids={many}&limit=0.5"))
        .await;
    assert_invalid(
        &reply,
        &[
            "Error in query.user_ids: Array must contain at most 1000 element(s)",
            "Error in query.limit: Number must be greater than or equal to 1 and less than or equal to 1000",
        ],
    );
    let twice = alice
        .get(&format!(
            "{ACCOUNTS}?limit=1&limit=2&order_by=created_at&order_by=x"
        ))
        .await;
    assert_invalid(
        &twice,
        &[
            "Error in query.order_by: Expected string, received array",
            "Error in query.limit: Expected number, received array",
        ],
    );
}

#[tokio::test]
async fn the_largest_page_and_the_largest_filters_are_taken() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let users: Vec<String> = (0..999).map(|number| format!("nobody-{number}")).collect();
    world
        .finds(
            &format!("limit=1000&user_ids={},u-2", users.join(",")),
            &[1],
        )
        .await;
    world
        .finds(
            &format!("limit=1000.0&toolkit_slugs={},slack", users.join(",")),
            &[2, 1, 0],
        )
        .await;
}

#[tokio::test]
async fn a_list_shows_the_callers_own_and_what_its_key_may_use() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let bob = app.tenant("bob").await;
    let his = config(&bob.composio(), "API_KEY").await;
    let foreign = account(&bob.composio(), &his, "u-1").await;
    let slack = integration_of(&app, &world.slack[0]).await;
    let limited = world.alice.limited_to(&[&slack]).await.composio();
    let mine = |numbers: &[usize]| -> Vec<String> {
        numbers
            .iter()
            .map(|number| world.accounts[*number].clone())
            .collect()
    };

    assert_eq!(ids(&page(&bob.composio(), "").await), [foreign.as_str()]);
    world
        .finds(&format!("connected_account_ids={foreign}"), &[])
        .await;
    world.finds(&format!("auth_config_ids={his}"), &[]).await;
    for (query, numbers) in [
        (String::new(), [2, 1, 0].as_slice()),
        ("user_ids=u-1".to_owned(), &[2, 0]),
        ("statuses=EXPIRED,INACTIVE".to_owned(), &[1]),
        ("toolkit_slugs=slack,github".to_owned(), &[2, 1, 0]),
        ("toolkit_slugs=github".to_owned(), &[]),
        (format!("auth_config_ids={}", world.github), &[]),
        (
            format!("connected_account_ids={}", world.accounts.join(",")),
            &[2, 1, 0],
        ),
    ] {
        let page = page(&limited, &query).await;
        assert_eq!(ids(&page), mine(numbers), "{query}");
        assert_eq!(page["total_items"], numbers.len(), "{query}");
    }
    let blind = world
        .alice
        .with_scopes(&["credentials:read"])
        .await
        .composio();
    assert_eq!(
        told(&blind.get(ACCOUNTS).await),
        (403, 812, "APIKey_InsufficientPermissions")
    );
}
