//! Requests as the OpenAPI document shows them. They are read member by member elsewhere, so that every fault is
//! named; what is here only describes them.
#![expect(
    dead_code,
    reason = "these types are read by the OpenAPI generator only"
)]

use std::collections::HashMap;

use serde::Deserialize;
use utoipa::openapi::schema::{
    AdditionalProperties, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Type,
};
use utoipa::{IntoParams, ToSchema};

/// The body of `POST /auth_configs`.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct PostAuthConfigsRequest {
    /// For which service.
    toolkit: ToolkitChoice,
    /// How users connect; the operator's app where this is left out.
    #[schema(required = false)]
    auth_config: NewAuthConfig,
}

/// A service.
#[derive(Deserialize, ToSchema)]
struct ToolkitChoice {
    /// Its slug, in any case.
    #[schema(example = "github")]
    slug: String,
}

/// How users connect.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "type", mapping(
    ("use_composio_managed_auth" = "#/components/schemas/UseManagedAuth"),
    ("use_custom_auth" = "#/components/schemas/UseCustomAuth")
)))]
enum NewAuthConfig {
    Managed(UseManagedAuth),
    Custom(UseCustomAuth),
}

/// With the app that the operator of this server has configured.
#[derive(Deserialize, ToSchema)]
struct UseManagedAuth {
    #[schema(inline)]
    r#type: ManagedWord,
    /// The name that people read; `<toolkit>-<6 characters>` where it is left out.
    #[schema(min_length = 1, required = false)]
    name: String,
    #[schema(schema_with = own_scopes, required = false)]
    credentials: (),
    #[schema(required = false)]
    tool_access_config: ToolAccess,
    /// Use `tool_access_config.tools_available_for_execution`.
    #[schema(deprecated, required = false)]
    restrict_to_following_tools: Vec<String>,
    /// What every connection of this config inherits; each value is sealed.
    #[schema(required = false)]
    shared_credentials: HashMap<String, serde_json::Value>,
    /// Whether the tool router may use it.
    #[schema(required = false)]
    is_enabled_for_tool_router: bool,
}

/// With an app or keys of the caller's own.
#[derive(Deserialize, ToSchema)]
struct UseCustomAuth {
    #[schema(inline)]
    r#type: CustomAuthWord,
    #[serde(rename = "authScheme")]
    auth_scheme: AuthScheme,
    /// The name that people read; `<toolkit>-<6 characters>` where it is left out.
    #[schema(min_length = 1, required = false)]
    name: String,
    #[schema(schema_with = credentials, required = false)]
    credentials: (),
    #[schema(nullable, required = false)]
    proxy_config: Option<Proxy>,
    #[schema(required = false)]
    tool_access_config: ToolAccess,
    /// Use `tool_access_config.tools_available_for_execution`.
    #[schema(deprecated, required = false)]
    restrict_to_following_tools: Vec<String>,
    /// What every connection of this config inherits; each value is sealed.
    #[schema(required = false)]
    shared_credentials: HashMap<String, serde_json::Value>,
    /// Whether the tool router may use it.
    #[schema(required = false)]
    is_enabled_for_tool_router: bool,
}

/// Credentials of a new auth config with the operator's app: scopes and nothing else.
fn own_scopes() -> Object {
    let mut object = credentials();
    object.description =
        Some("Scopes to ask users for; any other key is the operator's and is refused.".to_owned());
    object.additional_properties = None;
    object
}

/// Credentials of an auth config: checked scopes, and any other key with any value.
pub(super) fn credentials() -> Object {
    let scopes = |description| {
        let list = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
        OneOfBuilder::new()
            .item(ObjectBuilder::new().schema_type(Type::String))
            .item(list)
            .description(Some(description))
    };
    ObjectBuilder::new()
        .description(Some("Merged key by key: a value sets, null removes. Besides the scopes any key; each value is sealed."))
        .property("scopes", scopes("OAuth scopes to ask users for."))
        .property("user_scopes", scopes("OAuth scopes of the user token, where the provider has two."))
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// Scopes in one text or in a list.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum Scopes {
    Joined(String),
    List(Vec<String>),
}

/// A proxy for calls to the provider.
#[derive(Deserialize, ToSchema)]
pub(super) struct Proxy {
    /// An absolute URL without user name and password.
    #[schema(format = "uri")]
    proxy_url: String,
    /// The key that the proxy wants; sealed.
    #[schema(required = false)]
    proxy_auth_key: String,
}

/// Which tools may be used: a list that is left out is kept, an empty one clears.
#[derive(Deserialize, ToSchema)]
pub(super) struct ToolAccess {
    /// Needed to make a connection.
    #[schema(required = false)]
    tools_for_connected_account_creation: Vec<String>,
    /// Available for execution.
    #[schema(required = false)]
    tools_available_for_execution: Vec<String>,
}

#[derive(Deserialize, ToSchema)]
enum ManagedWord {
    #[serde(rename = "use_composio_managed_auth")]
    Managed,
}

#[derive(Deserialize, ToSchema)]
enum CustomAuthWord {
    #[serde(rename = "use_custom_auth")]
    Custom,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum CustomWord {
    #[serde(rename = "custom")]
    Custom,
}

#[derive(Deserialize, ToSchema)]
pub(super) enum DefaultWord {
    #[serde(rename = "default")]
    Default,
}

/// How users authenticate.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum AuthScheme {
    Oauth2,
    Oauth1,
    ApiKey,
    Basic,
    BillcomAuth,
    BearerToken,
    GoogleServiceAccount,
    NoAuth,
    BasicWithJwt,
    CalcomAuth,
    ServiceAccount,
    Saml,
    DcrOauth,
    #[serde(rename = "S2S_OAUTH2")]
    S2sOauth2,
    CimdOauth,
}

/// The query of `GET /auth_configs`.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in super::super) struct AuthConfigsParameters {
    /// Only those with the operator's app, or only the others.
    #[param(required = false)]
    is_composio_managed: bool,
    /// Comma-separated list of toolkit slugs to filter auth configs by; may be repeated.
    #[param(required = false)]
    toolkit_slug: String,
    /// Show disabled auth configs too.
    #[param(default = false, required = false)]
    show_disabled: bool,
    /// A part of the name or id, in any case.
    #[param(required = false)]
    search: String,
    /// Number of items per page.
    #[param(minimum = 1, maximum = 1000, default = 20, required = false)]
    limit: u32,
    /// The `next_cursor` of the page before.
    #[param(required = false)]
    cursor: String,
}
