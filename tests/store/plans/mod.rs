//! No statement reads a table from end to end at 100,000 rows, however it is planned.

mod arguments;
mod listing;
mod nested;
mod plan;
mod seed;

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::common;
use crate::common::cluster::TestDatabase;
use crate::common::statements::{of_auth, of_jobs, of_login, of_tenants};
use arguments::{EXEMPT, name_of};
use plan::MODES;

/// A full database, and its big tables and indexes.
async fn full() -> (TestDatabase, PgConnection, BTreeSet<String>) {
    let database = common::database().await;
    let mut superuser = PgConnection::connect_with(&database.superuser())
        .await
        .unwrap();
    seed::fill(&mut superuser).await;
    let big = plan::big_relations(&mut superuser).await;
    (database, superuser, big)
}

/// What the statements of a role scan, one line a finding; and how many plans were looked at.
async fn scanning(
    connection: &mut PgConnection,
    role: &str,
    statements: Vec<&'static str>,
    big: &BTreeSet<String>,
) -> (Vec<String>, usize) {
    let enter = format!("SET ROLE {role}; SET app.tenant_id = '{}'", seed::TENANT);
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(enter)))
        .await
        .unwrap();
    let (mut found, mut plans) = (Vec::new(), 0);
    for statement in statements {
        let name = name_of(statement);
        if EXEMPT.iter().any(|(exempt, _)| *exempt == name) {
            continue;
        }
        let types = plan::parameters(connection, statement).await;
        for arguments in arguments::sets(statement, &types) {
            for mode in MODES {
                let plan = plan::explain(connection, mode, statement, &arguments).await;
                plans += 1;
                for scan in plan::scans(&plan, big) {
                    found.push(format!("{name} {arguments:?} ({mode}): {scan}"));
                }
            }
        }
    }
    connection.execute("RESET ROLE").await.unwrap();
    (found, plans)
}

/// Every statement of the store, in its role.
async fn all_scanning(
    connection: &mut PgConnection,
    big: &BTreeSet<String>,
) -> (Vec<String>, usize) {
    let (mut found, mut plans) = (Vec::new(), 0);
    for (role, statements) in [
        ("keyway_tenant", of_tenants()),
        ("keyway_jobs", of_jobs()),
        ("keyway_auth", [of_auth(), of_login()].concat()),
    ] {
        let (scans, looked_at) = scanning(connection, role, statements, big).await;
        found.extend(scans);
        plans += looked_at;
    }
    (found, plans)
}

#[tokio::test]
async fn no_statement_reads_a_table_of_100_000_rows_from_end_to_end() {
    let (database, mut superuser, big) = full().await;
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();
    assert!(big.len() >= 25, "only these are big: {big:?}");

    let (mut found, plans) = all_scanning(&mut connection, &big).await;
    let (inside, plans_inside) = nested::scanning(&mut superuser, &big).await;

    found.extend(inside);
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(plans > 120, "only {plans} plans were looked at");
    assert!(
        plans_inside > 40,
        "only {plans_inside} plans inside functions were looked at"
    );
    let not_called = nested::not_called(&mut superuser).await;
    assert!(
        not_called.is_empty(),
        "add a call of {not_called:?} to nested.rs"
    );
    eprintln!("{plans} plans, {plans_inside} plans inside functions: no scan");
}

#[tokio::test]
async fn without_its_index_a_statement_is_reported() {
    let (database, mut superuser, big) = full().await;
    superuser
        .execute("DROP INDEX tenants_name; DROP INDEX retired_connections_due")
        .await
        .unwrap();
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();

    let (found, _) = all_scanning(&mut connection, &big).await;

    let expected = [
        ("tenants: find by name", "tenants"),
        ("tenants: lock by name", "tenants"),
        ("retired_connections: purge", "retired_connections"),
    ];
    for (statement, table) in expected {
        let scan = format!("Seq Scan on {table}");
        let reported = |line: &&String| line.starts_with(statement) && line.ends_with(&scan);
        assert!(found.iter().any(|line| reported(&line)), "{found:#?}");
    }
    let other = |line: &&String| expected.iter().all(|(name, _)| !line.starts_with(name));
    assert_eq!(found.iter().find(other), None);
}

#[tokio::test]
async fn a_statement_inside_a_function_is_reported_too() {
    let (_database, mut superuser, big) = full().await;
    superuser
        .execute(
            "ALTER TABLE connections DROP CONSTRAINT connections_pkey CASCADE;
            DROP INDEX connections_user, connections_created, connections_status;
            DROP INDEX api_keys_lookup",
        )
        .await
        .unwrap();

    let (found, _) = nested::scanning(&mut superuser, &big).await;

    for (call, table) in [
        ("set_credential(", "connections"),
        ("set_credentials(", "connections"),
        ("hand_out(", "connections"),
        ("hand_outs(", "connections"),
        ("find_api_keys(", "Seq Scan on api_keys"),
    ] {
        let reported = |line: &&String| line.starts_with(call) && line.contains(table);
        assert!(
            found.iter().any(|line| reported(&line)),
            "{call}: {found:#?}"
        );
    }
}

/// An exemption for a statement that is gone would let the next one of its name pass.
#[test]
fn every_exemption_and_every_variant_is_of_a_statement_that_is_there() {
    let all = [of_tenants(), of_jobs(), of_auth(), of_login()].concat();
    let names: BTreeSet<&str> = all.into_iter().map(name_of).collect();
    let gone: Vec<&str> = arguments::named()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(gone.is_empty(), "no statement is called {gone:?}");
    assert!(EXEMPT.iter().all(|(_, reason)| !reason.is_empty()));
}
