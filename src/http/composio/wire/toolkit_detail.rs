//! One toolkit as this dialect shows it: with the fields of each way to authenticate.

use serde::Serialize;
use utoipa::ToSchema;

use super::toolkit::{self, ToolkitMeta, ToolkitType};
use crate::domain::auth_config::FieldKind;
use crate::domain::expected_fields::ExpectedField;
use crate::domain::managed_apps;
use crate::domain::scheme::{Opaque, Scheme};
use crate::domain::toolkits::{Method, ToolkitDetail};

/// A toolkit with the fields of each way to authenticate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GetToolkitsBySlugResponse)]
pub(in super::super) struct ToolkitBody {
    /// Its slug.
    #[schema(example = "github")]
    slug: String,
    /// The name that people read.
    name: String,
    /// Where it comes from.
    r#type: ToolkitType,
    /// Always true.
    enabled: bool,
    /// Always false.
    #[schema(deprecated)]
    is_local_toolkit: bool,
    /// The schemes for which the operator of this server shares an app.
    #[schema(example = json!(["OAUTH2"]))]
    composio_managed_auth_schemes: Vec<&'static str>,
    /// What those apps may be asked for.
    composio_managed_auth: Vec<ManagedAuth>,
    /// The ways to authenticate, the usual one first.
    auth_config_details: Vec<MethodBody>,
    /// Where the provider explains how to make an app.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_guide_url: Option<&'static str>,
    /// Where the service's API begins; left out where that depends on who connects.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    /// What earlier versions of the API told.
    deprecated: Deprecated,
    /// What a client shows of it.
    meta: Meta,
}

/// What the operator's app may be asked for.
#[derive(Debug, Serialize, ToSchema)]
struct ManagedAuth {
    /// The scheme.
    mode: &'static str,
    /// The scopes.
    scopes: AvailableScopes,
}

/// Scopes that can be asked for.
#[derive(Debug, Serialize, ToSchema)]
struct AvailableScopes {
    /// Those that the catalogue knows.
    available: &'static [String],
}

/// A way to authenticate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthConfigDetail)]
struct MethodBody {
    /// The name that people read.
    #[schema(example = "OAuth 2")]
    name: &'static str,
    /// The scheme, as `authScheme` takes it.
    #[schema(example = "OAUTH2")]
    mode: &'static str,
    /// What has to be filled in, and when.
    fields: FieldGroups,
    /// Where calls go; left out where that depends on who connects.
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<ApiBase>,
}

/// What has to be filled in, and when.
#[derive(Debug, Serialize, ToSchema)]
struct FieldGroups {
    /// In `auth_config.credentials`.
    auth_config_creation: FieldGroup,
    /// In `connection.state.val`, or by the user on the connect page.
    connected_account_initiation: FieldGroup,
}

/// Fields, the needed ones apart.
#[derive(Debug, Serialize, ToSchema)]
struct FieldGroup {
    /// Needed.
    required: Vec<Field>,
    /// Not needed.
    optional: Vec<Field>,
}

/// A field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToolkitAuthField)]
struct Field {
    /// The key of the value.
    #[schema(example = "client_id")]
    name: String,
    /// What a person reads beside the input.
    #[serde(rename = "displayName")]
    display_name: String,
    /// The JSON type of the value.
    #[schema(example = "string")]
    r#type: &'static str,
    /// Where to find the value; may be empty.
    description: String,
    /// Whether it is needed.
    required: bool,
    /// The value where none is given.
    #[schema(required)]
    default: Option<String>,
    /// Whether the value is masked when shown.
    is_secret: bool,
}

/// Where calls go.
#[derive(Debug, Serialize, ToSchema)]
struct ApiBase {
    /// What every URL of the service's API begins with.
    base_url: String,
}

/// What earlier versions of the API told.
#[derive(Debug, Serialize, ToSchema)]
struct Deprecated {
    /// A UUID.
    #[serde(rename = "toolkitId")]
    #[schema(format = Uuid)]
    toolkit_id: String,
    /// Always empty.
    #[serde(rename = "rawProxyInfoByAuthSchemes")]
    #[schema(value_type = Vec<std::collections::HashMap<String, serde_json::Value>>)]
    raw_proxy_info: [(); 0],
}

/// What a client shows of a toolkit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ToolkitMetaWithVersions)]
struct Meta {
    #[serde(flatten)]
    meta: ToolkitMeta<CategoryBySlug>,
    /// The versions that there are.
    available_versions: Vec<String>,
}

/// A topic, as one toolkit names it.
#[derive(Debug, Serialize, ToSchema)]
struct CategoryBySlug {
    /// For the filter of the list.
    #[schema(example = "developer-tools")]
    slug: String,
    /// The name that people read.
    name: String,
}

impl From<ToolkitDetail> for ToolkitBody {
    fn from(detail: ToolkitDetail) -> Self {
        let base_url = detail.base_url();
        let ToolkitDetail { toolkit, methods } = detail;
        let managed = toolkit.managed_scopes().map(|available| ManagedAuth {
            mode: managed_apps::SCHEME.name(),
            scopes: AvailableScopes { available },
        });
        let meta = ToolkitMeta::new(&toolkit, |topic| {
            let (slug, name) = toolkit::category(topic);
            CategoryBySlug { slug, name }
        });
        Self {
            r#type: ToolkitType::of(&toolkit),
            enabled: true,
            is_local_toolkit: false,
            composio_managed_auth_schemes: toolkit::managed_schemes(&toolkit),
            composio_managed_auth: managed.into_iter().collect(),
            auth_config_details: methods.into_iter().map(MethodBody::from).collect(),
            auth_guide_url: toolkit::auth_guide_url(&toolkit),
            base_url,
            deprecated: Deprecated {
                toolkit_id: toolkit.id.to_string(),
                raw_proxy_info: [],
            },
            meta: Meta {
                available_versions: vec![meta.version.clone()],
                meta,
            },
            slug: toolkit.slug,
            name: toolkit.name,
        }
    }
}

impl From<Method> for MethodBody {
    fn from(method: Method) -> Self {
        Self {
            name: words(&method.scheme),
            mode: method.scheme.name(),
            fields: FieldGroups {
                auth_config_creation: method.creation.into(),
                connected_account_initiation: method.initiation.into(),
            },
            proxy: method.base_url.map(|base_url| ApiBase { base_url }),
        }
    }
}

impl From<Vec<ExpectedField>> for FieldGroup {
    fn from(fields: Vec<ExpectedField>) -> Self {
        let (required, optional) = fields
            .into_iter()
            .map(Field::from)
            .partition(|field| field.required);
        Self { required, optional }
    }
}

impl From<ExpectedField> for Field {
    fn from(field: ExpectedField) -> Self {
        Self {
            name: field.slug,
            display_name: field.label,
            r#type: if field.kind == FieldKind::Number {
                "number"
            } else {
                "string"
            },
            description: field.description,
            required: field.required,
            default: field.default,
            is_secret: field.secret,
        }
    }
}

/// The words for a scheme.
fn words(scheme: &Scheme) -> &'static str {
    match scheme {
        Scheme::None => "No authentication",
        Scheme::ApiKey => "API key",
        Scheme::Basic => "User name and password",
        Scheme::Bearer => "Bearer token",
        Scheme::BasicJwt => "User name and password for a JWT",
        Scheme::ServiceAccount => "Service account",
        Scheme::GoogleServiceAccount => "Google service account",
        Scheme::OAuth2 => "OAuth 2",
        Scheme::OAuth2Dcr => "OAuth 2 with a registered client",
        Scheme::OAuth2Cimd => "OAuth 2 with a client metadata document",
        Scheme::ClientCredentials => "OAuth 2 client credentials",
        Scheme::Opaque(Opaque::OAuth1) => "OAuth 1",
        Scheme::Opaque(Opaque::BillCom) => "Bill.com session",
        Scheme::Opaque(Opaque::CalCom) => "Cal.com",
        Scheme::Opaque(Opaque::Saml) => "SAML",
    }
}
