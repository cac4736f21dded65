//! Rows of `link_tokens`: links to the hosted connect page, by the hash of their token.

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::error::failed;
use super::users::hash;
use super::{ServerTx, TenantTx};
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, ConnectionId, IntegrationId, TenantId};
use crate::domain::scheme::Scheme;

mod ended;

pub use ended::{purge, wipe_expired};

const INSERT: &str = "-- link_tokens: insert
    INSERT INTO link_tokens (tenant_id, token_hash, connection_id, key_id, callback_url, sealed_data, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)) RETURNING expires_at";

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "tenant_id, token_hash, connection_id, key_id, callback_url, sealed_data, used_at IS NOT NULL AS used, \
         expires_at <= now() AS expired"
    };
}

const FIND: &str = concat!(
    "-- link_tokens: find\n SELECT ",
    columns!(),
    " FROM link_tokens WHERE token_hash = $1"
);
const LOCK: &str = concat!(
    "-- link_tokens: lock\n SELECT ",
    columns!(),
    " FROM link_tokens WHERE tenant_id = $1 AND token_hash = $2 FOR UPDATE"
);
const USE: &str = "-- link_tokens: use
    UPDATE link_tokens SET used_at = now(), sealed_data = NULL WHERE tenant_id = $1 AND token_hash = $2";
const WAITING: &str = "-- connections: primaries of a user that are not ready
    SELECT c.connection_id, c.integration_id, c.updated_at, a.scheme
    FROM connections c JOIN auth_configs a ON a.tenant_id = c.tenant_id AND a.auth_config_id = c.auth_config_id
    WHERE c.tenant_id = $1 AND c.user_hash = $2 AND c.is_primary AND c.integration_id = ANY ($3)
        AND NOT (c.status = 'ACTIVE' AND c.sealed_credential IS NOT NULL) AND c.status NOT IN ('INACTIVE', 'REVOKED')
        AND a.enabled AND a.deleted_at IS NULL";
const CLOCK: &str = "-- link_tokens: the database's clock
    SELECT extract(epoch FROM now())::bigint";
const MAKER_IS_LIVE: &str = "-- api_keys: whether one is live
    SELECT EXISTS (SELECT FROM api_keys WHERE tenant_id = $1 AND key_id = $2 AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now()))";
const END_OF_CONFIG: &str = "-- link_tokens: end those of a config
    DELETE FROM link_tokens WHERE tenant_id = $1 AND connection_id IN (
        SELECT connection_id FROM connections WHERE tenant_id = $1 AND auth_config_id = $2)";
/// The statements of this file that a tenant's transaction runs.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    LOCK,
    USE,
    WAITING,
    CLOCK,
    MAKER_IS_LIVE,
    END_OF_CONFIG,
];
/// The statements of this file that the role `keyway_auth` runs.
pub const AUTH_STATEMENTS: &[&str] = &[FIND];
/// The statements about links that the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[ended::WIPE, ended::PURGE];

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: Uuid,
    token_hash: Vec<u8>,
    connection_id: Uuid,
    key_id: String,
    callback_url: Option<String>,
    sealed_data: Option<Vec<u8>>,
    used: bool,
    expired: bool,
}

/// A link as it is stored: never its token.
#[derive(Debug, Clone)]
pub struct Link {
    /// Whose.
    pub tenant: TenantId,
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Which connection its user completes.
    pub connection: ConnectionId,
    /// The API key that made it.
    pub key_id: String,
    /// Where the browser goes in the end.
    pub callback_url: Option<String>,
    /// Members of the credential that the platform gave, sealed at [`place`].
    pub sealed_data: Option<Vec<u8>>,
    /// Whether it was used.
    pub used: bool,
    /// Whether it had ended when it was read, by the database's clock.
    pub expired: bool,
}

impl TryFrom<Row> for Link {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let hash = <[u8; 32]>::try_from(row.token_hash);
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            token_hash: hash.map_err(|_| Error::internal("a link's hash is not one"))?,
            connection: ConnectionId(row.connection_id),
            key_id: row.key_id,
            callback_url: row.callback_url,
            sealed_data: row.sealed_data,
            used: row.used,
            expired: row.expired,
        })
    }
}

/// What it takes to make a link.
#[derive(Debug)]
pub struct NewLink {
    /// SHA-256 of its token.
    pub token_hash: [u8; 32],
    /// Which connection its user completes.
    pub connection: ConnectionId,
    /// The API key that made it, for the audit row of its use.
    pub key_id: String,
    /// Where the browser goes in the end.
    pub callback_url: Option<String>,
    /// Members of the credential that the platform gave, sealed at [`place`].
    pub sealed_data: Option<Vec<u8>>,
    /// How long it can be used.
    pub lifetime: Duration,
}

/// Where the members that came with a link are sealed.
pub fn place(tenant: TenantId, token_hash: &[u8; 32]) -> Place {
    use std::fmt::Write as _;

    let mut row = String::with_capacity(2 * token_hash.len());
    for byte in token_hash {
        let _ = write!(row, "{byte:02x}");
    }
    place_of(tenant, &row)
}

/// As [`place`]; the hash in hexadecimal digits.
pub(super) fn place_of(tenant: TenantId, token_hash: &str) -> Place {
    Place {
        tenant: tenant.0,
        table: "link_tokens",
        row: token_hash.to_owned(),
        column: "sealed_data",
    }
}

/// Makes a link; answers when it ends, by the database's clock.
pub async fn insert(tx: &mut TenantTx, link: &NewLink) -> Result<OffsetDateTime, Error> {
    sqlx::query_scalar(INSERT)
        .bind(tx.tenant().0)
        .bind(link.token_hash)
        .bind(link.connection.0)
        .bind(&link.key_id)
        .bind(&link.callback_url)
        .bind(&link.sealed_data)
        .bind(link.lifetime.as_secs_f64())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// The link of this token, before the tenant is known.
pub async fn find(tx: &mut ServerTx, token_hash: &[u8; 32]) -> Result<Option<Link>, Error> {
    let row: Option<Row> = sqlx::query_as(FIND)
        .bind(token_hash)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// The link of this token, locked until the transaction ends. Whoever locks its connection too does so before: a
/// connection's deletion takes its links along.
pub async fn lock(tx: &mut TenantTx, token_hash: &[u8; 32]) -> Result<Option<Link>, Error> {
    let row: Option<Row> = sqlx::query_as(LOCK)
        .bind(tx.tenant().0)
        .bind(token_hash)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// Ends a link by its use, and destroys what came with it.
pub async fn set_used(tx: &mut TenantTx, token_hash: &[u8; 32]) -> Result<(), Error> {
    sqlx::query(USE)
        .bind(tx.tenant().0)
        .bind(token_hash)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Destroys the links of all connections under a config, with what came with them. The caller holds these connections.
pub async fn end_of_config(tx: &mut TenantTx, config: AuthConfigUuid) -> Result<(), Error> {
    sqlx::query(END_OF_CONFIG)
        .bind(tx.tenant().0)
        .bind(config.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Whether the API key that made a link is good still: neither revoked nor expired.
pub async fn maker_is_live(tx: &mut TenantTx, key_id: &str) -> Result<bool, Error> {
    sqlx::query_scalar(MAKER_IS_LIVE)
        .bind(tx.tenant().0)
        .bind(key_id)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// The seconds since 1970 by the database's clock, when the transaction began.
pub async fn clock(tx: &mut TenantTx) -> Result<i64, Error> {
    sqlx::query_scalar(CLOCK)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// A primary connection that is not ready.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id.
    pub connection: ConnectionId,
    /// Of which integration.
    pub integration: IntegrationId,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
    /// The scheme of its config.
    pub scheme: Scheme,
}

/// The primary connections of a user with these integrations that are not ready, where their config is enabled: without
/// those that their tenant switched off or revoked, which is not for their user to undo.
pub async fn waiting(
    tx: &mut TenantTx,
    user_id: &str,
    integrations: &[IntegrationId],
) -> Result<Vec<Waiting>, Error> {
    let ids: Vec<Uuid> = integrations.iter().map(|IntegrationId(id)| *id).collect();
    let rows: Vec<(Uuid, Uuid, OffsetDateTime, String)> = sqlx::query_as(WAITING)
        .bind(tx.tenant().0)
        .bind(hash(user_id))
        .bind(ids)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let known = |(connection, integration, updated_at, scheme): (_, _, _, String)| {
        Some(Waiting {
            connection: ConnectionId(connection),
            integration: IntegrationId(integration),
            updated_at,
            scheme: Scheme::from_name(&scheme)?,
        })
    };
    Ok(rows.into_iter().filter_map(known).collect())
}
