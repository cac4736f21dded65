//! Calls of `hand_out_credential`: reading one sealed credential with what it inherits and with its audit row.

use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::super::coalesce::{Failure, Link};
use super::own::Own;
use super::set_credential::allowed;
use super::{code, unknown_code, unreadable};
use crate::domain::Caller;
use crate::domain::ids::ConnectionId;

pub(super) const ONE: &str = "-- hot: hand out
    SELECT code, generation, sealed, config, shared_names, shared
    FROM hand_out_credential($1, $2, $3::uuid[], $4, $5, $6)";
pub(super) const MANY: &str = "-- hot: hand outs
    SELECT code, generation, sealed, config, shared_names, shared
    FROM hand_out_credentials($1, $2, $3, $4, $5, $6)";

/// A credential to hand out.
#[derive(Debug)]
pub(in crate::store) struct HandOut {
    tenant: Uuid,
    connection: Uuid,
    allowed: Option<String>,
    audit: Option<Uuid>,
    key: String,
    request: String,
}

impl HandOut {
    /// Reads the connection's credential and writes the audit row `audit`, or none: then the caller of this sees to it.
    pub(in crate::store) fn new(
        caller: &Caller,
        connection: ConnectionId,
        audit: Option<Uuid>,
    ) -> Self {
        Self {
            tenant: caller.tenant.0,
            connection: connection.0,
            allowed: allowed(caller),
            audit,
            key: caller.key.0.clone(),
            request: caller.request_id.clone(),
        }
    }
}

/// What is handed out.
#[derive(Debug)]
pub(in crate::store) enum HandOutAnswer {
    /// The sealed credential.
    Done(Found),
    /// The connection has none; no audit row was written.
    None,
    /// There is no such connection for this caller.
    Unknown,
}

/// A sealed credential, and what it inherits.
#[derive(Debug)]
pub(in crate::store) struct Found {
    pub generation: Uuid,
    pub bytes: Vec<u8>,
    /// The config that it inherits from.
    pub config: Uuid,
    /// The names and the sealed values that the config shares.
    pub shared: Vec<(String, Vec<u8>)>,
}

/// The lane's end at the database.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Own);

impl Link for Calls {
    type Item = HandOut;
    /// Nothing where the tenant was deleted.
    type Reply = Option<HandOutAnswer>;
    type Key = Uuid;

    const NAME: &'static str = "hand_out";

    fn key(item: &HandOut) -> Uuid {
        item.connection
    }

    async fn call(&mut self, items: &[&HandOut]) -> Result<Vec<Option<HandOutAnswer>>, Failure> {
        let query = match items {
            [item] => sqlx::query(ONE)
                .bind(item.tenant)
                .bind(item.connection)
                .bind(item.allowed.as_deref())
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

fn answer(row: &PgRow) -> Result<Option<HandOutAnswer>, Failure> {
    Ok(Some(match code(row)? {
        "done" => HandOutAnswer::Done(found(row).map_err(unreadable)?),
        "none" => HandOutAnswer::None,
        "unknown" => HandOutAnswer::Unknown,
        "gone" => return Ok(None),
        other => return Err(unknown_code(other)),
    }))
}

fn found(row: &PgRow) -> Result<Found, sqlx::Error> {
    let names: Option<Vec<String>> = row.try_get(4)?;
    let values: Option<Vec<Vec<u8>>> = row.try_get(5)?;
    let shared = names.unwrap_or_default().into_iter();
    Ok(Found {
        generation: row.try_get(1)?,
        bytes: row.try_get(2)?,
        config: row.try_get(3)?,
        shared: shared.zip(values.unwrap_or_default()).collect(),
    })
}
