//! The rules of connections: making the primary one of a pair, replacing, handing out and destroying its credential.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::connection::{Connection, HandedOut, Instance, NewInstance, SetOutcome, Status};
use super::credential::Credential;
use super::error::{Error, Issue, Kind, Refusal, Rule};
use super::ids::{ConnectedAccountId, ConnectionId};
use super::integration::Integration;
use super::resolve::{self, Resolved};
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::Secret;
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

    /// Replaces the whole credential of one connection and makes it ACTIVE. Where there is nothing to store, nothing
    /// is changed. The paths of issues are relative to the credential.
    pub async fn set_credential(
        &self,
        caller: &Caller,
        id: ConnectionId,
        credential: Credential,
    ) -> Result<SetOutcome, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let (caller, credential) = (caller.clone(), Arc::new(credential));
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, credential, keys) =
                    (caller.clone(), Arc::clone(&credential), Arc::clone(&keys));
                Box::pin(async move {
                    let config = lock_with_config(tx, &caller, id).await?;
                    if config.scheme == Scheme::None {
                        return Ok(SetOutcome::NoAuthentication);
                    }
                    if credential.is_empty() {
                        return Ok(SetOutcome::NothingToStore);
                    }
                    Error::when_any(credential.check(&config.fields))?;
                    let (generation, secret): (Uuid, Secret) =
                        (Uuid::new_v4(), credential.to_secret());
                    let place = rows::place(tx.tenant(), id);
                    let sealed = keys
                        .seal_credential(&place, generation, &secret)
                        .map_err(Error::internal)?;
                    rows::set_credential(tx, id, Some((generation, sealed)), Status::Active)
                        .await?;
                    record(tx, &caller, "connection.set_credential", id).await?;
                    Ok(SetOutcome::Stored)
                })
            })
            .await
    }

    /// Hands a credential out in the clear, with its audit row. A connection without one hands out nothing and writes
    /// nothing.
    pub async fn hand_out(&self, caller: &Caller, id: ConnectionId) -> Result<HandedOut, Error> {
        let keys = self.vault().tenant_keys(caller.tenant).await?;
        let caller = caller.clone();
        self.db()
            .tenant(caller.tenant, Access::Write, move |tx| {
                let (caller, keys) = (caller.clone(), Arc::clone(&keys));
                Box::pin(async move {
                    usable(&caller, rows::find(tx, id).await?)?;
                    let Some((generation, sealed)) = rows::sealed(tx, id).await? else {
                        return Ok(HandedOut { credential: None });
                    };
                    let place = rows::place(tx.tenant(), id);
                    let secret = keys
                        .open_credential(&place, generation, &sealed)
                        .map_err(Error::internal)?;
                    let audited =
                        audit::append(tx, &caller, event("connection.hand_out", &id.to_string()))
                            .await?;
                    Ok(HandedOut {
                        credential: Some(secret.hand_out(&audited)),
                    })
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

fn usable(caller: &Caller, found: Option<Connection>) -> Result<Connection, Error> {
    found
        .filter(|connection| caller.may_use(connection.integration))
        .ok_or(Error::NotFound(Kind::Connection))
}

/// Locks a connection and answers with its config, which keeps its scheme and fields until the transaction ends: whoever
/// changes a config holds its row, so the config is locked first, as there.
async fn lock_with_config(
    tx: &mut TenantTx,
    caller: &Caller,
    id: ConnectionId,
) -> Result<AuthConfig, Error> {
    let seen = usable(caller, rows::find(tx, id).await?)?;
    let config = auth_configs::share(tx, seen.auth_config).await?;
    let locked = usable(caller, rows::lock(tx, id).await?)?;
    match config {
        Some(config) if config.uuid == locked.auth_config => Ok(config),
        _ => Err(Error::Unavailable {
            reason: "the connection was moved to another auth config meanwhile".into(),
            retry_after: Duration::from_secs(1),
        }),
    }
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

async fn record(
    tx: &mut TenantTx,
    caller: &Caller,
    action: &'static str,
    id: ConnectionId,
) -> Result<(), Error> {
    audit::append(tx, caller, event(action, &id.to_string()))
        .await
        .map(|_| ())
}
