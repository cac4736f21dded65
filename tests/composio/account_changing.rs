//! What the stories of changing connected accounts share.

use reqwest::Method;
use serde_json::{Value, json};

use crate::account_making::{ACCOUNTS, ACCOUNTS_3_1, account, config, create};
use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::story::assert_envelope;

/// A connected account: its id on this wire, and Klavis'.
pub struct Account {
    pub id: String,
    pub uuid: Value,
}

/// Makes a connected account of the user `u-1` under a new config of `slack`.
pub async fn connected(client: &Client, scheme: &str, val: Value) -> Account {
    let config = config(client, scheme).await;
    connected_under(client, &config, scheme, val).await
}

/// The same under a config that there is.
pub async fn connected_under(client: &Client, config: &str, scheme: &str, val: Value) -> Account {
    let made = create(client, account(config, scheme, val)).await;
    Account {
        id: made["id"].as_str().unwrap().to_owned(),
        uuid: made["deprecated"]["uuid"].clone(),
    }
}

/// The path of a connected account.
pub fn at(id: &str) -> String {
    format!("{ACCOUNTS}/{id}")
}

/// The path of what can be done to one, under the newer prefix.
pub fn at_3_1(id: &str, what: &str) -> String {
    format!("{ACCOUNTS_3_1}/{id}{what}")
}

/// The body that changes members of a credential.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the stories read better with a literal in its place"
)]
pub fn members(scheme: &str, val: Value) -> Value {
    json!({ "connection": { "state": { "authScheme": scheme, "val": val } } })
}

/// Changes an account, which must succeed; gives the status that it says.
pub async fn changed(client: &Client, id: &str, body: Value) -> String {
    let reply = client.patch(&at(id), body).await;
    let status = reply.json["status"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (reply.status, &reply.json),
        (200, &json!({ "success": true, "id": id, "status": status })),
        "{}",
        reply.text
    );
    status
}

/// Switches an account on or off.
pub async fn switch(client: &Client, id: &str, enabled: bool) -> Reply {
    let path = format!("{}/status", at(id));
    client.patch(&path, json!({ "enabled": enabled })).await
}

/// Revokes an account.
pub async fn revoke(client: &Client, id: &str) -> Reply {
    let path = at_3_1(id, "/revoke");
    client.request(Method::POST, &path).send().await
}

/// Revokes an account, which must succeed.
pub async fn revoked(client: &Client, id: &str) {
    let reply = revoke(client, id).await;
    let account = json!({ "id": id, "status": "REVOKED" });
    assert_eq!(
        (reply.status, &reply.json),
        (
            200,
            &json!({ "revoked_tokens": [], "connected_account": account })
        ),
        "{}",
        reply.text
    );
}

/// Sets status and reason of an account behind the product's back.
pub async fn set_status(app: &TestApp, id: &str, status: &str) {
    app.execute(&format!(
        "UPDATE connections SET status = '{status}', status_reason = 'because' WHERE public_id = '{id}'"
    ))
    .await;
}

/// Asserts a 400 with code 600; `said` is message and suggested fix.
pub fn assert_refused(reply: &Reply, (message, fix): (&str, &str)) {
    let slug = "ConnectedAccount_BadRequest";
    assert_envelope(reply, (400, 600, slug, message, fix), &[]);
}

/// What is said of an account of another scheme.
pub fn other_scheme(expected: &str) -> (String, String) {
    (
        format!("The auth config's scheme is {expected}"),
        format!("Send \"authScheme\": \"{expected}\"."),
    )
}

/// Asserts that there is no such account.
pub fn assert_unknown(reply: &Reply, id: &str) {
    let message = format!("Connected account \"{id}\" not found");
    let slug = "ConnectedAccount_ResourceNotFound";
    let fix = "Check the connected account id.";
    assert_envelope(reply, (404, 606, slug, &message, fix), &[]);
}
