//! `GET /toolkits` and `GET /toolkits/categories`

use serde_json::{Value, json};

use crate::common::TestApp;
use crate::common::client::Client;
use crate::managed::shared;
use crate::story::{assert_invalid, told};
use crate::toolkit::{V3, V3_1, own};

async fn page(client: &Client, query: &str) -> Value {
    let reply = client.get(&format!("{V3_1}?{query}")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json
}

fn slugs(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["slug"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_catalogue_is_one_page_in_the_order_of_slugs() {
    let app = TestApp::start_managing(shared(&["github"])).await;
    let alice = app.tenant("alice").await.composio();
    let before = app.fingerprint().await;
    let all = page(&alice, "").await;
    let found = slugs(&all);
    assert!(found.is_sorted() && found.len() > 100, "{found:?}");
    // The most used ones, as Composio spells them.
    for slug in [
        "gmail",
        "github",
        "googlecalendar",
        "notion",
        "googlesheets",
        "slack",
        "supabase",
        "outlook",
        "perplexityai",
        "twitter",
        "googledrive",
        "googledocs",
        "hubspot",
        "linear",
        "airtable",
        "serpapi",
        "jira",
        "firecrawl",
        "tavily",
        "youtube",
        "bitbucket",
        "googletasks",
        "discord",
        "figma",
        "reddit",
        "cal",
        "sentry",
        "snowflake",
        "hackernews",
        "elevenlabs",
        "microsoft_teams",
        "asana",
        "shopify",
        "linkedin",
        "one_drive",
        "salesforce",
    ] {
        assert!(found.contains(&slug), "{slug}");
    }
    let rest = ["next_cursor", "total_pages", "current_page", "total_items"].map(|name| &all[name]);
    assert_eq!(
        rest,
        [&json!(null), &json!(1), &json!(1), &json!(found.len())]
    );
    let github = json!({
        "slug": "github",
        "name": "GitHub",
        "type": "native",
        "auth_schemes": ["OAUTH2", "API_KEY", "SERVICE_ACCOUNT"],
        "composio_managed_auth_schemes": ["OAUTH2"],
        "auth_guide_url": "https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps",
        "no_auth": false,
        "is_local_toolkit": false,
        "deprecated": { "toolkitId": "9105f154-70df-5eab-81d1-975b0907b813" },
        "meta": {
            "created_at": "2026-11-20T00:00:00.000Z",
            "updated_at": "2026-11-20T00:00:00.000Z",
            "description": "Host code, review changes and track issues.",
            "logo": "",
            "app_url": "https://github.com",
            "categories": [{ "id": "developer-tools", "name": "Developer tools" }],
            "triggers_count": 0,
            "tools_count": 0,
            "version": "20261120_00",
        },
    });
    let shown = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["slug"] == "github");
    assert_eq!(shown, Some(&github));
    assert_eq!(alice.get(V3).await.json, all);
    assert_eq!(app.fingerprint().await, before);
    app.finish().await;
}

#[tokio::test]
async fn filters_choose() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    own(&alice.langdock(), "Acme CRM").await;
    let alice = alice.composio();
    let all = page(&alice, "").await;
    let all = slugs(&all);
    let native: Vec<_> = all
        .iter()
        .copied()
        .filter(|slug| *slug != "acme-crm")
        .collect();
    assert_eq!(native.len() + 1, all.len());
    for (query, expected) in [
        (
            "managed_by=all&type=all&sort_by=usage&include_deprecated=true&limit=&cursor=",
            all.clone(),
        ),
        ("managed_by=composio&sort_by=alphabetically", native.clone()),
        ("type=native", native),
        ("managed_by=project", vec!["acme-crm"]),
        ("type=custom", vec!["acme-crm"]),
        ("managed_by=composio&type=custom", vec![]),
        ("category=spreadsheets", vec!["googlesheets"]),
        (
            "category=Customer%20Support",
            vec!["freshdesk", "intercom", "servicenow", "zendesk"],
        ),
        ("category=customer-support&search=ZEND", vec!["zendesk"]),
        ("category=nowhere", vec![]),
        ("search=acme", vec!["acme-crm"]),
        ("search=About%20ACME", vec!["acme-crm"]),
        ("search=googlesheets", vec!["googlesheets"]),
        ("search=HOST%20code", vec!["bitbucket", "github", "gitlab"]),
    ] {
        let found = page(&alice, query).await;
        assert_eq!(slugs(&found), expected, "{query}");
        assert_eq!(found["total_items"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn pages_stay_where_they_are_while_integrations_are_made() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (langdock, alice) = (alice.langdock(), alice.composio());
    let before = page(&alice, "").await;
    let mut seen = Vec::new();
    let mut current = page(&alice, "limit=50").await;
    for number in 1.. {
        assert_eq!(current["current_page"], number);
        seen.extend(slugs(&current).into_iter().map(str::to_owned));
        let Some(cursor) = current["next_cursor"].as_str().map(str::to_owned) else {
            break;
        };
        own(&langdock, &format!("0 before everything {number}")).await;
        current = page(&alice, &format!("limit=50&cursor={cursor}")).await;
    }
    assert_eq!(seen, slugs(&before));
    assert_eq!(page(&alice, "limit=50").await["total_pages"], 3);
}

#[tokio::test]
async fn an_own_integration_stands_in_the_place_of_the_catalogues() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    own(&alice.langdock(), "Google-Calendar").await;
    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    assert_eq!(
        alice
            .klavis()
            .post("/mcp-server/instance/create", instance)
            .await
            .status,
        200
    );
    let all = page(&alice.composio(), "").await;
    let found = slugs(&all);
    assert!(!found.contains(&"googlecalendar"));
    assert_eq!(
        found
            .iter()
            .filter(|slug| **slug == "google-calendar")
            .count(),
        1
    );
    assert_eq!(found.iter().filter(|slug| **slug == "github").count(), 1);
    let one = alice
        .composio()
        .get(&format!("{V3}/googlecalendar"))
        .await
        .json;
    assert_eq!(
        (&one["slug"], &one["type"]),
        (&json!("google-calendar"), &json!("custom"))
    );
    assert_eq!(
        slugs(&page(&alice.composio(), "type=custom").await),
        ["google-calendar"]
    );
}

#[tokio::test]
async fn a_limited_key_sees_its_own_integrations_and_any_scope_will_do() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let acme = own(&alice.langdock(), "Acme").await;
    own(&alice.langdock(), "Other").await;
    let instance = json!({ "serverName": "GitHub", "userId": "u" });
    assert_eq!(
        alice
            .klavis()
            .post("/mcp-server/instance/create", instance)
            .await
            .status,
        200
    );
    let github = app
        .sql("SELECT integration_id FROM integrations WHERE slug = 'github'")
        .await;
    let github = github[0]["integration_id"].as_str().unwrap().to_owned();

    let limited = alice.limited_to(&[acme, github]).await.composio();
    assert_eq!(slugs(&page(&limited, "").await), ["acme", "github"]);
    let topics = limited.get(&format!("{V3}/categories")).await.json;
    assert_eq!(
        topics["items"],
        json!([{ "id": "developer-tools", "name": "Developer tools" }])
    );

    let least = alice.with_scopes(&["tenant:admin"]).await.composio();
    assert!(slugs(&page(&least, "").await).contains(&"other"));
    let anonymous = app.anonymous().get(V3).await;
    assert_eq!(told(&anonymous), (401, 906, "Auth_NoAuthProvided"));
}

#[tokio::test]
async fn the_categories_are_those_of_the_toolkits() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let found = alice.get(&format!("{V3_1}/categories")).await.json;
    let items = found["items"].as_array().unwrap();
    assert!(items.contains(&json!({ "id": "crm", "name": "CRM" })));
    assert!(items.contains(&json!({ "id": "e-commerce", "name": "E-commerce" })));
    assert!(items.is_sorted_by_key(|item| item["id"].as_str()));
    assert_eq!(found["total_items"], items.len());
    let rest = ["next_cursor", "total_pages", "current_page"].map(|name| &found[name]);
    assert_eq!(rest, [&json!(null), &json!(1), &json!(1)]);
    let mut members = 0;
    for item in items {
        let category = item["id"].as_str().unwrap();
        members += slugs(&page(&alice, &format!("category={category}")).await).len();
    }
    assert!(members >= slugs(&page(&alice, "").await).len());
}

/// Only the names of the catalogue are asked for: the tenant may have any number of other integrations.
#[tokio::test]
async fn the_categories_do_not_take_a_look_at_every_integration() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let acme = own(&alice.langdock(), "Acme").await;
    let auth = json!({ "authType": "API_KEY" });
    let path = format!("/integrations/v1/{acme}/auth");
    assert_eq!(alice.langdock().patch(&path, auth).await.status, 200);
    let client = alice.composio();
    let before = client.get(&format!("{V3_1}/categories")).await.json;
    let spreadsheets = json!({ "id": "spreadsheets", "name": "Spreadsheets" });
    assert!(before["items"].as_array().unwrap().contains(&spreadsheets));
    // A row that cannot be read.
    app.execute("UPDATE auth_configs SET scheme = 'OF_A_LATER_VERSION'")
        .await;
    assert_eq!(client.get(V3_1).await.status, 500);
    assert_eq!(client.get(&format!("{V3_1}/categories")).await.json, before);

    // The one service of this topic gives way to an integration of its name.
    app.execute("UPDATE auth_configs SET scheme = 'API_KEY'")
        .await;
    own(&alice.langdock(), "Google Sheets").await;
    let after = client.get(&format!("{V3_1}/categories")).await.json;
    let items = after["items"].as_array().unwrap();
    assert!(!items.contains(&spreadsheets), "{items:?}");
    assert_eq!(items.len() + 1, before["items"].as_array().unwrap().len());
}

#[tokio::test]
async fn every_bad_value_of_the_query_is_named_at_once() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await.composio();
    let long = "x".repeat(201);
    let query = format!(
        "category=%00&managed_by=me&type=local&sort_by=size&include_deprecated=perhaps&search={long}&limit=0&cursor=%20"
    );
    assert_invalid(
        &alice.get(&format!("{V3}?{query}")).await,
        &[
            "Error in query.category: The text must not contain the character U+0000",
            "Error in query.managed_by: Invalid enum value. Expected 'composio' | 'all' | 'project'",
            "Error in query.type: Invalid discriminator value. Expected 'native' | 'custom' | 'all'",
            "Error in query.sort_by: Invalid enum value. Expected 'usage' | 'alphabetically'",
            "Error in query.include_deprecated: Expected boolean, received string",
            "Error in query.search: String must contain at most 200 character(s)",
            "Error in query.limit: Number must be greater than or equal to 1 and less than or equal to 1000",
            "Error in query.cursor: Expected the next_cursor of an earlier answer, received string",
        ],
    );
    for twice in ["category=a&category=b", "sort_by=usage&sort_by=usage"] {
        let reply = alice.get(&format!("{V3}?{twice}")).await;
        assert_eq!(told(&reply), (400, 10400, "HTTP_BadRequest"), "{twice}");
    }
}
