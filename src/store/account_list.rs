//! Pages of `connections`, by keyset.

mod statements;

use sqlx::postgres::PgArguments;
use sqlx::query::{QueryAs, QueryScalar};
use sqlx::{Postgres, query_as, query_scalar};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use self::statements::{
    ALL, BY_CONFIG, BY_CONFIG_AND_USER, BY_ID, BY_INTEGRATION, BY_INTEGRATION_AND_USER, BY_STATUS,
    BY_USER, COUNT_ALL, COUNT_OF_CONFIGS, COUNT_OF_INTEGRATIONS, COUNT_OF_STATUSES, COUNT_OF_USERS,
    Led,
};
use super::TenantTx;
use super::connections::Row;
use super::error::failed;
use super::users::hash;
use crate::domain::Error;
use crate::domain::connection::Connection;

const CONFIGS: &str = "-- auth_configs: row ids of public ids
    SELECT auth_config_id FROM auth_configs
    WHERE tenant_id = $1 AND public_id = ANY($2) AND deleted_at IS NULL";

/// The statements of this file, for the test that prepares each of them.
pub const STATEMENTS: &[&str] = &[
    CONFIGS,
    BY_ID.pages[0],
    BY_ID.pages[1],
    BY_ID.pages[2],
    BY_ID.pages[3],
    BY_ID.count,
    BY_CONFIG_AND_USER.pages[0],
    BY_CONFIG_AND_USER.pages[1],
    BY_CONFIG_AND_USER.pages[2],
    BY_CONFIG_AND_USER.pages[3],
    BY_CONFIG_AND_USER.count,
    BY_INTEGRATION_AND_USER.pages[0],
    BY_INTEGRATION_AND_USER.pages[1],
    BY_INTEGRATION_AND_USER.pages[2],
    BY_INTEGRATION_AND_USER.pages[3],
    BY_INTEGRATION_AND_USER.count,
    BY_USER.pages[0],
    BY_USER.pages[1],
    BY_USER.pages[2],
    BY_USER.pages[3],
    BY_USER.count,
    BY_CONFIG.pages[0],
    BY_CONFIG.pages[1],
    BY_CONFIG.pages[2],
    BY_CONFIG.pages[3],
    BY_CONFIG.count,
    BY_INTEGRATION.pages[0],
    BY_INTEGRATION.pages[1],
    BY_INTEGRATION.pages[2],
    BY_INTEGRATION.pages[3],
    BY_INTEGRATION.count,
    BY_STATUS[0],
    BY_STATUS[1],
    BY_STATUS[2],
    BY_STATUS[3],
    ALL[0],
    ALL[1],
    ALL[2],
    ALL[3],
    COUNT_OF_USERS,
    COUNT_OF_CONFIGS,
    COUNT_OF_INTEGRATIONS,
    COUNT_OF_STATUSES,
    COUNT_ALL,
];

/// Which connections to list, in the terms of the rows; none means all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those with these statuses.
    pub statuses: Option<Vec<&'static str>>,
    /// Only those with these integrations.
    pub integrations: Option<Vec<Uuid>>,
    /// Only those of these users.
    pub users: Option<Vec<Vec<u8>>>,
    /// Only those under these configs.
    pub configs: Option<Vec<Uuid>>,
    /// Only those with these ids on Composio's wire.
    pub ids: Option<Vec<String>>,
}

/// How a list is ordered; rows of one moment by their row ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// By the last change, not by the creation.
    pub by_update: bool,
    /// Newest first.
    pub descending: bool,
}

/// The filter that leads to the rows.
enum Lead {
    /// It has an index; the others are looked at row by row.
    Filter(&'static Led),
    /// Statuses alone.
    Statuses,
    /// Nothing is asked for.
    All,
}

impl Filter {
    /// The names of users as their rows have them.
    pub fn users(ids: &[String]) -> Vec<Vec<u8>> {
        ids.iter().map(|id| hash(id)).collect()
    }

    /// Whether one of the lists is empty, so that no row can be in it.
    pub fn is_nothing(&self) -> bool {
        fn empty<T>(list: Option<&Vec<T>>) -> bool {
            list.is_some_and(Vec::is_empty)
        }
        empty(self.statuses.as_ref())
            || empty(self.integrations.as_ref())
            || empty(self.users.as_ref())
            || empty(self.configs.as_ref())
            || empty(self.ids.as_ref())
    }

    /// The filter that most likely has the fewest rows.
    fn lead(&self) -> Lead {
        let (users, configs) = (self.users.is_some(), self.configs.is_some());
        Lead::Filter(match self {
            Self { ids: Some(_), .. } => &BY_ID,
            _ if users && configs => &BY_CONFIG_AND_USER,
            Self {
                integrations: Some(_),
                ..
            } if users => &BY_INTEGRATION_AND_USER,
            _ if users => &BY_USER,
            _ if configs => &BY_CONFIG,
            Self {
                integrations: Some(_),
                ..
            } => &BY_INTEGRATION,
            Self {
                statuses: Some(_), ..
            } => return Lead::Statuses,
            _ => return Lead::All,
        })
    }

    fn bind_page<'q>(
        &'q self,
        query: QueryAs<'q, Postgres, Row, PgArguments>,
    ) -> QueryAs<'q, Postgres, Row, PgArguments> {
        query
            .bind(&self.statuses)
            .bind(&self.integrations)
            .bind(&self.users)
            .bind(&self.configs)
            .bind(&self.ids)
    }

    fn bind_count<'q>(
        &'q self,
        query: QueryScalar<'q, Postgres, i64, PgArguments>,
    ) -> QueryScalar<'q, Postgres, i64, PgArguments> {
        query
            .bind(&self.statuses)
            .bind(&self.integrations)
            .bind(&self.users)
            .bind(&self.configs)
            .bind(&self.ids)
    }
}

impl Order {
    /// The position of its statement.
    fn index(self) -> usize {
        2 * usize::from(self.by_update) + usize::from(self.descending)
    }

    /// A place before every row.
    fn start(self) -> (OffsetDateTime, Uuid) {
        if self.descending {
            (Date::MAX.midnight().assume_utc(), Uuid::max())
        } else {
            (OffsetDateTime::UNIX_EPOCH, Uuid::nil())
        }
    }
}

/// At most `limit` connections in this order, after the place.
pub async fn list(
    tx: &mut TenantTx,
    filter: &Filter,
    order: Order,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Connection>, Error> {
    let (at, id) = after.unwrap_or_else(|| order.start());
    let lead = filter.lead();
    let statement = match lead {
        Lead::Filter(statements) => statements.pages[order.index()],
        Lead::Statuses => BY_STATUS[order.index()],
        Lead::All => ALL[order.index()],
    };
    let query = query_as(statement)
        .bind(tx.tenant().0)
        .bind(at)
        .bind(id)
        .bind(limit);
    let query = match lead {
        Lead::Filter(_) => filter.bind_page(query),
        Lead::Statuses => query.bind(&filter.statuses),
        Lead::All => query,
    };
    let rows: Vec<Row> = query.fetch_all(tx.connection()).await.map_err(failed)?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// How many connections match.
pub async fn count(tx: &mut TenantTx, filter: &Filter) -> Result<i64, Error> {
    let tenant = tx.tenant().0;
    let alone = |statement| query_scalar(statement).bind(tenant);
    let query = match filter {
        Filter {
            statuses: None,
            integrations: None,
            users: Some(users),
            configs: None,
            ids: None,
        } => alone(COUNT_OF_USERS).bind(users),
        Filter {
            statuses: None,
            integrations: None,
            users: None,
            configs: Some(configs),
            ids: None,
        } => alone(COUNT_OF_CONFIGS).bind(configs),
        Filter {
            statuses: None,
            integrations: Some(integrations),
            users: None,
            configs: None,
            ids: None,
        } => alone(COUNT_OF_INTEGRATIONS).bind(integrations),
        _ => match filter.lead() {
            Lead::Filter(statements) => filter.bind_count(alone(statements.count)),
            Lead::Statuses => alone(COUNT_OF_STATUSES).bind(&filter.statuses),
            Lead::All => alone(COUNT_ALL),
        },
    };
    query.fetch_one(tx.connection()).await.map_err(failed)
}

/// The row ids of the live configs with these ids on Composio's wire.
pub async fn configs(tx: &mut TenantTx, ids: &[String]) -> Result<Vec<Uuid>, Error> {
    query_scalar(CONFIGS)
        .bind(tx.tenant().0)
        .bind(ids)
        .fetch_all(tx.connection())
        .await
        .map_err(failed)
}
