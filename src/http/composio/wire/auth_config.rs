//! Auth configs as this dialect shows them. Names and shapes are those of the public SDK's response models.

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};
use utoipa::ToSchema;

use super::input_fields::{self, InputField};
use crate::domain::auth_config::{AuthConfigView, ToolAccess};
use crate::domain::integration::Integration;
use crate::domain::scheme::Scheme;
use crate::json::{Json, Object};

/// An auth config, secrets masked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthConfig)]
pub(in super::super) struct AuthConfigBody {
    /// Its id.
    #[schema(example = "ac_V1StGXR8_Z5j")]
    id: String,
    /// Its row id.
    #[schema(format = Uuid)]
    uuid: String,
    /// `default` is the operator's app, `custom` the caller's own.
    r#type: ConfigType,
    /// Which service.
    toolkit: Toolkit,
    /// The name that people read.
    name: String,
    /// How users authenticate.
    #[schema(example = "OAUTH2")]
    auth_scheme: &'static str,
    /// Whether the operator's app is used.
    is_composio_managed: bool,
    /// The credentials, masked: a managed config's altogether, else the first four characters of long secrets.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    credentials: Object,
    /// The proxy for calls to the provider.
    #[schema(required)]
    proxy_config: Option<ProxyConfig>,
    /// Whether new connections may be made.
    status: ConfigStatus,
    /// The API key that made it.
    created_by: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was last changed.
    #[schema(format = DateTime)]
    last_updated_at: String,
    /// How many connections use it.
    no_of_connections: i64,
    /// What a user fills in when connecting.
    expected_input_fields: Vec<InputField>,
    /// The same list as `tool_access_config.tools_available_for_execution`.
    #[schema(deprecated)]
    restrict_to_following_tools: Vec<String>,
    /// Which tools may be used.
    tool_access_config: ToolAccessConfig,
    /// What every connection inherits, masked.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    shared_credentials: Object,
    /// Whether the tool router may use it.
    is_enabled_for_tool_router: bool,
}

/// Whose app is used.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ConfigType {
    /// The operator's.
    Default,
    /// The caller's own.
    Custom,
}

/// Whether new connections may be made.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ConfigStatus {
    /// They may.
    Enabled,
    /// They may not.
    Disabled,
}

/// The service of an auth config.
#[derive(Debug, Serialize, ToSchema)]
struct Toolkit {
    /// Its slug.
    slug: String,
    /// A picture; empty where there is none.
    logo: String,
    /// The provider's own documentation of its authentication.
    #[schema(required)]
    auth_guide_url: Option<String>,
    /// Where users get their credentials.
    #[schema(required)]
    auth_hint_url: Option<String>,
}

/// A proxy for calls to the provider.
#[derive(Debug, Serialize, ToSchema)]
struct ProxyConfig {
    /// Where it is.
    proxy_url: String,
    /// Its key, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    proxy_auth_key: Option<Json>,
}

/// Which tools may be used; an empty list names none in particular.
#[derive(Debug, Serialize, ToSchema)]
struct ToolAccessConfig {
    /// Needed to make a connection.
    tools_for_connected_account_creation: Vec<String>,
    /// Available for execution.
    tools_available_for_execution: Vec<String>,
}

impl From<AuthConfigView> for AuthConfigBody {
    fn from(view: AuthConfigView) -> Self {
        let expected_input_fields = input_fields::of(&view);
        let toolkit = Toolkit::from(&view.integration);
        let AuthConfigView {
            config,
            credentials,
            shared,
            proxy_auth_key,
            connections,
            ..
        } = view;
        Self {
            id: config.id.to_string(),
            uuid: config.uuid.to_string(),
            r#type: if config.managed {
                ConfigType::Default
            } else {
                ConfigType::Custom
            },
            toolkit,
            name: config.name,
            auth_scheme: shown(&config.scheme),
            is_composio_managed: config.managed,
            credentials: credentials.into_iter().collect(),
            proxy_config: config.proxy_url.map(|proxy_url| ProxyConfig {
                proxy_url,
                proxy_auth_key,
            }),
            status: if config.enabled {
                ConfigStatus::Enabled
            } else {
                ConfigStatus::Disabled
            },
            created_by: config.created_by,
            created_at: timestamp(config.created_at),
            last_updated_at: timestamp(config.updated_at),
            no_of_connections: connections,
            expected_input_fields,
            restrict_to_following_tools: config.tools.for_execution.clone(),
            tool_access_config: config.tools.into(),
            shared_credentials: shared.into_iter().collect(),
            is_enabled_for_tool_router: config.tool_router,
        }
    }
}

impl From<&Integration> for Toolkit {
    fn from(integration: &Integration) -> Self {
        let entry = integration.catalogue_entry();
        Self {
            slug: integration.toolkit_slug().to_owned(),
            logo: entry
                .and_then(|entry| entry.logo.clone())
                .unwrap_or_default(),
            auth_guide_url: entry.and_then(|entry| entry.auth_guide_url.clone()),
            auth_hint_url: None,
        }
    }
}

impl From<ToolAccess> for ToolAccessConfig {
    fn from(tools: ToolAccess) -> Self {
        Self {
            tools_for_connected_account_creation: tools.for_creation,
            tools_available_for_execution: tools.for_execution,
        }
    }
}

/// The name of a scheme where the public SDK takes a closed list, which has no `CIMD_OAUTH`: strict validation of its
/// 1.43 would raise. `DCR_OAUTH` is the same flow to a user.
pub(super) fn shown(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::OAuth2Cimd => Scheme::OAuth2Dcr.name(),
        other => other.name(),
    }
}

/// ISO 8601 in UTC with milliseconds, as JavaScript writes it.
pub(super) fn timestamp(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    let (date, time) = (at.date(), at.time());
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.millisecond()
    )
}
