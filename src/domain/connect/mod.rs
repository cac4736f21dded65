//! The hosted connect page: the user of one connection gives it its credential, without an API key of the tenant's. Who
//! has the link is let in, so a link is used once and ends after ten minutes.

mod completion;
mod entry;
mod inputs;
mod offers;
mod ticket;

use super::error::Rule;
use super::expected_fields::ExpectedField;
use super::scheme::Scheme;
pub use inputs::Typed;
pub(super) use offers::offers;

/// What the page is about.
#[derive(Debug, Clone)]
pub struct ConnectPage {
    /// The integration's name.
    pub integration: String,
    /// What the user is asked for.
    pub asks: Asks,
    /// Where the browser goes in the end, as the platform wrote it.
    pub callback_url: Option<String>,
}

/// What a user is asked for.
#[derive(Debug, Clone)]
pub enum Asks {
    /// For these, of which there may be none: then for consent only.
    Fields(Vec<ExpectedField>),
    /// To agree at the provider, which this server has no engine for yet.
    Provider,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPage {
    /// No such link, or none any more.
    Unknown,
    /// The link was used, or, where it is stored nowhere, the connection changed since it was made.
    Used,
    /// The link's time has passed.
    Expired,
    /// The auth config is disabled.
    Disabled,
    /// The connection is switched off, which its user does not undo.
    SwitchedOff,
}

/// What is wrong with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFault {
    /// In which field; none where it is about all of them.
    pub field: Option<String>,
    /// Which rule it breaks.
    pub rule: Rule,
}

/// How a submission ended.
#[derive(Debug)]
pub enum Submitted {
    /// The connection is ready.
    Connected {
        /// The integration's name.
        integration: String,
        /// Where the browser goes now, the outcome in its query; none where the platform named nothing.
        go_to: Option<String>,
    },
    /// Nothing was changed.
    Refused {
        /// The page once more.
        page: ConnectPage,
        /// Why: at least one.
        faults: Vec<InputFault>,
    },
    /// Nothing can be submitted: only the provider can give the credential.
    AtProvider(ConnectPage),
    /// There is no page any more.
    Gone(NoPage),
}

/// Whether a user of this scheme can be asked for fields. Without authentication there is nothing to ask for; all others
/// get theirs from the provider.
fn takes_fields(scheme: &Scheme) -> bool {
    match scheme {
        Scheme::ApiKey
        | Scheme::Basic
        | Scheme::Bearer
        | Scheme::BasicJwt
        | Scheme::ServiceAccount
        | Scheme::GoogleServiceAccount
        | Scheme::ClientCredentials => true,
        Scheme::None
        | Scheme::OAuth2
        | Scheme::OAuth2Dcr
        | Scheme::OAuth2Cimd
        | Scheme::Opaque(_) => false,
    }
}
