//! A look behind the product's back, as superuser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};

/// The rows of one test's database.
#[derive(Clone)]
pub struct Stored(PgPool);

impl Stored {
    pub fn new(superuser: PgConnectOptions) -> Self {
        Self(
            PgPoolOptions::new()
                .max_connections(2)
                .connect_lazy_with(superuser),
        )
    }

    pub async fn rows(&self, query: &str) -> Vec<Value> {
        let wrapped = format!("SELECT row_to_json(found) FROM ({query}) AS found");
        sqlx::query_scalar(AssertSqlSafe(wrapped))
            .fetch_all(&self.0)
            .await
            .unwrap()
    }

    pub async fn count(&self, from: &str) -> i64 {
        let query = format!("SELECT count(*) FROM {from}");
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&self.0)
            .await
            .unwrap()
    }

    pub async fn execute(&self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&self.0)
            .await
            .unwrap();
    }

    /// How often Postgres ended a transaction of this database because it waited in a circle. A session that has ended
    /// has told what it counted, and another one tells it within seconds: so all others are ended first.
    pub async fn deadlocks(&self) -> i64 {
        let end = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::query_scalar::<_, i64>(end)
            .fetch_one(&self.0)
            .await
            .unwrap();
        sqlx::query_scalar(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(&self.0)
        .await
        .unwrap()
    }

    pub async fn fingerprint(&self) -> String {
        let mut digests = String::new();
        for table in self
            .tables()
            .await
            .into_iter()
            .filter(|table| table != "audit_log")
        {
            let rows = format!(
                "SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {table} AS t"
            );
            let digest: Option<String> = sqlx::query_scalar(AssertSqlSafe(rows))
                .fetch_one(&self.0)
                .await
                .unwrap();
            digests.extend([&table, " ", &digest.unwrap_or_default(), "\n"]);
        }
        digests
    }

    /// The tables with a row that holds these bytes in any column, as they are or in base64.
    pub async fn holding(&self, bytes: &[u8]) -> Vec<String> {
        let digit = |value: u8| char::from_digit(value.into(), 16).unwrap();
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let hex: String = digits.map(digit).collect();
        let base64 = STANDARD_NO_PAD.encode(bytes);
        let mut holding = Vec::new();
        for table in self.tables().await {
            let found = format!(
                "SELECT EXISTS (SELECT FROM {table} AS t WHERE strpos(t::text, '{hex}') > 0 OR strpos(t::text, '{base64}') > 0)"
            );
            let found: bool = sqlx::query_scalar(AssertSqlSafe(found))
                .fetch_one(&self.0)
                .await
                .unwrap();
            if found {
                holding.push(table);
            }
        }
        holding
    }

    /// Every row of every table as text.
    pub async fn dump(&self) -> String {
        let mut dump = String::new();
        for table in self.tables().await {
            let rows =
                format!("SELECT COALESCE(string_agg(t::text, E'\\n'), '') FROM {table} AS t");
            let text: String = sqlx::query_scalar(AssertSqlSafe(rows))
                .fetch_one(&self.0)
                .await
                .unwrap();
            dump.push_str(&text);
            dump.push('\n');
        }
        dump
    }

    async fn tables(&self) -> Vec<String> {
        let query = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
        sqlx::query_scalar(query).fetch_all(&self.0).await.unwrap()
    }
}
