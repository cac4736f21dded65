//! The functions of the hot paths, called by a superuser with ids of another tenant: they switch to the tenant's role
//! themselves, so that row-level security alone isolates, whatever their statements forget and whoever calls.

use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};

use crate::calls::{calls, things};
use crate::common::TestApp;
use crate::common::tenant::Tenant;
use crate::isolation::connect;
use crate::world::{tenant_tables, two_tenants};

/// Every row of a tenant in every table, as text.
async fn rows(connection: &mut PgConnection, tables: &[String], tenant: &Tenant) -> String {
    let parts: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "(SELECT COALESCE(string_agg(r::text, ' ' ORDER BY r::text), '') FROM {table} r WHERE tenant_id = '{}')",
                tenant.id
            )
        })
        .collect();
    let query = format!("SELECT {}", parts.join(" || '|' || "));
    sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_one(connection)
        .await
        .unwrap()
}

/// What a call answers, and whether a row of `watched` has changed; undone afterwards.
async fn called(
    superuser: &mut PgConnection,
    tables: &[String],
    watched: &Tenant,
    call: &str,
) -> (Vec<serde_json::Value>, bool) {
    let mut tx = superuser.begin().await.unwrap();
    let before = rows(&mut tx, tables, watched).await;
    let query = format!("SELECT to_jsonb(answer) FROM {call} AS answer");
    let answered = sqlx::query_scalar(AssertSqlSafe(query))
        .fetch_all(&mut *tx)
        .await;
    let answers = match answered {
        Ok(answers) => answers,
        // A constraint met another tenant's row.
        Err(error) => {
            tx.rollback().await.unwrap();
            return (vec![json!({"code": error.to_string()})], true);
        }
    };
    tx.execute("SET LOCAL ROLE NONE").await.unwrap();
    let changed = rows(&mut tx, tables, watched).await != before;
    tx.rollback().await.unwrap();
    (answers, changed)
}

/// Whether an answer says no more than its code.
fn says_only(answer: &serde_json::Value, code: &str) -> bool {
    let members = answer.as_object().unwrap();
    members
        .iter()
        .all(|(name, value)| value.is_null() || (name == "code" && *value == code))
        && members["code"] == code
}

/// The functions that reach another tenant, or that do not serve their own.
async fn faults(
    app: &TestApp,
    superuser: &mut PgConnection,
    [alice, bob]: &[Tenant; 2],
) -> Vec<(&'static str, &'static str)> {
    let tables = tenant_tables(app).await;
    let (alices, bobs) = (things(app, alice).await, things(app, bob).await);
    let mut found = Vec::new();
    for (caller, other, owner) in [(alice, &bobs, bob), (bob, &alices, alice)] {
        for (name, call) in calls(caller, other) {
            for watched in [owner, caller] {
                let (answers, changed) = called(superuser, &tables, watched, &call).await;
                // Where one answered for two names: the second one has no tenant at all.
                let silent = answers
                    .iter()
                    .all(|answer| says_only(answer, "unknown") || says_only(answer, "gone"));
                if !silent || changed || answers.is_empty() {
                    found.push((name, "reaches another tenant"));
                }
            }
        }
    }
    for (name, call) in calls(alice, &alices) {
        let (answers, changed) = called(superuser, &tables, alice, &call).await;
        if answers[0]["code"] != "done" || (changed == name.starts_with("read")) {
            found.push((name, "does not serve its own tenant"));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The functions without a single predicate on the tenant.
async fn loosen(app: &TestApp) {
    let names = "SELECT p.oid, p.proname::text AS name FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace \
         AND p.proname NOT IN ('current_tenant', 'require_living_tenant') AND p.prosrc LIKE '%tenant_id = %'";
    let query = format!(
        "SELECT name, regexp_replace(pg_get_functiondef(oid), '(\\m\\w+\\.)?\\mtenant_id = [\\w.]+(\\[i\\])?', 'true', 'g') \
         AS body FROM ({names}) AS f ORDER BY name"
    );
    let functions = app.sql(&query).await;
    let found: Vec<_> = functions.iter().map(|row| row["name"].clone()).collect();
    assert_eq!(
        found,
        [
            "change_auth_config",
            "hand_out",
            "hand_out_credential",
            "missing_code",
            "read_auth_config",
            "set_credential"
        ]
    );
    for function in functions {
        let body = function["body"].as_str().unwrap();
        assert!(
            body.contains("true") && !body.contains("tenant_id ="),
            "{body}"
        );
        app.execute(body).await;
    }
}

#[tokio::test]
async fn a_function_called_by_a_superuser_stays_within_its_tenant() {
    let app = TestApp::start().await;
    let tenants = two_tenants(&app).await;
    let mut superuser = connect(&app.superuser()).await;

    assert_eq!(faults(&app, &mut superuser, &tenants).await, []);
}

/// With all predicates gone the policies isolate alone; with a policy opened too, the same check finds the leak.
#[tokio::test]
async fn the_policies_isolate_alone_and_each_is_needed() {
    let app = TestApp::start().await;
    let tenants = two_tenants(&app).await;
    loosen(&app).await;
    let mut superuser = connect(&app.superuser()).await;
    assert_eq!(faults(&app, &mut superuser, &tenants).await, []);

    let mended = "USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))";
    let policy = |table: &str, rules: &str| {
        format!(
            "DROP POLICY IF EXISTS tenant ON {table}; CREATE POLICY tenant ON {table} TO keyway_tenant {rules}"
        )
    };
    for (tables, reached) in [
        (["connections", "connections"], "hand_out"),
        (["connections", "connections"], "hand_out_credential"),
        (["connections", "auth_configs"], "set_credential"),
        (["auth_configs", "auth_configs"], "change_auth_config"),
        (["auth_configs", "integrations"], "read_auth_config"),
    ] {
        for table in tables {
            app.execute(&policy(table, "USING (true) WITH CHECK (true)"))
                .await;
        }
        let found = faults(&app, &mut superuser, &tenants).await;
        let plural = format!("{reached}s");
        for name in [reached, &plural] {
            assert!(
                found.contains(&(name, "reaches another tenant")),
                "{tables:?}: {found:?}"
            );
        }
        for table in tables {
            app.execute(&format!("DROP POLICY IF EXISTS tenant ON {table}"))
                .await;
        }
        let found = faults(&app, &mut superuser, &tenants).await;
        assert!(
            found.contains(&(reached, "does not serve its own tenant")),
            "{tables:?} without a policy: {found:?}"
        );
        for table in tables {
            app.execute(&policy(table, mended)).await;
        }
    }
    assert_eq!(faults(&app, &mut superuser, &tenants).await, []);
}

/// One call for several tenants: each item in its own.
#[tokio::test]
async fn of_a_batch_each_item_acts_for_its_own_tenant_only() {
    let app = TestApp::start().await;
    let [alice, bob] = two_tenants(&app).await;
    loosen(&app).await;
    let (a, b) = (things(&app, &alice).await, things(&app, &bob).await);
    let (at, bt) = (alice.id, bob.id);
    let (ac, bc) = (&a.connection, &b.connection);
    let (af, bf) = (&a.fields, &b.fields);
    let query = format!(
        "SELECT code FROM set_credentials(ARRAY['{at}', '{bt}', '{at}', '{bt}']::uuid[], ARRAY[{ac}, {ac}, {bc}, {bc}]::uuid[], \
         ARRAY[NULL, NULL, NULL, NULL]::text[], ARRAY[{af}, {af}, {bf}, {bf}]::jsonb[], \
         ARRAY[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid()], '{{one,two,three,four}}', \
         ARRAY[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid()], '{{k,k,k,k}}', \
         '{{one,two,three,four}}')"
    );
    let codes = app.sql(&query).await;

    let codes: Vec<_> = codes.iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, ["done", "unknown", "unknown", "done"]);
    let stored = app
        .sql(&format!(
            "SELECT tenant_id, convert_from(sealed_credential, 'UTF8') AS bytes FROM connections \
             WHERE connection_id IN ({ac}, {bc}) ORDER BY bytes"
        ))
        .await;
    let audited = app
        .sql(
            "SELECT tenant_id, request_id AS bytes FROM audit_log \
              WHERE request_id IN ('one', 'two', 'three', 'four') ORDER BY audit_id",
        )
        .await;
    for rows in [stored, audited] {
        assert_eq!(rows.len(), 2, "{rows:?}");
        for (tenant, bytes) in [(at, "one"), (bt, "four")] {
            assert!(
                rows.iter()
                    .any(|row| row["tenant_id"] == tenant.to_string() && row["bytes"] == bytes),
                "{rows:?}"
            );
        }
    }
}

/// The role and the tenant end with the statement, however it ends.
#[tokio::test]
async fn the_role_and_the_tenant_end_with_the_statement() {
    let app = TestApp::start().await;
    let tenants = two_tenants(&app).await;
    let [alice, _] = &tenants;
    let own = things(&app, alice).await;
    for mut connection in [connect(&app.login()).await, connect(&app.superuser()).await] {
        let all = calls(alice, &own).into_iter().map(|(_, call)| call);
        // Of a limited key with a list that is none, and of another's: errors after the switch.
        let failing = [
            format!(
                "set_credentials(ARRAY['{t}', '{t}']::uuid[], ARRAY[{c}, {c}]::uuid[], ARRAY[NULL, 'no list'], \
                 ARRAY[{f}, {f}]::jsonb[], ARRAY[gen_random_uuid(), gen_random_uuid()], '{{x,y}}', \
                 ARRAY[gen_random_uuid(), gen_random_uuid()], '{{k,k}}', '{{r,r}}')",
                t = alice.id,
                c = own.connection,
                f = own.fields
            ),
            format!(
                "hand_out('{}', {}, NULL, gen_random_uuid(), NULL, NULL)",
                alice.id, own.connection
            ),
            format!("find_api_keys('{{{}}}')", alice.key_id),
        ];
        let failing: Vec<String> = failing.into_iter().collect();
        for call in all.chain(failing) {
            let query = format!("SELECT * FROM {call}");
            let done = connection.execute(AssertSqlSafe(query)).await;
            let fails = call.contains("no list") || call.contains("NULL, NULL)");
            assert_eq!(done.is_err(), fails, "{call}: {done:?}");
            let (role, tenant): (bool, String) = sqlx::query_as(
                "SELECT current_user = session_user, COALESCE(current_setting('app.tenant_id', true), '')",
            )
            .fetch_one(&mut connection)
            .await
            .unwrap();
            assert_eq!((role, tenant.as_str()), (true, ""), "after {call}");
        }
    }
}

/// An API key is found by its own id only, and its finder sees nothing else.
#[tokio::test]
async fn keys_are_found_by_their_ids_and_no_other_way() {
    let app = TestApp::start().await;
    let [alice, bob] = two_tenants(&app).await;
    for (ids, found) in [
        (alice.key_id.clone(), vec![alice.id.to_string()]),
        (bob.key_id.clone(), vec![bob.id.to_string()]),
        ("%".to_owned(), vec![]),
        (String::new(), vec![]),
    ] {
        let rows = app
            .sql(&format!(
                "SELECT tenant_id FROM find_api_keys(ARRAY['{ids}'])"
            ))
            .await;
        let tenants: Vec<_> = rows
            .iter()
            .map(|row| row["tenant_id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(tenants, found, "{ids}");
    }
}
