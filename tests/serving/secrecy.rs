//! What is stored as a secret is seen again in the authorised hand-out alone; and the kit would notice otherwise.

use serde_json::json;

use crate::common::{TestApp, canary};

#[tokio::test]
async fn a_planted_secret_is_seen_in_its_hand_out_and_nowhere_else() {
    let app = TestApp::start().await;
    let klavis = app.tenant("alice").await.klavis();
    let secret = canary();

    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    let made = klavis.post("/mcp-server/instance/create", instance).await;
    let id = made.json["instanceId"].as_str().unwrap();
    let set = json!({ "instanceId": id, "authData": { "token": secret } });
    let set = klavis.post("/mcp-server/instance/set-auth", set).await;
    assert_eq!(
        (set.status, &set.json["success"]),
        (200, &json!(true)),
        "{}",
        set.text
    );

    let out = klavis.get(&format!("/mcp-server/instance/{id}/auth")).await;
    assert_eq!(out.json["authData"]["token"], secret, "{}", out.text);
    klavis.get(&format!("/mcp-server/instance/{id}")).await;
    app.finish().await;
}

#[tokio::test]
#[should_panic(expected = "an answer holds a planted secret")]
async fn a_planted_secret_in_an_answer_fails_the_test() {
    let app = TestApp::start().await;
    let langdock = app.tenant("alice").await.langdock();

    let name = canary()["CANARY-".len()..].to_owned();
    langdock
        .post("/integrations/v1/create", json!({ "name": name }))
        .await;
}

#[tokio::test]
#[should_panic(expected = "a row of the database holds a planted secret")]
async fn a_planted_secret_in_a_row_fails_the_test() {
    let app = TestApp::start().await;
    app.tenant(&canary()).await;

    app.finish().await;
}
