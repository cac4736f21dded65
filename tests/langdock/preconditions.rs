//! `ETag` and `If-Match` (line 10).

use reqwest::Method;
use serde_json::json;

use crate::common::TestApp;
use crate::common::tenant::Tenant;
use crate::stories::{auth_path, composio_config, integration, patch_auth, path, read};

async fn tag(tenant: &Tenant, id: &str) -> String {
    let reply = tenant.langdock().get(&path(id)).await;
    let tag = reply.header("etag").to_owned();
    assert!(
        tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
        "{tag}"
    );
    tag
}

#[tokio::test]
async fn a_read_and_the_change_before_it_have_one_tag() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let first = tag(&alice, &id).await;
    assert_eq!(tag(&alice, &id).await, first);

    let changed = patch_auth(&alice, &id, json!({"authType": "API_KEY"})).await;

    assert_ne!(changed.header("etag"), first);
    assert_eq!(changed.header("etag"), tag(&alice, &id).await);
}

#[tokio::test]
async fn a_change_through_another_dialect_changes_the_tag() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let before = tag(&alice, &id).await;

    composio_config(&alice, "acme-crm", "API_KEY").await;

    assert_ne!(tag(&alice, &id).await, before);
}

#[tokio::test]
async fn a_stale_tag_changes_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let ask = |tag: String| {
        let request = alice
            .langdock()
            .request(Method::PATCH, &auth_path(&id))
            .header("if-match", &tag);
        request
            .json(json!({"authType": "API_KEY", "authTestCode": "return 1;"}))
            .send()
    };
    let first = tag(&alice, &id).await;

    let changed = ask(first.clone()).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let before = app.fingerprint().await;
    for stale in [first.as_str(), "\"nonsense\"", "nonsense"] {
        let reply = ask(stale.to_owned()).await;
        let expected = json!({
            "message": "The integration was changed meanwhile: get it again and retry with its ETag",
        });
        assert_eq!((reply.status, reply.json), (412, expected), "{stale}");
    }
    assert_eq!(app.fingerprint().await, before);
    assert_eq!(ask("*".to_owned()).await.status, 200);
    let current = tag(&alice, &id).await;
    assert_eq!(ask(format!("\"nonsense\", {current}")).await.status, 200);
}

#[tokio::test]
async fn of_two_changes_with_one_tag_one_is_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let id = integration(&alice, "Acme CRM").await;
    let first = tag(&alice, &id).await;
    let changes = (0..8).map(|number| {
        let request = alice
            .langdock()
            .request(Method::PATCH, &auth_path(&id))
            .header("if-match", &first);
        request
            .json(json!({"authType": "API_KEY", "authTestCode": format!("return {number};")}))
            .send()
    });

    let replies = futures_util::future::join_all(changes).await;

    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
    let winner = replies.iter().find(|reply| reply.status == 200).unwrap();
    assert_eq!(
        winner.json["integration"]["authTestCode"],
        read(&alice, &id).await["authTestCode"]
    );
}
