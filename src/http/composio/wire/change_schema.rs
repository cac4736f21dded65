//! The shape of `PATCH /auth_configs/{nanoid}` for the OpenAPI document; the readers decide what is taken.
#![expect(
    dead_code,
    reason = "these types are read by the OpenAPI generator only"
)]

use std::collections::HashMap;

use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AdditionalProperties, Type};
use utoipa::openapi::{ArrayBuilder, Object, ObjectBuilder};

use super::schema::{CustomWord, DefaultWord, Proxy, Scopes, ToolAccess, credentials};

/// The body of `PATCH /auth_configs/{nanoid}`: flat, or wrapped as in the published example.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "no value of it is ever made")]
pub(in super::super) enum PatchAuthConfigsByNanoidRequest {
    Flat(ChangeOfAuthConfig),
    Wrapped(WrappedChange),
}

/// The wrapped form: the only member is `auth_config`, and its `type` may be left out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct WrappedChange {
    #[schema(schema_with = wrapped_members)]
    auth_config: (),
}

/// A change of an auth config.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "type", mapping(
    ("custom" = "#/components/schemas/ChangeOfCustom"),
    ("default" = "#/components/schemas/ChangeOfDefault")
)))]
pub(in super::super) enum ChangeOfAuthConfig {
    Custom(ChangeOfCustom),
    Default(ChangeOfDefault),
}

/// A change of an auth config with the caller's own app or keys.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct ChangeOfCustom {
    #[schema(inline)]
    r#type: CustomWord,
    /// The name that people read.
    #[schema(min_length = 1, required = false)]
    name: String,
    #[schema(schema_with = credentials, required = false)]
    credentials: (),
    /// Null clears, an object replaces.
    #[schema(nullable, required = false)]
    proxy_config: Option<Proxy>,
    /// Use `tool_access_config.tools_available_for_execution`.
    #[schema(deprecated, required = false)]
    restrict_to_following_tools: Vec<String>,
    #[schema(required = false)]
    tool_access_config: ToolAccess,
    /// Shared credentials inherited by all connections of this config; merged key by key.
    #[schema(required = false)]
    shared_credentials: HashMap<String, serde_json::Value>,
    /// Whether the tool router may use it.
    #[schema(required = false)]
    is_enabled_for_tool_router: bool,
}

/// A change of an auth config with the operator's app.
#[derive(Deserialize, ToSchema)]
pub(in super::super) struct ChangeOfDefault {
    #[schema(inline)]
    r#type: DefaultWord,
    /// The name that people read.
    #[schema(min_length = 1, required = false)]
    name: String,
    /// OAuth scopes to ask users for.
    #[schema(required = false)]
    scopes: Scopes,
    /// OAuth scopes of the user token, where the provider has two.
    #[schema(required = false)]
    user_scopes: Scopes,
    /// Use `tool_access_config.tools_available_for_execution`.
    #[schema(deprecated, required = false)]
    restrict_to_following_tools: Vec<String>,
    #[schema(required = false)]
    tool_access_config: ToolAccess,
    /// Shared credentials inherited by all connections of this config; merged key by key.
    #[schema(required = false)]
    shared_credentials: HashMap<String, serde_json::Value>,
    /// Whether the tool router may use it.
    #[schema(required = false)]
    is_enabled_for_tool_router: bool,
}

/// The members of a change whose `type` may be left out.
fn wrapped_members() -> Object {
    let tools = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String));
    ObjectBuilder::new()
        .description(Some(
            "The members of a flat change; without `type` that of the stored auth config counts.",
        ))
        .property(
            "type",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .enum_values(Some(["custom", "default"])),
        )
        .property(
            "name",
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(1)),
        )
        .property("credentials", credentials())
        .property("restrict_to_following_tools", tools)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}
