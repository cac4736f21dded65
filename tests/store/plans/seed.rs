//! A database in which every table that grows with use has 100,000 rows: 1,000 of them for each of 100 tenants.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor as _};

/// How many tenants have rows.
const TENANTS: u32 = 100;
/// How many rows each of them has in every table.
const EACH: u32 = 1_000;
/// How many rows a table has at least that no statement may read from end to end.
pub const BIG: f32 = 50_000.0;

/// The tenant whose statements are planned.
pub const TENANT: &str = "00000001-0000-7000-8000-000000000007";
/// One of its integrations.
pub const INTEGRATION: &str = "00000002-0000-7000-8000-0000000701f4";
/// The auth config of that integration.
pub const AUTH_CONFIG: &str = "00000003-0000-7000-8000-0000000701f4";
/// The connection under that auth config.
pub const CONNECTION: &str = "00000004-0000-7000-8000-0000000701f4";

/// One of its strata, with that integration.
pub const STRATA: &str = "00000008-0000-7000-8000-0000000701f4";

/// The functions that make ids, in the form of the constants above: kind, tenant, number.
const IDS: &str = "
    CREATE FUNCTION pg_temp.id(kind int, t int, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT (lpad(to_hex(kind), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(t * 65536 + n), 12, '0'))::uuid $$;
    CREATE FUNCTION pg_temp.tenant(t int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
        $$ SELECT ('00000001-0000-7000-8000-' || lpad(to_hex(t), 12, '0'))::uuid $$;
    CREATE FUNCTION pg_temp.hash(t int, n int) RETURNS bytea LANGUAGE sql IMMUTABLE AS
        $$ SELECT sha256(('user ' || n || ' of ' || t)::bytea) $$;
    CREATE TEMPORARY TABLE rows AS
        SELECT t, n, sha256((t || ' ' || n)::bytea) || repeat('x', 168)::bytea AS sealed,
            now() - make_interval(secs => 600000 - n) AS at
        FROM generate_series(1, $T) AS t, generate_series(1, $N) AS n";

/// One statement a table. Some tenants are marked deleted and some keys have ended, as in a database that has lived.
const ROWS: &[&str] = &[
    "INSERT INTO root_keys (root_id, sealed_canary) VALUES ('\\x0102030405060708', 'sealed')",
    "INSERT INTO tenants (tenant_id, name, deleted_at)
        SELECT pg_temp.tenant(t), 'tenant ' || t, CASE WHEN t % 1000 = 999 THEN now() END
        FROM generate_series(1, 100000) AS t",
    "INSERT INTO tenant_data_keys (tenant_id, dek_id, root_id, sealed_key, active)
        SELECT pg_temp.tenant(t), 1, '\\x0102030405060708', sha256(t::text::bytea), true
        FROM generate_series(1, 100000) AS t",
    "INSERT INTO api_keys (tenant_id, key_id, name, mac, pepper_version, scopes, created_at, revoked_at)
        SELECT pg_temp.tenant(t), 'key' || t || 'n' || n, 'key', substr(sealed, 1, 32), 1, '{credentials:read}', at,
            CASE WHEN n % 10 = 0 THEN at END
        FROM rows",
    "INSERT INTO integrations (tenant_id, integration_id, match_key, slug, name)
        SELECT pg_temp.tenant(t), pg_temp.id(2, t, n), 'service' || n, 'service-' || n, 'Service ' || n FROM rows",
    "INSERT INTO auth_configs (tenant_id, auth_config_id, public_id, integration_id, is_default, is_implicit, name,
            scheme, tool_access, fields, created_by, managed, enabled, sealed_proxy_auth_key)
        SELECT pg_temp.tenant(t), pg_temp.id(3, t, n), 'ac_' || t || '_' || n, pg_temp.id(2, t, n), true, false,
            'Config ' || n, 'API_KEY', '{}', '[]', 'key', n % 10 = 0, n % 10 <> 5, CASE WHEN n % 10 = 0 THEN sealed END
        FROM rows",
    "INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value)
        SELECT pg_temp.tenant(t), pg_temp.id(3, t, n), 'shared', 'region', sealed FROM rows WHERE n % 10 = 0",
    "INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value)
        SELECT pg_temp.tenant(t), pg_temp.id(3, t, n), 'credential', 'client_secret', sealed FROM rows",
    // Some were sealed before client ids had an index.
    "INSERT INTO auth_config_secrets (tenant_id, auth_config_id, kind, name, sealed_value, value_index)
        SELECT pg_temp.tenant(t), pg_temp.id(3, t, n), 'credential', 'client_id', sealed,
            CASE WHEN n % 10 > 0 THEN pg_temp.hash(t, n) END
        FROM rows",
    "INSERT INTO users (tenant_id, user_hash, user_id)
        SELECT pg_temp.tenant(t), pg_temp.hash(t, n), 'user ' || n FROM rows",
    "INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, user_hash,
            is_primary, status, generation, sealed_credential, created_at, updated_at)
        SELECT pg_temp.tenant(t), pg_temp.id(4, t, n), 'ca_' || t || '_' || n, pg_temp.id(3, t, n),
            pg_temp.id(2, t, n), 'user ' || n, pg_temp.hash(t, n), true,
            CASE n % 10 WHEN 1 THEN 'INACTIVE' WHEN 2 THEN 'EXPIRED' ELSE 'ACTIVE' END, pg_temp.id(5, t, n), sealed, at, at
        FROM rows",
    "INSERT INTO retired_connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id,
            user_hash, is_primary, status, generation, sealed_credential, read_only, created_at, updated_at,
            auth_config_version, retired_at)
        SELECT pg_temp.tenant(t), pg_temp.id(6, t, n), 'ca_r' || t || '_' || n, pg_temp.id(3, t, n),
            pg_temp.id(2, t, n), 'user ' || n, pg_temp.hash(t, n), true, 'ACTIVE', pg_temp.id(5, t, n), sealed, false,
            at, at, 1, at
        FROM rows",
    "INSERT INTO audit_log (tenant_id, audit_id, at, key_id, action, object_kind, object_id, request_id)
        SELECT pg_temp.tenant(t), pg_temp.id(7, t, n), at, 'key', 'connection.read_credential', 'connection',
            pg_temp.id(4, t, n)::text, 'request'
        FROM rows",    "INSERT INTO strata (tenant_id, strata_id, user_hash)
        SELECT pg_temp.tenant(t), pg_temp.id(8, t, n), pg_temp.hash(t, n) FROM rows",
    "INSERT INTO strata_servers (tenant_id, strata_id, integration_id)
        SELECT pg_temp.tenant(t), pg_temp.id(8, t, n), pg_temp.id(2, t, n) FROM rows",
    "INSERT INTO strata_external_servers (tenant_id, strata_id, name, url, sealed_headers)
        SELECT pg_temp.tenant(t), pg_temp.id(8, t, n), 'server ' || n, 'https://mcp.example', sealed FROM rows",
    "INSERT INTO link_tokens (tenant_id, token_hash, connection_id, key_id, sealed_data, expires_at)
        SELECT pg_temp.tenant(t), pg_temp.hash(t, n), pg_temp.id(4, t, n), 'key', sealed, at FROM rows",
];

/// Fills the database, as superuser. Foreign keys are not looked at one by one: the ids are made to fit.
pub async fn fill(superuser: &mut PgConnection) {
    let ids = IDS
        .replace("$T", &TENANTS.to_string())
        .replace("$N", &EACH.to_string());
    let begin = format!("SET session_replication_role = replica; SET jit = off; {ids}");
    let mut statements = vec![begin];
    statements.extend(ROWS.iter().map(|statement| (*statement).to_owned()));
    statements.push("SET session_replication_role = origin; DROP TABLE rows".to_owned());
    statements.push("VACUUM ANALYZE".to_owned());
    for statement in statements {
        let run = superuser.execute(sqlx::raw_sql(AssertSqlSafe(statement.clone())));
        run.await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}
