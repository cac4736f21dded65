//! Langdock's change of an auth setting has a fast way and, with `If-Match`, a slow one: both do the same.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use serde_json::{Value, json};

use crate::arrange::integration;
use crate::common::TestApp;
use crate::common::tenant::Tenant;

/// Changes that are made both ways.
const CHANGES: usize = 80;

fn member(name: &'static str, values: Vec<Value>) -> impl Strategy<Value = (&'static str, Value)> {
    prop::sample::select(values).prop_map(move |value| (name, value))
}

/// An object of some of these members.
fn some_of(members: Vec<BoxedStrategy<(&'static str, Value)>>) -> impl Strategy<Value = Value> {
    let members: Vec<_> = members.into_iter().map(prop::option::of).collect();
    members.prop_map(|members| {
        let members = members.into_iter().flatten();
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

/// A body: kinds repeat, so that most changes keep the kind.
fn change() -> impl Strategy<Value = Value> {
    let field = |slug: &str, kind: &str, required: bool| {
        let label = "it's \"it\"";
        json!({"slug": slug, "label": label, "type": kind, "required": required, "description": "d"})
    };
    let fields = vec![
        json!([]),
        json!([field("shop", "TEXT", true)]),
        json!([field("shop", "TEXT", false), field("key", "PASSWORD", true)]),
        json!([field("shop", "TEXT", true), field("shop", "TEXT", true)]),
    ];
    let url = |path: &str| json!(format!("https://id.example/{path}"));
    let client = some_of(vec![
        member(
            "clientId",
            vec![json!("client-one"), json!("client-two"), Value::Null],
        )
        .boxed(),
        member("clientSecret", vec![json!("a-secret-of-it"), Value::Null]).boxed(),
        member("scopes", vec![json!("read write"), json!(""), Value::Null]).boxed(),
        member("authUrl", vec![url("authorize"), Value::Null]).boxed(),
        member("tokenUrl", vec![url("token"), json!("no url")]).boxed(),
        member("label", vec![json!("App"), Value::Null]).boxed(),
    ]);
    let rest = some_of(vec![
        member("authFields", fields).boxed(),
        member(
            "authTestCode",
            vec![json!("return 1;"), json!(""), Value::Null],
        )
        .boxed(),
    ]);
    let client =
        prop_oneof![3 => Just(None), 1 => Just(Some(Value::Null)), 3 => client.prop_map(Some)];
    let kind = prop_oneof![
        4 => Just("OAUTH"), 3 => Just("API_KEY"), 1 => Just("NONE"), 1 => Just("SERVICE_ACCOUNT"), 1 => Just("OAUTH_DCR")
    ];
    (kind, rest, client).prop_map(|(kind, mut body, client)| {
        body["authType"] = json!(kind);
        if let Some(client) = client {
            body["oauthClient"] = client;
        }
        body
    })
}

/// An integration of one tenant.
struct Side {
    tenant: Tenant,
    integration: String,
    /// Whether its changes name the tag that was read last.
    slow: bool,
}

/// Ids, times and what else differs between two equal integrations, taken out.
fn without_ids(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                let own = [
                    "id",
                    "createdAt",
                    "updatedAt",
                    "integrationId",
                    "workspaceId",
                ];
                if own.contains(&name.as_str()) {
                    *value = json!("own");
                } else {
                    without_ids(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(without_ids),
        _ => {}
    }
}

impl Side {
    async fn make(app: &TestApp, name: &str, slow: bool) -> Self {
        let tenant = app.tenant(name).await;
        let integration = integration(&tenant, "Same", json!({"authType": "OAUTH"})).await;
        Self {
            tenant,
            integration,
            slow,
        }
    }

    async fn change(&self, body: &Value) -> (u16, Value, String) {
        let path = format!("/integrations/v1/{}/auth", self.integration);
        let langdock = self.tenant.langdock();
        let mut request = langdock.request(Method::PATCH, &path);
        if self.slow {
            let read = langdock
                .get(&format!("/integrations/v1/{}", self.integration))
                .await;
            request = request.header("if-match", read.header("etag"));
        }
        let mut reply = request.json(body).send().await;
        without_ids(&mut reply.json);
        // Between the two versions stands the config's id.
        let tag = reply.header("etag");
        let versions = [tag.split('-').next(), tag.rsplit('.').next()];
        let tag = versions.map(Option::unwrap_or_default).concat();
        (reply.status, reply.json, tag)
    }

    /// The rows; of a sealed cell its length, which is that of what is in it and a constant.
    async fn rows(&self, app: &TestApp) -> Vec<Value> {
        let id = &self.integration;
        let query = format!(
            "SELECT to_jsonb(a) - ARRAY['tenant_id', 'auth_config_id', 'public_id', 'integration_id', 'name', 'created_by',
                    'created_at', 'updated_at'] AS row FROM auth_configs a WHERE integration_id = '{id}'
             UNION ALL SELECT jsonb_build_array(s.kind, s.name, octet_length(sealed_value)) FROM auth_config_secrets s
                JOIN auth_configs a USING (tenant_id, auth_config_id) WHERE a.integration_id = '{id}'
             UNION ALL SELECT jsonb_build_array(l.action, l.detail - 'integration') FROM audit_log l
                JOIN auth_configs a ON a.public_id = l.object_id WHERE a.integration_id = '{id}'
             UNION ALL SELECT to_jsonb(i.version) FROM integrations i WHERE integration_id = '{id}' ORDER BY 1"
        );
        app.sql(&query).await
    }

    /// What the cells hold, as far as it is shown.
    async fn opened(&self) -> Value {
        let list = self.tenant.composio().get("/api/v3/auth_configs").await;
        assert_eq!(list.status, 200, "{}", list.text);
        list.json["items"][0]["credentials"].clone()
    }
}

#[tokio::test]
async fn both_ways_leave_the_same_behind() {
    let app = TestApp::start().await;
    let fast = Side::make(&app, "alice", false).await;
    let slow = Side::make(&app, "bob", true).await;
    let mut runner = TestRunner::deterministic();
    let (mut made, mut refused) = (0, 0);
    for _ in 0..CHANGES {
        let body = change().new_tree(&mut runner).unwrap().current();

        let (one, other) = (fast.change(&body).await, slow.change(&body).await);

        assert_eq!(one, other, "{body}");
        assert_eq!(fast.rows(&app).await, slow.rows(&app).await, "{body}");
        assert_eq!(fast.opened().await, slow.opened().await, "{body}");
        made += usize::from(one.0 == 200);
        refused += usize::from(one.0 == 400);
    }
    assert!(made > 20 && refused > 5, "{made} made, {refused} refused");
}
