//! The rules of connections: making the primary one of a pair, replacing, handing out and destroying its credential.

use std::sync::Arc;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::connection::{Connection, Instance, NewInstance, Status};
use super::error::{Error, Issue, Kind, Refusal, Rule};
use super::ids::{ConnectedAccountId, ConnectionId};
use super::integration::Integration;
use super::limits;
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
        Error::when_any(limits::broken_limits(&new))?;
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

    /// Those of `names` (by index) that lead to no service for this caller. [`Service::create_instance`] and the others
    /// that take a service's name refuse them.
    pub async fn unknown_services(
        &self,
        caller: &Caller,
        names: Vec<String>,
    ) -> Result<Vec<usize>, Error> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let (caller, names) = (caller.clone(), Arc::new(names));
        self.db()
            .tenant(caller.tenant, Access::Read, move |tx| {
                let (caller, names) = (caller.clone(), Arc::clone(&names));
                Box::pin(async move {
                    let mut unknown = Vec::new();
                    for (index, name) in names.iter().enumerate() {
                        if resolve::open(tx, &caller, name).await?.is_none() {
                            unknown.push(index);
                        }
                    }
                    Ok(unknown)
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

    /// Destroys the credential of one connection, which stays, INITIALIZING. `false` where that is what it was:
    /// nothing is changed then and nothing audited.
    pub async fn clear_credential(&self, caller: &Caller, id: ConnectionId) -> Result<bool, Error> {
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let caller = caller.clone();
                Box::pin(async move {
                    let held = usable(&caller, rows::lock(tx, id).await?)?;
                    if !held.has_credential && held.status == Status::Initializing {
                        return Ok(false);
                    }
                    rows::set_credential(tx, id, None, Status::Initializing).await?;
                    record(tx, &caller, "connection.clear_credential", id).await?;
                    Ok(true)
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
    let integration = match service(tx, caller, &new.service).await? {
        Resolved::Mine(integration) => integration,
        Resolved::Template(entry) => resolve::instantiate(tx, caller, entry).await?,
    };
    let connection = primary_of(tx, caller, &integration, new).await?;
    Ok((connection, integration))
}

/// The primary connection of this integration and the user that `new` names, made where there is none. An integration
/// that is gone by then is an unknown service.
pub(super) async fn primary_of(
    tx: &mut TenantTx,
    caller: &Caller,
    integration: &Integration,
    new: &NewInstance,
) -> Result<Connection, Error> {
    if let Some(found) = rows::find_primary(tx, integration.id, &new.user_id).await? {
        return Ok(found);
    }
    let integration = integrations::lock(tx, integration.id)
        .await?
        .ok_or_else(unknown_service)?;
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
    stored.ok_or_else(|| Error::internal("a connection is neither there nor can it be made"))
}

/// The service that a name leads to.
pub(super) async fn service(
    tx: &mut TenantTx,
    caller: &Caller,
    name: &str,
) -> Result<Resolved, Error> {
    let found = resolve::open(tx, caller, name).await?;
    found.ok_or_else(unknown_service)
}

/// A name that leads to no service of the caller.
pub(super) fn unknown_service() -> Error {
    Error::Invalid(vec![Issue::at("service", Rule::UnknownService)])
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
        status_reason: None,
        alias: None,
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

pub(super) async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: ConnectionId,
) -> Result<(), Error> {
    record_with(tx, caller, action, id, None).await
}

/// As [`record`], with what else is worth knowing.
pub(super) async fn record_with(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: ConnectionId,
    detail: Option<serde_json::Value>,
) -> Result<(), Error> {
    let event = audit::Event {
        action,
        object_kind: "connection",
        object_id: &id.to_string(),
        detail,
    };
    audit::append(tx, caller, event).await.map(|_| ())
}
