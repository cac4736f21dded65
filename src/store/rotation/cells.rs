//! Cells, moved from one data key of their tenant under another, batch by batch.
//!
//! A batch is read, sealed anew with no transaction open, and written back where the bytes are still the ones that were
//! read (compare-and-set) and nobody holds the row. What was missed is met by the next pass.

mod statements;

use uuid::Uuid;

use self::statements::{
    ANY_LEFT, COUNT, REPLACE_CREDENTIALS, REPLACE_HEADERS, REPLACE_LINK_DATA, REPLACE_PROXY_KEYS,
    REPLACE_RETIRED, REPLACE_SECRETS, SOME_CREDENTIALS, SOME_HEADERS, SOME_LINK_DATA,
    SOME_PROXY_KEYS, SOME_RETIRED, SOME_SECRETS,
};
use crate::crypto::Place;
use crate::domain::Error;
use crate::domain::ids::{AuthConfigUuid, ConnectionId, StrataId, TenantId};
use crate::store::error::failed;
use crate::store::{ServerTx, connections, links, secrets, strata};

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

/// The statements of this module, which the role `keyway_jobs` runs.
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
    SOME_LINK_DATA,
    REPLACE_LINK_DATA,
    ANY_LEFT,
    COUNT,
];

/// Every column that is sealed under data keys. Live connections before retired ones: the way that rows go.
pub const CELLS: [Cells; 6] = [
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
    Cells {
        table: "link_tokens",
        column: "sealed_data",
        some: SOME_LINK_DATA,
        replace: REPLACE_LINK_DATA,
        place: |tenant, _, token_hash| links::place_of(tenant, token_hash),
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
