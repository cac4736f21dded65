//! The tenant predicate in our statements is a help for the planner and nothing more: without it every statement, run
//! in the role `keyway_tenant` with another tenant's ids, still does the same.

use std::fmt::Write as _;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{
    AssertSqlSafe, Connection as _, Either, Executor as _, SqlSafeStr as _, Statement as _,
    TypeInfo as _,
};

use crate::common;
use crate::common::TestApp;
use crate::common::tenant::Tenant;
use crate::world::two_tenants;
use keyway::http::{layers, serve};

const PREDICATE: &str = "tenant_id = $1";

/// The statements that name the tenant in a predicate.
fn statements() -> Vec<&'static str> {
    let all = common::statements::of_tenants().into_iter();
    all.filter(|statement| statement.contains(PREDICATE))
        .collect()
}

/// The statement without its tenant predicates; tables that have another name there have one of one letter.
fn loosened(statement: &str) -> String {
    let aliased = ('a'..='z').map(|table| format!("{table}.{PREDICATE}"));
    aliased
        .chain([PREDICATE.to_owned()])
        .fold(statement.to_owned(), |text, predicate| {
            text.replace(&predicate, "true")
        })
}

/// Texts and ids of a tenant, as SQL literals, by the parameter's type.
struct Ids {
    uuids: Vec<String>,
    texts: Vec<String>,
    accounts: Vec<String>,
    hashes: Vec<String>,
}

impl Ids {
    async fn of(app: &TestApp, tenant: &Tenant) -> Self {
        let list = async |query: &str| {
            let query = query.replace("$T", &format!("'{}'", tenant.id));
            let rows = app.sql(&query).await;
            rows.iter()
                .map(|row| row["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        Self {
            uuids: list(
                "SELECT auth_config_id AS id FROM auth_configs WHERE tenant_id = $T AND enabled \
                 UNION SELECT connection_id FROM connections WHERE tenant_id = $T \
                 UNION SELECT strata_id FROM strata WHERE tenant_id = $T \
                 UNION SELECT integration_id FROM integrations WHERE tenant_id = $T",
            )
            .await,
            texts: list(
                "SELECT public_id AS id FROM auth_configs WHERE tenant_id = $T UNION SELECT slug FROM integrations \
                 WHERE tenant_id = $T UNION SELECT key_id FROM api_keys WHERE tenant_id = $T UNION SELECT 'credential' \
                 UNION SELECT match_key FROM integrations WHERE tenant_id = $T \
                 UNION (SELECT public_id FROM connections WHERE tenant_id = $T LIMIT 1) \
                 UNION SELECT name FROM strata_external_servers WHERE tenant_id = $T \
                 UNION SELECT '%'",
            )
            .await,
            accounts: list("SELECT public_id AS id FROM connections WHERE tenant_id = $T").await,
            hashes: list("SELECT user_hash::text AS id FROM users WHERE tenant_id = $T").await,
        }
    }

    /// A literal for a parameter that is not the tenant.
    fn literal(&self, kind: &str, uuid: &str, text: &str) -> String {
        let all = |ids: &[String]| ids.join(",");
        match kind {
            "UUID" => format!("'{uuid}'::uuid"),
            "TEXT" => format!("'{text}'::text"),
            "UUID[]" => format!("'{{{}}}'::uuid[]", all(&self.uuids)),
            "TEXT[]" => format!(
                "'{{{},{},generic_api_key,subdomain,OAUTH2,ACTIVE,INITIALIZING}}'::text[]",
                all(&self.texts),
                all(&self.accounts)
            ),
            "BYTEA" => format!("'{}'::bytea", self.hashes[0]),
            "BYTEA[]" => format!("ARRAY['{}'::bytea]", self.hashes.join("'::bytea, '")),
            "BOOL" => "false".to_owned(),
            "BOOL[]" => "'{true,false}'::boolean[]".to_owned(),
            "INT8" => "5::bigint".to_owned(),
            "JSONB" => "'{}'::jsonb".to_owned(),
            "TIMESTAMPTZ" => "now()".to_owned(),
            other => panic!("give a literal for a parameter of type {other}"),
        }
    }
}

/// The statement with its parameters written out.
fn filled(
    statement: &str,
    tenant: &Tenant,
    kinds: &[String],
    ids: &Ids,
    uuid: &str,
    text: &str,
) -> String {
    // A page begins before the first row that it may show, and has room for the rows of both tenants.
    let is_page = statement.contains("LIMIT $4");
    let ascends = statement.contains("> ($2::timestamptz");
    let mut filled = statement.to_owned();
    for (index, kind) in kinds.iter().enumerate().rev() {
        let literal = if index == 0 {
            format!("'{}'::uuid", tenant.id)
        } else if ascends && kind == "TIMESTAMPTZ" {
            "'epoch'::timestamptz".to_owned()
        } else if is_page && index == 3 {
            "100::bigint".to_owned()
        } else {
            ids.literal(kind, uuid, text)
        };
        filled = filled.replace(&format!("${}", index + 1), &literal);
    }
    filled
}

async fn kinds(connection: &mut PgConnection, statement: &'static str) -> Vec<String> {
    let prepared = connection.prepare(statement.into_sql_str()).await.unwrap();
    match prepared.parameters() {
        Some(Either::Left(types)) => types.iter().map(|one| one.name().to_owned()).collect(),
        other => panic!("{statement}: parameters {other:?}"),
    }
}

/// What a statement did: the rows that it gave, and what became of the other tenant's.
async fn done(
    connection: &mut PgConnection,
    role: bool,
    alice: &Tenant,
    bob: &Tenant,
    statement: &str,
) -> String {
    let mut tx = connection.begin().await.unwrap();
    let mut outcome = String::new();
    if role {
        let switch = format!(
            "SET LOCAL ROLE keyway_tenant; SET LOCAL app.tenant_id = '{}'",
            alice.id
        );
        tx.execute(sqlx::raw_sql(AssertSqlSafe(switch)))
            .await
            .unwrap();
    }
    let reads = statement
        .lines()
        .any(|line| line.trim_start().starts_with("SELECT"))
        && !statement.contains("DELETE")
        && !statement.contains("UPDATE connections")
        && !statement.contains("UPDATE auth_configs");
    if reads {
        let rows =
            format!("SELECT json_agg(row_to_json(found))::text FROM ({statement}\n) AS found");
        let rows: Option<String> = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        outcome.push_str(&rows.unwrap_or_default());
    } else {
        let result = tx
            .execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned())))
            .await;
        match result {
            Ok(_) => {
                tx.execute("RESET ROLE").await.unwrap();
                for table in [
                    "api_keys",
                    "auth_configs",
                    "auth_config_secrets",
                    "connections",
                    "retired_connections",
                    "users",
                    "strata",
                    "strata_servers",
                    "strata_external_servers",
                    "link_tokens",
                ] {
                    let digest = format!(
                        "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {table} t WHERE tenant_id = '{}'",
                        bob.id
                    );
                    let digest: Option<String> = sqlx::query_scalar(AssertSqlSafe(digest))
                        .fetch_one(&mut *tx)
                        .await
                        .unwrap();
                    writeln!(outcome, "{table} {digest:?}").unwrap();
                }
            }
            // A constraint met another tenant's row: only without the role can that be.
            Err(error) => {
                write!(outcome, "{}", error.as_database_error().unwrap().message()).unwrap();
            }
        }
    }
    tx.rollback().await.unwrap();
    outcome
}

#[tokio::test]
async fn a_forgotten_tenant_predicate_reaches_nobody_else() {
    let database = common::database().await;
    let superuser: PgConnectOptions = database.superuser();
    let login = database.login();
    let app = TestApp::start_on(
        database,
        login,
        serve::Limits::default(),
        layers::REQUEST_TIMEOUT,
    )
    .await;
    let [alice, bob] = two_tenants(&app).await;
    // As client ids were sealed before they had an index: for the statement that looks for such.
    app.execute("UPDATE auth_config_secrets SET value_index = NULL")
        .await;
    let bobs = Ids::of(&app, &bob).await;
    let mut connection = PgConnection::connect_with(&superuser).await.unwrap();
    let (mut tried, mut would_leak) = (0, 0);
    for statement in statements() {
        let kinds = kinds(&mut connection, statement).await;
        let mut leaks_without_role = false;
        // Each of those that the statement has a place for.
        let tried_of = |kind: &str, all: &[String]| {
            let has_place = kinds.iter().skip(1).any(|one| one == kind);
            all[..if has_place { all.len() } else { 1 }].to_vec()
        };
        let texts = tried_of("TEXT", &bobs.texts);
        for uuid in &tried_of("UUID", &bobs.uuids) {
            for text in &texts {
                let ours = filled(statement, &alice, &kinds, &bobs, uuid, text);
                let careless = filled(&loosened(statement), &alice, &kinds, &bobs, uuid, text);
                let expected = done(&mut connection, true, &alice, &bob, &ours).await;
                let outcome = done(&mut connection, true, &alice, &bob, &careless).await;
                assert_eq!(outcome, expected, "{careless}");
                tried += 1;
                if !leaks_without_role {
                    leaks_without_role =
                        done(&mut connection, false, &alice, &bob, &careless).await != expected;
                }
            }
        }
        would_leak += usize::from(leaks_without_role);
        if !leaks_without_role {
            eprintln!("reaches nobody: {statement}");
        }
    }
    assert!(tried > 500, "{tried}");
    // The other half of the proof: without the role nearly all of them reach the other tenant.
    assert!(
        would_leak * 10 >= statements().len() * 9,
        "{would_leak} of {}",
        statements().len()
    );
}
