//! The plans of the statements inside functions: Postgres tells them (`auto_explain`) while a function runs.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};
use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

use super::plan;
use super::seed::{AUTH_CONFIG, CONNECTION, INTEGRATION, TENANT};

/// What Postgres tells of each statement, the ones inside functions too.
const TELL: &str = "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
    SET auto_explain.log_format = json; SET auto_explain.log_level = notice; SET auto_explain.log_analyze = on; SET client_min_messages = notice";

/// Calls that reach every statement of every function: what is asked of the first row, the call, and what that must be.
/// `$tenant` and the like stand for ids of the seed.
const CALLS: &[(&str, &str, &str)] = &[
    (
        "code",
        "set_credential('$tenant', '$connection', NULL, '[]', '$audit', 'sealed', '$audit', 'key', 'request')",
        "done",
    ),
    (
        "code",
        "set_credential('$tenant', '$absent', NULL, '[]', '$audit', 'sealed', '$audit', 'key', 'request')",
        "unknown",
    ),
    (
        "code",
        "set_credentials('{$tenant,$tenant}', '{$connection,$absent}', '{NULL,NULL}', ARRAY['[]', '[]']::jsonb[],
            '{$audit,$audit}', '{a,b}', '{$audit,$absent}', '{key,key}', '{request,request}')",
        "done",
    ),
    (
        "code",
        "hand_out('$tenant', '$connection', NULL, '$audit', 'key', 'request')",
        "done",
    ),
    (
        "code",
        "hand_out('$tenant', '$connection', '{$integration}', NULL, 'key', 'request')",
        "done",
    ),
    (
        "code",
        "hand_out('$tenant', '$absent', NULL, '$audit', 'key', 'request')",
        "unknown",
    ),
    (
        "code",
        "hand_outs('{$tenant,$tenant}', '{$connection,$absent}', '{NULL,NULL}', '{$audit,$audit}', '{key,key}',
            '{request,request}')",
        "done",
    ),
    (
        "code",
        "hand_out_credential('$tenant', '$connection', NULL, '$audit', 'key', 'request')",
        "done",
    ),
    (
        "code",
        "hand_out_credential('$tenant', '$absent', NULL, '$audit', 'key', 'request')",
        "unknown",
    ),
    (
        "code",
        "hand_out_credentials('{$tenant,$tenant}', '{$connection,$absent}', '{NULL,NULL}', '{$audit,$audit}', '{key,key}',
            '{request,request}')",
        "done",
    ),
    ("code", "read_auth_config('$tenant', 'ac_7_500', NULL)", "done"),
    ("code", "read_auth_config('$tenant', NULL, '$integration')", "done"),
    ("code", "read_auth_config('$tenant', NULL, '$absent')", "unknown"),
    (
        "code",
        "read_auth_configs('{$tenant,$tenant}', '{ac_7_500,NULL}', '{NULL,$integration}')",
        "done",
    ),
    (
        "code",
        "change_auth_config('$tenant', '$config', 1, '$change', '$audit', 'key', 'request', 'auth_config.update', NULL)",
        "done",
    ),
    (
        "code",
        "change_auth_config('$tenant', '$absent', 1, '$change', '$audit', 'key', 'request', 'auth_config.update', NULL)",
        "unknown",
    ),
    (
        "code",
        "change_auth_configs('{$tenant}', '{$config}', '{1}', ARRAY['$change']::jsonb[], '{$audit}', '{key}',
            '{request}', '{auth_config.update}', '{NULL}')",
        "done",
    ),
    ("key_id", "find_api_keys('{key7n500,none}')", "key7n500"),
];

/// A change of an auth config with all that a change can have.
const CHANGE: &str = r#"{"name": "new", "tool_access": {}, "proxy_url": null, "tool_router": false, "test_code": null,
    "fields": [], "oauth_client": null, "proxy_key": null, "remove": [{"kind": "credential", "name": "client_secret"}],
    "set": [{"kind": "credential", "name": "client_id", "value": "c2VhbGVk",
        "indexed": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}]}"#;

/// The call with ids of the seed.
fn filled(call: &str) -> String {
    let call = call.replace("$tenant", TENANT);
    let call = call.replace("$connection", CONNECTION);
    let call = call.replace("$integration", INTEGRATION);
    let call = call.replace("$config", AUTH_CONFIG);
    let call = call.replace("$change", CHANGE);
    call.replace("$absent", "0b0e5c3a-3c9b-4a3f-8f2e-0f6d7c1f4a10")
        .replace("$audit", "0b0e5c3a-3c9b-7a3f-8f2e-0f6d7c1f4a11")
}

/// What the statements inside the functions scan; and how many plans were looked at.
pub async fn scanning(
    superuser: &mut PgConnection,
    big: &BTreeSet<String>,
) -> (Vec<String>, usize) {
    superuser.execute(sqlx::raw_sql(TELL)).await.unwrap();
    let told = Told::default();
    let _listening =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(told.clone()));
    let (mut found, mut plans) = (Vec::new(), 0);
    for mode in plan::MODES {
        let mode_is = format!("SET plan_cache_mode = {mode}");
        superuser.execute(AssertSqlSafe(mode_is)).await.unwrap();
        for (asked, call, answer) in CALLS {
            for (statement, plan) in run(superuser, &told, asked, call, answer).await {
                plans += 1;
                for scan in plan::scans(&plan, big) {
                    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
                    found.push(format!("{call} ({mode}): {scan} in {statement}"));
                }
            }
        }
    }
    (found, plans)
}

/// Runs a call and takes it back. The statements inside it with their plans.
async fn run(
    superuser: &mut PgConnection,
    told: &Told,
    asked: &str,
    call: &str,
    answer: &str,
) -> Vec<(String, Value)> {
    superuser.execute("BEGIN").await.unwrap();
    told.take();
    let select = format!("SELECT {asked} FROM {} LIMIT 1", filled(call));
    let answered: Option<String> = sqlx::query_scalar(AssertSqlSafe(select))
        .persistent(false)
        .fetch_one(&mut *superuser)
        .await
        .unwrap_or_else(|error| panic!("{call}: {error}"));
    let plans = told.take();
    superuser.execute("ROLLBACK").await.unwrap();
    assert_eq!(answered.as_deref(), Some(answer), "{call}");
    plans
}

/// The functions of the schema that no call of this file runs: they would be checked by nothing.
pub async fn not_called(superuser: &mut PgConnection) -> Vec<String> {
    let functions: Vec<String> = sqlx::query_scalar(
        "SELECT proname::text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE pronamespace = 'public'::regnamespace AND lanname = 'plpgsql' ORDER BY 1",
    )
    .fetch_all(superuser)
    .await
    .unwrap();
    // Called by the others, or by every transaction of a tenant.
    let inner = ["missing_code", "require_living_tenant"];
    let called = |name: &str| {
        CALLS
            .iter()
            .any(|(_, call, _)| call.starts_with(&format!("{name}(")))
    };
    let mut functions = functions;
    functions.retain(|name| !inner.contains(&name.as_str()) && !called(name));
    functions
}

/// The plans that Postgres has told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(String, Value)>>>);

impl Told {
    fn take(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<S: tracing::Subscriber> Layer<S> for Told {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::postgres::notice" {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, text: &str) {
        if field.name() == "message"
            && let Some((_, plan)) = text.split_once("plan:\n")
        {
            let plan: Value = serde_json::from_str(plan).unwrap();
            let statement = plan["Query Text"].as_str().unwrap_or_default().to_owned();
            self.0
                .lock()
                .unwrap()
                .push((statement, plan["Plan"].clone()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
