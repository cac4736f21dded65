//! Auth configs: how users connect to an integration.

use time::OffsetDateTime;

pub use super::auth_setting::{AuthKind, AuthPlan, IntegrationAuth, OAuthClientChange};
pub use super::cell_rules::broken_by_cells;
pub use super::declared_field::{DeclaredField, FieldKind};
use super::error::Rule;
use super::ids::{AuthConfigId, AuthConfigUuid, IntegrationId};
use super::integration::Integration;
pub use super::page::{Cursor, Page, PageRequest};
use super::patch::Patch;
use super::scheme::Scheme;
use crate::json::{Json, Object};

/// How users connect to an integration.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as in the table"
)]
pub struct AuthConfig {
    /// Its row id.
    pub uuid: AuthConfigUuid,
    /// Its id on Composio's wire.
    pub id: AuthConfigId,
    /// Whose it is.
    pub integration: IntegrationId,
    /// Whether new connections that name no config use it.
    pub is_default: bool,
    /// Made by us in passing, so that the first explicit config takes its row over.
    pub implicit: bool,
    /// The name that people read.
    pub name: String,
    /// The scheme.
    pub scheme: Scheme,
    /// Whether the operator's shared OAuth app is used.
    pub managed: bool,
    /// Whether new connections may be made.
    pub enabled: bool,
    /// The tools that may be used.
    pub tools: ToolAccess,
    /// A proxy for calls to the provider.
    pub proxy_url: Option<String>,
    /// Composio's tool router may use it.
    pub tool_router: bool,
    /// Code that checks a user's credential.
    pub test_code: Option<String>,
    /// What a user fills in when connecting.
    pub fields: Vec<DeclaredField>,
    /// The OAuth client, apart from its sealed members.
    pub oauth_client: Option<OAuthClient>,
    /// Grows with every change; part of the entity tag.
    pub version: i64,
    /// The API key that made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

/// Which tools may be used with the connections of a config. An empty list names none in particular.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ToolAccess {
    /// Needed to make a connection.
    pub for_creation: Vec<String>,
    /// Available for execution.
    pub for_execution: Vec<String>,
}

/// The open members of an OAuth client. `client_id`, `client_secret`, `auth_url`, `token_url` and `scopes` are
/// sealed cells of the auth config, one a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OAuthClient {
    /// The words on the connect button.
    pub label: Option<String>,
    /// Custom code; none means the default, which the OAuth engine does natively.
    pub authorization_code: Option<String>,
    /// Custom code; as above.
    pub access_token_code: Option<String>,
    /// Custom code; as above.
    pub refresh_token_code: Option<String>,
    /// Where the provider sends users back to, if not to this server: any text, to be checked by whoever uses it (the
    /// OAuth engine). Rows that are older than the member lack it.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// Whose account the client belongs to, in the tenant's own words; as above.
    #[serde(default)]
    pub account_id: Option<String>,
}

/// An auth config as it may be shown: secrets masked.
#[derive(Debug, Clone)]
pub struct AuthConfigView {
    /// The config.
    pub config: AuthConfig,
    /// Its integration.
    pub integration: Integration,
    /// Its credentials, masked, in alphabetical order of their keys.
    pub credentials: Vec<(String, Json)>,
    /// Its shared credentials, masked.
    pub shared: Vec<(String, Json)>,
    /// The proxy's key, masked.
    pub proxy_auth_key: Option<Json>,
    /// How many live connections it has.
    pub connections: i64,
}

impl AuthConfig {
    /// The entity tag (RFC 9110 section 8.8.3): any write to the config changes it.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

/// The longest name of an auth config, in characters: it is searched in.
const MAX_NAME: usize = 1_000;

/// The rule that the text breaks as the name of an auth config.
pub fn broken_by_name(name: &str) -> Option<Rule> {
    match name.chars().count() {
        0 => Some(Rule::TooShort { min: 1 }),
        long if long > MAX_NAME => Some(Rule::TooLong { max: MAX_NAME }),
        _ if name.contains('\0') => Some(Rule::NulCharacter),
        _ => None,
    }
}

/// What it takes to make an auth config.
#[derive(Debug)]
pub struct NewAuthConfig {
    /// Any name of the service.
    pub toolkit: String,
    /// Its own app (with a scheme) or the operator's (none).
    pub scheme: Option<Scheme>,
    /// Its name; made from the toolkit's slug when absent.
    pub name: Option<String>,
    /// The rest.
    pub settings: AuthConfigSettings,
}

/// A change of an auth config; what is not named is kept.
#[derive(Debug)]
pub struct AuthConfigChange {
    /// Whether the caller takes it for a managed one; `None` where it did not say.
    pub managed: Option<bool>,
    /// The new name.
    pub name: Option<String>,
    /// The rest.
    pub settings: AuthConfigSettings,
    /// The entity tag that the caller saw (`If-Match`).
    pub if_match: Option<String>,
}

/// The members that making and changing an auth config share.
#[derive(Debug, Default)]
pub struct AuthConfigSettings {
    /// Merged key by key: a value sets, null removes, a masked value is left as it is.
    pub credentials: Object,
    /// Merged like `credentials`.
    pub shared: Object,
    /// Null clears, an object replaces.
    pub proxy: Patch<Proxy>,
    /// Which lists to replace.
    pub tools: ToolAccessChange,
    /// Whether Composio's tool router may use it.
    pub tool_router: Option<bool>,
}

/// A proxy for calls to the provider.
#[derive(Debug)]
pub struct Proxy {
    /// Where.
    pub url: String,
    /// The key that it wants; sealed. A masked value keeps the stored one.
    pub auth_key: Option<Json>,
}

/// A change of the tool lists: an absent list is kept, an empty one clears.
#[derive(Debug, Default)]
pub struct ToolAccessChange {
    /// Needed to make a connection.
    pub for_creation: Option<Vec<String>>,
    /// Available for execution.
    pub for_execution: Option<Vec<String>>,
}

/// Which auth configs to list.
#[derive(Debug, Default)]
pub struct AuthConfigFilter {
    /// Only managed, or only custom ones.
    pub managed: Option<bool>,
    /// Only those of these services (any name of each); empty means all.
    pub toolkits: Vec<String>,
    /// Disabled ones too.
    pub show_disabled: bool,
    /// Part of the name or of the id, without case.
    pub search: Option<String>,
}
