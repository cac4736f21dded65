//! The matrix: every route × every caller who may not. A foreign id answers exactly as an unknown one.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::common::TestApp;
use crate::common::client::{Client, Reply};
use crate::common::tenant::Tenant;
use crate::matrix::{ANY_KEY, By, Example, examples, keyless};
use crate::world::{Named, digest, things_of};

const SCOPES: [&str; 7] = [
    "INTEGRATION_API",
    "ASSISTANT_API",
    "auth_configs:read",
    "auth_configs:write",
    "connections:read",
    "connections:write",
    "credentials:read",
];

/// Status, headers and body of an answer, with `named` and what is made anew for each answer taken out.
fn told(reply: &Reply, named: &Named) -> (u16, Vec<String>, String) {
    let sent = named.texts();
    let without = |text: &str| {
        sent.iter()
            .fold(text.to_owned(), |text, name| text.replace(name, "<named>"))
    };
    let changing = ["date", "etag"];
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| !changing.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", without(value.to_str().unwrap())))
        .collect();
    let body = match serde_json::from_str::<Value>(&reply.text) {
        Ok(json) => blurred(json).to_string(),
        Err(_) => reply.text.clone(),
    };
    (reply.status, headers, without(&body))
}

/// A body without ids and times.
fn blurred(json: Value) -> Value {
    match json {
        Value::String(text) if uuid::Uuid::try_parse(&text).is_ok() => "<id>".into(),
        Value::String(text) if OffsetDateTime::parse(&text, &Rfc3339).is_ok() => "<time>".into(),
        Value::Array(items) => items.into_iter().map(blurred).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, blurred(value)))
            .collect(),
        other => other,
    }
}

/// Every text of a tenant's rows that is long enough to be its own.
async fn belongings(app: &TestApp, tenant: &Tenant) -> Vec<String> {
    let id = tenant.id;
    let rows = app
        .sql(&format!(
            "SELECT text FROM (
                SELECT tenant_id::text AS text FROM tenants WHERE tenant_id = '{id}'
                UNION SELECT unnest(ARRAY[key_id]) FROM api_keys WHERE tenant_id = '{id}'
                UNION SELECT unnest(ARRAY[integration_id::text, slug, name]) FROM integrations WHERE tenant_id = '{id}'
                UNION SELECT unnest(ARRAY[auth_config_id::text, public_id, name]) FROM auth_configs WHERE tenant_id = '{id}'
                UNION SELECT strata_id::text FROM strata WHERE tenant_id = '{id}'
                UNION SELECT name FROM strata_external_servers WHERE tenant_id = '{id}'
                UNION SELECT unnest(ARRAY[connection_id::text, public_id, user_id, generation::text])
                    FROM connections WHERE tenant_id = '{id}'
            ) AS found WHERE length(text) >= 12"
        ))
        .await;
    rows.iter()
        .map(|row| row["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Two answers are the same, to the last header.
fn assert_alike(what: &str, (one, named): (&Reply, &Named), (other, unknown): (&Reply, &Named)) {
    assert_eq!(told(one, named), told(other, unknown), "{what}");
}

/// What a caller without the right key gets.
fn expected_refusal(example: &Example, case: &str) -> u16 {
    match (example.dialect, case) {
        ("klavis", "no key") => 401,
        ("klavis", _) | (_, "lesser scope") => 403,
        _ => 401,
    }
}

#[tokio::test]
async fn another_tenants_things_are_as_unknown_as_what_never_was() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let hers = things_of(&alice).await;
    things_of(&mallory).await;
    let belongings = belongings(&app, &alice).await;
    assert!(belongings.len() >= 10, "{belongings:?}");
    let before = digest(&app, &alice).await;
    let mut cells = 0;
    for example in examples() {
        for prefix in example.prefixes() {
            let what = format!("{} under {prefix:?}", example.title());
            let (client, nobodys) = (example.client(&mallory), Named::nobodys());
            let all = app.fingerprint().await;
            let unknown = example.ask(&client, prefix, &nobodys).await;
            if unknown.status >= 400 || example.method == http::Method::GET {
                assert_eq!(app.fingerprint().await, all, "{what}");
            }
            let foreign = example.ask(&client, prefix, &hers).await;

            assert_alike(&what, (&foreign, &hers), (&unknown, &nobodys));
            match example.by {
                By::Id => assert_eq!(foreign.status, 404, "{what}: {}", foreign.text),
                By::Service => assert!(foreign.status >= 400, "{what}: {}", foreign.text),
                By::Nothing => assert!(foreign.status < 300, "{what}: {}", foreign.text),
            }
            let (_, headers, body) = told(&foreign, &hers);
            let answer = format!("{headers:?}{body}");
            let shown = belongings.iter().find(|text| answer.contains(*text));
            assert_eq!(shown, None, "{what}: {answer}");
            assert_eq!(digest(&app, &alice).await, before, "{what}");
            cells += 1;
        }
    }
    assert!(cells >= 16, "{cells}");
    app.finish().await;
}

#[tokio::test]
async fn what_was_deleted_is_as_unknown_as_what_never_was() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let gone = things_of(&alice).await;
    for statement in [
        format!("DELETE FROM connections WHERE user_id = '{}'", gone.user),
        format!("DELETE FROM strata WHERE strata_id = '{}'", gone.strata),
        format!("DELETE FROM users WHERE user_id = '{}'", gone.user),
        "UPDATE auth_configs SET deleted_at = now()".to_owned(),
        "UPDATE integrations SET deleted_at = now()".to_owned(),
    ] {
        app.execute(&statement).await;
    }
    for example in examples() {
        for prefix in example.prefixes() {
            let what = format!("{} under {prefix:?}", example.title());
            let (client, nobodys) = (example.client(&alice), Named::nobodys());
            let before = app.fingerprint().await;
            let unknown = example.ask(&client, prefix, &nobodys).await;
            let deleted = example.ask(&client, prefix, &gone).await;
            assert_alike(&what, (&deleted, &gone), (&unknown, &nobodys));
            if example.by != By::Nothing {
                assert!(deleted.status >= 400, "{what}: {}", deleted.text);
                assert_eq!(app.fingerprint().await, before, "{what}");
            }
        }
    }
}

/// A key that may not: refused before anything is looked up, so that it cannot tell what exists.
#[tokio::test]
async fn a_key_that_may_not_learns_nothing() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let hers = things_of(&alice).await;
    let revoked = alice.with_scopes(&SCOPES).await;
    revoked.revoke().await;
    let expired = alice.with_expiry_passed().await;
    let mut cells = 0;
    for example in examples() {
        let others: Vec<_> = SCOPES
            .into_iter()
            .filter(|scope| *scope != example.scope)
            .collect();
        let lesser = alice.with_scopes(&others).await;
        let (before, rows) = (app.fingerprint().await, digest(&app, &alice).await);
        let callers: [(&str, Client); 4] = [
            ("no key", app.anonymous()),
            ("revoked", example.client(&revoked)),
            ("expired", example.client(&expired)),
            ("lesser scope", example.client(&lesser)),
        ];
        for (case, client) in callers {
            if (example.scope, case) == (ANY_KEY, "lesser scope") {
                continue;
            }
            for prefix in example.prefixes() {
                let what = format!("{} under {prefix:?}, {case}", example.title());
                let nobodys = Named::nobodys();
                let refused = example.ask(&client, prefix, &hers).await;
                let unknown = example.ask(&client, prefix, &nobodys).await;
                assert_eq!(
                    refused.status,
                    expected_refusal(&example, case),
                    "{what}: {}",
                    refused.text
                );
                assert_alike(&what, (&refused, &hers), (&unknown, &nobodys));
                cells += 1;
            }
        }
        assert_eq!(
            (app.fingerprint().await, digest(&app, &alice).await),
            (before, rows),
            "{}",
            example.title()
        );
    }
    assert!(cells >= 64, "{cells}");
    app.finish().await;
}

/// To a limited key other integrations are unknown; Langdock alone says "No access" (its contract).
#[tokio::test]
async fn a_key_limited_to_one_integration_cannot_reach_another() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    let (hers, other) = (things_of(&alice).await, things_of(&alice).await);
    let limited = alice.limited_to(&[&other.integration]).await;
    let rows = digest(&app, &alice).await;
    for example in examples() {
        for prefix in example.prefixes() {
            let what = format!("{} under {prefix:?}", example.title());
            let (client, nobodys) = (example.client(&limited), Named::nobodys());
            let outside = example.ask(&client, prefix, &hers).await;
            let unknown = example.ask(&client, prefix, &nobodys).await;
            if example.dialect == "langdock" {
                assert_eq!(outside.status, 403, "{what}: {}", outside.text);
            } else {
                assert_alike(&what, (&outside, &hers), (&unknown, &nobodys));
                let listed = example.by == By::Nothing;
                assert_eq!(outside.status < 300, listed, "{what}: {}", outside.text);
            }
            assert_eq!(digest(&app, &alice).await, rows, "{what}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn a_route_without_a_key_answers_everyone_alike_and_looks_at_nothing() {
    let app = TestApp::start().await;
    let (alice, mallory) = (app.tenant("alice").await, app.tenant("mallory").await);
    let hers = things_of(&alice).await;
    let rows = digest(&app, &alice).await;
    for example in keyless() {
        let (what, nobodys) = (example.title(), Named::nobodys());
        let unknown = example.ask(&app.anonymous(), "", &nobodys).await;
        let callers = [
            app.anonymous(),
            example.client(&alice),
            example.client(&mallory),
        ];
        for client in callers {
            let known = example.ask(&client, "", &hers).await;
            assert_alike(&what, (&known, &hers), (&unknown, &nobodys));
        }
        assert_eq!(unknown.status, 501, "{what}");
    }
    assert_eq!(digest(&app, &alice).await, rows);
}

/// Without this the matrix would prove nothing: each example succeeds for the one who may.
#[tokio::test]
async fn every_example_succeeds_for_the_one_who_may() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    for example in examples() {
        for prefix in example.prefixes() {
            // Anew for each: some examples end what they name.
            let hers = things_of(&alice).await;
            let client = example.client(&example.least(&alice).await);
            let reply = example.ask(&client, prefix, &hers).await;
            assert!(
                example.succeeds(&reply),
                "{} under {prefix:?}: {}",
                example.title(),
                reply.text
            );
        }
    }
    let limited = alice
        .limited_to(&[&things_of(&alice).await.integration])
        .await;
    assert_eq!(
        limited.composio().get("/api/v3/auth_configs").await.json["total_items"],
        3
    );
}
