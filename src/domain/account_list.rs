//! The rules of listing connections: which, in which order, page by page.

use std::sync::Arc;

use time::OffsetDateTime;
use uuid::Uuid;

use super::account_view::{AccountView, account_views};
use super::caller::Caller;
use super::connection::{Connection, Status};
use super::error::Error;
use super::ids::{AuthConfigId, ConnectedAccountId, IntegrationId};
use super::resolve;
use super::service::Service;
use crate::crypto::TenantKeys;
use crate::store::account_list::{self as rows, Order};
use crate::store::{Access, TenantTx};

/// Which connections to list; an empty list asks for nothing.
#[derive(Debug, Default)]
pub struct AccountFilter {
    /// Any names of services.
    pub toolkits: Vec<String>,
    /// Statuses.
    pub statuses: Vec<Status>,
    /// Users.
    pub users: Vec<String>,
    /// Configs; unknown ones have no connections.
    pub configs: Vec<AuthConfigId>,
    /// Connections; unknown ones are left out.
    pub accounts: Vec<ConnectedAccountId>,
    /// What this server has none of.
    pub nothing: bool,
}

/// How connections are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountOrder {
    /// By the last change, not by the creation. A connection that changes meanwhile moves.
    pub by_update: bool,
    /// Newest first.
    pub descending: bool,
}

/// A page of connections: which one, and how long.
#[derive(Debug, Clone)]
pub struct AccountPageRequest {
    /// 1 to 1,000.
    pub limit: u32,
    /// The order, which is that of the cursor.
    pub order: AccountOrder,
    /// After which row: the cursor of the page before.
    pub cursor: Option<AccountCursor>,
}

/// A place in a list of one order: stable under inserts and deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountCursor {
    /// The order in which it is a place.
    pub order: AccountOrder,
    /// When the row was made or changed after which the page begins.
    pub at: OffsetDateTime,
    /// That row's id.
    pub after: Uuid,
    /// The number of the page that begins there, from 1.
    pub page: u32,
}

/// One page of connections.
#[derive(Debug)]
pub struct AccountPage {
    /// The connections, masked.
    pub items: Vec<AccountView>,
    /// The next page, if there is one.
    pub next: Option<AccountCursor>,
    /// All connections that match.
    pub total: i64,
    /// The number of this page, from 1.
    pub number: u32,
}

impl Service {
    /// One page of the connections that match, masked. What a limited key may not use is left out.
    pub async fn connected_accounts(
        &self,
        caller: &Caller,
        filter: AccountFilter,
        page: AccountPageRequest,
    ) -> Result<AccountPage, Error> {
        let (caller, asked) = (caller.clone(), Arc::new((filter, page)));
        self.vault()
            .tenant(caller.tenant, Access::Read, move |tx, keys| {
                let (caller, asked, keys) = (caller.clone(), Arc::clone(&asked), Arc::clone(&keys));
                Box::pin(async move { list(tx, &caller, &keys, &asked.0, &asked.1).await })
            })
            .await
    }
}

async fn list(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    asked: &AccountFilter,
    page: &AccountPageRequest,
) -> Result<AccountPage, Error> {
    let number = page.cursor.as_ref().map_or(1, |cursor| cursor.page);
    let filter = in_rows(tx, caller, asked).await?;
    if asked.nothing || filter.is_nothing() {
        return Ok(AccountPage {
            items: Vec::new(),
            next: None,
            total: 0,
            number,
        });
    }
    let order = Order {
        by_update: page.order.by_update,
        descending: page.order.descending,
    };
    let after = page.cursor.as_ref().map(|cursor| (cursor.at, cursor.after));
    let total = rows::count(tx, &filter).await?;
    let mut found = rows::list(tx, &filter, order, after, i64::from(page.limit) + 1).await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| AccountCursor {
        order: page.order,
        at: moment(page.order, last),
        after: last.id.0,
        page: number.saturating_add(1),
    });
    Ok(AccountPage {
        items: account_views(tx, keys, found).await?,
        next,
        total,
        number,
    })
}

/// Where a connection stands in the order.
fn moment(order: AccountOrder, connection: &Connection) -> OffsetDateTime {
    if order.by_update {
        connection.updated_at
    } else {
        connection.created_at
    }
}

/// What is asked for, in the terms of the rows.
async fn in_rows(
    tx: &mut TenantTx,
    caller: &Caller,
    asked: &AccountFilter,
) -> Result<rows::Filter, Error> {
    let integrations = match asked.toolkits.as_slice() {
        [] => caller.allowed(),
        names => {
            let found = resolve::resolve_existing(tx, caller, names).await?;
            Some(found.into_iter().map(|IntegrationId(id)| id).collect())
        }
    };
    let configs = match asked.configs.as_slice() {
        [] => None,
        ids => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            Some(rows::configs(tx, &ids).await?)
        }
    };
    let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
    let statuses: Vec<_> = asked.statuses.iter().map(|status| status.name()).collect();
    Ok(rows::Filter {
        statuses: Some(statuses).filter(|list| !list.is_empty()),
        integrations,
        users: some(asked.users.clone()).map(|users| rows::Filter::users(&users)),
        configs,
        ids: some(asked.accounts.iter().map(ToString::to_string).collect()),
    })
}
