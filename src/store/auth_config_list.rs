//! Pages of `auth_configs`.

use uuid::Uuid;

use super::TenantTx;
use super::auth_configs::{Row, columns};
use super::error::failed;
use crate::domain::Error;
use crate::domain::auth_config::{AuthConfig, Cursor};

const LIST: &str = concat!(
    "-- auth_configs: list\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND deleted_at IS NULL
        AND ($2::uuid IS NULL OR auth_config_id < $2)
        AND ($3::boolean IS NULL OR managed = $3)
        AND ($4::uuid[] IS NULL OR integration_id = ANY($4))
        AND ($5 OR enabled)
        AND ($6::text IS NULL OR name ILIKE $6 OR public_id ILIKE $6)
      ORDER BY auth_config_id DESC LIMIT $7"
);
const COUNT: &str = "-- auth_configs: count
    SELECT count(*) FROM auth_configs WHERE tenant_id = $1 AND deleted_at IS NULL
        AND ($2::boolean IS NULL OR managed = $2)
        AND ($3::uuid[] IS NULL OR integration_id = ANY($3))
        AND ($4 OR enabled)
        AND ($5::text IS NULL OR name ILIKE $5 OR public_id ILIKE $5)";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[LIST, COUNT];

/// Which configs to list, in the terms of the rows.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Only managed, or only custom ones.
    pub managed: Option<bool>,
    /// Only those of these integrations.
    pub integrations: Option<Vec<Uuid>>,
    /// Disabled ones too.
    pub show_disabled: bool,
    /// Part of the name or of the id, without case.
    pub search: Option<String>,
}

/// At most `limit` configs, newest first, after the cursor.
pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<AuthConfig>, Error> {
    let rows: Vec<Row> = sqlx::query_as(LIST)
        .bind(tx.tenant().0)
        .bind(after.map(|cursor| cursor.after))
        .bind(filter.managed)
        .bind(&filter.integrations)
        .bind(filter.show_disabled)
        .bind(filter.search.as_deref().map(containing))
        .bind(limit)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// How many configs match.
pub async fn count(tx: &mut TenantTx, filter: &Filter) -> Result<i64, Error> {
    sqlx::query_scalar(COUNT)
        .bind(tx.tenant().0)
        .bind(filter.managed)
        .bind(&filter.integrations)
        .bind(filter.show_disabled)
        .bind(filter.search.as_deref().map(containing))
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// A LIKE pattern for texts that contain `part` as it stands.
fn containing(part: &str) -> String {
    format!(
        "%{}%",
        part.replace('\\', r"\\")
            .replace('%', r"\%")
            .replace('_', r"\_")
    )
}
