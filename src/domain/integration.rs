//! Integrations: third-party services as one tenant uses them.

use time::OffsetDateTime;
use validator::Validate;

use super::auth_config::AuthConfig;
use super::catalogue::{Catalogue, Entry};
use super::ids::IntegrationId;
use super::limits;

/// A third-party service as one tenant uses it.
#[derive(Debug, Clone)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// `[a-z0-9-]`, unique per tenant by its match key. A rename keeps it.
    pub slug: String,
    /// The name that people read.
    pub name: String,
    /// What it is, in a sentence; may be empty.
    pub description: String,
    /// The catalogue entry that it was made from.
    pub catalogue_slug: Option<String>,
    /// Where its MCP server is, if the tenant runs one.
    pub mcp_server_url: Option<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}

impl Integration {
    /// The catalogue entry that it was made from.
    pub fn catalogue_entry(&self) -> Option<&'static Entry> {
        let slug = self.catalogue_slug.as_deref()?;
        Catalogue::built_in().find_name(slug)
    }

    /// The name as Klavis spells it where Klavis knows the service, else our own name.
    pub fn klavis_name(&self) -> &str {
        self.catalogue_entry()
            .and_then(|entry| entry.klavis.as_deref())
            .unwrap_or(&self.name)
    }

    /// The toolkit slug as Composio spells it where Composio knows the service, else our own slug.
    pub fn toolkit_slug(&self) -> &str {
        self.catalogue_entry()
            .and_then(|entry| entry.composio.as_deref())
            .unwrap_or(&self.slug)
    }
}

/// What it takes to make an integration that the catalogue does not know.
#[derive(Debug, Clone, Validate)]
pub struct NewIntegration {
    /// 1 to 40 UTF-16 units.
    #[validate(custom(function = limits::integration_name))]
    pub name: String,
    /// At most 90 UTF-16 units.
    #[validate(custom(function = limits::integration_description))]
    pub description: String,
}

/// An integration with its default auth config.
#[derive(Debug, Clone)]
pub struct IntegrationDetail {
    /// The integration.
    pub integration: Integration,
    /// Its default auth config; none reads as scheme NONE.
    pub auth: Option<AuthConfig>,
    /// The OAuth client's scopes, which are no secret.
    pub oauth_scopes: Option<String>,
}

impl IntegrationDetail {
    /// The entity tag (RFC 9110 section 8.8.3): any write to the integration or its default config changes it.
    pub fn etag(&self) -> String {
        let auth = self.auth.as_ref().map_or_else(
            || "0".to_owned(),
            |config| format!("{}.{}", config.id.as_str(), config.version),
        );
        format!("\"{}-{auth}\"", self.integration.version)
    }
}
