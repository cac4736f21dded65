//! White labels: what is refused, in which words and order, and that it changes nothing.

use http::Method;
use serde_json::{Value, json};

use crate::common::{TestApp, canary};
use crate::white_label::{LABEL, assert_not_found, found, label, labelled, shown};

/// The faults, each as its last place and its type.
fn faults(reply: &crate::common::client::Reply) -> Vec<(String, String)> {
    assert_eq!(reply.status, 422, "{}", reply.text);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = reply.json["detail"].as_array().unwrap();
    for item in items {
        assert_eq!(item["loc"][0], "body");
        assert!(item.get("input").is_none());
    }
    items
        .iter()
        .map(|item| {
            let place = item["loc"].as_array().unwrap();
            (text(place.last().unwrap()), text(&item["type"]))
        })
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(place, kind): &(&str, &str)| ((*place).to_owned(), (*kind).to_owned());
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn every_fault_is_named_at_once_in_declared_order() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    let (long, longer) = ("x".repeat(2_001), "x".repeat(32 * 1024));
    for (body, expected) in [
        (
            json!({}),
            pairs(&[
                ("client_id", "missing"),
                ("client_secret", "missing"),
                ("server_name", "missing"),
            ]),
        ),
        (
            json!({"account_id": [], "callback_url": 3, "server_name": 1, "client_secret": null, "client_id": 1}),
            pairs(&[
                ("client_id", "string_type"),
                ("client_secret", "string_type"),
                ("server_name", "enum"),
                ("callback_url", "string_type"),
                ("account_id", "string_type"),
            ]),
        ),
        (
            // What is empty is no fault, and told when there is none.
            json!({"client_id": "", "client_secret": "", "server_name": "Nothing of the kind", "account_id": long}),
            pairs(&[("server_name", "enum"), ("account_id", "string_too_long")]),
        ),
        (
            json!({"client_id": longer, "client_secret": longer, "server_name": "Gmail", "callback_url": long, "account_id": "\u{0}"}),
            pairs(&[
                ("client_id", "string_too_long"),
                ("client_secret", "string_too_long"),
                ("callback_url", "string_too_long"),
                ("account_id", "value_error"),
            ]),
        ),
        (
            json!({"client_id": "a\u{0}", "client_secret": "\u{0}", "server_name": "\u{0}", "callback_url": "\u{0}"}),
            pairs(&[
                ("client_id", "value_error"),
                ("client_secret", "value_error"),
                ("server_name", "enum"),
                ("callback_url", "value_error"),
            ]),
        ),
        (
            // Known to the dialect, and not as a server that uses OAuth.
            json!({"client_id": "c", "client_secret": "s", "server_name": "OpenAI"}),
            pairs(&[("server_name", "enum")]),
        ),
        (
            json!({"client_id": "", "client_secret": 1, "server_name": "OpenAI"}),
            pairs(&[("client_secret", "string_type"), ("server_name", "enum")]),
        ),
        (json!([]), pairs(&[("body", "model_attributes_type")])),
    ] {
        let reply = alice.klavis().post(LABEL, body.clone()).await;
        assert_eq!(faults(&reply), expected, "{body}");
    }
    let after = (app.fingerprint().await, app.count("audit_log").await);
    assert_eq!(after, before);
    app.finish().await;
}

#[tokio::test]
async fn the_words_are_pydantics() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let long = "x".repeat(32_767);
    let reply = label(&alice, &long, "No such", json!({"account_id": 1})).await;
    let server = "the name of a server in the catalogue or of an integration of yours";
    assert_eq!(
        reply.json["detail"],
        json!([
            {"type": "string_too_long", "loc": ["body", "client_id"], "ctx": {"max_length": 32_766},
             "msg": "String should have at most 32766 characters"},
            {"type": "enum", "loc": ["body", "server_name"], "ctx": {"expected": server},
             "msg": format!("Input should be {server}")},
            {"type": "string_type", "loc": ["body", "account_id"], "msg": "Input should be a valid string"},
        ])
    );
    app.finish().await;
}

/// Alone, beside another fault, and where something is empty.
#[tokio::test]
async fn a_known_server_without_oauth_is_refused_in_words_that_are_true() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let before = app.fingerprint().await;
    let server =
        "the name of a server that authenticates with OAuth, or of an integration of yours";
    let item = json!({
        "type": "enum", "loc": ["body", "server_name"], "ctx": {"expected": server},
        "msg": format!("Input should be {server}"),
    });
    for (client_id, more) in [
        ("app", json!({})),
        ("app", json!({"account_id": 1})),
        ("", json!({})),
    ] {
        let reply = label(&alice, client_id, "Resend", more).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert_eq!(reply.json["detail"][0], item);
    }
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn without_a_client_id_or_a_secret_nothing_is_saved() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    labelled(&alice, "app", "Gmail", json!({"account_id": "before"})).await;
    let before = (app.fingerprint().await, app.count("audit_log").await);
    for (client_id, client_secret, what) in [
        ("", "s", "client_id is empty"),
        ("app", "", "client_secret is empty"),
        ("", "", "client_id and client_secret are empty"),
    ] {
        for server in ["Gmail", "Slack"] {
            let body = json!({
                "client_id": client_id, "client_secret": client_secret, "server_name": server,
                "account_id": "after",
            });
            let reply = alice.klavis().post(LABEL, body).await;
            let message = format!("{what}: nothing was saved");
            assert_eq!(
                (reply.status, reply.json),
                (
                    200,
                    json!({"success": false, "data": null, "message": message})
                )
            );
        }
        let body = json!({"client_id": client_id, "client_secret": client_secret, "server_name": "No such"});
        let reply = alice.klavis().post(LABEL, body).await;
        assert_eq!(faults(&reply), pairs(&[("server_name", "enum")]));
    }
    let after = (app.fingerprint().await, app.count("audit_log").await);
    assert_eq!(after, before);
    assert_eq!(app.count("integrations").await, 1);
    app.finish().await;
}

/// It is checked where it is used.
#[tokio::test]
async fn a_callback_is_any_text_and_shown_as_sent() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (long, wide) = ("x".repeat(2_000), "🔑".repeat(2_000));
    for text in [
        "https://app.example:8443/a/b?c=d#part",
        "http://app.example/back",
        "app://back",
        "/back",
        "not a URL",
        " https://user@app.example/ ",
        &long,
        &wide,
    ] {
        let more = json!({"callback_url": text, "account_id": text});
        labelled(&alice, "app", "Gmail", more).await;
        let data = shown(&alice, "app").await;
        assert_eq!(data["callback_url"], text);
        assert_eq!(data["account_id"], text);
    }
    for empty in [json!(""), json!(null)] {
        labelled(&alice, "app", "Gmail", json!({"callback_url": "back"})).await;
        let more = json!({"callback_url": empty});
        let data = labelled(&alice, "app", "Gmail", more).await;
        assert_eq!(data["callback_url"], json!(null));
    }
    app.finish().await;
}

/// As long as every other cell may be. A path has less room (the limit of a request's head), so that the longest cannot
/// be asked for.
#[tokio::test]
async fn a_client_id_and_a_secret_may_be_long() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (long, longest) = ("x".repeat(16_000), "x".repeat(32_766));
    for client_id in [&long, &longest] {
        let body = json!({
            "client_id": client_id, "client_secret": canary().repeat(500), "server_name": "Gmail",
        });
        for _ in 0..2 {
            let reply = alice.klavis().post(LABEL, body.clone()).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(&reply.json["data"]["client_id"], client_id);
        }
    }
    assert_eq!(app.count("auth_configs WHERE version = 2").await, 2);
    assert_eq!(shown(&alice, &long).await["client_id"], long);
    assert_eq!(found(&alice, &longest).await.status, 431);
    app.finish().await;
}

/// Each name of the SDKs' list of OAuth servers is taken, but for the one that the catalogue does not know.
#[tokio::test]
async fn every_published_oauth_server_is_taken() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for server in [
        "Airtable",
        "Asana",
        "Attio",
        "Box",
        "Cal.com",
        "Canva",
        "ClickUp",
        "Close",
        "Confluence",
        "Dialpad",
        "DocuSign",
        "Dropbox",
        "Fathom",
        "Figma",
        "GitHub",
        "GitLab",
        "Gmail",
        "Google Calendar",
        "Google Docs",
        "Google Drive",
        "Google Sheets",
        "Google Forms",
        "Google Cloud",
        "HubSpot",
        "Jira",
        "Klaviyo",
        "Linear",
        "LinkedIn",
        "Microsoft Teams",
        "Monday",
        "Moneybird",
        "Notion",
        "Onedrive",
        "Outlook",
        "MsCalendar",
        "PagerDuty",
        "Pipedrive",
        "QuickBooks",
        "Salesforce",
        "Slack",
        "Stripe",
        "Supabase",
        "Vercel",
        "WordPress",
        "Xero",
        "Zendesk",
        "PayPal",
        "Hugging Face",
        "Square",
        "Jotform",
        "Honeycomb",
    ] {
        let data = labelled(&alice, "app", server, json!({})).await;
        assert_eq!(
            shown(&alice, "app").await["server_name"],
            data["server_name"]
        );
    }
}

#[tokio::test]
async fn a_client_id_is_any_text() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for client_id in [
        "a/b c?d#e%2F&=+",
        "ключ-客户端-🔑",
        "..",
        "create",
        " ",
        "%",
        "1234-abc.apps.googleusercontent.com",
        "\u{FFFD}",
        "\"'\\\n",
    ] {
        labelled(&alice, client_id, "Gmail", json!({"account_id": client_id})).await;
        if client_id == ".." {
            // No client can ask for this: it is a step up in every URL.
            continue;
        }
        let data = shown(&alice, client_id).await;
        assert_eq!(
            (&data["client_id"], &data["account_id"]),
            (&json!(client_id), &json!(client_id))
        );
    }
    for nobodys in ["%ff", "%00", "a%00b", "gmail", "CREATE"] {
        let reply = alice
            .klavis()
            .get(&format!("/white-labeling/get/{nobodys}"))
            .await;
        if nobodys != "%ff" {
            assert_not_found(&reply);
        }
    }
    assert_not_found(&found(&alice, "1234-ABC.apps.googleusercontent.com").await);
    app.finish().await;
}

#[tokio::test]
async fn nothing_else_is_a_route() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for (method, path, allow) in [
        (Method::GET, LABEL, "POST"),
        (Method::DELETE, LABEL, "POST"),
        (Method::POST, "/white-labeling/get/app", "GET"),
        (Method::DELETE, "/white-labeling/get/app", "GET"),
    ] {
        let reply = alice.klavis().request(method.clone(), path).send().await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("allow"), allow, "{method} {path}");
        assert_eq!(reply.json, json!({"detail": "Method Not Allowed"}));
    }
    for path in [
        "/white-labeling",
        "/white-labeling/get",
        "/white-labeling/get/",
        "/white-labeling/get/a/b",
    ] {
        let reply = alice.klavis().get(path).await;
        assert_eq!(
            (reply.status, reply.json),
            (404, json!({"detail": "Not Found"})),
            "{path}"
        );
    }
    app.finish().await;
}

#[tokio::test]
async fn a_secret_is_not_repeated_wherever_it_is_put() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let secret = canary();
    for body in [
        json!({"client_secret": [secret]}),
        json!({"client_id": {"x": secret}, "client_secret": secret, "server_name": secret, "callback_url": secret}),
        json!({"client_id": "c", "client_secret": secret.repeat(1_000), "server_name": "Gmail"}),
        json!({"client_id": "c", "client_secret": format!("{secret}\u{0}"), "server_name": "Gmail"}),
        json!({"client_id": "c", "client_secret": secret, "server_name": "Gmail", "callback_url": [secret]}),
        json!({"client_id": "c", "client_secret": "s", "server_name": "Gmail", secret.as_str(): [secret], "account_id": [secret]}),
        json!(secret),
    ] {
        let reply = alice.klavis().post(LABEL, body).await;
        assert_eq!(reply.status, 422, "{}", reply.text);
        assert!(!reply.text.contains(&secret));
    }
    labelled(&alice, "c", "Gmail", json!({"unknown": [1]})).await;
    app.finish().await;
}
