//! The whole auth setting of an integration, as a dialect without auth configs of its own (Langdock) sees it.

use std::fmt;

use validator::Validate;
use zeroize::Zeroizing;

use super::declared_field::DeclaredField;
use super::limits;
use super::patch::Patch;
use super::scheme::Scheme;

/// The words that a dialect with one auth setting per integration (Langdock) has for schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthKind {
    /// No authentication.
    None,
    /// Fields that the user fills in.
    ApiKey,
    /// A service account.
    ServiceAccount,
    /// OAuth 2.
    OAuth,
    /// OAuth 2 with dynamic registration.
    OAuthDcr,
}

impl AuthKind {
    /// Under which word a scheme is shown (design: "The words").
    pub fn of(scheme: &Scheme) -> Self {
        match scheme {
            Scheme::None => Self::None,
            Scheme::OAuth2 | Scheme::ClientCredentials => Self::OAuth,
            Scheme::OAuth2Dcr | Scheme::OAuth2Cimd => Self::OAuthDcr,
            Scheme::ServiceAccount | Scheme::GoogleServiceAccount => Self::ServiceAccount,
            _ => Self::ApiKey,
        }
    }

    /// The scheme that the word stands for where nothing richer is stored.
    pub fn scheme(self) -> Scheme {
        match self {
            Self::None => Scheme::None,
            Self::ApiKey => Scheme::ApiKey,
            Self::ServiceAccount => Scheme::ServiceAccount,
            Self::OAuth => Scheme::OAuth2,
            Self::OAuthDcr => Scheme::OAuth2Dcr,
        }
    }

    /// Whether it has an OAuth client.
    pub fn is_oauth(self) -> bool {
        matches!(self, Self::OAuth | Self::OAuthDcr)
    }
}

/// The whole auth setting of an integration (its default config), as Langdock's PATCH …/auth takes it.
#[derive(Debug, Validate)]
#[validate(schema(function = limits::number_of_fields, skip_on_field_errors = false))]
pub struct IntegrationAuth {
    /// Which kind. Another one than now retires the connections and drops the OAuth client.
    pub kind: AuthKind,
    /// All fields: the list is made anew on every call. At most 100.
    #[validate(nested)]
    pub fields: Vec<DeclaredField>,
    /// Code that checks a credential, at most 1,000 UTF-16 units; empty clears.
    #[validate(custom(function = limits::code))]
    pub test_code: Patch<String>,
    /// The OAuth client: absent is kept, null deletes.
    #[validate(nested)]
    pub oauth_client: Patch<OAuthClientChange>,
}

/// A change of an OAuth client: an absent member is kept, null clears it.
#[derive(Default, Validate)]
pub struct OAuthClientChange {
    /// Space-separated, at most 2,000 UTF-16 units.
    #[validate(custom(function = limits::oauth_scopes))]
    pub scopes: Patch<String>,
    /// Absolute https URL without user info or fragment, at most 2,000 UTF-16 units.
    #[validate(custom(function = limits::oauth_url))]
    pub auth_url: Patch<String>,
    /// As `auth_url`.
    #[validate(custom(function = limits::oauth_url))]
    pub token_url: Patch<String>,
    /// At most 500 UTF-16 units; sealed.
    #[validate(custom(function = limits::oauth_member))]
    pub client_id: Patch<Zeroizing<String>>,
    /// At most 500 UTF-16 units; sealed.
    #[validate(custom(function = limits::oauth_member))]
    pub client_secret: Patch<Zeroizing<String>>,
    /// At most 100 UTF-16 units.
    #[validate(custom(function = limits::oauth_label))]
    pub label: Patch<String>,
    /// At most 1,000 UTF-16 units.
    #[validate(custom(function = limits::code))]
    pub authorization_code: Patch<String>,
    /// At most 1,000 UTF-16 units.
    #[validate(custom(function = limits::code))]
    pub access_token_code: Patch<String>,
    /// At most 1,000 UTF-16 units.
    #[validate(custom(function = limits::code))]
    pub refresh_token_code: Patch<String>,
}

/// Without its members: two of them are secrets.
impl fmt::Debug for OAuthClientChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClientChange").finish_non_exhaustive()
    }
}

/// What a change of an integration's auth would break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthPlan {
    /// How many connections it would retire.
    pub connections_deleted: i64,
    /// Whether it would drop the OAuth client.
    pub oauth_client_deleted: bool,
    /// The slugs of the fields that would go, in their order.
    pub fields_removed: Vec<String>,
    /// The first ten users whose connections would go, in order.
    pub users: Vec<String>,
}
