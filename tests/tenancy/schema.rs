//! The shape of the schema: `tenant_id` leads every key, and nothing goes around the policies.

use crate::common::TestApp;
use crate::world::tenant_tables;

async fn names(app: &TestApp, query: &str) -> Vec<String> {
    let rows = app.sql(query).await;
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Unique indexes see across tenants. `tenants` is the exception: its names are the operator's, unique on the server.
#[tokio::test]
async fn every_unique_key_begins_with_the_tenant() {
    let app = TestApp::start().await;
    let found = names(
        &app,
        "SELECT i.indexrelid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
         JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' \
         WHERE c.relnamespace = 'public'::regnamespace AND i.indisunique AND i.indkey[0] <> t.attnum ORDER BY 1",
    )
    .await;
    assert_eq!(found, ["tenants_name"]);
    let primary = names(
        &app,
        "SELECT c.relname AS name FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' \
         JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary AND i.indkey[0] = t.attnum \
         WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1",
    )
    .await;
    assert_eq!(
        primary,
        tenant_tables(&app).await,
        "each tenant table has a primary key that begins so"
    );
}

/// A foreign key sees across tenants too: both sides begin with `tenant_id`, so that no row can point at another's.
#[tokio::test]
async fn every_foreign_key_begins_with_the_tenant() {
    let app = TestApp::start().await;
    let found = names(
        &app,
        "SELECT k.conrelid::regclass::text || '.' || k.conname AS name FROM pg_constraint k \
         JOIN pg_attribute t ON t.attrelid = k.conrelid AND t.attname = 'tenant_id' \
         JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attname = 'tenant_id' \
         WHERE k.contype = 'f' AND NOT (k.conkey[1] = t.attnum AND k.confkey[1] = f.attnum) ORDER BY 1",
    )
    .await;
    assert_eq!(found, [""; 0]);
    let to_shared = names(
        &app,
        "SELECT DISTINCT k.confrelid::regclass::text AS name FROM pg_constraint k \
         JOIN pg_attribute t ON t.attrelid = k.conrelid AND t.attname = 'tenant_id' WHERE k.contype = 'f' \
         AND NOT EXISTS (SELECT FROM pg_attribute f WHERE f.attrelid = k.confrelid AND f.attname = 'tenant_id')",
    )
    .await;
    assert_eq!(
        to_shared,
        ["root_keys"],
        "what a tenant table may point at without a tenant"
    );
}

#[tokio::test]
async fn nothing_goes_around_the_policies() {
    let app = TestApp::start().await;
    let views = names(
        &app,
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relkind IN ('v', 'm', 'f') ORDER BY 1",
    )
    .await;
    assert_eq!(
        views, [""; 0],
        "views, materialized views and foreign tables"
    );
    let definers = names(
        &app,
        "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1",
    )
    .await;
    assert_eq!(definers, [""; 0], "SECURITY DEFINER functions");
    let functions = names(
        &app,
        "SELECT concat_ws(' ', p.proname, l.lanname, p.provolatile) AS name FROM pg_proc p \
         JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = 'public'::regnamespace ORDER BY p.proname",
    )
    .await;
    // One in SQL would be rewritten into its caller's plan, before the caller switches the role; one that is not
    // volatile would go on reading what was there before it locked a row. The others are asked for nothing but that.
    assert_eq!(
        functions,
        [
            "change_auth_config plpgsql v",
            "change_auth_configs plpgsql v",
            "current_tenant sql s",
            "find_api_keys plpgsql v",
            "hand_out plpgsql v",
            "hand_out_credential plpgsql v",
            "hand_out_credentials plpgsql v",
            "hand_outs plpgsql v",
            "missing_code plpgsql s",
            "read_auth_config plpgsql v",
            "read_auth_configs plpgsql v",
            "require_living_tenant plpgsql s",
            "set_credential plpgsql v",
            "set_credentials plpgsql v",
        ]
    );
    let settings = names(
        &app,
        "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proconfig IS NOT NULL",
    )
    .await;
    assert_eq!(
        settings, [""; 0],
        "functions that set a role or a path of their own"
    );
    let rules = names(
        &app,
        "SELECT rulename AS name FROM pg_rules WHERE schemaname = 'public'",
    )
    .await;
    assert_eq!(rules, [""; 0], "rules");
    let triggers = names(
        &app,
        "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal",
    )
    .await;
    assert_eq!(triggers, [""; 0], "triggers");
    let public = names(
        &app,
        "SELECT c.relname AS name FROM pg_class c, aclexplode(c.relacl) a \
         WHERE c.relnamespace = 'public'::regnamespace AND a.grantee = 0",
    )
    .await;
    assert_eq!(public, [""; 0], "rights of everyone");
    let owners = names(
        &app,
        "SELECT DISTINCT pg_get_userbyid(relowner)::text AS name FROM pg_class \
         WHERE relnamespace = 'public'::regnamespace",
    )
    .await;
    assert_eq!(owners, ["keyway_owner"]);
}
