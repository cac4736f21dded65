//! The check of the catalogue at the start: it finds a table or a policy that does not isolate.

use keyway::store::Db;
use keyway::store::schema_check::{Findings, check};

use crate::common;
use crate::common::stored::Stored;

const TABLE: &str =
    "CREATE TABLE later (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id))";
const GUARDED: &str =
    "ALTER TABLE later ENABLE ROW LEVEL SECURITY; ALTER TABLE later FORCE ROW LEVEL SECURITY";
const POLICY: &str = "CREATE POLICY tenant ON later TO keyway_tenant USING (tenant_id = (SELECT current_tenant())) \
    WITH CHECK (tenant_id = (SELECT current_tenant()))";

/// What the check finds after these statements.
async fn found(statements: &[&str]) -> Findings {
    let database = common::database().await;
    let stored = Stored::new(database.superuser());
    for statement in statements {
        stored.execute(statement).await;
    }
    check(&Db::new(database.login())).await.unwrap()
}

#[tokio::test]
async fn the_schema_as_it_is_isolates() {
    let findings = found(&[]).await;
    assert_eq!(findings, Findings::default());
    assert!(!findings.is_fatal());
    assert_eq!(found(&[TABLE, GUARDED, POLICY]).await, Findings::default());
}

#[tokio::test]
async fn a_tenant_table_without_protection_is_found() {
    for (what, statements) in [
        ("nothing", &[TABLE][..]),
        ("no policy", &[TABLE, GUARDED]),
        (
            "no ENABLE",
            &[TABLE, POLICY, "ALTER TABLE later FORCE ROW LEVEL SECURITY"],
        ),
        (
            "no FORCE",
            &[TABLE, POLICY, "ALTER TABLE later ENABLE ROW LEVEL SECURITY"],
        ),
        (
            "no WITH CHECK",
            &[
                TABLE,
                GUARDED,
                "CREATE POLICY tenant ON later TO keyway_tenant USING (tenant_id = (SELECT current_tenant()))",
            ],
        ),
        (
            "a policy of another role",
            &[
                TABLE,
                GUARDED,
                "CREATE POLICY jobs ON later TO keyway_jobs USING (true) WITH CHECK (true)",
            ],
        ),
        (
            "a policy for reads only",
            &[
                TABLE,
                GUARDED,
                "CREATE POLICY tenant ON later FOR SELECT TO keyway_tenant USING (tenant_id = (SELECT current_tenant()))",
            ],
        ),
    ] {
        let findings = found(statements).await;
        assert_eq!(findings.unguarded, ["later"], "{what}");
        assert!(findings.is_fatal(), "{what}");
    }
    for change in [
        "ALTER TABLE connections DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE connections NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant ON connections",
    ] {
        assert_eq!(
            found(&[change]).await.unguarded,
            ["connections"],
            "{change}"
        );
    }
}

#[tokio::test]
async fn a_policy_that_is_too_open_is_found() {
    for rules in [
        "TO keyway_tenant USING (true) WITH CHECK (true)",
        "TO keyway_tenant USING (tenant_id = (SELECT current_tenant()) OR true) \
         WITH CHECK (tenant_id = (SELECT current_tenant()))",
        "TO keyway_tenant USING (tenant_id = (SELECT current_tenant())) \
         WITH CHECK (tenant_id = (SELECT current_tenant()) OR current_tenant() IS NOT NULL)",
        "TO keyway_tenant USING (current_tenant() IS NOT NULL) WITH CHECK (current_tenant() IS NOT NULL)",
        "TO keyway_tenant USING (auth_config_id = (SELECT current_tenant())) \
         WITH CHECK (tenant_id = (SELECT current_tenant()))",
        "USING (true)",
        "TO PUBLIC USING (tenant_id = (SELECT current_tenant())) WITH CHECK (tenant_id = (SELECT current_tenant()))",
        "FOR SELECT TO keyway_tenant USING (true)",
        "FOR INSERT TO keyway_tenant WITH CHECK (true)",
        "TO keyway_tenant, keyway_jobs USING (true) WITH CHECK (true)",
    ] {
        let findings = found(&[&format!("CREATE POLICY more ON connections {rules}")]).await;
        assert_eq!(findings.too_open, ["connections.more"], "{rules}");
        assert!(findings.is_fatal(), "{rules}");
    }
    let replaced = found(&[
        "DROP POLICY tenant ON connections",
        "CREATE POLICY tenant ON connections TO keyway_tenant USING (true) WITH CHECK (true)",
    ])
    .await;
    assert_eq!(replaced.too_open, ["connections.tenant"]);
}

/// The function that every policy asks decides as much as the policies do.
#[tokio::test]
async fn another_function_behind_the_policies_is_found() {
    let replaced = "CREATE OR REPLACE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE \
        RETURN COALESCE(NULLIF(current_setting('app.tenant_id', true), '')::uuid, gen_random_uuid())";
    let findings = found(&[replaced]).await;
    assert_eq!(findings.too_open, ["current_tenant()"]);
    assert!(findings.is_fatal());
}

/// A superuser is bound by nothing but the switch of roles: loudly warned of, not refused.
#[tokio::test]
async fn a_login_that_policies_do_not_bind_is_told() {
    let database = common::database().await;
    let findings = check(&Db::new(database.superuser())).await.unwrap();
    assert_eq!(
        findings,
        Findings {
            powerful_login: true,
            ..Findings::default()
        }
    );
    assert!(!findings.is_fatal());
}
