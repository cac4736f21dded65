//! Cells, moved from one data key of their tenant under another, batch by batch.
//!
//! A batch is read, sealed anew with no transaction open, and written back where the bytes are still the ones that were
//! read (compare-and-set) and nobody holds the row. What was missed is met by the next pass.

use uuid::Uuid;

use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, ConnectionId, StrataId, TenantId};
use crate::store::error::failed;
use crate::store::{ServerTx, connections, secrets, strata};

/// Rows in one batch (the cells of one auth config are never parted).
const BATCH: i64 = 200;
/// Sealed bytes in one batch, but for the first id of it, whose cells go together: a cell can have 256 KiB.
const BATCH_BYTES: i64 = 8 << 20;

/// How the cells of one sealed column are found, named and replaced. Every [`SealedUnder::DataKey`] column has one.
///
/// [`SealedUnder::DataKey`]: crate::store::sealed_columns::SealedUnder::DataKey
#[derive(Debug)]
pub struct Cells {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    some: &'static str,
    replace: &'static str,
    place: fn(TenantId, Uuid, &str) -> Place,
}

const SOME_PROXY_KEYS: &str = "-- auth_configs: some proxy keys under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT auth_config_id AS id, '' AS part, CASE WHEN substring(sealed_proxy_auth_key FROM 3 FOR 4) <> $3
                THEN sealed_proxy_auth_key END AS sealed
            FROM auth_configs WHERE tenant_id = $1 AND auth_config_id > $2
            ORDER BY auth_config_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
const REPLACE_PROXY_KEYS: &str = "-- auth_configs: replace proxy keys
    WITH free AS MATERIALIZED (
        SELECT t.auth_config_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN auth_configs AS t ON t.tenant_id = $1 AND t.auth_config_id = c.id AND t.sealed_proxy_auth_key = c.old
        ORDER BY t.auth_config_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE auth_configs AS t SET sealed_proxy_auth_key = free.new FROM free
    WHERE t.tenant_id = $1 AND t.auth_config_id = free.auth_config_id AND t.sealed_proxy_auth_key = free.old";
const SOME_SECRETS: &str = "-- auth_config_secrets: some under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT auth_config_id AS id, kind || '/' || name AS part, CASE WHEN substring(sealed_value FROM 3 FOR 4) <> $3
                THEN sealed_value END AS sealed
            FROM auth_config_secrets WHERE tenant_id = $1 AND auth_config_id > $2
            ORDER BY auth_config_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
const REPLACE_SECRETS: &str = "-- auth_config_secrets: replace
    WITH free AS MATERIALIZED (
        SELECT t.auth_config_id, t.kind, t.name, c.old, c.new
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) AS c(id, part, old, new)
        JOIN auth_config_secrets AS t ON t.tenant_id = $1 AND t.auth_config_id = c.id
            AND t.kind || '/' || t.name = c.part AND t.sealed_value = c.old
        ORDER BY t.auth_config_id, t.kind, t.name FOR UPDATE OF t SKIP LOCKED)
    UPDATE auth_config_secrets AS t SET sealed_value = free.new FROM free
    WHERE t.tenant_id = $1 AND t.auth_config_id = free.auth_config_id AND t.kind = free.kind AND t.name = free.name
        AND t.sealed_value = free.old";
const SOME_CREDENTIALS: &str = "-- connections: some credentials under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT connection_id AS id, '' AS part, CASE WHEN substring(sealed_credential FROM 3 FOR 4) <> $3
                THEN sealed_credential END AS sealed
            FROM connections WHERE tenant_id = $1 AND connection_id > $2
            ORDER BY connection_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
const REPLACE_CREDENTIALS: &str = "-- connections: replace credentials
    WITH free AS MATERIALIZED (
        SELECT t.connection_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN connections AS t ON t.tenant_id = $1 AND t.connection_id = c.id AND t.sealed_credential = c.old
        ORDER BY t.connection_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE connections AS t SET sealed_credential = free.new FROM free
    WHERE t.tenant_id = $1 AND t.connection_id = free.connection_id AND t.sealed_credential = free.old";
const SOME_RETIRED: &str = "-- retired_connections: some credentials under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT connection_id AS id, '' AS part, CASE WHEN substring(sealed_credential FROM 3 FOR 4) <> $3
                THEN sealed_credential END AS sealed
            FROM retired_connections WHERE tenant_id = $1 AND connection_id > $2
            ORDER BY connection_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
const REPLACE_RETIRED: &str = "-- retired_connections: replace credentials
    WITH free AS MATERIALIZED (
        SELECT t.connection_id, c.old, c.new FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
            AS c(id, part, old, new)
        JOIN retired_connections AS t ON t.tenant_id = $1 AND t.connection_id = c.id AND t.sealed_credential = c.old
        ORDER BY t.connection_id FOR UPDATE OF t SKIP LOCKED)
    UPDATE retired_connections AS t SET sealed_credential = free.new FROM free
    WHERE t.tenant_id = $1 AND t.connection_id = free.connection_id AND t.sealed_credential = free.old";
const SOME_HEADERS: &str = "-- strata_external_servers: some headers under other data keys
    SELECT id, part, sealed FROM (
        SELECT id, part, sealed, rank() OVER (ORDER BY id) AS place, sum(octet_length(sealed)) OVER (ORDER BY id) AS bytes
        FROM (SELECT strata_id AS id, name AS part, CASE WHEN substring(sealed_headers FROM 3 FOR 4) <> $3
                THEN sealed_headers END AS sealed
            FROM strata_external_servers WHERE tenant_id = $1 AND strata_id > $2
            ORDER BY strata_id FETCH FIRST $4 ROWS WITH TIES) AS batch) AS measured
    WHERE place = 1 OR coalesce(bytes, 0) <= $5 ORDER BY id";
const REPLACE_HEADERS: &str = "-- strata_external_servers: replace headers
    WITH free AS MATERIALIZED (
        SELECT t.strata_id, t.name, c.old, c.new
        FROM unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[]) AS c(id, part, old, new)
        JOIN strata_external_servers AS t ON t.tenant_id = $1 AND t.strata_id = c.id AND t.name = c.part
            AND t.sealed_headers = c.old
        ORDER BY t.strata_id, t.name FOR UPDATE OF t SKIP LOCKED)
    UPDATE strata_external_servers AS t SET sealed_headers = free.new FROM free
    WHERE t.tenant_id = $1 AND t.strata_id = free.strata_id AND t.name = free.name AND t.sealed_headers = free.old";
// One statement and so one snapshot: bytes that move from one table to the other are seen in one of them.
const ANY_LEFT: &str = "-- every sealed column: anything under another data key
    SELECT EXISTS (SELECT FROM auth_configs WHERE tenant_id = $1
            AND substring(sealed_proxy_auth_key FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM auth_config_secrets WHERE tenant_id = $1
            AND substring(sealed_value FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM connections WHERE tenant_id = $1
            AND substring(sealed_credential FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM retired_connections WHERE tenant_id = $1
            AND substring(sealed_credential FROM 3 FOR 4) <> $2)
        OR EXISTS (SELECT FROM strata_external_servers WHERE tenant_id = $1
            AND substring(sealed_headers FROM 3 FOR 4) <> $2)";
const COUNT: &str = "-- every sealed column: number of a tenant's cells
    SELECT (SELECT count(*) FROM auth_configs WHERE tenant_id = $1)
        + (SELECT count(*) FROM auth_config_secrets WHERE tenant_id = $1)
        + (SELECT count(*) FROM connections WHERE tenant_id = $1)
        + (SELECT count(*) FROM retired_connections WHERE tenant_id = $1)
        + (SELECT count(*) FROM strata_external_servers WHERE tenant_id = $1)";

/// The statements of this file, which the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[
    SOME_PROXY_KEYS,
    REPLACE_PROXY_KEYS,
    SOME_SECRETS,
    REPLACE_SECRETS,
    SOME_CREDENTIALS,
    REPLACE_CREDENTIALS,
    SOME_RETIRED,
    REPLACE_RETIRED,
    SOME_HEADERS,
    REPLACE_HEADERS,
    ANY_LEFT,
    COUNT,
];

/// Every column that is sealed under data keys. Live connections before retired ones: the way that rows go.
pub const CELLS: [Cells; 5] = [
    Cells {
        table: "auth_configs",
        column: "sealed_proxy_auth_key",
        some: SOME_PROXY_KEYS,
        replace: REPLACE_PROXY_KEYS,
        place: |tenant, id, _| secrets::proxy_place(tenant, AuthConfigUuid(id)),
    },
    Cells {
        table: "auth_config_secrets",
        column: "sealed_value",
        some: SOME_SECRETS,
        replace: REPLACE_SECRETS,
        place: |tenant, id, part| secrets::place_of(tenant, AuthConfigUuid(id), part),
    },
    Cells {
        table: "connections",
        column: "sealed_credential",
        some: SOME_CREDENTIALS,
        replace: REPLACE_CREDENTIALS,
        place: |tenant, id, _| connections::place(tenant, ConnectionId(id)),
    },
    Cells {
        table: "retired_connections",
        column: "sealed_credential",
        some: SOME_RETIRED,
        replace: REPLACE_RETIRED,
        // Retired bytes stay bound to the place where they were sealed.
        place: |tenant, id, _| connections::place(tenant, ConnectionId(id)),
    },
    Cells {
        table: "strata_external_servers",
        column: "sealed_headers",
        some: SOME_HEADERS,
        replace: REPLACE_HEADERS,
        place: |tenant, id, name| strata::place(tenant, StrataId(id), name),
    },
];

/// A row that was looked at; `sealed` where its bytes are under another data key.
#[derive(Debug, sqlx::FromRow)]
pub struct Looked {
    /// Its id, by which the next batch goes on.
    pub id: Uuid,
    /// What tells the cells of one id apart.
    pub part: String,
    /// The bytes.
    pub sealed: Option<Vec<u8>>,
}

/// The cells to write back: those of one batch that changed, side by side.
#[derive(Debug, Default, Clone)]
pub struct Changed {
    ids: Vec<Uuid>,
    parts: Vec<String>,
    old: Vec<Vec<u8>>,
    new: Vec<Vec<u8>>,
}

impl Changed {
    /// Adds one.
    pub fn push(&mut self, id: Uuid, part: String, old: Vec<u8>, new: Vec<u8>) {
        self.ids.push(id);
        self.parts.push(part);
        self.old.push(old);
        self.new.push(new);
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }
}

impl Cells {
    /// Where a row's cell is sealed.
    pub fn place(&self, tenant: TenantId, row: &Looked) -> Place {
        (self.place)(tenant, row.id, &row.part)
    }

    /// The next rows after `after`, by id; none are the end.
    pub async fn some(
        &self,
        tx: &mut ServerTx,
        tenant: TenantId,
        after: Uuid,
        active: u32,
    ) -> Result<Vec<Looked>, Error> {
        sqlx::query_as(self.some)
            .bind(tenant.0)
            .bind(after)
            .bind(active.to_be_bytes().as_slice())
            .bind(BATCH)
            .bind(BATCH_BYTES)
            .fetch_all(tx.connection())
            .await
            .map_err(failed)
    }

    /// Writes those back whose old bytes are still there, in rows that nobody holds; says how many.
    pub async fn replace(
        &self,
        tx: &mut ServerTx,
        tenant: TenantId,
        changed: &Changed,
    ) -> Result<u64, Error> {
        sqlx::query(self.replace)
            .bind(tenant.0)
            .bind(&changed.ids)
            .bind(&changed.parts)
            .bind(&changed.old)
            .bind(&changed.new)
            .execute(tx.connection())
            .await
            .map(|done| done.rows_affected())
            .map_err(failed)
    }
}

/// Whether any cell of the tenant is under another data key than `active`.
pub async fn any_left(tx: &mut ServerTx, tenant: TenantId, active: u32) -> Result<bool, Error> {
    sqlx::query_scalar(ANY_LEFT)
        .bind(tenant.0)
        .bind(active.to_be_bytes().as_slice())
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}

/// How many rows a pass over all columns looks at.
pub async fn count(tx: &mut ServerTx, tenant: TenantId) -> Result<i64, Error> {
    sqlx::query_scalar(COUNT)
        .bind(tenant.0)
        .fetch_one(tx.connection())
        .await
        .map_err(failed)
}
