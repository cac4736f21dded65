//! What the listings of the Klavis and Composio dialects read, run at 100 tenants with 1,000 connections each: a page
//! reads a page of rows, and nothing but a count (and a list without pages, and one by the last change) grows with what
//! the tenant has.
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
const CONFIG: &str = "'{00000003-0000-7000-8000-0000000701f4}'";
const CONNECTION: &str = "'{00000004-0000-7000-8000-0000000701f4}'";
const ACCOUNTS: &str = "'{ca_7_500,ca_7_501}'";
const USERS: &str = "ARRAY[sha256('user 500 of 7')]";
/// Before the newest row.
const NEWEST: &str = "'infinity'";
/// In the middle of the rows, which were made a second apart.
const MIDDLE: &str = "now() - interval '599500 seconds'";
const LAST_ID: &str = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";
const NO: &str = "'00000000-0000-0000-0000-000000000000'";
const BOTH: &str = "'{true,false}'";
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
    listing(("auth configs, first page", "auth_configs: list"), &[BOTH, "'{true}'", LAST_ID, "21", "NULL"], 21, 42, 0),
    listing(("auth configs, deep page", "auth_configs: list"), &[BOTH, "'{true}'", "'00000003-0000-7000-8000-0000000700c8'", "21", "NULL"], 21, 41, 0),
    listing(("auth configs, largest page", "auth_configs: list"), &[BOTH, "'{true}'", LAST_ID, "1001", "NULL"], 900, 900, 0),
    listing(("auth configs, disabled ones too", "auth_configs: list"), &[BOTH, BOTH, LAST_ID, "21", "NULL"], 21, 64, 0),
    listing(("auth configs, managed ones", "auth_configs: list"), &["'{true}'", "'{true}'", LAST_ID, "21", "NULL"], 21, 21, 0),
    listing(("auth configs, custom ones", "auth_configs: list"), &["'{false}'", "'{true}'", LAST_ID, "21", "NULL"], 21, 21, 0),
    listing(("auth configs, of a toolkit", "auth_configs: list of integrations"), &[BOTH, "'{true}'", LAST_ID, "21", "NULL", TWO], 2, 2, 0),
    listing(("auth configs, total", "auth_configs: count"), &[BOTH, "'{true}'"], 1, 0, 900),
    listing(("auth configs, total of managed ones", "auth_configs: count"), &["'{true}'", "'{true}'"], 1, 0, 100),
    listing(("auth configs, total of a toolkit", "auth_configs: count of integrations"), &[BOTH, "'{true}'", TWO], 1, 2, 2),
    listing(("accounts, first page", "connections: list, created_at DESC"), &[NEWEST, LAST_ID, "21"], 21, 21, 0),
    listing(("accounts, deep page", "connections: list, created_at DESC"), &[MIDDLE, LAST_ID, "21"], 21, 21, 0),
    listing(("accounts, oldest first", "connections: list, created_at ASC"), &[MIDDLE, NO, "21"], 21, 21, 0),
    listing(("accounts, last changed first", "connections: list, updated_at DESC"), &[NEWEST, LAST_ID, "21"], 21, EACH, 0),
    listing(("accounts, of a status", "connections: list by status, created_at DESC"), &[NEWEST, LAST_ID, "21", "'{ACTIVE}'"], 21, 21, 0),
    listing(("accounts, of two statuses", "connections: list by status, created_at DESC"), &[MIDDLE, LAST_ID, "21", "'{EXPIRED,INACTIVE}'"], 21, 42, 0),
    listing(("accounts, of a toolkit", "connections: list by integration, created_at DESC"), &[NEWEST, LAST_ID, "21", "NULL", TWO, "NULL", "NULL", "NULL"], 2, 2, 0),
    listing(("accounts, of a toolkit and status", "connections: list by integration, created_at DESC"), &[NEWEST, LAST_ID, "21", "'{EXPIRED}'", TWO, "NULL", "NULL", "NULL"], 0, 2, 0),
    listing(("accounts, of a user", "connections: list by user, created_at DESC"), &[NEWEST, LAST_ID, "21", "NULL", "NULL", USERS, "NULL", "NULL"], 1, 1, 0),
    listing(("accounts, of a user and a toolkit", "connections: list by integration and user, created_at DESC"), &[NEWEST, LAST_ID, "21", "NULL", TWO, USERS, "NULL", "NULL"], 1, 1, 0),
    listing(("accounts, of a user under a config", "connections: list by config and user, created_at DESC"), &[NEWEST, LAST_ID, "21", "'{ACTIVE}'", "NULL", USERS, CONFIG, "NULL"], 1, 1, 0),
    listing(("accounts, under a config", "connections: list by config, updated_at ASC"), &["'epoch'", NO, "21", "NULL", "NULL", "NULL", CONFIG, "NULL"], 1, 1, 0),
    listing(("accounts, by id", "connections: list by id, created_at ASC"), &["'epoch'", NO, "21", "NULL", "NULL", "NULL", "NULL", ACCOUNTS], 2, 2, 0),
    listing(("accounts, total", "connections: count"), &[], 1, 0, EACH),
    listing(("accounts, total of a status", "connections: count of statuses"), &["'{EXPIRED}'"], 1, 0, 100),
    listing(("accounts, total of a user", "connections: count of users"), &[USERS], 1, 0, 1),
    listing(("accounts, total of a toolkit", "connections: count of integrations"), &[TWO], 1, 0, 2),
    listing(("accounts, total under a config", "connections: count of configs"), &[CONFIG], 1, 0, 1),
    listing(("accounts, total of a user and status", "connections: count listed by user"), &["'{ACTIVE}'", "NULL", USERS, "NULL", "NULL"], 1, 1, 0),
    listing(("accounts, total of a toolkit and status", "connections: count listed by integration"), &["'{ACTIVE}'", TWO, "NULL", "NULL", "NULL"], 1, 2, 0),
    listing(("accounts, their credentials", "connections: sealed credentials"), &[CONNECTION], 1, 1, 0),
    listing(("accounts, their configs", "auth_configs: some by row id"), &[CONFIG], 1, 1, 0),
    listing(("accounts, what they inherit", "auth_config_secrets: shared of configs"), &[CONFIG], 1, 1, 0),
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
        .execute(
            "DROP INDEX users_made, auth_config_secrets_value, auth_configs_listed, connections_created, connections_status",
        )
        .await
        .unwrap();
    let mut connection = PgConnection::connect_with(&database.login()).await.unwrap();

    let found = findings(&mut connection, &big).await;

    for route in [
        "users, first page",
        "users, deep page",
        "a white label",
        "auth configs, first page",
        "auth configs, managed ones",
        "accounts, first page",
        "accounts, deep page",
        "accounts, of a status",
    ] {
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
