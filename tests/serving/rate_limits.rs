//! Who is counted, by which limit, and what is not counted at all. Limits by the hour give nothing back while a test
//! runs.

use keyway::domain::RateLimits;
use keyway::telemetry::metrics::Metrics;
use keyway::telemetry::metrics::counts::{RATE_LIMITED_BY_KEY, RATE_LIMITED_BY_TENANT};
use metrics::with_local_recorder;

use crate::common::TestApp;
use crate::common::client::{Client, Key, Line};
use crate::common::tenant::Tenant;

/// A read in each dialect, of something that is not there.
const KLAVIS: &str = "/mcp-server/instance/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";
const COMPOSIO: &str = "/api/v3/auth_configs";
const LANGDOCK: &str = "/integrations/v1/2f1b4c6e-9d3a-4c55-8a1e-0b7d5a3f9c21";

fn limits(key: Option<&str>, tenant: Option<&str>) -> RateLimits {
    RateLimits {
        key: key.map(|rate| rate.parse().unwrap()),
        tenant: tenant.map(|rate| rate.parse().unwrap()),
    }
}

/// The statuses of so many requests of one tenant's key.
async fn statuses(tenant: &Tenant, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(tenant.composio().get(COMPOSIO).await.status);
    }
    statuses
}

/// Whose limit refuses this key's next request.
async fn refused_by(tenant: &Tenant) -> String {
    let reply = tenant.langdock().get(LANGDOCK).await;
    assert_eq!(reply.status, 429, "{}", reply.text);
    let policy = reply.header("ratelimit-policy");
    policy.split('"').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn by_default_nobody_is_limited() {
    let app = TestApp::start().await;
    let alice = app.tenant("alice").await;
    assert_eq!(app.service().settings().rate_limits, RateLimits::default());
    assert_eq!(statuses(&alice, 200).await, [200; 200]);
    app.finish().await;
}

#[tokio::test]
async fn a_key_is_limited_in_all_dialects_together_and_no_other_key_is() {
    let app = TestApp::start_limited(limits(Some("3/h"), None)).await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let second = alice.with_scopes(&["auth_configs:read"]).await;

    assert_eq!(alice.klavis().get(KLAVIS).await.status, 404);
    assert_eq!(alice.composio().get(COMPOSIO).await.status, 200);
    assert_eq!(alice.langdock().get(LANGDOCK).await.status, 404);
    assert_eq!(alice.klavis().get(KLAVIS).await.status, 429);
    assert_eq!(alice.composio().get(COMPOSIO).await.status, 429);
    assert_eq!(refused_by(&alice).await, "key");

    assert_eq!(statuses(&second, 4).await, [200, 200, 200, 429]);
    assert_eq!(statuses(&bob, 4).await, [200, 200, 200, 429]);
    app.finish().await;
}

#[tokio::test]
async fn the_keys_of_a_tenant_share_its_limit_and_no_other_tenant_does() {
    let app = TestApp::start_limited(limits(None, Some("3/h"))).await;
    let (alice, bob) = (app.tenant("alice").await, app.tenant("bob").await);
    let second = alice
        .with_scopes(&["auth_configs:read", "INTEGRATION_API"])
        .await;

    assert_eq!(statuses(&alice, 2).await, [200; 2]);
    assert_eq!(statuses(&second, 2).await, [200, 429]);
    assert_eq!(refused_by(&second).await, "tenant");
    assert_eq!(refused_by(&alice).await, "tenant");

    assert_eq!(statuses(&bob, 3).await, [200; 3]);
    app.finish().await;
}

#[tokio::test]
async fn what_one_limit_refuses_costs_nothing_at_the_other() {
    let app = TestApp::start_limited(limits(Some("3/h"), Some("4/h"))).await;
    let alice = app.tenant("alice").await;
    let second = alice
        .with_scopes(&["auth_configs:read", "INTEGRATION_API"])
        .await;

    assert_eq!(
        statuses(&alice, 8).await,
        [200, 200, 200, 429, 429, 429, 429, 429]
    );
    assert_eq!(refused_by(&alice).await, "key");
    // The tenant has its fourth request left, and its refusals cost the second key none of its three.
    assert_eq!(
        statuses(&second, 8).await,
        [200, 429, 429, 429, 429, 429, 429, 429]
    );
    assert_eq!(refused_by(&second).await, "tenant");
    app.finish().await;
}

#[tokio::test]
async fn requests_without_a_valid_key_are_not_counted() {
    let app = TestApp::start_limited(limits(Some("1/h"), Some("1/h"))).await;
    let alice = app.tenant("alice").await;
    let expired = alice.with_expiry_passed().await;
    let revoked = alice.with_scopes(&["auth_configs:read"]).await;
    revoked.revoke().await;
    let line = std::sync::Arc::new(Line::new(app.address()));
    let flip = |last: char| if last == 'A' { 'B' } else { 'A' };
    let mut wrong_secret = alice.key.clone();
    let last = wrong_secret.pop().unwrap();
    wrong_secret.push(flip(last));

    for key in [&expired.key, &revoked.key, &wrong_secret, "kw_unknown"] {
        let client = Client::new(line.clone(), Some(Key::of("x-api-key", key)));
        for _ in 0..3 {
            assert_eq!(client.get(COMPOSIO).await.status, 401);
        }
    }
    for _ in 0..3 {
        assert_eq!(app.anonymous().get(COMPOSIO).await.status, 401);
        assert_eq!(app.anonymous().get(KLAVIS).await.status, 401);
        let two_keys = alice.composio().request(reqwest::Method::GET, COMPOSIO);
        let two_keys = two_keys.header("authorization", "Bearer x").send().await;
        assert_eq!(two_keys.status, 401);
        let browser = alice.langdock().request(reqwest::Method::GET, LANGDOCK);
        let browser = browser.header("origin", "https://app.example.com");
        assert_eq!(browser.send().await.status, 403);
    }

    assert_eq!(statuses(&alice, 2).await, [200, 429]);
    // Who is refused is told so only with a valid key.
    assert_eq!(app.anonymous().get(COMPOSIO).await.status, 401);
    app.finish().await;
}

#[tokio::test]
async fn probes_references_and_unknown_routes_are_not_limited() {
    let app = TestApp::start_limited(limits(Some("1/h"), Some("1/h"))).await;
    let alice = app.tenant("alice").await;
    assert_eq!(statuses(&alice, 2).await, [200, 429]);

    for (path, status) in [
        ("/livez", 200),
        ("/readyz", 200),
        ("/docs/", 200),
        ("/openapi/composio.json", 200),
        ("/nowhere", 404),
        ("/api/v3/nowhere", 404),
        ("/integrations/v1/a/b/c", 404),
    ] {
        for _ in 0..3 {
            assert_eq!(alice.composio().get(path).await.status, status, "{path}");
        }
    }
    let wrong_method = alice.composio().delete(COMPOSIO).await;
    assert_eq!(wrong_method.status, 405);
    app.finish().await;
}

#[tokio::test]
async fn a_request_counts_whatever_becomes_of_it_and_the_limit_comes_before_the_scope() {
    let app = TestApp::start_limited(limits(Some("3/h"), None)).await;
    let alice = app.tenant("alice").await;
    let reader = alice.with_scopes(&["auth_configs:read"]).await;
    let client = reader.composio();

    let body = serde_json::json!({});
    assert_eq!(client.post(COMPOSIO, body.clone()).await.status, 403);
    assert_eq!(
        client.get("/api/v3/auth_configs/ill-formed").await.status,
        400
    );
    assert_eq!(
        client
            .get("/api/v3/auth_configs/ac_abcdefghijkl")
            .await
            .status,
        404
    );
    assert_eq!(client.post(COMPOSIO, body).await.status, 429);
    assert_eq!(
        client.get("/api/v3/auth_configs/ill-formed").await.status,
        429
    );
    app.finish().await;
}

#[tokio::test]
async fn a_refused_request_changes_nothing_and_is_counted_by_who_refused_it() {
    let app = TestApp::start_limited(limits(Some("1/h"), Some("2/h"))).await;
    let alice = app.tenant("alice").await;
    let (second, third) = (
        alice.with_scopes(&["auth_configs:write"]).await,
        alice.with_scopes(&["auth_configs:write"]).await,
    );
    let create = async |tenant: &Tenant| {
        let body = serde_json::json!({ "toolkit": { "slug": "stripe" } });
        tenant.composio().post(COMPOSIO, body).await.status
    };
    assert_eq!(statuses(&alice, 1).await, [200]);
    assert_ne!(create(&second).await, 429);
    let before = app.fingerprint().await;
    let audited = app.count("audit_log").await;
    let by_key = RATE_LIMITED_BY_KEY.get();
    let by_tenant = RATE_LIMITED_BY_TENANT.get();

    for _ in 0..5 {
        assert_eq!(create(&alice).await, 429);
        assert_eq!(create(&third).await, 429);
    }

    assert_eq!(app.fingerprint().await, before);
    assert_eq!(app.count("audit_log").await, audited);
    // Other tests may run in this process.
    assert!(RATE_LIMITED_BY_KEY.get() >= by_key + 5);
    assert!(RATE_LIMITED_BY_TENANT.get() >= by_tenant + 5);
    let (recorder, metrics) = Metrics::recorder();
    let text = with_local_recorder(&recorder, || metrics.render());
    for by in ["key", "tenant"] {
        let series = format!("keyway_rate_limited_total{{by=\"{by}\"}} ");
        let counted = text.lines().find_map(|line| line.strip_prefix(&series));
        assert!(counted.unwrap().parse::<u64>().unwrap() >= 5, "{text}");
    }
    assert!(!text.contains(&alice.key_id) && !text.contains(&alice.id.to_string()));
    app.finish().await;
}

#[tokio::test]
async fn a_tidied_server_remembers_who_has_asked_within_the_period() {
    let app = TestApp::start_limited(limits(Some("1/h"), Some("2/h"))).await;
    let alice = app.tenant("alice").await;
    assert_eq!(statuses(&alice, 2).await, [200, 429]);
    app.service().tidy().await.unwrap();
    assert_eq!(statuses(&alice, 1).await, [429]);
    app.finish().await;
}
