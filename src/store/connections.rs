//! Rows of `connections`.

mod changes;
mod of_config;

use time::OffsetDateTime;
use uuid::Uuid;

use super::TenantTx;
use super::error::{failed, is_taken};
use super::users::{self, hash as user_hash};
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::connection::{Connection, Status};
use crate::domain::error::Refusal;
use crate::domain::ids::{
    AuthConfigUuid, ConnectedAccountId, ConnectionId, IntegrationId, TenantId,
};
pub use changes::{
    Deletion, Standing, change_credential, delete, end_links, set_alias, set_read_only, set_status,
};
pub use of_config::{any_credential_held, count_by_config, start_anew, users};

/// What keeps the aliases of a user's connections with one integration apart.
const ALIAS_INDEX: &str = "connections_alias";

#[derive(sqlx::FromRow)]
pub(in crate::store) struct Row {
    connection_id: Uuid,
    public_id: String,
    auth_config_id: Uuid,
    integration_id: Uuid,
    user_id: String,
    is_primary: bool,
    status: String,
    status_reason: Option<String>,
    alias: Option<String>,
    has_credential: bool,
    platform: Option<String>,
    read_only: bool,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
}

impl TryFrom<Row> for Connection {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self, Error> {
        let status = Status::from_name(&row.status).ok_or_else(|| {
            Error::internal(format!(
                "connection {} has an unknown status",
                row.connection_id
            ))
        })?;
        Ok(Self {
            id: ConnectionId(row.connection_id),
            account: row
                .public_id
                .parse::<ConnectedAccountId>()
                .map_err(Error::internal)?,
            auth_config: AuthConfigUuid(row.auth_config_id),
            integration: IntegrationId(row.integration_id),
            user_id: row.user_id,
            is_primary: row.is_primary,
            status,
            status_reason: row.status_reason,
            alias: row.alias,
            has_credential: row.has_credential,
            platform: row.platform,
            read_only: row.read_only,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "connection_id, public_id, auth_config_id, integration_id, user_id, is_primary, status, \
         status_reason, alias, \
         sealed_credential IS NOT NULL AS has_credential, platform, read_only, created_at, updated_at"
    };
}

pub(in crate::store) use columns;

const FIND: &str = concat!(
    "-- connections: find\n SELECT ",
    columns!(),
    " FROM connections WHERE tenant_id = $1 AND connection_id = $2"
);
const FIND_ACCOUNT: &str = concat!(
    "-- connections: find by public id\n SELECT ",
    columns!(),
    " FROM connections WHERE tenant_id = $1 AND public_id = $2"
);
const LOCK: &str = concat!(
    "-- connections: lock\n SELECT ",
    columns!(),
    " FROM connections WHERE tenant_id = $1 AND connection_id = $2 FOR UPDATE"
);
const FIND_PRIMARY: &str = concat!(
    "-- connections: find primary\n SELECT ",
    columns!(),
    " FROM connections WHERE tenant_id = $1 AND integration_id = $2 AND user_hash = $3 AND is_primary"
);
const PRIMARIES: &str = concat!(
    "-- connections: primaries of a user\n SELECT ",
    columns!(),
    " FROM connections WHERE tenant_id = $1 AND user_hash = $2 AND is_primary"
);
const SEALED: &str = "-- connections: sealed credential
    SELECT generation, sealed_credential FROM connections WHERE tenant_id = $1 AND connection_id = $2";
const INSERT: &str = "-- connections: insert
    INSERT INTO connections (tenant_id, connection_id, public_id, auth_config_id, integration_id, user_id, user_hash,
        is_primary, status, status_reason, alias, platform, read_only)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (tenant_id, integration_id, user_hash) WHERE is_primary DO NOTHING";
const SET_CREDENTIAL: &str = "-- connections: set credential
    UPDATE connections SET generation = $3, sealed_credential = $4, status = $5, status_reason = NULL,
        updated_at = now()
    WHERE tenant_id = $1 AND connection_id = $2";
/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    FIND,
    FIND_ACCOUNT,
    LOCK,
    FIND_PRIMARY,
    PRIMARIES,
    SEALED,
    INSERT,
    SET_CREDENTIAL,
    of_config::COUNT,
    of_config::ANY_CREDENTIAL,
    of_config::ANY_CREDENTIAL_HELD,
    of_config::USERS,
    of_config::START_ANEW,
    changes::SET_READ_ONLY,
    changes::SET_ALIAS,
    changes::SET_STATUS,
    changes::CHANGE_CREDENTIAL,
    changes::END_LINKS,
    changes::LOCK_WITH_HEIR,
    changes::DELETE,
    changes::PROMOTE,
];
/// Where a connection's credential is sealed, also once it is retired.
pub fn place(tenant: TenantId, connection: ConnectionId) -> Place {
    Place {
        tenant: tenant.0,
        table: "connections",
        row: connection.to_string(),
        column: "sealed_credential",
    }
}

async fn one(
    tx: &mut TenantTx,
    statement: &'static str,
    id: ConnectionId,
) -> Result<Option<Connection>, Error> {
    let row: Option<Row> = sqlx::query_as(statement)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// One live connection.
pub async fn find(tx: &mut TenantTx, id: ConnectionId) -> Result<Option<Connection>, Error> {
    one(tx, FIND, id).await
}

/// One live connection, by its id on Composio's wire.
pub async fn find_account(
    tx: &mut TenantTx,
    id: &ConnectedAccountId,
) -> Result<Option<Connection>, Error> {
    let row: Option<Row> = sqlx::query_as(FIND_ACCOUNT)
        .bind(tx.tenant().0)
        .bind(id.as_str())
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// One live connection, locked until the transaction ends.
pub async fn lock(tx: &mut TenantTx, id: ConnectionId) -> Result<Option<Connection>, Error> {
    one(tx, LOCK, id).await
}

/// The connection that stands for (integration, user).
pub async fn find_primary(
    tx: &mut TenantTx,
    integration: IntegrationId,
    user_id: &str,
) -> Result<Option<Connection>, Error> {
    let row: Option<Row> = sqlx::query_as(FIND_PRIMARY)
        .bind(tx.tenant().0)
        .bind(integration.0)
        .bind(user_hash(user_id))
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    row.map(TryInto::try_into).transpose()
}

/// The connections that stand for a user, one for each integration.
pub async fn primaries_of_user(tx: &mut TenantTx, user_id: &str) -> Result<Vec<Connection>, Error> {
    let rows: Vec<Row> = sqlx::query_as(PRIMARIES)
        .bind(tx.tenant().0)
        .bind(user_hash(user_id))
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The sealed credential with its generation, where there is one.
pub async fn sealed(tx: &mut TenantTx, id: ConnectionId) -> Result<Option<(Uuid, Vec<u8>)>, Error> {
    let row: Option<(Option<Uuid>, Option<Vec<u8>>)> = sqlx::query_as(SEALED)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.and_then(|(generation, sealed)| generation.zip(sealed)))
}

/// Makes a connection, and its user where it is new; refused where its alias is taken. `false` where the pair has a
/// primary one already and this one was to be it.
pub async fn insert(tx: &mut TenantTx, connection: &Connection) -> Result<bool, Error> {
    let hash = user_hash(&connection.user_id);
    users::ensure(tx, &connection.user_id).await?;
    let done = sqlx::query(INSERT)
        .bind(tx.tenant().0)
        .bind(connection.id.0)
        .bind(connection.account.as_str())
        .bind(connection.auth_config.0)
        .bind(connection.integration.0)
        .bind(&connection.user_id)
        .bind(&hash)
        .bind(connection.is_primary)
        .bind(connection.status.name())
        .bind(&connection.status_reason)
        .bind(&connection.alias)
        .bind(&connection.platform)
        .bind(connection.read_only)
        .execute(tx.connection())
        .await;
    match done {
        Ok(done) => Ok(done.rows_affected() == 1),
        Err(error) if is_taken(&error, "connections_primary") => Ok(false),
        Err(error) if is_taken(&error, ALIAS_INDEX) => Err(Error::Refused(Refusal::AliasTaken)),
        Err(error) => Err(failed(error)),
    }
}

/// Replaces (or, with `None`, destroys) the credential and sets the status.
pub async fn set_credential(
    tx: &mut TenantTx,
    id: ConnectionId,
    sealed: Option<(Uuid, Vec<u8>)>,
    status: Status,
) -> Result<(), Error> {
    let (generation, bytes) = sealed.unzip();
    sqlx::query(SET_CREDENTIAL)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(generation)
        .bind(bytes)
        .bind(status.name())
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
