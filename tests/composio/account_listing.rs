//! What the stories of listing connected accounts share: pages, and a world to list.

use serde_json::{Value, json};

use crate::account_making::{ACCOUNTS, config};
use crate::common::TestApp;
use crate::common::client::Client;
use crate::common::tenant::Tenant;
use crate::story::{custom, made};

/// A page, which must be there.
pub async fn page(client: &Client, query: &str) -> Value {
    let reply = client.get(&format!("{ACCOUNTS}?{query}")).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.text);
    reply.json
}

/// The ids of a page's items.
pub fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A connection of this user under this config.
pub async fn account(client: &Client, config: &str, user: &str) -> String {
    let body = json!({
        "auth_config": { "id": config },
        "connection": { "user_id": user, "state": { "authScheme": "API_KEY", "val": { "api_key": "a-long-enough-key" } } },
    });
    let reply = client.post(ACCOUNTS, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    reply.json["id"].as_str().unwrap().to_owned()
}

/// Says when the accounts were made and changed, a second apart in this order.
pub async fn in_order(app: &TestApp, column: &str, accounts: &[String]) {
    for (second, id) in accounts.iter().enumerate() {
        app.execute(&format!(
            "UPDATE connections SET {column} = '2026-01-01'::timestamptz + make_interval(secs => {second}) \
             WHERE public_id = '{id}'"
        ))
        .await;
    }
}

/// Accounts of two toolkits, three configs, three users and three statuses, in this order.
pub struct World {
    pub alice: Tenant,
    pub slack: [String; 2],
    pub github: String,
    pub accounts: Vec<String>,
}

pub async fn world(app: &TestApp) -> World {
    let alice = app.tenant("alice").await;
    let client = alice.composio();
    let slack = [
        config(&client, "API_KEY").await,
        config(&client, "API_KEY").await,
    ];
    let github = made(&client, custom("github", "API_KEY", json!({}))).await;
    let mut accounts = Vec::new();
    for (config, user) in [
        (&slack[0], "u-1"),
        (&slack[0], "u-2"),
        (&slack[1], "u-1"),
        (&github, "u-1"),
        (&github, "u,3"),
    ] {
        accounts.push(account(&client, config, user).await);
    }
    in_order(app, "created_at", &accounts).await;
    let by_change: Vec<_> = [4, 2, 0, 1, 3]
        .iter()
        .map(|index: &usize| accounts[*index].clone())
        .collect();
    in_order(app, "updated_at", &by_change).await;
    for (id, status) in [(&accounts[1], "INACTIVE"), (&accounts[4], "EXPIRED")] {
        app.execute(&format!(
            "UPDATE connections SET status = '{status}' WHERE public_id = '{id}'"
        ))
        .await;
    }
    World {
        alice,
        slack,
        github,
        accounts,
    }
}

impl World {
    /// Asserts that a query finds the accounts of these numbers, in this order.
    pub async fn finds(&self, query: &str, numbers: &[usize]) {
        let page = page(&self.alice.composio(), query).await;
        let expected: Vec<_> = numbers
            .iter()
            .map(|number| self.accounts[*number].clone())
            .collect();
        assert_eq!(ids(&page), expected, "{query}");
        assert_eq!(page["total_items"], numbers.len(), "{query}");
        assert_eq!(
            page["total_pages"],
            u8::from(!numbers.is_empty()),
            "{query}"
        );
        assert_eq!(
            (&page["current_page"], &page["next_cursor"]),
            (&json!(1), &Value::Null)
        );
    }
}
