//! Calls of `set_credential`: replacing the credential of one connection.

use std::sync::Arc;

use serde_json::value::RawValue;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Json as Jsonb;
use uuid::Uuid;

use super::super::coalesce::{Failure, Link};
use super::own::Own;
use super::{array_literal, code, unknown_code, unreadable};
use crate::domain::Caller;
use crate::domain::ids::{AuditId, ConnectionId};
use crate::telemetry::metrics::counts::AUDIT_ROWS;

pub(super) const ONE: &str = "-- hot: set credential
    SELECT code, fields FROM set_credential($1, $2, $3::uuid[], $4, $5, $6, $7, $8, $9)";
pub(super) const MANY: &str = "-- hot: set credentials
    SELECT code, fields FROM set_credentials($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// A credential to store, and what its storing depends on.
#[derive(Debug)]
pub struct SetCredential {
    tenant: Uuid,
    connection: Uuid,
    allowed: Option<String>,
    fields: Arc<RawValue>,
    generation: Uuid,
    sealed: Option<Vec<u8>>,
    audit: Uuid,
    key: String,
    request: String,
}

impl SetCredential {
    /// Stores `sealed` with its generation, if the connection's config declares exactly `fields` (a JSON array, as the
    /// answer [`SetCredentialAnswer::Stale`] names it). Without bytes it only asks whether it could.
    pub fn new(
        caller: &Caller,
        connection: ConnectionId,
        fields: Arc<RawValue>,
        sealed: Option<(Uuid, Vec<u8>)>,
    ) -> Self {
        let (generation, sealed) = sealed.unzip();
        Self {
            tenant: caller.tenant.0,
            connection: connection.0,
            allowed: allowed(caller),
            fields,
            generation: generation.unwrap_or_default(),
            sealed,
            audit: AuditId::new().0,
            key: caller.key.0.clone(),
            request: caller.request_id.clone(),
        }
    }
}

/// The integrations that the caller's key is limited to.
pub(super) fn allowed(caller: &Caller) -> Option<String> {
    array_literal(Some(&caller.allowed()?))
}

/// What became of a credential.
#[derive(Debug)]
pub enum SetCredentialAnswer {
    /// Stored, with its audit row.
    Done,
    /// There is no such connection for this caller.
    Unknown,
    /// The connection's scheme takes no credential.
    NoAuthentication,
    /// All is in order, and there was nothing to store.
    Nothing,
    /// The config declares other fields, these.
    Stale(Box<RawValue>),
    /// Another transaction holds the connection.
    Busy,
}

/// The lane's end at the database.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Own);

impl Link for Calls {
    type Item = SetCredential;
    /// Nothing where the tenant was deleted.
    type Reply = Option<SetCredentialAnswer>;
    type Key = Uuid;

    const NAME: &'static str = "set_credential";

    fn key(item: &SetCredential) -> Uuid {
        item.connection
    }

    async fn call(
        &mut self,
        items: &[&SetCredential],
    ) -> Result<Vec<Option<SetCredentialAnswer>>, Failure> {
        let query = match items {
            [item] => sqlx::query(ONE)
                .bind(item.tenant)
                .bind(item.connection)
                .bind(item.allowed.as_deref())
                .bind(Jsonb(&*item.fields))
                .bind(item.generation)
                .bind(item.sealed.as_deref())
                .bind(item.audit)
                .bind(item.key.as_str())
                .bind(item.request.as_str()),
            _ => sqlx::query(MANY)
                .bind(items.iter().map(|item| item.tenant).collect::<Vec<_>>())
                .bind(items.iter().map(|item| item.connection).collect::<Vec<_>>())
                .bind(
                    items
                        .iter()
                        .map(|item| item.allowed.as_deref())
                        .collect::<Vec<_>>(),
                )
                .bind(
                    items
                        .iter()
                        .map(|item| Jsonb(&*item.fields))
                        .collect::<Vec<_>>(),
                )
                .bind(items.iter().map(|item| item.generation).collect::<Vec<_>>())
                .bind(
                    items
                        .iter()
                        .map(|item| item.sealed.as_deref())
                        .collect::<Vec<_>>(),
                )
                .bind(items.iter().map(|item| item.audit).collect::<Vec<_>>())
                .bind(
                    items
                        .iter()
                        .map(|item| item.key.as_str())
                        .collect::<Vec<_>>(),
                )
                .bind(
                    items
                        .iter()
                        .map(|item| item.request.as_str())
                        .collect::<Vec<_>>(),
                ),
        };
        let rows = self.0.rows(query).await?;
        rows.iter().map(answer).collect()
    }

    fn disconnect(&mut self) {
        self.0.disconnect();
    }
}

fn answer(row: &PgRow) -> Result<Option<SetCredentialAnswer>, Failure> {
    Ok(Some(match code(row)? {
        "done" => {
            AUDIT_ROWS.add(1);
            SetCredentialAnswer::Done
        }
        "unknown" => SetCredentialAnswer::Unknown,
        "gone" => return Ok(None),
        "busy" => SetCredentialAnswer::Busy,
        "no_auth" => SetCredentialAnswer::NoAuthentication,
        "nothing" => SetCredentialAnswer::Nothing,
        "stale" => {
            let Jsonb(fields) = row.try_get(1).map_err(unreadable)?;
            SetCredentialAnswer::Stale(fields)
        }
        other => return Err(unknown_code(other)),
    }))
}
