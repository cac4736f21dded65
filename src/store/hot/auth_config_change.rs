//! Calls of `change_auth_config`: writing one auth config that nobody changed since it was read.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::types::Json as Jsonb;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::coalesce::{Failure, Link};
use super::super::config_change::ConfigChange;
use super::own::Own;
use super::{code, unknown_code, unreadable};
use crate::domain::auth_config::{DeclaredField, OAuthClient, ToolAccess};
use crate::domain::ids::AuditId;
use crate::domain::patch::Patch;
use crate::domain::{Caller, Error};
use crate::telemetry::metrics::counts::AUDIT_ROWS;

pub(super) const ONE: &str = "-- hot: change auth config
    SELECT code, changed_at FROM change_auth_config($1, $2, $3, $4, $5, $6, $7, $8, $9)";
pub(super) const MANY: &str = "-- hot: change auth configs
    SELECT code, changed_at FROM change_auth_configs($1, $2, $3, $4, $5, $6, $7, $8, $9)";

/// The function's argument that says what to write.
fn to_json(change: &ConfigChange) -> Result<Box<RawValue>, Error> {
    let config = &change.config;
    let columns = Columns {
        name: &config.name,
        tool_access: &config.tools,
        proxy_url: config.proxy_url.as_deref(),
        tool_router: config.tool_router,
        test_code: config.test_code.as_deref(),
        fields: &config.fields,
        oauth_client: config.oauth_client.as_ref(),
        proxy_key: match &change.proxy_key {
            Patch::Keep => None,
            Patch::Clear => Some(None),
            Patch::Set(key) => Some(Some(STANDARD.encode(key))),
        },
        set: change
            .cells
            .set()
            .map(|cell| Set {
                kind: cell.kind.name(),
                name: &cell.name,
                value: STANDARD.encode(&cell.sealed),
                indexed: cell.index.map(|index| STANDARD.encode(index)),
            })
            .collect(),
        remove: change
            .cells
            .removed()
            .map(|(kind, name)| Removed {
                kind: kind.name(),
                name,
            })
            .collect(),
    };
    to_raw_value(&columns).map_err(Error::internal)
}

#[derive(Serialize)]
struct Columns<'a> {
    name: &'a str,
    tool_access: &'a ToolAccess,
    proxy_url: Option<&'a str>,
    tool_router: bool,
    test_code: Option<&'a str>,
    fields: &'a [DeclaredField],
    oauth_client: Option<&'a OAuthClient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[expect(
        clippy::option_option,
        reason = "absent keeps the key, null destroys it"
    )]
    proxy_key: Option<Option<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    set: Vec<Set<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    remove: Vec<Removed<'a>>,
}

#[derive(Serialize)]
struct Set<'a> {
    kind: &'static str,
    name: &'a str,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    indexed: Option<String>,
}

#[derive(Serialize)]
struct Removed<'a> {
    kind: &'static str,
    name: &'a str,
}

/// What became of a change.
#[derive(Debug)]
pub enum ChangeOutcome {
    /// Written, with its audit row; when.
    Done(OffsetDateTime),
    /// There is no such config any more.
    Unknown,
    /// It was changed meanwhile.
    Stale,
    /// Another transaction holds it.
    Busy,
}

/// What a caller hands in.
#[derive(Debug)]
pub(super) struct Item {
    tenant: Uuid,
    config: Uuid,
    version: i64,
    change: Box<RawValue>,
    audit: Uuid,
    key: String,
    request: String,
    action: &'static str,
    detail: Option<serde_json::Value>,
}

impl Item {
    pub(super) fn new(caller: &Caller, version: i64, change: &ConfigChange) -> Result<Self, Error> {
        Ok(Self {
            tenant: caller.tenant.0,
            config: change.config.uuid.0,
            version,
            change: to_json(change)?,
            audit: AuditId::new().0,
            key: caller.key.0.clone(),
            request: caller.request_id.clone(),
            action: change.action,
            detail: change.detail.clone(),
        })
    }
}

/// The lane's end at the database.
#[derive(Debug)]
pub(super) struct Calls(pub(super) Own);

impl Link for Calls {
    type Item = Item;
    /// Nothing where the tenant was deleted.
    type Reply = Option<ChangeOutcome>;
    type Key = Uuid;

    const NAME: &'static str = "auth_config_change";

    fn key(item: &Item) -> Uuid {
        item.config
    }

    async fn call(&mut self, items: &[&Item]) -> Result<Vec<Option<ChangeOutcome>>, Failure> {
        let query = match items {
            [item] => sqlx::query(ONE)
                .bind(item.tenant)
                .bind(item.config)
                .bind(item.version)
                .bind(Jsonb(&*item.change))
                .bind(item.audit)
                .bind(item.key.as_str())
                .bind(item.request.as_str())
                .bind(item.action)
                .bind(item.detail.as_ref()),
            _ => many(items),
        };
        let rows = self.0.rows(query).await?;
        rows.iter().map(answer).collect()
    }

    fn disconnect(&mut self) {
        self.0.disconnect();
    }
}

fn many<'q>(
    items: &[&'q Item],
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    fn column<'q, T>(items: &[&'q Item], of: impl Fn(&'q Item) -> T) -> Vec<T> {
        items.iter().map(|item| of(item)).collect()
    }
    sqlx::query(MANY)
        .bind(column(items, |item| item.tenant))
        .bind(column(items, |item| item.config))
        .bind(column(items, |item| item.version))
        .bind(column(items, |item| Jsonb(&*item.change)))
        .bind(column(items, |item| item.audit))
        .bind(column(items, |item| item.key.as_str()))
        .bind(column(items, |item| item.request.as_str()))
        .bind(column(items, |item| item.action))
        .bind(column(items, |item| item.detail.as_ref()))
}

fn answer(row: &PgRow) -> Result<Option<ChangeOutcome>, Failure> {
    Ok(Some(match code(row)? {
        "done" => {
            AUDIT_ROWS.add(1);
            ChangeOutcome::Done(row.try_get(1).map_err(unreadable)?)
        }
        "unknown" => ChangeOutcome::Unknown,
        "stale" => ChangeOutcome::Stale,
        "busy" => ChangeOutcome::Busy,
        "gone" => return Ok(None),
        other => return Err(unknown_code(other)),
    }))
}
