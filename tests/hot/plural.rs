//! The plural functions do what the singular ones do item by item: the same answers and the same rows, of whatever mix
//! of tenants, and however Postgres plans them. With one exception: a connection that comes again right after it was
//! changed is `busy`.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::common::TestApp;
use crate::plural_items::{FUNCTIONS, World, items, world};

/// Mixed batches for each function and each way of planning.
const BATCHES: usize = 40;

/// What a connection that is held answers.
const BUSY: &str = r#"{"code": "busy", "fields": null}"#;

/// All rows that a function may change. Times are those of the transaction.
async fn rows(connection: &mut PgConnection) -> String {
    let query = "SELECT string_agg(r, E'\\n' ORDER BY r) FROM (
        SELECT replace(to_jsonb(t)::text, to_jsonb(now())::text, '\"now\"') AS r FROM (
            SELECT to_jsonb(c) AS t FROM connections c UNION ALL SELECT to_jsonb(a) FROM auth_configs a
            UNION ALL SELECT to_jsonb(s) FROM auth_config_secrets s UNION ALL SELECT to_jsonb(l) FROM audit_log l
            UNION ALL SELECT to_jsonb(i) FROM integrations i) AS every) AS text";
    sqlx::query_scalar(query)
        .fetch_one(connection)
        .await
        .unwrap()
}

/// The answers to these calls in one transaction, and the rows after them; undone. Where the call that was done
/// last has the same mark, it is not made: it would be busy.
async fn outcome(
    connection: &mut PgConnection,
    calls: &[(Option<(usize, usize)>, String)],
) -> (Vec<String>, String) {
    let mut tx = connection.begin().await.unwrap();
    let now: String = sqlx::query_scalar("SELECT to_jsonb(now())::text")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let mut answers: Vec<String> = Vec::new();
    let mut changed = None;
    for (mark, call) in calls {
        if mark.is_some() && changed == *mark {
            answers.push(BUSY.to_owned());
            continue;
        }
        let answered: Vec<String> = sqlx::query_scalar(AssertSqlSafe(call.clone()))
            .fetch_all(&mut *tx)
            .await
            .unwrap_or_else(|error| panic!("{call}: {error}"));
        if answered[0].contains("\"done\"") {
            changed = *mark;
        }
        answers.extend(answered);
    }
    tx.execute("SET LOCAL ROLE NONE").await.unwrap();
    let rows = rows(&mut tx).await;
    tx.rollback().await.unwrap();
    let answers = answers.iter().map(|answer| answer.replace(&now, "\"now\""));
    (answers.collect(), rows)
}

async fn compare(connection: &mut PgConnection, world: &World, runner: &mut TestRunner) -> usize {
    let mut done = 0;
    for function in FUNCTIONS {
        for _ in 0..BATCHES {
            let items = items().new_tree(runner).unwrap().current();
            let single: Vec<_> = items
                .iter()
                .map(|item| {
                    let mark = (function.name == "set_credential").then(|| item.row());
                    (mark, function.single(world, item))
                })
                .collect();
            let expected = outcome(connection, &single).await;
            let plural = outcome(connection, &[(None, function.plural(world, &items))]).await;
            assert_eq!(plural.0, expected.0, "{}: {items:?}", function.name);
            assert_eq!(plural.1, expected.1, "{}: {items:?}", function.name);
            done += items.len();
            // A foreign, an absent and a deleted tenant's row are never more than a code.
            for answer in &plural.0 {
                let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
                let silent = answer["code"] == "unknown" || answer["code"] == "gone";
                let others = answer.as_object().unwrap().iter();
                let mut others = others.filter(|(name, _)| *name != "code");
                assert!(
                    !silent || others.all(|(_, value)| value.is_null()),
                    "{answer}"
                );
            }
        }
    }
    done
}

#[tokio::test]
async fn many_at_once_are_as_many_one_after_another() {
    let app = TestApp::start().await;
    let world = world(&app).await;
    let mut runner = TestRunner::deterministic();
    let mut compared = 0;
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        // A session each, for it keeps the plans.
        let mut connection = PgConnection::connect_with(&app.superuser()).await.unwrap();
        let set = format!("SET plan_cache_mode = {mode}");
        connection.execute(AssertSqlSafe(set)).await.unwrap();
        compared += compare(&mut connection, &world, &mut runner).await;
    }
    assert!(compared > 3_000, "{compared}");
}
