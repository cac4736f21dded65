//! Connections as they are shown: with their integrations, their configs, and what may be shown of their credentials.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::auth_config::AuthConfig;
use super::cell_rules::REDACTED;
use super::connection::Connection;
use super::error::Error;
use super::ids::{AuthConfigUuid, ConnectionId};
use super::integration::Integration;
use crate::crypto::{Audited, Secret, TenantKeys};
use crate::json::{Json, Object};
use crate::store::account_parts::{self, SharedCell};
use crate::store::keys::unopened;
use crate::store::secrets::{self, CellKind};
use crate::store::{TenantTx, connections as rows, integrations};

/// A connection as it is shown.
#[derive(Debug)]
pub struct AccountView {
    /// The connection.
    pub connection: Connection,
    /// Its integration.
    pub integration: Integration,
    /// Its own config, not the integration's default.
    pub config: Arc<AuthConfig>,
    /// Its credential, with what it inherits from the config.
    pub content: Content,
}

/// What is shown of a credential.
#[derive(Debug)]
pub enum Content {
    /// There is none; what the config shares is not shown either.
    None,
    /// Its members, masked.
    Masked {
        /// What may be shown of each.
        members: Object,
        /// The names of those that are texts.
        texts: Vec<String>,
    },
    /// All of it, against its audit row.
    Plain {
        /// The credential.
        secret: Secret,
        /// The proof that its hand-out is audited.
        audited: Audited,
    },
}

/// Connections without their contents. The order is kept.
pub(super) async fn bare_views(
    tx: &mut TenantTx,
    connections: Vec<Connection>,
) -> Result<Vec<AccountView>, Error> {
    let of = |id: fn(&Connection) -> Uuid| -> Vec<Uuid> {
        let ids: BTreeSet<Uuid> = connections.iter().map(id).collect();
        ids.into_iter().collect()
    };
    let integrations =
        integrations::find_many(tx, &of(|connection| connection.integration.0)).await?;
    let integrations: HashMap<_, _> = integrations.into_iter().map(|row| (row.id, row)).collect();
    let configs = account_parts::configs(tx, &of(|connection| connection.auth_config.0)).await?;
    let configs: HashMap<_, _> = configs
        .into_iter()
        .map(|config| (config.uuid, Arc::new(config)))
        .collect();
    let whole = |connection: Connection| {
        let integration = integrations.get(&connection.integration);
        let config = configs.get(&connection.auth_config);
        match (integration, config) {
            (Some(integration), Some(config)) => Ok(AccountView {
                integration: integration.clone(),
                config: Arc::clone(config),
                content: Content::None,
                connection,
            }),
            _ => Err(Error::internal("a connection has no integration or config")),
        }
    };
    connections.into_iter().map(whole).collect()
}

/// How many sealed credentials, each of up to 256 KiB, are held at once.
const AT_ONCE: usize = 50;

/// Connections with their credentials masked, each of which is opened once. The order is kept.
pub(super) async fn account_views(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    connections: Vec<Connection>,
) -> Result<Vec<AccountView>, Error> {
    let mut views = bare_views(tx, connections).await?;
    let with_credential = || {
        let views = views.iter();
        views.filter(|view| view.connection.has_credential)
    };
    let ids: Vec<_> = with_credential().map(|view| view.connection.id.0).collect();
    if ids.is_empty() {
        return Ok(views);
    }
    let configs: BTreeSet<_> = with_credential().map(|view| view.config.uuid.0).collect();
    let configs: Vec<_> = configs.into_iter().collect();
    let shared = shared_of(tx, keys, &configs).await?;
    let places: HashMap<ConnectionId, usize> = views
        .iter()
        .enumerate()
        .map(|(place, view)| (view.connection.id, place))
        .collect();
    for some in ids.chunks(AT_ONCE) {
        for sealed in account_parts::sealed(tx, some).await? {
            let found = places.get(&sealed.connection()).copied();
            let Some(view) = found.and_then(|place| views.get_mut(place)) else {
                continue;
            };
            let place = rows::place(tx.tenant(), view.connection.id);
            let own = keys
                .open_credential(&place, sealed.generation, &sealed.bytes)
                .map_err(unopened)?;
            view.content = masked(&own, shared.get(&view.config.uuid), view.config.managed);
        }
    }
    Ok(views)
}

/// One connection, its credential masked.
pub(super) async fn one_account_view(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    connection: Connection,
) -> Result<AccountView, Error> {
    one(account_views(tx, keys, vec![connection]).await?)
}

/// One connection without its content.
pub(super) async fn one_bare_view(
    tx: &mut TenantTx,
    connection: Connection,
) -> Result<AccountView, Error> {
    one(bare_views(tx, vec![connection]).await?)
}

fn one(mut views: Vec<AccountView>) -> Result<AccountView, Error> {
    views
        .pop()
        .ok_or_else(|| Error::internal("a view of one connection is empty"))
}

/// What may be shown of a credential and of what it inherits. Nothing of a managed config's own is shown.
fn masked(own: &Secret, shared: Option<&Secret>, managed: bool) -> Content {
    let Some(shared) = shared else {
        return Content::Masked {
            members: own.shown(),
            texts: own.text_names(),
        };
    };
    let whole = own.over(shared);
    let mut members = whole.shown();
    if managed {
        let inherited = shared.shown();
        for name in inherited.keys().filter(|name| !own.has(name)) {
            members.insert(name, Json::from(REDACTED));
        }
    }
    Content::Masked {
        members,
        texts: whole.text_names(),
    }
}

/// What each of these configs shares with its connections; one that shares nothing is left out.
pub(super) async fn shared_of(
    tx: &mut TenantTx,
    keys: &TenantKeys,
    configs: &[Uuid],
) -> Result<HashMap<AuthConfigUuid, Secret>, Error> {
    let mut opened: HashMap<AuthConfigUuid, Vec<(String, Secret)>> = HashMap::new();
    for cell in account_parts::shared(tx, configs).await? {
        let SharedCell {
            name, sealed_value, ..
        } = &cell;
        let place = secrets::place(tx.tenant(), cell.config(), CellKind::Shared, name);
        let secret = keys.open(&place, sealed_value).map_err(unopened)?;
        let of_config = opened.entry(cell.config()).or_default();
        of_config.push((cell.name, secret));
    }
    let objects = opened.into_iter().map(|(config, cells)| {
        let cells = cells.iter().map(|(name, secret)| (name.as_str(), secret));
        (config, Secret::object(cells))
    });
    Ok(objects.collect())
}
