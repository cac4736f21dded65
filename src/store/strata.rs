//! Rows of `strata`, `strata_servers` and `strata_external_servers`.

use uuid::Uuid;

use super::TenantTx;
use super::error::failed;
use super::integrations::Row;
use super::users::hash;
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{IntegrationId, StrataId, TenantId};
use crate::domain::integration::Integration;
use crate::domain::strata::ExternalServer;

const INSERT: &str = "-- strata: insert
    INSERT INTO strata (tenant_id, strata_id, user_hash, auth_handling) VALUES ($1, $2, $3, $4)";
const FIND: &str = "-- strata: find
    SELECT user_id FROM strata JOIN users USING (tenant_id, user_hash) WHERE tenant_id = $1 AND strata_id = $2";
const LOCK: &str = "-- strata: lock
    SELECT true FROM strata WHERE tenant_id = $1 AND strata_id = $2 FOR NO KEY UPDATE";
const TOUCH: &str = "-- strata: touch
    UPDATE strata SET updated_at = now() WHERE tenant_id = $1 AND strata_id = $2";
const SERVERS: &str = "-- strata_servers: of one
    SELECT integration_id, slug, name, description, catalogue_slug, mcp_server_url, version, created_at, updated_at
    FROM strata_servers JOIN integrations USING (tenant_id, integration_id)
    WHERE tenant_id = $1 AND strata_id = $2 AND deleted_at IS NULL ORDER BY slug";
const ADD_SERVERS: &str = "-- strata_servers: add
    INSERT INTO strata_servers (tenant_id, strata_id, integration_id)
    SELECT $1, $2, integration_id FROM unnest($3::uuid[]) AS added (integration_id)
    ON CONFLICT (tenant_id, strata_id, integration_id) DO NOTHING RETURNING integration_id";
const REMOVE_SERVERS: &str = "-- strata_servers: remove
    DELETE FROM strata_servers WHERE tenant_id = $1 AND strata_id = $2 AND integration_id = ANY ($3)";
const EXTERNAL: &str = "-- strata_external_servers: of one
    SELECT name, url FROM strata_external_servers WHERE tenant_id = $1 AND strata_id = $2 ORDER BY name";
const SET_EXTERNAL: &str = "-- strata_external_servers: set
    INSERT INTO strata_external_servers (tenant_id, strata_id, name, url, sealed_headers)
    SELECT $1, $2, name, url, sealed_headers
    FROM unnest($3::text[], $4::text[], $5::bytea[]) AS added (name, url, sealed_headers)
    ON CONFLICT (tenant_id, strata_id, name)
        DO UPDATE SET url = EXCLUDED.url, sealed_headers = EXCLUDED.sealed_headers
        WHERE (strata_external_servers.url, strata_external_servers.sealed_headers)
            IS DISTINCT FROM (EXCLUDED.url, EXCLUDED.sealed_headers)
    RETURNING name";
const REMOVE_EXTERNAL: &str = "-- strata_external_servers: remove
    DELETE FROM strata_external_servers WHERE tenant_id = $1 AND strata_id = $2 AND name = ANY ($3)";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    INSERT,
    FIND,
    LOCK,
    TOUCH,
    SERVERS,
    ADD_SERVERS,
    REMOVE_SERVERS,
    EXTERNAL,
    SET_EXTERNAL,
    REMOVE_EXTERNAL,
];

/// An external server with its headers sealed.
#[derive(Debug, Clone)]
pub struct SealedServer {
    /// Its name, unique in the strata.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The headers that a client sends there, sealed at [`place`].
    pub sealed_headers: Option<Vec<u8>>,
}

/// Where the headers of an external server are sealed.
pub fn place(tenant: TenantId, strata: StrataId, name: &str) -> Place {
    Place {
        tenant: tenant.0,
        table: "strata_external_servers",
        row: format!("{strata}/{name}"),
        column: "sealed_headers",
    }
}

/// Makes a strata of this user, who must be there.
pub async fn insert(
    tx: &mut TenantTx,
    id: StrataId,
    user_id: &str,
    auth_handling: bool,
) -> Result<(), Error> {
    sqlx::query(INSERT)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(hash(user_id))
        .bind(auth_handling)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// Whose strata it is.
pub async fn user_of(tx: &mut TenantTx, id: StrataId) -> Result<Option<String>, Error> {
    sqlx::query_scalar(FIND)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)
}

/// Locks a strata until the transaction ends; `false` where there is none. Whoever changes what is in it holds this.
pub async fn lock(tx: &mut TenantTx, id: StrataId) -> Result<bool, Error> {
    let row: Option<bool> = sqlx::query_scalar(LOCK)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_optional(tx.connection())
        .await
        .map_err(failed)?;
    Ok(row.is_some())
}

/// Notes that what is in it was changed now.
pub async fn touch(tx: &mut TenantTx, id: StrataId) -> Result<(), Error> {
    sqlx::query(TOUCH)
        .bind(tx.tenant().0)
        .bind(id.0)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

/// The live integrations in it, by slug.
pub async fn servers(tx: &mut TenantTx, id: StrataId) -> Result<Vec<Integration>, Error> {
    let rows: Vec<Row> = sqlx::query_as(SERVERS)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Adds integrations; answers with those that were not in it before, in no order.
pub async fn add_servers(
    tx: &mut TenantTx,
    id: StrataId,
    integrations: &[IntegrationId],
) -> Result<Vec<IntegrationId>, Error> {
    if integrations.is_empty() {
        return Ok(Vec::new());
    }
    let added: Vec<Uuid> = sqlx::query_scalar(ADD_SERVERS)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(uuids(integrations))
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    Ok(added.into_iter().map(IntegrationId).collect())
}

/// Removes integrations.
pub async fn remove_servers(
    tx: &mut TenantTx,
    id: StrataId,
    integrations: &[IntegrationId],
) -> Result<(), Error> {
    if integrations.is_empty() {
        return Ok(());
    }
    sqlx::query(REMOVE_SERVERS)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(uuids(integrations))
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}

fn uuids(integrations: &[IntegrationId]) -> Vec<Uuid> {
    integrations.iter().map(|IntegrationId(id)| *id).collect()
}

/// The external servers in it, by name, without their headers.
pub async fn external(tx: &mut TenantTx, id: StrataId) -> Result<Vec<ExternalServer>, Error> {
    let rows: Vec<(String, String)> = sqlx::query_as(EXTERNAL)
        .bind(tx.tenant().0)
        .bind(id.0)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)?;
    let servers = rows
        .into_iter()
        .map(|(name, url)| ExternalServer { name, url });
    Ok(servers.collect())
}

/// Makes or replaces external servers, whose names are different; answers with the names of those that were not in it
/// just so, in no order. Headers that were sealed anew are others.
pub async fn set_external(
    tx: &mut TenantTx,
    id: StrataId,
    servers: &[SealedServer],
) -> Result<Vec<String>, Error> {
    if servers.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    let urls: Vec<&str> = servers.iter().map(|server| server.url.as_str()).collect();
    let headers: Vec<Option<&[u8]>> = servers
        .iter()
        .map(|server| server.sealed_headers.as_deref())
        .collect();
    sqlx::query_scalar(SET_EXTERNAL)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(names)
        .bind(urls)
        .bind(headers)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}

/// Removes external servers by their names.
pub async fn remove_external(
    tx: &mut TenantTx,
    id: StrataId,
    names: &[String],
) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(REMOVE_EXTERNAL)
        .bind(tx.tenant().0)
        .bind(id.0)
        .bind(names)
        .execute(tx.connection())
        .await
        .map(|_| ())
        .map_err(failed)
}
