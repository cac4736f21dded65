//! What making connected accounts and links answers.

use serde::Serialize;
use utoipa::ToSchema;

use super::account_state::AccountState;
use super::auth_config::timestamp;
use crate::domain::account_creation::CreatedAccount;
use crate::domain::account_link::CreatedLink;
use crate::domain::connection::Status;

/// A connection that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostConnectedAccountsResponse)]
pub(in super::super) struct CreatedAccountBody {
    /// Its id.
    #[schema(example = "ca_1a2b3c4d5e6f")]
    id: String,
    /// Its state; values are masked, since this is no hand-out.
    #[serde(rename = "connectionData")]
    connection_data: AccountState,
    /// Its status; INITIATED where its user is sent to a page.
    #[schema(example = "ACTIVE")]
    status: &'static str,
    /// Where its user goes to connect; null where that is done.
    redirect_url: Option<String>,
    /// The same. Use `redirect_url`.
    #[schema(deprecated)]
    redirect_uri: Option<String>,
    #[schema(inline)]
    deprecated: DeprecatedIds,
}

/// The ids as UUIDs.
#[derive(Debug, Serialize, ToSchema)]
struct DeprecatedIds {
    /// The connection's.
    #[schema(format = "uuid")]
    uuid: String,
    /// Its auth config's.
    #[serde(rename = "authConfigUuid")]
    #[schema(format = "uuid")]
    auth_config_uuid: String,
}

/// A link that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PostConnectedAccountsLinkResponse)]
pub(in super::super) struct CreatedLinkBody {
    /// What lets its bearer connect; shown this once.
    #[schema(example = "lk_0123456789abcdefghijklmnopqrstuv")]
    link_token: String,
    /// The page, which the user opens in a browser.
    #[schema(format = "uri")]
    redirect_url: String,
    /// When the link ends.
    #[schema(format = "date-time")]
    expires_at: String,
    /// The connection that waits for the user.
    #[schema(example = "ca_1a2b3c4d5e6f")]
    connected_account_id: String,
}

impl From<CreatedAccount> for CreatedAccountBody {
    fn from(made: CreatedAccount) -> Self {
        let connection = &made.view.connection;
        let redirect_url = made.link.map(|link| link.url);
        // Where its user is sent somewhere, it says so this once: what is stored, and shown later, is INITIALIZING.
        let (status, state) = match &redirect_url {
            Some(url) => (Status::Initiated, AccountState::redirected(url)),
            None => (connection.status, AccountState::of(&made.view)),
        };
        Self {
            id: connection.account.to_string(),
            status: status.name(),
            deprecated: DeprecatedIds {
                uuid: connection.id.to_string(),
                auth_config_uuid: connection.auth_config.to_string(),
            },
            connection_data: state,
            redirect_uri: redirect_url.clone(),
            redirect_url,
        }
    }
}

impl From<CreatedLink> for CreatedLinkBody {
    fn from(made: CreatedLink) -> Self {
        Self {
            link_token: made.link.token.as_str().to_owned(),
            redirect_url: made.link.url,
            expires_at: timestamp(made.link.expires_at),
            connected_account_id: made.account.to_string(),
        }
    }
}
