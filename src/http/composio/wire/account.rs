//! Connected accounts as this dialect shows them. Names and shapes are those of the public SDKs' response models.

use serde::Serialize;
use utoipa::ToSchema;

use super::account_cursor;
use super::account_state::{AccountState, Members};
use super::auth_config::{shown, timestamp};
use crate::domain::account_list::AccountPage;
use crate::domain::account_view::AccountView;
use crate::domain::connection::Status;
use crate::json::Object;

/// A connected account. Its secrets are masked, but for a key that may read credentials and asks for this one alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectedAccount)]
pub(in super::super) struct AccountBody {
    /// Which service.
    toolkit: AccountToolkit,
    /// Its auth config.
    auth_config: AccountConfig,
    /// Its id.
    #[schema(example = "ca_1a2b3c4d5e6f")]
    id: String,
    /// Whose it is, in the tenant's own words.
    user_id: String,
    /// What tells it apart from the user's others with the toolkit.
    #[schema(required)]
    alias: Option<String>,
    /// A name made of words: there is none.
    #[schema(required, value_type = Option<String>)]
    word_id: (),
    /// Its status.
    #[schema(example = "ACTIVE")]
    status: &'static str,
    /// Why the status is what it is, where that is worth saying.
    #[schema(required)]
    status_reason: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// How it authenticates, with what it inherits from the auth config's shared credentials.
    state: AccountState,
    /// The members of the credential as they are stored, with what it inherits.
    #[schema(deprecated, value_type = std::collections::HashMap<String, serde_json::Value>)]
    data: Members,
    /// Empty.
    #[schema(deprecated, value_type = std::collections::HashMap<String, serde_json::Value>)]
    params: Object,
    /// Whether it is switched off.
    is_disabled: bool,
    /// Where credentials of the toolkit can be tried; empty where that is not known.
    test_request_endpoint: &'static str,
    /// The scopes that were asked for: none, where the credential was brought.
    #[schema(required)]
    requested_scopes: Option<Vec<String>>,
    /// What older clients read.
    #[schema(deprecated)]
    deprecated: AccountDeprecated,
}

/// The service of a connected account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountToolkit {
    /// Its slug.
    slug: String,
}

/// The auth config of a connected account.
#[derive(Debug, Serialize, ToSchema)]
struct AccountConfig {
    /// Its id.
    #[schema(example = "ac_V1StGXR8_Z5j")]
    id: String,
    /// How users authenticate.
    #[schema(example = "OAUTH2")]
    auth_scheme: &'static str,
    /// Whether the operator's app is used.
    is_composio_managed: bool,
    /// Whether it takes no new connections.
    is_disabled: bool,
    /// What older clients read.
    #[schema(deprecated)]
    deprecated: AccountConfigDeprecated,
}

/// What older clients read of the auth config.
#[derive(Debug, Serialize, ToSchema)]
struct AccountConfigDeprecated {
    /// Its row id.
    #[schema(format = Uuid)]
    uuid: String,
}

/// What older clients read.
#[derive(Debug, Serialize, ToSchema)]
struct AccountDeprecated {
    /// None.
    labels: [String; 0],
    /// The row id.
    #[schema(format = Uuid)]
    uuid: String,
}

/// A page of connected accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetConnectedAccountsResponse)]
pub(in super::super) struct AccountPageBody {
    /// The connected accounts, masked.
    items: Vec<AccountBody>,
    /// Send it as `cursor` for the next page; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many pages there are at this `limit`.
    total_pages: u64,
    /// The number of this page, from 1.
    current_page: u32,
    /// How many connected accounts match.
    total_items: u64,
}

impl From<AccountView> for AccountBody {
    fn from(view: AccountView) -> Self {
        let AccountView {
            connection,
            integration,
            config,
            content,
        } = view;
        let (state, data) = AccountState::with_data(&config.scheme, connection.status, content);
        Self {
            toolkit: AccountToolkit {
                slug: integration.toolkit_slug().to_owned(),
            },
            auth_config: AccountConfig {
                id: config.id.to_string(),
                auth_scheme: shown(&config.scheme),
                is_composio_managed: config.managed,
                is_disabled: !config.enabled,
                deprecated: AccountConfigDeprecated {
                    uuid: config.uuid.to_string(),
                },
            },
            id: connection.account.to_string(),
            user_id: connection.user_id,
            alias: connection.alias,
            word_id: (),
            status: connection.status.name(),
            // A server of the version before does not clear it where it makes a connection ready.
            status_reason: connection
                .status_reason
                .filter(|_| connection.status != Status::Active),
            created_at: timestamp(connection.created_at),
            updated_at: timestamp(connection.updated_at),
            state,
            data,
            params: Object::new(),
            is_disabled: connection.status == Status::Inactive,
            test_request_endpoint: "",
            requested_scopes: None,
            deprecated: AccountDeprecated {
                labels: [],
                uuid: connection.id.to_string(),
            },
        }
    }
}

impl AccountPageBody {
    /// The page, of `limit` rows at most.
    pub(in super::super) fn new(page: AccountPage, limit: u32) -> Self {
        let total_items = page.total.max(0).unsigned_abs();
        Self {
            next_cursor: page.next.as_ref().map(account_cursor::encode),
            total_pages: total_items.div_ceil(u64::from(limit.max(1))),
            current_page: page.number,
            total_items,
            items: page.items.into_iter().map(AccountBody::from).collect(),
        }
    }
}
