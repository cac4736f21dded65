//! What the catalogue knows about one service: names, schemes, URLs, fields. Public facts only.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::standard_fields;

/// A service that an integration can start from. One file of `catalogue/` is one entry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The slug that an integration made from this entry gets (`[a-z0-9-]`), also the file's name.
    pub slug: String,
    /// The service's own spelling of its name.
    pub name: String,
    /// The name in the server enum of Klavis' public SDKs, to the letter; `None` where it has none.
    #[serde(default)]
    pub klavis: Option<String>,
    /// The toolkit slug that Composio publishes; `None` where it has none.
    #[serde(default)]
    pub composio: Option<String>,
    /// Further names under which a client may ask for the service.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// One sentence for people choosing an integration.
    pub description: String,
    /// Lower-case topics, the most fitting first; never empty.
    pub categories: Vec<String>,
    /// The service's web site.
    pub app_url: String,
    /// A picture of the service, where it publishes one for this use.
    #[serde(default)]
    pub logo: Option<String>,
    /// The provider's own documentation of its authentication.
    #[serde(default)]
    pub auth_guide_url: Option<String>,
    /// Where the service's API begins. `{slug}` stands for a field's value, or, where the scheme
    /// has no such field, for what the provider tells once connected (Salesforce's `instance_url`,
    /// Mailchimp's `dc`, Atlassian's `cloud_id`). `None` where there is no single HTTP API.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The mode of the scheme that most users of the service connect with; one of `schemes`.
    pub default_scheme: String,
    /// The ways to authenticate, the usual one first; never empty, one per mode.
    pub schemes: Vec<SchemeEntry>,
}

impl Entry {
    /// Every name that leads to this entry: slug, name, Klavis' and Composio's names, aliases.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [self.slug.as_str(), self.name.as_str()]
            .into_iter()
            .chain(self.klavis.as_deref())
            .chain(self.composio.as_deref())
            .chain(self.aliases.iter().map(String::as_str))
    }

    /// The scheme of one mode (`OAUTH2`, `API_KEY` …), if the entry has it.
    pub fn scheme(&self, mode: &str) -> Option<&SchemeEntry> {
        self.schemes.iter().find(|scheme| scheme.mode == mode)
    }

    /// The scheme that a new integration starts with.
    ///
    /// # Panics
    /// Never for an entry of the catalogue: loading checks that the default is one of the schemes.
    pub fn default_scheme(&self) -> &SchemeEntry {
        self.scheme(&self.default_scheme)
            .expect("the loader checks that the default scheme exists")
    }

    /// The toolkit slug to show in Composio's dialect: the published one, else the entry's slug.
    pub fn toolkit_slug(&self) -> &str {
        self.composio.as_deref().unwrap_or(&self.slug)
    }

    /// Whether the service can only be used without authentication.
    pub fn needs_no_auth(&self) -> bool {
        self.schemes.iter().all(|scheme| scheme.mode == "NO_AUTH")
    }
}

/// One way to authenticate with a service. The OAuth members are unset for the other modes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeEntry {
    /// The name in Composio's `AUTH_SCHEME` list.
    pub mode: String,
    /// Where the API begins for this scheme; the entry's `base_url` where the file says nothing.
    #[serde(default)]
    pub base_url: Option<String>,
    /// RFC 6749 section 3.1. `{slug}` stands for the value of a field of this scheme; whoever
    /// fills it in must keep the value to one host label or path segment.
    #[serde(default)]
    pub authorize_url: Option<String>,
    /// RFC 6749 section 3.2, with the same placeholders.
    #[serde(default)]
    pub token_url: Option<String>,
    /// What stands between two scopes in the authorization request: a space by RFC 6749 section
    /// 3.3, a comma with some providers.
    #[serde(default = "space")]
    pub scope_separator: String,
    /// Whether the provider takes RFC 7636 with `S256`.
    #[serde(default)]
    pub pkce: Pkce,
    /// How the client authenticates at the token endpoint.
    #[serde(default)]
    pub token_endpoint_auth: TokenEndpointAuth,
    /// Scopes asked for when the auth config names none.
    #[serde(default)]
    pub default_scopes: Vec<String>,
    /// Further parameters of the authorization request that the provider needs
    /// (`access_type=offline`).
    #[serde(default)]
    pub authorize_params: BTreeMap<String, String>,
    /// What the auth config needs (`client_id`, `client_secret`, sometimes a host name).
    #[serde(default)]
    pub config_fields: Vec<Field>,
    /// What a user gives when connecting (an API key, a subdomain …).
    #[serde(default)]
    pub fields: Vec<Field>,
}

impl SchemeEntry {
    /// Adds what need not be written in every file: the entry's base URL, and the fields that every
    /// scheme of this mode has unless the file describes them itself.
    pub(super) fn complete(&mut self, base_url: Option<&str>) {
        if self.base_url.is_none() {
            self.base_url = base_url.map(str::to_owned);
        }
        let scopes = self.default_scopes.join(&self.scope_separator);
        standard_fields::put_first(
            standard_fields::of_config(&self.mode, &scopes),
            &mut self.config_fields,
        );
        if self.fields.is_empty() || self.mode != "API_KEY" {
            standard_fields::put_first(
                standard_fields::of_connection(&self.mode),
                &mut self.fields,
            );
        }
    }
}

fn space() -> String {
    " ".to_owned()
}

/// Whether a provider takes a proof key for the code exchange (RFC 7636, method `S256`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pkce {
    /// Not documented for confidential clients; none is sent.
    #[default]
    None,
    /// Taken when sent.
    Supported,
    /// The authorization request fails without one.
    Required,
}

/// How a confidential client authenticates at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuth {
    /// `client_id` and `client_secret` in the form.
    #[default]
    ClientSecretPost,
    /// HTTP Basic.
    ClientSecretBasic,
}

/// A declared field: of an auth config or of what a user gives when connecting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key under which the value is stored (`[a-z][a-z0-9_]*`), named as Composio names it.
    pub slug: String,
    /// What a person reads beside the input.
    pub label: String,
    /// The kind of input.
    #[serde(default)]
    pub kind: FieldKind,
    /// Where to find the value, or what it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// An example of the value's shape; never a working secret.
    #[serde(default)]
    pub placeholder: Option<String>,
    /// Whether connecting without it makes no sense.
    #[serde(default = "yes")]
    pub required: bool,
    /// Whether the value must be masked and never shown again. A `PASSWORD` always is.
    #[serde(default)]
    pub secret: bool,
    /// The value used when none is given.
    #[serde(default)]
    pub default: Option<String>,
}

fn yes() -> bool {
    true
}

/// The kind of input of a declared field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FieldKind {
    /// One line.
    #[default]
    Text,
    /// Several lines: a JSON document, a PEM key.
    MultiLineText,
    /// One line, hidden while typed.
    Password,
    /// A number.
    Number,
}
