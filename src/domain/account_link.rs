//! Links to the hosted connect page: who opens one gives its connection a credential.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use super::account_creation::{Blank, admitted};
use super::account_plan::require_numbers;
use super::account_rules::Sharing;
use super::caller::Caller;
use super::connection::Status;
use super::credential::Credential;
use super::error::Error;
use super::ids::{AuthConfigId, ConnectedAccountId, ConnectionId, LinkToken};
use super::scheme::Scheme;
use super::service::Service;
use crate::crypto::{Secret, TenantKeys};
use crate::json::{Json, Object};
use crate::store::{Access, TenantTx, connections, links};

/// How long a link can be used (contract/composio: 10 minutes).
const LIFETIME: Duration = Duration::from_mins(10);

/// What it takes to make a connection that its user completes on the page.
#[derive(Debug)]
pub struct NewLink {
    /// Under which config.
    pub auth_config: AuthConfigId,
    /// Whose, as of a [`NewAccount`](super::account_creation::NewAccount).
    pub user_id: String,
    /// What tells it apart from the user's others.
    pub alias: Option<String>,
    /// Where the browser goes once the user has connected.
    pub callback_url: Option<String>,
    /// Members of the credential that the platform gives, so that the user need not.
    pub members: Object,
    /// Who besides its own user is to use it.
    pub sharing: Sharing,
}

/// A link that was made just now. Its token is not stored and so shown this once.
pub struct Link {
    /// What lets its bearer in.
    pub token: LinkToken,
    /// The page.
    pub url: String,
    /// When it ends, by the database's clock.
    pub expires_at: OffsetDateTime,
}

/// Without the URL, which holds the token.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A connection that was made with its link.
#[derive(Debug)]
pub struct CreatedLink {
    /// The connection.
    pub account: ConnectedAccountId,
    /// Where its user completes it.
    pub link: Link,
}

impl Service {
    /// Makes a connection without a credential, INITIALIZING, and a link to the page on which its user completes it.
    /// Every call makes another one. The operator's shared apps are connected this way only. The paths of issues are
    /// relative to the members that are given.
    pub async fn create_link(&self, caller: &Caller, new: NewLink) -> Result<CreatedLink, Error> {
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

    /// A link to the page of this connection, which takes over what the platform gave. The caller of the API is who
    /// its use is told of in the audit log.
    pub(super) async fn link_to(
        &self,
        tx: &mut TenantTx,
        caller: &Caller,
        keys: &TenantKeys,
        connection: ConnectionId,
        callback_url: Option<String>,
        given: Object,
    ) -> Result<Link, Error> {
        let token = LinkToken::new();
        let token_hash = token.hash();
        let sealed_data = if given.is_empty() {
            None
        } else {
            let place = links::place(caller.tenant, &token_hash);
            let sealed = keys.seal(&place, &Secret::json(&Json::Object(given)));
            Some(sealed.map_err(Error::internal)?)
        };
        let row = links::NewLink {
            token_hash,
            connection,
            key_id: caller.key.0.clone(),
            callback_url,
            sealed_data,
            lifetime: LIFETIME,
        };
        let expires_at = links::insert(tx, &row).await?;
        let url = format!("{}/connect/{}", self.settings().public_url, token.as_str());
        Ok(Link {
            token,
            url,
            expires_at,
        })
    }
}

async fn create(
    service: &Service,
    tx: &mut TenantTx,
    caller: &Caller,
    keys: &TenantKeys,
    new: &NewLink,
) -> Result<CreatedLink, Error> {
    let (config, integration) = admitted(tx, caller, &new.auth_config, &new.user_id).await?;
    if matches!(config.scheme, Scheme::Opaque(_)) {
        return Err(Error::NotImplemented(
            "the flow of this scheme; its credentials can be stored by POST /connected_accounts",
        ));
    }
    let given = Credential::of_members(new.members.clone());
    require_numbers(&config, &integration, &given)?;
    let blank = Blank {
        config: &config,
        user_id: &new.user_id,
        alias: new.alias.as_deref(),
        status: Status::Initializing,
    };
    let id = blank.insert_with_link(tx, caller).await?;
    let (callback_url, given) = (new.callback_url.clone(), new.members.clone());
    let link = service
        .link_to(tx, caller, keys, id, callback_url, given)
        .await?;
    let made = connections::find(tx, id).await?;
    let made = made.ok_or_else(|| Error::internal("a connection is gone as soon as it is made"))?;
    Ok(CreatedLink {
        account: made.account,
        link,
    })
}
