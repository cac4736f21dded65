//! How users authenticate to a third-party service.

use std::fmt;

/// The authentication scheme of an auth config.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// No authentication.
    None,
    /// One or more keys that the user types in.
    ApiKey,
    /// User name and password (RFC 7617).
    Basic,
    /// A bearer token that the user brings (RFC 6750).
    Bearer,
    /// User name and password that are exchanged for a JWT.
    BasicJwt,
    /// An application's own installation key.
    ServiceAccount,
    /// A Google service-account key file.
    GoogleServiceAccount,
    /// OAuth 2 authorization code (RFC 6749, 7636).
    OAuth2,
    /// OAuth 2 with a dynamically registered client (RFC 7591).
    OAuth2Dcr,
    /// OAuth 2 with a client id metadata document.
    OAuth2Cimd,
    /// OAuth 2 client credentials (RFC 6749 section 4.4).
    ClientCredentials,
    /// A scheme that we store and hand out but do not run.
    Opaque(Opaque),
}

/// The schemes that are stored and handed out as opaque fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Opaque {
    /// OAuth 1.
    OAuth1,
    /// Bill.com's own session scheme.
    BillCom,
    /// Cal.com's own scheme.
    CalCom,
    /// SAML.
    Saml,
}

/// Every scheme with the name that Composio gives it (contract/composio AUTH_SCHEME); our tables store it too.
const NAMES: [(Scheme, &str); 15] = [
    (Scheme::OAuth2, "OAUTH2"),
    (Scheme::Opaque(Opaque::OAuth1), "OAUTH1"),
    (Scheme::ApiKey, "API_KEY"),
    (Scheme::Basic, "BASIC"),
    (Scheme::Opaque(Opaque::BillCom), "BILLCOM_AUTH"),
    (Scheme::Bearer, "BEARER_TOKEN"),
    (Scheme::GoogleServiceAccount, "GOOGLE_SERVICE_ACCOUNT"),
    (Scheme::None, "NO_AUTH"),
    (Scheme::BasicJwt, "BASIC_WITH_JWT"),
    (Scheme::Opaque(Opaque::CalCom), "CALCOM_AUTH"),
    (Scheme::ServiceAccount, "SERVICE_ACCOUNT"),
    (Scheme::Opaque(Opaque::Saml), "SAML"),
    (Scheme::OAuth2Dcr, "DCR_OAUTH"),
    (Scheme::ClientCredentials, "S2S_OAUTH2"),
    (Scheme::OAuth2Cimd, "CIMD_OAUTH"),
];

impl Scheme {
    /// The scheme of this name (`OAUTH2`, `API_KEY` …), if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(scheme, _)| scheme.clone())
    }

    /// The name, one of [`Scheme::names`].
    pub fn name(&self) -> &'static str {
        NAMES
            .iter()
            .find(|(scheme, _)| scheme == self)
            .map_or("API_KEY", |(_, name)| name)
    }

    /// All names, in the order of the published list.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(_, name)| *name)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_scheme() {
        for name in Scheme::names() {
            assert_eq!(
                Scheme::from_name(name).map(|scheme| scheme.name()),
                Some(name)
            );
        }
        assert_eq!(Scheme::from_name("oauth2"), None);
    }
}
