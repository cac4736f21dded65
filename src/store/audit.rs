//! Rows of `audit_log`: every change and every hand-out, in the transaction that did it.

mod hand_out;
mod later;

use sqlx::PgConnection;

use super::error::failed;
use super::{ServerTx, TenantTx};
use crate::crypto::Audited;
use crate::domain::ids::AuditId;
use crate::domain::{Caller, Error};

use crate::telemetry::metrics::counts::AUDIT_ROWS;
pub use hand_out::{AuditReads, Sealed, hand_out};
pub(super) use later::Later;

/// What happened to what.
#[derive(Debug)]
pub struct Event<'a> {
    /// The action, `<object>.<verb>`.
    pub action: &'static str,
    /// The kind of object: `integration`, `auth_config`, `connection`, `api_key`, `user`, `strata` …
    pub object_kind: &'static str,
    /// Its id.
    pub object_id: &'a str,
    /// What else is worth knowing, never a secret.
    pub detail: Option<serde_json::Value>,
}

const APPEND: &str = "-- audit_log: append
    INSERT INTO audit_log (tenant_id, audit_id, key_id, action, object_kind, object_id, request_id, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[APPEND];
/// The statements of this module that the role `keyway_jobs` runs.
pub const JOB_STATEMENTS: &[&str] = &[later::APPEND];

/// Appends one row. What it answers is the proof that a hand-out needs; it holds once the transaction commits.
pub async fn append(
    tx: &mut TenantTx,
    caller: &Caller,
    event: Event<'_>,
) -> Result<Audited, Error> {
    insert(tx.connection(), caller, event).await
}

/// Appends one row for what the server itself does to a tenant.
pub async fn append_as_server(
    tx: &mut ServerTx,
    caller: &Caller,
    event: Event<'_>,
) -> Result<(), Error> {
    insert(tx.connection(), caller, event).await.map(|_| ())
}

async fn insert(
    connection: &mut PgConnection,
    caller: &Caller,
    event: Event<'_>,
) -> Result<Audited, Error> {
    let id = AuditId::new();
    sqlx::query(APPEND)
        .bind(caller.tenant.0)
        .bind(id.0)
        .bind(&caller.key.0)
        .bind(event.action)
        .bind(event.object_kind)
        .bind(event.object_id)
        .bind(&caller.request_id)
        .bind(event.detail)
        .execute(connection)
        .await
        .map_err(failed)?;
    AUDIT_ROWS.add(1);
    Ok(Audited::by(id.0))
}
