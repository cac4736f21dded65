//! Rows of `integrations`.

use std::collections::HashSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::TenantTx;
use super::error::{failed, is_taken};
use crate::domain::Error;
use crate::domain::ids::IntegrationId;
use crate::domain::integration::Integration;
use crate::domain::scheme::Scheme;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    integration_id: Uuid,
    slug: String,
    name: String,
    description: String,
    catalogue_slug: Option<String>,
    mcp_server_url: Option<String>,
    version: i64,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl From<Row> for Integration {
    fn from(row: Row) -> Self {
        Self {
            id: IntegrationId(row.integration_id),
            slug: row.slug,
            name: row.name,
            description: row.description,
            catalogue_slug: row.catalogue_slug,
            mcp_server_url: row.mcp_server_url,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// An integration with the scheme of its default config.
#[derive(sqlx::FromRow)]
struct WithScheme {
    #[sqlx(flatten)]
    row: Row,
    scheme: Option<String>,
}

/// A new row.
#[derive(Debug)]
pub struct NewRow<'a> {
    /// Its id.
    pub id: IntegrationId,
    /// Unique among the tenant's live rows.
    pub match_key: &'a str,
    /// The slug.
    pub slug: &'a str,
    /// The name.
    pub name: &'a str,
    /// The description.
    pub description: &'a str,
    /// The catalogue entry that it is made from.
    pub catalogue_slug: Option<&'a str>,
}

const FIND: &str = "-- integrations: find
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM integrations WHERE tenant_id = $1 AND integration_id = $2 AND deleted_at IS NULL";
const LOCK: &str = "-- integrations: lock
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM integrations WHERE tenant_id = $1 AND integration_id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE";
const FIND_MANY: &str = "-- integrations: find many
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM integrations WHERE tenant_id = $1 AND integration_id = ANY($2)";
const FIND_BY_KEY: &str = "-- integrations: find by match key
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM integrations WHERE tenant_id = $1 AND match_key = ANY($2) AND deleted_at IS NULL";
const FIND_BY_NAME: &str = "-- integrations: find by display name
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM integrations WHERE tenant_id = $1 AND name = $2 AND deleted_at IS NULL LIMIT 2";
const FIND_BY_NAMES: &str = "-- integrations: find by display names
    SELECT (array_agg(integration_id))[1] FROM integrations
    WHERE tenant_id = $1 AND name = ANY($2) AND deleted_at IS NULL GROUP BY name HAVING count(*) = 1";
const KEYS: &str = "-- integrations: match keys that begin with
    SELECT match_key FROM integrations WHERE tenant_id = $1 AND starts_with(match_key, $2) AND deleted_at IS NULL";
const INSERT: &str = "-- integrations: insert
    INSERT INTO integrations (tenant_id, integration_id, match_key, slug, name, description, catalogue_slug)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (tenant_id, match_key) WHERE deleted_at IS NULL DO NOTHING
    RETURNING integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at";
macro_rules! with_scheme {
    () => {
        "SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at, \
             scheme \
         FROM integrations LEFT JOIN ( \
             SELECT tenant_id, integration_id, scheme FROM auth_configs WHERE is_default AND deleted_at IS NULL \
         ) AS defaults USING (tenant_id, integration_id) \
         WHERE tenant_id = $1 AND deleted_at IS NULL"
    };
}
const WITH_SCHEMES: &str = concat!("-- integrations: all with schemes\n ", with_scheme!());
const SOME_WITH_SCHEMES: &str = concat!(
    "-- integrations: some with schemes\n ",
    with_scheme!(),
    " AND integration_id = ANY($2)"
);

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    FIND,
    LOCK,
    FIND_MANY,
    FIND_BY_KEY,
    FIND_BY_NAME,
    FIND_BY_NAMES,
    KEYS,
    INSERT,
    WITH_SCHEMES,
    SOME_WITH_SCHEMES,
];

/// One live integration.
pub async fn find(tx: &mut TenantTx, id: IntegrationId) -> Result<Option<Integration>, Error> {
    let row: Option<Row> = sqlx::query_as(FIND)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.map(Into::into))
}

/// One live integration, locked until the transaction ends: whoever makes or changes its default config or its
/// connections holds this. What only refers to it (a foreign key) does not wait.
pub async fn lock(tx: &mut TenantTx, id: IntegrationId) -> Result<Option<Integration>, Error> {
    let row: Option<Row> = sqlx::query_as(LOCK)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.map(Into::into))
}

/// The integrations with these ids, deleted ones too.
pub async fn find_many(tx: &mut TenantTx, ids: &[Uuid]) -> Result<Vec<Integration>, Error> {
    let rows: Vec<Row> = sqlx::query_as(FIND_MANY)
        .bind(tx.tenant().0)
        .bind(ids)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Every live integration, or those of `only`, each with the scheme of its default config, where it has one. One
/// statement, however many there are.
pub async fn with_schemes(
    tx: &mut TenantTx,
    only: Option<&[Uuid]>,
) -> Result<Vec<(Integration, Option<Scheme>)>, Error> {
    let query = match only {
        None => sqlx::query_as(WITH_SCHEMES).bind(tx.tenant().0),
        Some(ids) => sqlx::query_as(SOME_WITH_SCHEMES)
            .bind(tx.tenant().0)
            .bind(ids),
    };
    let rows: Vec<WithScheme> = query.fetch_all(tx.connection()).await.map_err(failed)?;
    let known = |WithScheme { row, scheme }| match scheme {
        None => Ok((row.into(), None)),
        Some(name) => match Scheme::from_name(&name) {
            Some(scheme) => Ok((row.into(), Some(scheme))),
            None => Err(Error::internal(format!(
                "the default config of integration {} has a scheme that this version does not know",
                row.integration_id
            ))),
        },
    };
    rows.into_iter().map(known).collect()
}

/// The live integrations that answer to any of these match keys.
pub async fn find_by_keys(tx: &mut TenantTx, keys: &[String]) -> Result<Vec<Integration>, Error> {
    let rows: Vec<Row> = sqlx::query_as(FIND_BY_KEY)
        .bind(tx.tenant().0)
        .bind(keys)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The live integration of this very name, where only one has it.
pub async fn find_by_unique_name(
    tx: &mut TenantTx,
    name: &str,
) -> Result<Option<Integration>, Error> {
    let mut rows: Vec<Row> = sqlx::query_as(FIND_BY_NAME)
        .bind(tx.tenant().0)
        .bind(name)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(if rows.len() == 1 {
        rows.pop().map(Into::into)
    } else {
        None
    })
}

/// The live integrations of these very names, of each that only one has.
pub async fn find_by_unique_names(
    tx: &mut TenantTx,
    names: &[String],
) -> Result<Vec<IntegrationId>, Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(FIND_BY_NAMES)
        .bind(tx.tenant().0)
        .bind(names)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(ids.into_iter().map(IntegrationId).collect())
}

/// The match keys of live integrations that begin with `beginning`.
pub async fn keys_beginning_with(
    tx: &mut TenantTx,
    beginning: &str,
) -> Result<HashSet<String>, Error> {
    let keys: Vec<String> = sqlx::query_scalar(KEYS)
        .bind(tx.tenant().0)
        .bind(beginning)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(keys.into_iter().collect())
}

/// Makes an integration; `None` where a live one has the match key already.
pub async fn insert(tx: &mut TenantTx, new: &NewRow<'_>) -> Result<Option<Integration>, Error> {
    let row: Result<Option<Row>, _> = sqlx::query_as(INSERT)
        .bind(tx.tenant().0)
        .bind(new.id.0)
        .bind(new.match_key)
        .bind(new.slug)
        .bind(new.name)
        .bind(new.description)
        .bind(new.catalogue_slug)
        .fetch_optional(tx.connection())
        .await;
    match row {
        Ok(row) => Ok(row.map(Into::into)),
        Err(error) if is_taken(&error, "integrations_match_key") => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
