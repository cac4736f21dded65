//! Making a connection under an auth config that is named: with the user's credential at once, or, where the provider
//! gives that, with a page that leads to it.

use std::sync::Arc;

use super::account_link::Link;
pub use super::account_plan::Asked;
use super::account_plan::{Plan, plan, shared_names};
use super::account_rules::Sharing;
use super::account_view::{AccountView, one_account_view};
use super::auth_config::AuthConfig;
use super::caller::Caller;
use super::connection::{Connection, Status};
use super::connections::{record, record_with};
use super::error::{Error, Kind, Refusal};
use super::ids::{AuthConfigId, ConnectedAccountId, ConnectionId};
use super::integration::Integration;
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::{Secret, TenantKeys};
use crate::json::Object;
use crate::store::connections as rows;
use crate::store::{Access, TenantTx, auth_configs, begin_anew, integrations, users};

/// What it takes to make a connection.
#[derive(Debug)]
pub struct NewAccount {
    /// Under which config.
    pub auth_config: AuthConfigId,
    /// Whose, in the tenant's own words: see [`limits::broken_by_user_id`](super::limits::broken_by_user_id).
    pub user_id: String,
    /// What tells it apart from the user's others: see [`account_rules`](super::account_rules).
    pub alias: Option<String>,
    /// What the caller takes the config's scheme for, where it says so.
    pub scheme: Option<Scheme>,
    /// What the caller wants of it.
    pub asked: Asked,
    /// The credential.
    pub members: Object,
    /// Where the browser goes once the user has connected.
    pub callback_url: Option<String>,
    /// Whether the provider is to be asked if the credential is good.
    pub validate: bool,
    /// Who besides its own user is to use it.
    pub sharing: Sharing,
}

/// A connection that was made just now.
#[derive(Debug)]
pub struct CreatedAccount {
    /// The connection, its credential masked.
    pub view: AccountView,
    /// Where its user goes to give it a credential, where it has none.
    pub link: Option<Link>,
}

impl Service {
    /// Makes a connection and its user where it is new; the first one of a user with an integration is the primary one.
    ///
    /// A complete credential is stored and the connection ACTIVE. Where only the provider can give one, the connection
    /// waits, INITIALIZING, for its user to come to a page. The paths of issues are relative to the credential.
    pub async fn create_account(
        &self,
        caller: &Caller,
        new: NewAccount,
    ) -> Result<CreatedAccount, Error> {
        if new.validate {
            return Err(Error::NotImplemented(
                "validation of credentials at the provider",
            ));
        }
        new.sharing.require_none()?;
        let (service, caller, new) = (self.clone(), caller.clone(), Arc::new(new));
        self.vault()
            .tenant(caller.tenant, Access::Write, move |tx, keys| {
                let (service, caller) = (service.clone(), caller.clone());
                let (new, keys) = (Arc::clone(&new), Arc::clone(&keys));
                Box::pin(async move { create(&service, tx, &caller, &keys, &new).await })
            })
            .await
    }
}

async fn create(
    service: &Service,
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    new: &NewAccount,
) -> Result<CreatedAccount, Error> {
    let (config, integration) = admitted(tx, caller, &new.auth_config, &new.user_id).await?;
    let shared = shared_names(tx, keys, config.uuid).await?;
    let plan = plan(&config, &integration, &shared, new)?;
    let status = match plan {
        Plan::Store(_) | Plan::NothingToStore => Status::Active,
        Plan::Link(_) => Status::Initializing,
    };
    let connection = Blank {
        config: &config,
        user_id: &new.user_id,
        alias: new.alias.as_deref(),
        status,
    };
    let id = match &plan {
        Plan::Link(_) => connection.insert_with_link(tx, caller).await?,
        Plan::Store(_) | Plan::NothingToStore => connection.insert(tx, caller).await?,
    };
    let mut link = None;
    match plan {
        Plan::Store(credential) => store(tx, caller, keys, id, &credential).await?,
        Plan::NothingToStore => {}
        Plan::Link(given) => {
            let callback_url = new.callback_url.clone();
            link = Some(
                service
                    .link_to(tx, caller, keys, id, callback_url, given)
                    .await?,
            );
        }
    }
    let made = rows::find(tx, id).await?;
    let made = made.ok_or_else(|| Error::internal("a connection is gone as soon as it is made"))?;
    let view = one_account_view(tx, keys, made).await?;
    Ok(CreatedAccount { view, link })
}

async fn store(
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    id: ConnectionId,
    credential: &Secret,
) -> Result<(), Error> {
    let generation = uuid::Uuid::new_v4();
    let place = rows::place(caller.tenant, id);
    let sealed = keys.seal_credential(&place, generation, credential);
    let sealed = (generation, sealed.map_err(Error::internal)?);
    rows::set_credential(tx, id, Some(sealed), Status::Active).await?;
    record(tx, caller, "connection.set_credential", id).await
}

/// The config of this id, as it stays until the transaction ends, with its integration, where the caller may make
/// connections under it. Integration, user and config are held then, in this order, as whoever makes connections does.
pub(super) async fn admitted(
    tx: &mut TenantTx,
    caller: &Caller,
    id: &AuthConfigId,
    user_id: &str,
) -> Result<(AuthConfig, Integration), Error> {
    let unknown = || Error::NotFound(Kind::AuthConfig);
    let seen = auth_configs::find(tx, id).await?;
    let seen = seen
        .filter(|config| caller.may_use(config.integration))
        .ok_or_else(unknown)?;
    let integration = integrations::lock(tx, seen.integration).await?;
    let integration = integration.ok_or_else(unknown)?;
    // Before the pair is looked at: whoever deletes the user deletes its connections too.
    users::ensure(tx, user_id).await?;
    let config = auth_configs::lock(tx, id).await?.ok_or_else(unknown)?;
    if !config.enabled {
        return Err(Error::Refused(Refusal::AuthConfigDisabled));
    }
    Ok((config, integration))
}

/// A connection that is to be made, without a credential.
pub(super) struct Blank<'a> {
    pub(super) config: &'a AuthConfig,
    pub(super) user_id: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) status: Status,
}

impl Blank<'_> {
    /// Makes it, with its audit row. The caller holds the integration and the user.
    pub(super) async fn insert(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
    ) -> Result<ConnectionId, Error> {
        let id = self.row(tx).await?;
        record(tx, caller, "connection.create", id).await?;
        Ok(id)
    }

    /// The same for one that gets a link at once.
    pub(super) async fn insert_with_link(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
    ) -> Result<ConnectionId, Error> {
        let id = self.row(tx).await?;
        let detail = serde_json::json!({ "link": true });
        record_with(tx, caller, "connection.create", id, Some(detail)).await?;
        Ok(id)
    }

    async fn row(&self, tx: &mut TenantTx) -> Result<ConnectionId, Error> {
        let now = time::OffsetDateTime::now_utc();
        let primary = rows::find_primary(tx, self.config.integration, self.user_id).await?;
        let connection = Connection {
            id: ConnectionId::new(),
            account: ConnectedAccountId::new(),
            auth_config: self.config.uuid,
            integration: self.config.integration,
            user_id: self.user_id.to_owned(),
            is_primary: primary.is_none(),
            status: self.status,
            status_reason: None,
            alias: self.alias.map(str::to_owned),
            has_credential: false,
            platform: None,
            read_only: false,
            created_at: now,
            updated_at: now,
        };
        if rows::insert(tx, &connection).await? {
            Ok(connection.id)
        } else {
            // Who made the primary one meanwhile does not hold the integration.
            Err(begin_anew())
        }
    }
}
