//! Query plans, and what in them reads a big table from end to end.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Either, Executor as _, SqlSafeStr as _, Statement as _, TypeInfo as _};

use super::seed::BIG;

/// Both ways to plan a prepared statement: Postgres takes either one after some calls.
pub const MODES: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

/// How many rows a node may read and leave out.
const IN_VAIN: f64 = 100.0;

/// The tables that no statement may read from end to end, and their indexes (without the partial ones of few rows).
pub async fn big_relations(superuser: &mut PgConnection) -> BTreeSet<String> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND reltuples >= $1",
    )
    .bind(BIG)
    .fetch_all(superuser)
    .await
    .unwrap();
    names.into_iter().collect()
}

/// The types of a statement's parameters, as Postgres infers them.
pub async fn parameters(connection: &mut PgConnection, statement: &str) -> Vec<String> {
    let prepared = connection
        .prepare(AssertSqlSafe(statement.to_owned()).into_sql_str())
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    match prepared.parameters() {
        Some(Either::Left(types)) => types.iter().map(|one| one.name().to_owned()).collect(),
        other => panic!("{statement}: parameters {other:?}"),
    }
}

/// The plan of a statement with these arguments, as SQL literals. Nothing is run.
pub async fn explain(
    connection: &mut PgConnection,
    mode: &str,
    statement: &str,
    arguments: &[String],
) -> Value {
    explained(connection, "FORMAT JSON", mode, statement, arguments).await
}

/// The same once the statement was run: with what each node of the plan has read.
pub async fn analyzed(
    connection: &mut PgConnection,
    mode: &str,
    statement: &str,
    arguments: &[String],
) -> Value {
    let options = "FORMAT JSON, ANALYZE, BUFFERS";
    explained(connection, options, mode, statement, arguments).await
}

async fn explained(
    connection: &mut PgConnection,
    options: &str,
    mode: &str,
    statement: &str,
    arguments: &[String],
) -> Value {
    let prepare = format!("SET plan_cache_mode = {mode}; PREPARE planned AS {statement}");
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(prepare)))
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    let arguments = if arguments.is_empty() {
        String::new()
    } else {
        format!("({})", arguments.join(", "))
    };
    let explain = format!("EXPLAIN ({options}) EXECUTE planned{arguments}");
    let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain.clone()))
        .persistent(false)
        .fetch_one(&mut *connection)
        .await
        .unwrap_or_else(|error| panic!("{statement} {explain}: {error}"));
    connection.execute("DEALLOCATE planned").await.unwrap();
    plan[0]["Plan"].clone()
}

/// Each node of the plan, sub-plans and init-plans included, that reads a big table or one of its indexes from end to
/// end: an index that is read without a condition is a sequential scan in another order.
pub fn scans(plan: &Value, big: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    visit(plan, big, &mut found);
    found
}

fn visit(node: &Value, big: &BTreeSet<String>, found: &mut Vec<String>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    let table = node["Relation Name"].as_str().unwrap_or_default();
    if kind == "Seq Scan" && big.contains(table) {
        found.push(format!("Seq Scan on {table}"));
    }
    let index = node["Index Name"].as_str().unwrap_or_default();
    if big.contains(index) && node["Index Cond"].is_null() {
        found.push(format!("{kind} of all of {index}"));
    }
    // Known only where the statement was run: an index that leads to all rows of a tenant does not find one row.
    let in_vain = node["Rows Removed by Filter"].as_f64().unwrap_or_default();
    if big.contains(table) && in_vain >= IN_VAIN {
        found.push(format!(
            "{kind} that reads {in_vain} rows of {table} in vain"
        ));
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        visit(child, big, found);
    }
}
