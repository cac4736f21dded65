//! From the token in the URL to the connection that it is about.

use std::sync::Arc;

use super::inputs::Inputs;
use super::ticket::Ticket;
use super::{Asks, ConnectPage, NoPage, takes_fields};
use crate::crypto::{Secret, TenantKeys};
use crate::domain::account_plan::shared_names;
use crate::domain::auth_config::AuthConfig;
use crate::domain::caller::Caller;
use crate::domain::connection::{Connection, Status};
use crate::domain::error::{Error, Kind};
use crate::domain::ids::{ConnectionId, KeyId, LinkToken, TenantId};
use crate::domain::integration::Integration;
use crate::domain::scheme::Scheme;
use crate::domain::service::Service;
use crate::store::keys::unopened;
use crate::store::links::{self, Link};
use crate::store::{Access, TenantTx, auth_configs, connections, integrations};

/// What a token leads by.
#[derive(Debug)]
pub(super) enum Way {
    /// A link that is stored.
    Link(Link),
    /// A ticket, not yet looked at.
    Ticket(Ticket),
}

/// A connection that its user may complete.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) config: AuthConfig,
    integration: Integration,
    /// What the platform gave: an object.
    given: Secret,
    /// Names of the shared credentials that hold a value.
    shared: Vec<String>,
    pub(super) callback_url: Option<String>,
}

/// Either the one or the page's end.
pub(super) type OrNone<T> = Result<T, NoPage>;

impl Service {
    /// The page that a token leads to. Nothing is changed: whoever looks at a link before its user does (a chat's
    /// preview) does not use it up.
    pub async fn connect_page(&self, token: &str) -> Result<OrNone<ConnectPage>, Error> {
        let way = match self.way(token).await? {
            Ok(way) => Arc::new(way),
            Err(none) => return Ok(Err(none)),
        };
        let found = self
            .vault()
            .tenant(way.tenant(), Access::Read, move |tx, keys| {
                let (way, keys) = (Arc::clone(&way), Arc::clone(&keys));
                Box::pin(async move {
                    let Some(connection) = connections::find(tx, way.connection()).await? else {
                        return Ok(Err(NoPage::Unknown));
                    };
                    let config = auth_configs::find_by_uuid(tx, connection.auth_config).await?;
                    let config = config.ok_or_else(|| Error::internal("no auth config"))?;
                    let opened = way.opened(tx, &keys, connection, config).await?;
                    Ok(opened.map(|opened| opened.page()))
                })
            })
            .await;
        nobody_is_none(found)
    }

    /// The way that a token is. A link that is unknown or has ended is found to be so by the very same look-up.
    pub(super) async fn way(&self, token: &str) -> Result<OrNone<Way>, Error> {
        if let Some(ticket) = Ticket::parse(token) {
            return Ok(Ok(Way::Ticket(ticket)));
        }
        let Ok(token) = token.parse::<LinkToken>() else {
            return Ok(Err(NoPage::Unknown));
        };
        let hash = token.hash();
        let found = self
            .db()
            .auth(move |tx| Box::pin(async move { links::find(tx, &hash).await }))
            .await?;
        let Some(link) = found else {
            return Ok(Err(NoPage::Unknown));
        };
        Ok(ended(&link).map(|()| Way::Link(link)))
    }
}

/// A tenant that is gone has no pages; neither has one that never was, which a forged ticket names.
pub(super) fn nobody_is_none<T>(found: Result<OrNone<T>, Error>) -> Result<OrNone<T>, Error> {
    match found {
        Err(Error::Unauthenticated(_) | Error::NotFound(Kind::Connection)) => {
            Ok(Err(NoPage::Unknown))
        }
        found => found,
    }
}

/// Whether a link is at its end.
pub(super) fn ended(link: &Link) -> OrNone<()> {
    match link {
        Link { used: true, .. } => Err(NoPage::Used),
        Link { expired: true, .. } => Err(NoPage::Expired),
        _ => Ok(()),
    }
}

impl Way {
    pub(super) fn tenant(&self) -> TenantId {
        match self {
            Self::Link(link) => link.tenant,
            Self::Ticket(ticket) => ticket.tenant,
        }
    }

    pub(super) fn connection(&self) -> ConnectionId {
        match self {
            Self::Link(link) => link.connection,
            Self::Ticket(ticket) => ticket.connection,
        }
    }

    fn key_id(&self) -> &str {
        match self {
            Self::Link(link) => &link.key_id,
            Self::Ticket(ticket) => &ticket.key.0,
        }
    }

    /// Who answers for what is done this way: the API key that made it, with no other right.
    pub(super) fn caller(&self, request_id: &str) -> Caller {
        Caller {
            tenant: self.tenant(),
            key: KeyId(self.key_id().to_owned()),
            scopes: Vec::new(),
            integrations: None,
            request_id: request_id.to_owned(),
        }
    }

    /// The connection with all that its page needs, where the way leads there still. It ends with the API key that made
    /// it, too.
    pub(super) async fn opened(
        &self,
        tx: &mut TenantTx,
        keys: &TenantKeys,
        connection: Connection,
        config: AuthConfig,
    ) -> Result<OrNone<Opened>, Error> {
        let (given, callback_url) = match self {
            Self::Link(link) => (given(keys, link)?, link.callback_url.clone()),
            Self::Ticket(ticket) => {
                if !ticket.is_genuine(keys) {
                    return Ok(Err(NoPage::Unknown));
                }
                if !ticket.is_current(connection.updated_at) {
                    return Ok(Err(NoPage::Used));
                }
                if links::clock(tx).await? >= ticket.ends {
                    return Ok(Err(NoPage::Expired));
                }
                (Secret::object([]), None)
            }
        };
        if !links::maker_is_live(tx, self.key_id()).await? {
            return Ok(Err(NoPage::Unknown));
        }
        let Some(integration) = integrations::find(tx, connection.integration).await? else {
            return Ok(Err(NoPage::Unknown));
        };
        if !config.enabled {
            return Ok(Err(NoPage::Disabled));
        }
        match connection.status {
            Status::Inactive => return Ok(Err(NoPage::SwitchedOff)),
            // It was completed in another way meanwhile, and stays as it is.
            Status::Active => return Ok(Err(NoPage::Used)),
            // Its links are gone: one that is not was made before the connection was revoked.
            Status::Revoked => return Ok(Err(NoPage::Unknown)),
            Status::Initializing | Status::Initiated | Status::Failed | Status::Expired => {}
        }
        let shared = shared_names(tx, keys, config.uuid).await?;
        Ok(Ok(Opened {
            connection,
            config,
            integration,
            given,
            shared,
            callback_url,
        }))
    }
}

/// The members that came with a link.
fn given(keys: &TenantKeys, link: &Link) -> Result<Secret, Error> {
    match &link.sealed_data {
        Some(sealed) => {
            let place = links::place(link.tenant, &link.token_hash);
            keys.open(&place, sealed).map_err(unopened)
        }
        None => Ok(Secret::object([])),
    }
}

impl Opened {
    /// What the user is asked for.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs::new(&self.config, &self.integration, &self.shared, &self.given)
    }

    pub(super) fn page(&self) -> ConnectPage {
        let asks = match &self.config.scheme {
            Scheme::None => Asks::Fields(Vec::new()),
            scheme if takes_fields(scheme) => Asks::Fields(self.inputs().asked()),
            _ => Asks::Provider,
        };
        ConnectPage {
            integration: self.integration.name.clone(),
            asks,
            callback_url: self.callback_url.clone(),
        }
    }
}
