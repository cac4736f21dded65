//! What a server has stored, seen past its wire.

use std::collections::BTreeMap;

use keyway::store::embedded::{SUPERUSER, connect_options};
use keyway::store::provision::DATABASE;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::runtime::Runtime;

use super::program::Server;

/// Where what users entrusted is kept.
const OF_USERS: [&str; 7] = [
    "users",
    "connections",
    "retired_connections",
    "strata",
    "strata_servers",
    "strata_external_servers",
    "link_tokens",
];

/// What a connection is made of: its rows, past credentials and links, and the secrets of the configs, deleted ones too.
const OF_CONNECTIONS: [&str; 4] = [
    "connections",
    "retired_connections",
    "link_tokens",
    "auth_config_secrets",
];

/// The embedded Postgres of a running server, as its superuser sees it.
pub struct Database {
    runtime: Runtime,
    connection: PgConnection,
}

impl Database {
    pub fn of(server: &Server) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let options = connect_options(&server.data_dir(), DATABASE, SUPERUSER);
        let connection = runtime
            .block_on(PgConnection::connect_with(&options))
            .unwrap();
        Self {
            runtime,
            connection,
        }
    }

    /// How many rows of the tenant's audit log name this action.
    pub fn audited(&mut self, tenant: &str, action: &str) -> i64 {
        let counted = sqlx::query_scalar(
            "SELECT count(*) FROM audit_log JOIN tenants USING (tenant_id) WHERE name = $1 AND action = $2",
        )
        .bind(tenant)
        .bind(action)
        .fetch_one(&mut self.connection);
        self.runtime.block_on(counted).unwrap()
    }

    /// Every action on the tenant's auth configs and connections with the number of its rows in the audit log.
    pub fn audit_log(&mut self, tenant: &str) -> BTreeMap<String, i64> {
        let counted = sqlx::query_as(
            "SELECT action, count(*) FROM audit_log JOIN tenants USING (tenant_id) \
             WHERE name = $1 AND object_kind IN ('auth_config', 'connection') GROUP BY action",
        )
        .bind(tenant)
        .fetch_all(&mut self.connection);
        let counted: Vec<(String, i64)> = self.runtime.block_on(counted).unwrap();
        counted.into_iter().collect()
    }

    /// The tables that still hold something of the tenant's users.
    pub fn kept_of_users(&mut self, tenant: &str) -> Vec<String> {
        self.kept(&OF_USERS, tenant)
    }

    /// The tables that still hold something of the tenant's connections, or a secret of its configs.
    pub fn kept_of_connections(&mut self, tenant: &str) -> Vec<String> {
        self.kept(&OF_CONNECTIONS, tenant)
    }

    fn kept(&mut self, tables: &[&str], tenant: &str) -> Vec<String> {
        let kept = |table: &&str| {
            let statement = format!(
                "SELECT EXISTS (SELECT FROM {table} JOIN tenants t USING (tenant_id) WHERE t.name = $1)"
            );
            let found = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
                .bind(tenant)
                .fetch_one(&mut self.connection);
            self.runtime.block_on(found).unwrap()
        };
        let kept = tables.iter().copied().filter(kept);
        kept.map(str::to_owned).collect()
    }
}
