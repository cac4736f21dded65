//! What the audit log tells of a strata's changes.

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::strata::{ADD, at, create, external};

/// The details of the audit rows of a strata, the oldest first.
async fn told(app: &TestApp, id: &str) -> Vec<Value> {
    let query =
        format!("SELECT action, detail FROM audit_log WHERE object_id = '{id}' ORDER BY audit_id");
    let rows = app.sql(&query).await;
    rows.iter()
        .map(|row| {
            json!([
                row["action"],
                row["detail"]["servers"],
                row["detail"]["external_servers"]
            ])
        })
        .collect()
}

#[tokio::test]
async fn the_log_names_what_was_not_in_it_just_so_before() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let plain = |url: &str| json!({"name": "plain", "url": url});
    let body = json!({
        "userId": "u1", "servers": ["Slack", "slack", "Gmail"], "externalServers": [plain("https://one.example")],
    });
    let made = create(&alice, body).await;
    let id = made.json["strataId"].as_str().unwrap();
    let more = [
        json!({"servers": ["Gmail", "Linear", "Slack"], "externalServers": [plain("https://one.example")]}),
        json!({"servers": "ALL", "externalServers": [plain("https://one.example")]}),
        json!({"externalServers": [external("wiki"), plain("https://one.example")]}),
        json!({"servers": ["Linear"], "externalServers": [plain("https://two.example"), external("wiki")]}),
        json!({"servers": ["Slack"]}),
    ];

    for mut body in more {
        body["strataId"] = json!(id);
        let added = alice.klavis().post(ADD, body).await;
        assert_eq!(added.status, 200, "{}", added.text);
    }
    for servers in ["Gmail", "Gmail", "Notion&externalServers=nobody"] {
        let path = format!("{}/servers?servers={servers}", at(id));
        assert_eq!(alice.klavis().delete(&path).await.status, 200);
    }

    let expected = [
        json!(["strata.create", ["slack", "gmail"], ["plain"]]),
        json!(["strata.add_servers", ["linear"], []]),
        json!(["strata.add_servers", [], ["wiki"]]),
        // Whether sealed headers are the same is not looked at.
        json!(["strata.add_servers", [], ["plain", "wiki"]]),
        json!(["strata.delete_servers", ["gmail"], []]),
    ];
    assert_eq!(told(&app, id).await, expected);
}
