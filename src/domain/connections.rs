//! The rules of connections: making the primary one of a pair, replacing, handing out and destroying its credential.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::connection::{Connection, Instance, NewInstance, Status};
use super::error::{Error, Issue, Kind, Refusal, Rule};
use super::ids::{ConnectedAccountId, ConnectionId};
use super::integration::Integration;
use super::resolve::{self, Resolved};
use super::service::Service;
use crate::store::connections as rows;
use crate::store::{Access, TenantTx, audit, auth_configs, integrations};

impl Service {
    /// The primary connection of (service, user), made where there is none. A disabled default config takes no new
    /// ones.
    pub async fn create_instance(
        &self,
        caller: &Caller,
        new: NewInstance,
    ) -> Result<Instance, Error> {
        let (service, caller, new) = (self.clone(), caller.clone(), Arc::new(new));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (service, caller, new) = (service.clone(), caller.clone(), Arc::clone(&new));
                Box::pin(async move {
                    let (connection, integration) = primary(tx, &caller, &new).await?;
                    service.instance_of(tx, connection, integration).await
                })
            })
            .await
    }

    /// Whether [`Service::create_instance`] would find the service of this name for this caller.
    pub async fn knows_service(&self, caller: &Caller, name: &str) -> Result<bool, Error> {
        let (caller, name) = (caller.clone(), name.to_owned());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, name) = (caller.clone(), name.clone());
                Box::pin(async move {
                    Ok(match resolve::resolve(tx, &caller, &name).await? {
                        Some(Resolved::Mine(_)) => true,
                        Some(Resolved::Template(_)) => caller.integrations.is_none(),
                        None => false,
                    })
                })
            })
            .await
    }

    /// One live connection, apart from its secret. What a limited key may not use is not found.
    pub async fn instance(&self, caller: &Caller, id: ConnectionId) -> Result<Instance, Error> {
        let (service, caller) = (self.clone(), caller.clone());
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (service, caller) = (service.clone(), caller.clone());
                Box::pin(async move {
                    let connection = usable(&caller, rows::find(tx, id).await?)?;
                    let integration = integration_of(tx, &connection).await?;
                    service.instance_of(tx, connection, integration).await
                })
            })
            .await
    }

    /// Destroys the credential of one connection, which stays, INITIALIZING.
    pub async fn clear_credential(&self, caller: &Caller, id: ConnectionId) -> Result<(), Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let caller = caller.clone();
                Box::pin(async move {
                    usable(&caller, rows::lock(tx, id).await?)?;
                    rows::set_credential(tx, id, None, Status::Initializing).await?;
                    record(tx, &caller, "connection.clear_credential", id).await
                })
            })
            .await
    }

    async fn instance_of(
        &self,
        tx: &mut TenantTx,
        connection: Connection,
        integration: Integration,
    ) -> Result<Instance, Error> {
        let scheme = config_of(tx, &connection).await?.scheme;
        let server_url = self.server_url(&integration, connection.id);
        // The page behind an OAuth URL comes with the OAuth engine; a link that leads nowhere is never handed out.
        Ok(Instance {
            connection,
            integration,
            scheme,
            server_url,
            oauth_url: None,
        })
    }

    /// The integration's own MCP server with the instance's id in its query; without one, the instance's resource URL.
    fn server_url(&self, integration: &Integration, id: ConnectionId) -> String {
        let configured = integration
            .mcp_server_url
            .as_deref()
            .and_then(|text| url::Url::parse(text).ok());
        match configured {
            Some(mut url) => {
                url.query_pairs_mut()
                    .append_pair("instance_id", &id.to_string());
                url.into()
            }
            None => format!("{}/mcp-server/instance/{id}", self.settings().public_url),
        }
    }
}

/// The primary connection of the pair that `new` names, with its integration.
async fn primary(
    tx: &mut TenantTx,
    caller: &Caller,
    new: &NewInstance,
) -> Result<(Connection, Integration), Error> {
    let unknown = || Error::Invalid(vec![Issue::at("service", Rule::UnknownService)]);
    let integration = match resolve::resolve(tx, caller, &new.service).await? {
        Some(Resolved::Mine(integration)) => integration,
        Some(Resolved::Template(entry)) if caller.integrations.is_none() => {
            resolve::instantiate(tx, caller, entry).await?
        }
        _ => return Err(unknown()),
    };
    if let Some(found) = rows::find_primary(tx, integration.id, &new.user_id).await? {
        return Ok((found, integration));
    }
    let integration = integrations::lock(tx, integration.id)
        .await?
        .ok_or_else(unknown)?;
    let config = resolve::ensure_default(tx, caller, &integration).await?;
    if !config.enabled {
        return Err(Error::Refused(Refusal::AuthConfigDisabled));
    }
    let connection = blank(&config, new);
    if rows::insert(tx, &connection).await? {
        record(tx, caller, "connection.create", connection.id).await?;
    }
    // Read back: where another request made it meanwhile, that one is the primary.
    let stored = rows::find_primary(tx, integration.id, &new.user_id).await?;
    Ok((
        stored
            .ok_or_else(|| Error::internal("a connection is neither there nor can it be made"))?,
        integration,
    ))
}

/// A primary connection without a credential.
fn blank(config: &AuthConfig, new: &NewInstance) -> Connection {
    let now = time::OffsetDateTime::now_utc();
    Connection {
        id: ConnectionId::new(),
        account: ConnectedAccountId::new(),
        auth_config: config.uuid,
        integration: config.integration,
        user_id: new.user_id.clone(),
        is_primary: true,
        status: Status::Initializing,
        has_credential: false,
        platform: new.platform.clone(),
        read_only: new.read_only,
        created_at: now,
        updated_at: now,
    }
}

pub(super) fn usable(caller: &Caller, found: Option<Connection>) -> Result<Connection, Error> {
    found
        .filter(|connection| caller.may_use(connection.integration))
        .ok_or(Error::NotFound(Kind::Connection))
}

/// The config of a connection: its own, not the integration's default.
async fn config_of(tx: &mut TenantTx, connection: &Connection) -> Result<AuthConfig, Error> {
    let found = auth_configs::find_by_uuid(tx, connection.auth_config).await?;
    found.ok_or_else(|| Error::internal("a connection has no auth config"))
}

async fn integration_of(tx: &mut TenantTx, connection: &Connection) -> Result<Integration, Error> {
    let found = integrations::find(tx, connection.integration).await?;
    found.ok_or(Error::NotFound(Kind::Connection))
}

fn event<'a>(action: &'static str, id: &'a str) -> audit::Event<'a> {
    audit::Event {
        action,
        object_kind: "connection",
        object_id: id,
        detail: None,
    }
}

pub(super) async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: ConnectionId,
) -> Result<(), Error> {
    audit::append(tx, caller, event(action, &id.to_string()))
        .await
        .map(|_| ())
}
