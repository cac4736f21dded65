//! What a server has stored, seen past its wire.

use keyway::store::embedded::{SUPERUSER, connect_options};
use keyway::store::provision::DATABASE;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::runtime::Runtime;

use super::program::Server;

/// Where what users entrusted is kept.
const OF_USERS: [&str; 6] = [
    "users",
    "connections",
    "retired_connections",
    "strata",
    "strata_servers",
    "strata_external_servers",
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

    /// The tables that still hold something of the tenant's users.
    pub fn kept_of_users(&mut self, tenant: &str) -> Vec<String> {
        let kept = |table: &&str| {
            let statement = format!(
                "SELECT EXISTS (SELECT FROM {table} JOIN tenants t USING (tenant_id) WHERE t.name = $1)"
            );
            let found = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
                .bind(tenant)
                .fetch_one(&mut self.connection);
            self.runtime.block_on(found).unwrap()
        };
        OF_USERS
            .into_iter()
            .filter(kept)
            .map(str::to_owned)
            .collect()
    }
}
