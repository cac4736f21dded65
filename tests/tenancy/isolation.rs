//! Isolation in the database: in the role `keyway_tenant` another tenant's rows are neither seen nor touched, whatever
//! the statement says. And the proof that this test can fail: each protection taken away is found.

use keyway::http::{layers, serve};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::common::tenant::Tenant;
use crate::common::{self, TestApp};
use crate::world::{tenant_tables, two_tenants};

/// A server with two tenants, and the unprivileged login to its database.
pub async fn house() -> (TestApp, PgConnectOptions, [Tenant; 2]) {
    let database = common::database().await;
    let login = database.login();
    let app = TestApp::start_on(
        database,
        login.clone(),
        serve::Limits::default(),
        layers::REQUEST_TIMEOUT,
    )
    .await;
    let tenants = two_tenants(&app).await;
    (app, login, tenants)
}

pub async fn connect(login: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(login).await.unwrap()
}

/// How a statement ended: rows touched, or the SQLSTATE.
async fn ended(connection: &mut PgConnection, role: &str, statement: &str) -> Result<u64, String> {
    let mut tx = connection.begin().await.unwrap();
    if !role.is_empty() {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(role.to_owned())))
            .await
            .unwrap();
    }
    let done = tx
        .execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned())))
        .await;
    tx.rollback().await.unwrap();
    match done {
        Ok(done) => Ok(done.rows_affected()),
        Err(sqlx::Error::Database(error)) => Err(error.code().unwrap_or_default().into_owned()),
        Err(error) => panic!("{statement}: {error}"),
    }
}

fn as_tenant(tenant: &Tenant) -> String {
    format!(
        "SET LOCAL ROLE keyway_tenant; SET LOCAL app.tenant_id = '{}'",
        tenant.id
    )
}

const FORBIDDEN: &str = "42501";

/// What is wrong with the isolation of one table, seen by `alice`.
async fn leaks(
    app: &TestApp,
    connection: &mut PgConnection,
    table: &str,
    [alice, bob]: &[Tenant; 2],
) -> Vec<&'static str> {
    let (role, a, b) = (as_tenant(alice), alice.id, bob.id);
    let row = app
        .sql(&format!(
            "SELECT t AS row FROM {table} AS t WHERE tenant_id = '{b}' LIMIT 1"
        ))
        .await;
    let row = row[0]["row"].to_string().replace('\'', "''");
    let own = app
        .count(&format!("{table} WHERE tenant_id = '{a}'"))
        .await
        .cast_unsigned();
    let mut found = Vec::new();
    let everything = format!("SELECT FROM {table}");
    let seen = ended(connection, &role, &everything).await;
    if seen != Ok(own) {
        found.push("sees more or less than its own rows");
    }
    let reach = |outcome: &Result<u64, String>| {
        !(*outcome == Ok(0) || *outcome == Err(FORBIDDEN.to_owned()))
    };
    for (statement, name) in [
        (
            format!("SELECT FROM {table} WHERE tenant_id = '{b}'"),
            "sees",
        ),
        (
            format!("UPDATE {table} SET tenant_id = tenant_id WHERE tenant_id = '{b}'"),
            "updates",
        ),
        (
            format!("DELETE FROM {table} WHERE tenant_id = '{b}'"),
            "deletes",
        ),
    ] {
        if reach(&ended(connection, &role, &statement).await) {
            found.push(name);
        }
    }
    for (statement, name) in [
        (
            format!("UPDATE {table} SET tenant_id = '{b}' WHERE tenant_id = '{a}'"),
            "gives away",
        ),
        (
            format!(
                "INSERT INTO {table} SELECT * FROM json_populate_record(NULL::{table}, '{row}')"
            ),
            "inserts",
        ),
    ] {
        if ended(connection, &role, &statement).await != Err(FORBIDDEN.to_owned()) {
            found.push(name);
        }
    }
    found
}

#[tokio::test]
async fn another_tenants_rows_are_out_of_reach() {
    let (app, login, tenants) = house().await;
    let mut connection = connect(&login).await;
    for table in tenant_tables(&app).await {
        let found = leaks(&app, &mut connection, &table, &tenants).await;
        assert!(found.is_empty(), "{table}: {found:?}");
    }
    app.finish().await;
}

/// Each protection of each table, taken away, is found by the very check above.
#[tokio::test]
async fn the_check_finds_each_protection_that_is_taken_away() {
    let (app, login, tenants) = house().await;
    let mut connection = connect(&login).await;
    let tenant_policy = "USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))";
    let tables = tenant_tables(&app).await;
    assert_eq!(tables.len(), 14, "{tables:?}");
    for table in tables {
        let remade = |rules: &str| {
            format!(
                "DROP POLICY IF EXISTS tenant ON {table}; CREATE POLICY tenant ON {table} TO keyway_tenant {rules}"
            )
        };
        let sabotages = [
            (
                remade("USING (true) WITH CHECK (true)"),
                vec!["sees more or less than its own rows", "sees"],
            ),
            (
                format!("ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"),
                vec!["sees more or less than its own rows", "sees"],
            ),
            (
                format!("DROP POLICY tenant ON {table}"),
                vec!["sees more or less than its own rows"],
            ),
        ];
        for (sabotage, expected) in sabotages {
            app.execute(&sabotage).await;
            let found = leaks(&app, &mut connection, &table, &tenants).await;
            assert!(
                expected.iter().all(|name| found.contains(name)),
                "{table}, {sabotage}: {found:?}"
            );
            let may_write = app
                .count(&format!(
                    "pg_class WHERE relname = '{table}' AND has_table_privilege('keyway_tenant', oid, 'INSERT')"
                ))
                .await;
            if may_write == 1 && sabotage.contains("true") {
                assert!(found.contains(&"inserts"), "{table}: {found:?}");
            }
            app.execute(&remade(tenant_policy)).await;
            app.execute(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"))
                .await;
        }
        let found = leaks(&app, &mut connection, &table, &tenants).await;
        assert!(found.is_empty(), "{table} after it was mended: {found:?}");
    }
}

#[tokio::test]
async fn the_login_without_a_role_gets_an_error_and_not_silence() {
    let (app, login, _) = house().await;
    let mut connection = connect(&login).await;
    let rows = app.sql("SELECT tablename::text AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'").await;
    let tables: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(tables.len(), 17, "{tables:?}");
    let tried = |role: &'static str, table: &str| {
        [
            (role, format!("SELECT FROM {table}")),
            (role, format!("DELETE FROM {table}")),
            (role, format!("TRUNCATE {table}")),
        ]
    };
    for table in &tables {
        for (role, statement) in tried("", table) {
            assert_eq!(
                ended(&mut connection, role, &statement).await,
                Err(FORBIDDEN.to_owned()),
                "{statement}"
            );
        }
        for (role, statement) in tried("SET LOCAL ROLE keyway_auth", table) {
            let outcome = ended(&mut connection, role, &statement).await;
            // The page finds a link before the tenant is known, as a request its key.
            if ["SELECT FROM api_keys", "SELECT FROM link_tokens"].contains(&statement.as_str()) {
                assert!(outcome.is_ok_and(|rows| rows >= 2), "{statement}");
            } else {
                assert_eq!(outcome, Err(FORBIDDEN.to_owned()), "{role}: {statement}");
            }
        }
    }
    for table in ["root_keys", "server_secrets", "servers"] {
        for (role, statement) in tried("SET LOCAL ROLE keyway_tenant", table) {
            assert_eq!(
                ended(&mut connection, role, &statement).await,
                Err(FORBIDDEN.to_owned()),
                "{statement}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_tenant_the_tenant_role_sees_nothing() {
    let (app, login, [alice, _]) = house().await;
    let tables = tenant_tables(&app).await;
    let mut connection = connect(&login).await;
    let unset = "SET LOCAL ROLE keyway_tenant".to_owned();
    let empty = format!("{unset}; SET LOCAL app.tenant_id = ''");
    // First on a fresh connection, where the setting is NULL, then after a transaction that had one, where it is ''.
    for role in [&unset, &empty, &as_tenant(&alice), &unset, &empty] {
        for table in &tables {
            let seen = ended(&mut connection, role, &format!("SELECT FROM {table}")).await;
            let is_alice = role.contains(&alice.id.to_string());
            assert_eq!(seen.unwrap() > 0, is_alice, "{role}: {table}");
        }
        let insert = format!(
            "INSERT INTO users (tenant_id, user_hash, user_id) VALUES ('{}', sha256('x'), 'x')",
            alice.id
        );
        let expected = if role.contains(&alice.id.to_string()) {
            Ok(1)
        } else {
            Err(FORBIDDEN.to_owned())
        };
        assert_eq!(
            ended(&mut connection, role, &insert).await,
            expected,
            "{role}"
        );
    }
    let bad = ended(
        &mut connection,
        &format!("{unset}; SET LOCAL app.tenant_id = 'x'"),
        "SELECT FROM users",
    )
    .await;
    assert_eq!(
        bad,
        Err("22P02".to_owned()),
        "no tenant is an error, not everyone"
    );
}

#[tokio::test]
async fn the_logins_and_roles_have_no_powers() {
    let (app, _, _) = house().await;
    let rows = app
        .sql(
            "SELECT rolname::text AS name, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication \
             AS powerful, rolinherit, rolcanlogin FROM pg_roles WHERE rolname LIKE 'keyway%' ORDER BY 1",
        )
        .await;
    let names: Vec<_> = rows
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "keyway",
            "keyway_auth",
            "keyway_jobs",
            "keyway_owner",
            "keyway_tenant"
        ]
    );
    assert!(rows.iter().all(|row| row["powerful"] == false), "{rows:?}");
    assert_eq!(
        (&rows[0]["rolinherit"], &rows[0]["rolcanlogin"]),
        (&false.into(), &true.into())
    );
    assert!(
        rows[1..].iter().all(|row| row["rolcanlogin"] == false),
        "{rows:?}"
    );
}
