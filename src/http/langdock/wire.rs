//! What several operations of this wire share: the auth setting as it is shown, its words, and its entity tag.

use std::borrow::Cow;

use http::HeaderValue;
use serde::{Serialize, Serializer};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::default_codes;
use crate::domain::Error;
use crate::domain::auth_config::{AuthKind, DeclaredField, FieldKind, OAuthClient};
use crate::domain::integration::IntegrationDetail;

/// A time as JavaScript's `toISOString` writes it.
pub(super) const ISO_8601: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// How users connect, in this wire's words.
#[derive(Debug, Clone, Copy)]
pub(super) struct AuthType(pub(super) AuthKind);

impl AuthType {
    /// Every auth type with its name.
    pub(super) const NAMES: [(AuthKind, &'static str); 5] = [
        (AuthKind::None, "NONE"),
        (AuthKind::ApiKey, "API_KEY"),
        (AuthKind::ServiceAccount, "SERVICE_ACCOUNT"),
        (AuthKind::OAuth, "OAUTH"),
        (AuthKind::OAuthDcr, "OAUTH_DCR"),
    ];
}

impl Serialize for AuthType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = Self::NAMES
            .iter()
            .find(|(kind, _)| *kind == self.0)
            .map_or("NONE", |(_, name)| name);
        serializer.serialize_str(name)
    }
}

/// What a user types in.
#[derive(Debug, Clone, Copy)]
pub(super) struct FieldType(FieldKind);

impl Serialize for FieldType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

fn one_of<T>(names: &[(T, &'static str)], description: &str) -> RefOr<Schema> {
    let names = names.iter().map(|(_, name)| *name);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(names))
        .description(Some(description))
        .into()
}

impl PartialSchema for AuthType {
    fn schema() -> RefOr<Schema> {
        one_of(&Self::NAMES, "How users connect to the integration")
    }
}

impl ToSchema for AuthType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AuthType")
    }
}

impl PartialSchema for FieldType {
    fn schema() -> RefOr<Schema> {
        one_of(&FieldKind::NAMES, "What kind of input the field is")
    }
}

impl ToSchema for FieldType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("AuthFieldType")
    }
}

/// The auth setting of an integration. `clientId`, `clientSecret`, `authUrl` and `tokenUrl` are write-only.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthSetting {
    auth_type: AuthType,
    /// Code that checks a credential.
    #[schema(required)]
    auth_test_code: Option<String>,
    auth_fields: Vec<AuthField>,
    #[schema(required)]
    oauth_client: Option<OauthClient>,
}

/// A field that a user fills in when connecting.
#[derive(Debug, Serialize, ToSchema)]
struct AuthField {
    slug: String,
    label: String,
    #[serde(rename = "type")]
    kind: FieldType,
    description: String,
    #[schema(required)]
    placeholder: Option<String>,
    required: bool,
}

/// An OAuth client, as far as it may be read. Where no code is stored, the default one stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OauthClient {
    /// Separated by spaces.
    #[schema(required)]
    scopes: Option<String>,
    /// The words on the connect button.
    #[schema(required)]
    label: Option<String>,
    authorization_code: String,
    access_token_code: String,
    refresh_token_code: String,
}

impl From<&IntegrationDetail> for AuthSetting {
    fn from(detail: &IntegrationDetail) -> Self {
        let Some(config) = &detail.auth else {
            let auth_type = AuthType(AuthKind::None);
            return Self {
                auth_type,
                auth_test_code: None,
                auth_fields: Vec::new(),
                oauth_client: None,
            };
        };
        let kind = AuthKind::of(&config.scheme);
        let client = config.oauth_client.as_ref().filter(|_| kind.is_oauth());
        Self {
            auth_type: AuthType(kind),
            auth_test_code: config.test_code.clone(),
            auth_fields: config.fields.iter().map(AuthField::from).collect(),
            oauth_client: client
                .map(|client| OauthClient::new(client, detail.oauth_scopes.clone())),
        }
    }
}

impl From<&DeclaredField> for AuthField {
    fn from(field: &DeclaredField) -> Self {
        Self {
            slug: field.slug.clone(),
            label: field.label.clone(),
            kind: FieldType(field.kind),
            description: field.description.clone(),
            placeholder: field.placeholder.clone(),
            required: field.required,
        }
    }
}

impl OauthClient {
    fn new(client: &OAuthClient, scopes: Option<String>) -> Self {
        let code = |stored: &Option<String>, default: &str| {
            stored.clone().unwrap_or_else(|| default.to_owned())
        };
        Self {
            scopes,
            label: client.label.clone(),
            authorization_code: code(&client.authorization_code, default_codes::AUTHORIZATION),
            access_token_code: code(&client.access_token_code, default_codes::ACCESS_TOKEN),
            refresh_token_code: code(&client.refresh_token_code, default_codes::REFRESH_TOKEN),
        }
    }
}

/// The `ETag` of an integration with its auth setting.
pub(super) fn entity_tag(detail: &IntegrationDetail) -> Result<HeaderValue, Error> {
    HeaderValue::from_str(&detail.etag()).map_err(Error::internal)
}
