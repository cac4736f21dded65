//! Rows of `auth_configs`.

use sqlx::types::Json as Jsonb;
use time::OffsetDateTime;
use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use crate::domain::Error;
use crate::domain::auth_config::{AuthConfig, DeclaredField, OAuthClient, ToolAccess};
use crate::domain::ids::{AuthConfigId, AuthConfigUuid, IntegrationId};
use crate::domain::scheme::Scheme;

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "one per column")]
pub(super) struct Row {
    auth_config_id: Uuid,
    public_id: String,
    integration_id: Uuid,
    is_default: bool,
    is_implicit: bool,
    name: String,
    scheme: String,
    managed: bool,
    enabled: bool,
    tool_access: Jsonb<ToolAccess>,
    proxy_url: Option<String>,
    tool_router: bool,
    test_code: Option<String>,
    fields: Jsonb<Vec<DeclaredField>>,
    oauth_client: Option<Jsonb<OAuthClient>>,
    version: i64,
    created_by: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for AuthConfig {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let id: AuthConfigId = row.public_id.parse().map_err(Error::internal)?;
        let scheme = Scheme::from_name(&row.scheme).ok_or_else(|| {
            Error::internal(format!(
                "auth config {id} has a scheme that this version does not know"
            ))
        })?;
        Ok(Self {
            uuid: AuthConfigUuid(row.auth_config_id),
            id,
            integration: IntegrationId(row.integration_id),
            is_default: row.is_default,
            implicit: row.is_implicit,
            name: row.name,
            scheme,
            managed: row.managed,
            enabled: row.enabled,
            tools: row.tool_access.0,
            proxy_url: row.proxy_url,
            tool_router: row.tool_router,
            test_code: row.test_code,
            fields: row.fields.0,
            oauth_client: row.oauth_client.map(|client| client.0),
            version: row.version,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

macro_rules! columns {
    () => {
        "auth_config_id, public_id, integration_id, is_default, is_implicit, name, scheme, managed, enabled, \
         tool_access, proxy_url, tool_router, test_code, fields, oauth_client, version, created_by, created_at, updated_at"
    };
}

pub(super) use columns;

const FIND: &str = concat!(
    "-- auth_configs: find\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND public_id = $2 AND deleted_at IS NULL"
);
const LOCK: &str = concat!(
    "-- auth_configs: lock\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND public_id = $2 AND deleted_at IS NULL FOR UPDATE"
);
const FIND_BY_UUID: &str = concat!(
    "-- auth_configs: find by row id\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND auth_config_id = $2"
);
const SHARE: &str = concat!(
    "-- auth_configs: share\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND auth_config_id = $2 FOR SHARE"
);
const FIND_DEFAULT: &str = concat!(
    "-- auth_configs: find default\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND integration_id = $2 AND is_default AND deleted_at IS NULL"
);
const LOCK_DEFAULT: &str = concat!(
    "-- auth_configs: lock default\n SELECT ",
    columns!(),
    " FROM auth_configs WHERE tenant_id = $1 AND integration_id = $2 AND is_default AND deleted_at IS NULL FOR UPDATE"
);
const INSERT: &str = "-- auth_configs: insert
    INSERT INTO auth_configs (tenant_id, auth_config_id, public_id, integration_id, is_default, is_implicit, name,
        scheme, managed, enabled, tool_access, proxy_url, tool_router, test_code, fields, oauth_client, version,
        created_by, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, now(), now())";
const UPDATE: &str = "-- auth_configs: update
    UPDATE auth_configs SET is_implicit = $3, name = $4, scheme = $5, managed = $6, enabled = $7, tool_access = $8,
        proxy_url = $9, tool_router = $10, test_code = $11, fields = $12, oauth_client = $13, created_by = $14,
        version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND auth_config_id = $2";
const SET_PROXY_KEY: &str = "-- auth_configs: set proxy key
    UPDATE auth_configs SET sealed_proxy_auth_key = $3 WHERE tenant_id = $1 AND auth_config_id = $2";
const PROXY_KEYS: &str = "-- auth_configs: proxy keys
    SELECT auth_config_id, sealed_proxy_auth_key FROM auth_configs
    WHERE tenant_id = $1 AND auth_config_id = ANY($2) AND sealed_proxy_auth_key IS NOT NULL";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    FIND,
    LOCK,
    FIND_BY_UUID,
    SHARE,
    FIND_DEFAULT,
    LOCK_DEFAULT,
    INSERT,
    UPDATE,
    SET_PROXY_KEY,
    PROXY_KEYS,
];

async fn one(
    tx: &mut TenantTx,
    statement: &'static str,
    id: impl for<'q> sqlx::Encode<'q, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send,
) -> Result<Option<AuthConfig>, Error> {
    let row: Option<Row> = sqlx::query_as(statement)
        .bind(tx.tenant().0)
        .bind(id)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// One live config.
pub async fn find(tx: &mut TenantTx, id: &AuthConfigId) -> Result<Option<AuthConfig>, Error> {
    one(tx, FIND, id.as_str().to_owned()).await
}

/// One live config, locked until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: &AuthConfigId) -> Result<Option<AuthConfig>, Error> {
    one(tx, LOCK, id.as_str().to_owned()).await
}

/// One config by its row id, a deleted one too: a connection keeps pointing at it.
pub async fn find_by_uuid(
    tx: &mut TenantTx,
    id: AuthConfigUuid,
) -> Result<Option<AuthConfig>, Error> {
    one(tx, FIND_BY_UUID, id.0).await
}

/// One config by its row id, which nobody can lock to change it until the transaction ends.
pub async fn share(tx: &mut TenantTx, id: AuthConfigUuid) -> Result<Option<AuthConfig>, Error> {
    one(tx, SHARE, id.0).await
}

/// The default config of an integration.
pub async fn find_default(
    tx: &mut TenantTx,
    integration: IntegrationId,
) -> Result<Option<AuthConfig>, Error> {
    one(tx, FIND_DEFAULT, integration.0).await
}

/// The default config of an integration, locked until the transaction ends.
pub async fn lock_default(
    tx: &mut TenantTx,
    integration: IntegrationId,
) -> Result<Option<AuthConfig>, Error> {
    one(tx, LOCK_DEFAULT, integration.0).await
}

/// Makes a config.
pub async fn insert(tx: &mut TenantTx, config: &AuthConfig) -> Result<(), Error> {
    sqlx::query(INSERT)
        .bind(tx.tenant().0)
        .bind(config.uuid.0)
        .bind(config.id.as_str())
        .bind(config.integration.0)
        .bind(config.is_default)
        .bind(config.implicit)
        .bind(&config.name)
        .bind(config.scheme.name())
        .bind(config.managed)
        .bind(config.enabled)
        .bind(Jsonb(&config.tools))
        .bind(&config.proxy_url)
        .bind(config.tool_router)
        .bind(&config.test_code)
        .bind(Jsonb(&config.fields))
        .bind(config.oauth_client.as_ref().map(Jsonb))
        .bind(config.version)
        .bind(&config.created_by)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Writes every open member of a config; its version grows.
pub async fn update(tx: &mut TenantTx, config: &AuthConfig) -> Result<(), Error> {
    sqlx::query(UPDATE)
        .bind(tx.tenant().0)
        .bind(config.uuid.0)
        .bind(config.implicit)
        .bind(&config.name)
        .bind(config.scheme.name())
        .bind(config.managed)
        .bind(config.enabled)
        .bind(Jsonb(&config.tools))
        .bind(&config.proxy_url)
        .bind(config.tool_router)
        .bind(&config.test_code)
        .bind(Jsonb(&config.fields))
        .bind(config.oauth_client.as_ref().map(Jsonb))
        .bind(&config.created_by)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// The sealed keys of the proxies of these configs, where they have one.
pub async fn proxy_keys(
    tx: &mut TenantTx,
    configs: &[Uuid],
) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
    sqlx::query_as(PROXY_KEYS)
        .bind(tx.tenant().0)
        .bind(configs)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Sets or destroys the sealed key of the config's proxy.
pub async fn set_proxy_key(
    tx: &mut TenantTx,
    id: AuthConfigUuid,
    sealed: Option<&[u8]>,
) -> Result<(), Error> {
    sqlx::query(SET_PROXY_KEY)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(sealed)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
