//! What the listings of the Klavis dialect read, run at 100 tenants with 1,000 connections each: a page reads a page of
//! rows, and nothing but a count (and a list without pages) grows with what the tenant has.
//!
//! An index-only scan passes over the entries that an offset skips. It reads no row of the table for them, and that is
//! the price of page numbers, which the contract demands.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use super::arguments::name_of;
use super::plan::{MODES, analyzed, scans};
use super::{full, seed};
use crate::common::statements::of_tenants;

/// How many rows of each kind a tenant has.
const EACH: u64 = 1_000;

/// A statement as a route runs it, and what it may cost.
struct Listing {
    route: &'static str,
    statement: &'static str,
    /// Without the tenant.
    arguments: &'static [&'static str],
    /// How many rows it answers with.
    rows: u64,
    /// How many rows of tables it may read, at most.
    reads: u64,
    /// How many entries of indexes it may pass over beside them, at most.
    passes: u64,
}

const USER: &str = "sha256('user 500 of 7')";
/// Two integrations of the tenant, as a limited key has them.
const TWO: &str = "'{00000002-0000-7000-8000-0000000701f4,00000002-0000-7000-8000-0000000701f5}'";
/// The index of the client id of the second one's config.
const CLIENT: &str = "sha256('user 501 of 7')";
const STRATA: &str = "'00000008-0000-7000-8000-0000000701f4'";

const fn listing(
    (route, statement): (&'static str, &'static str),
    arguments: &'static [&'static str],
    rows: u64,
    reads: u64,
    passes: u64,
) -> Listing {
    Listing {
        route,
        statement,
        arguments,
        rows,
        reads,
        passes,
    }
}

#[rustfmt::skip]
const LISTINGS: &[Listing] = &[
    listing(("users, first page", "users: page"), &["50", "0"], 50, 50, 50),
    listing(("users, deep page", "users: page"), &["50", "900"], 50, 50, 950),
    listing(("users, last page", "users: page"), &["50", "980"], 20, 20, 1_000),
    listing(("users, largest page", "users: page"), &["1000", "0"], 1_000, 1_000, 1_000),
    listing(("users, total", "users: count"), &[], 1, 0, EACH),
    listing(("users, first page, limited key", "users: page of those of some integrations"), &["50", "0", TWO], 2, 4, EACH),
    listing(("users, total, limited key", "users: count those of some integrations"), &[TWO], 1, 2, 2),
    listing(("one user", "users: find"), &[USER, "NULL"], 1, 3, 0),
    listing(("one user, limited key", "users: find"), &[USER, TWO], 1, 4, 1),
    listing(("a user's integrations", "connections: primaries of a user"), &[USER], 1, 1, 0),
    listing(("a user's connection", "connections: find primary"), &["'00000002-0000-7000-8000-0000000701f4'", USER], 1, 1, 0),
    listing(("servers", "integrations: all with schemes"), &[], EACH, 2 * EACH, 0),
    listing(("servers, limited key", "integrations: some with schemes"), &[TWO], 2, 4, 0),
    listing(("a strata", "strata: find"), &[STRATA], 1, 2, 0),
    listing(("a strata's servers", "strata_servers: of one"), &[STRATA], 1, 2, 1),
    listing(("a strata's external servers", "strata_external_servers: of one"), &[STRATA], 1, 1, 0),
    listing(("a white label", "auth_configs: find by client id"), &[CLIENT, "'{}'", "NULL", "'{API_KEY}'"], 1, 2, 0),
    listing(("a white label, limited key", "auth_configs: find by client id"), &[CLIENT, "'{}'", TWO, "'{API_KEY}'"], 1, 4, 0),
    listing(("a white label, sealed before there was an index", "auth_config_secrets: client ids without an index"), &["'00000000-0000-0000-0000-000000000000'"], 100, 100, 0),
];

impl Listing {
    /// What the run did beyond what it may.
    fn exceeded(&self, plan: &Value) -> Option<String> {
        let mut read = Read::default();
        add(plan, &mut read);
        let Read { rows, entries } = read;
        let (answered, looked_at) = (whole(count(plan, "Actual Rows")), pages(plan));
        let most = 6 * self.reads + self.passes / 10 + 60;
        let exceeds = rows > self.reads
            || entries > self.passes.max(self.reads)
            || looked_at > most
            || answered != self.rows;
        exceeds.then(|| {
            format!(
                "answers with {answered} rows, reads {rows} and {entries} entries of indexes on {looked_at} pages"
            )
        })
    }
}

/// What the nodes of a plan have read: rows of tables, and entries of indexes alone.
#[derive(Debug, Default, PartialEq)]
struct Read {
    rows: u64,
    entries: u64,
}

fn count(node: &Value, name: &str) -> f64 {
    node[name].as_f64().unwrap_or_default()
}

fn add(node: &Value, read: &mut Read) {
    let loops = count(node, "Actual Loops");
    let each = [
        "Actual Rows",
        "Rows Removed by Filter",
        "Rows Removed by Index Recheck",
    ]
    .map(|name| count(node, name))
    .iter()
    .sum::<f64>();
    let (all, fetched) = (whole(each * loops), whole(count(node, "Heap Fetches")));
    match node["Node Type"].as_str().unwrap_or_default() {
        "Seq Scan" | "Index Scan" | "Bitmap Heap Scan" | "Tid Scan" => read.rows += all,
        "Index Only Scan" => {
            read.rows += fetched;
            read.entries += all;
        }
        _ => {}
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        add(child, read);
    }
}

/// The pages that were looked at: a descent of a few levels for each row, and the leaves of what is passed over.
fn pages(plan: &Value) -> u64 {
    whole(count(plan, "Shared Hit Blocks") + count(plan, "Shared Read Blocks"))
}

/// Some versions of Postgres tell rows as an average of the loops.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows and pages"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// What is wrong with what the listings read, one line a finding.
async fn findings(connection: &mut PgConnection, big: &BTreeSet<String>) -> Vec<String> {
    let enter = format!(
        "SET ROLE keyway_tenant; SET app.tenant_id = '{}'",
        seed::TENANT
    );
    connection
        .execute(sqlx::raw_sql(AssertSqlSafe(enter)))
        .await
        .unwrap();
    let statements = of_tenants();
    let mut found = Vec::new();
    for listing in LISTINGS {
        let mut named = statements
            .iter()
            .filter(|statement| name_of(statement) == listing.statement);
        let statement = named
            .next()
            .unwrap_or_else(|| panic!("no statement is called {}", listing.statement));
        let tenant = format!("'{}'", seed::TENANT);
        let rest = listing
            .arguments
            .iter()
            .map(|argument| (*argument).to_owned());
        let arguments: Vec<String> = [tenant].into_iter().chain(rest).collect();
        for mode in MODES {
            let plan = analyzed(connection, mode, statement, &arguments).await;
            let what = format!("{} ({mode})", listing.route);
            found.extend(
                scans(&plan, big)
                    .into_iter()
                    .map(|scan| format!("{what}: {scan}")),
            );
            found.extend(
                listing
                    .exceeded(&plan)
                    .map(|cost| format!("{what}: {cost}")),
            );
        }
    }
    found
}

#[tokio::test]
async fn a_page_reads_a_page_and_nothing_reads_what_is_not_the_tenants() {
    let (database, _superuser, big) = full().await;
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();

    let found = findings(&mut connection, &big).await;

    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn without_its_index_a_page_is_reported() {
    let (database, mut superuser, big) = full().await;
    superuser
        .execute("DROP INDEX users_made, auth_config_secrets_value")
        .await
        .unwrap();
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();

    let found = findings(&mut connection, &big).await;

    for route in ["users, first page", "users, deep page", "a white label"] {
        let reported = found
            .iter()
            .any(|line| line.starts_with(&format!("{route} (")));
        assert!(reported, "{route}: {found:#?}");
    }
    let other = found
        .iter()
        .find(|line| line.starts_with("servers") || line.starts_with("a strata"));
    assert_eq!(other, None);
}
