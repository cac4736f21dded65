//! Finding auth configs by the id of their OAuth client, which is sealed: by the index of the cell, and cell by cell
//! where one was sealed before there was an index.

use uuid::Uuid;

use super::TenantTx;
use super::auth_configs::{Row, columns};
use super::error::failed;
use super::secrets::{Cell, CellKind};
use crate::domain::Error;
use crate::domain::auth_config::AuthConfig;
use crate::domain::ids::{AuthConfigUuid, IntegrationId};

const FIND: &str = concat!(
    "-- auth_configs: find by client id\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND auth_config_id IN (
            SELECT auth_config_id FROM auth_config_secrets
            WHERE tenant_id = $1 AND value_index = $2 AND kind = 'credential' AND name = 'client_id'
            UNION ALL SELECT unnest($3::uuid[]))
        AND ($4::uuid[] IS NULL OR integration_id = ANY($4))
        AND scheme = ANY($5) AND NOT managed AND deleted_at IS NULL
      ORDER BY updated_at DESC, auth_config_id DESC LIMIT 1"
);
const UNINDEXED: &str = "-- auth_config_secrets: client ids without an index
    SELECT auth_config_id, name, sealed_value FROM auth_config_secrets
    WHERE tenant_id = $1 AND kind = 'credential' AND name = 'client_id' AND value_index IS NULL AND auth_config_id > $2
    ORDER BY auth_config_id LIMIT 500";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[FIND, UNINDEXED];

/// Of which auth configs one is looked for.
#[derive(Debug)]
pub struct Search<'a> {
    /// The index of the client id.
    pub index: &'a [u8],
    /// Configs that have the client id, and no index of it.
    pub unindexed: &'a [Uuid],
    /// Only those of these integrations.
    pub integrations: Option<&'a [IntegrationId]>,
    /// Only those of these schemes, by name.
    pub schemes: &'a [&'static str],
}

/// The live config that was changed last, the operator's shared ones apart.
pub async fn find(tx: &mut TenantTx, search: Search<'_>) -> Result<Option<AuthConfig>, Error> {
    let integrations: Option<Vec<Uuid>> = search
        .integrations
        .map(|ids| ids.iter().map(|id| id.0).collect());
    let row: Option<Row> = sqlx::query_as(FIND)
        .bind(tx.tenant().0)
        .bind(search.index)
        .bind(search.unindexed)
        .bind(integrations)
        .bind(search.schemes)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// The next client ids without an index, at most 500, by config; none are the end.
pub async fn unindexed(tx: &mut TenantTx, after: AuthConfigUuid) -> Result<Vec<Cell>, Error> {
    let rows: Vec<(Uuid, String, Vec<u8>)> = sqlx::query_as(UNINDEXED)
        .bind(tx.tenant().0)
        .bind(after.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let cells = rows.into_iter().map(|(auth_config, name, sealed)| Cell {
        auth_config: AuthConfigUuid(auth_config),
        kind: CellKind::Credential,
        name,
        sealed,
        index: None,
    });
    Ok(cells.collect())
}
