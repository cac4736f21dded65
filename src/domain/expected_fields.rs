//! What a user gives when connecting: the fields that the config declares; where it declares none, those of the
//! catalogue's entry for its scheme; else the scheme's own.

use super::auth_config::{AuthConfig, DeclaredField, FieldKind};
use super::catalogue;
use super::integration::Integration;
use super::scheme::Scheme;

/// One field that a user fills in when connecting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedField {
    /// The member of the credential.
    pub slug: String,
    /// What a person reads beside the input.
    pub label: String,
    /// What kind of input.
    pub kind: FieldKind,
    /// Where to find the value; may be empty.
    pub description: String,
    /// An example of the value's shape.
    pub placeholder: Option<String>,
    /// Whether connecting needs it. What the shared credentials hold is not needed.
    pub required: bool,
    /// Whether the value is a secret.
    pub secret: bool,
    /// The value where the user gives none.
    pub default: Option<String>,
    /// Whether the shared credentials of the config hold a value for it.
    pub shared: bool,
}

/// The fields under this config. `shared` are the names of its shared credentials.
pub fn of<'a>(
    config: &AuthConfig,
    integration: &Integration,
    shared: impl IntoIterator<Item = &'a str>,
) -> Vec<ExpectedField> {
    let mut fields: Vec<_> = config.fields.iter().map(declared).collect();
    if fields.is_empty() {
        let entry = integration.catalogue_entry();
        fields = match entry.and_then(|entry| entry.scheme(config.scheme.name())) {
            Some(scheme) => templates(&scheme.fields),
            None => own(&config.scheme),
        };
    }
    for name in shared {
        if let Some(field) = fields.iter_mut().find(|field| field.slug == name) {
            field.shared = true;
            field.required = false;
        }
    }
    fields
}

fn declared(field: &DeclaredField) -> ExpectedField {
    ExpectedField {
        slug: field.slug.clone(),
        label: field.label.clone(),
        kind: field.kind,
        description: field.description.clone(),
        placeholder: field.placeholder.clone(),
        required: field.required,
        secret: field.is_secret(),
        default: field.default.clone(),
        shared: false,
    }
}

/// Fields as the catalogue describes them.
pub fn templates(fields: &[catalogue::Field]) -> Vec<ExpectedField> {
    fields.iter().map(templated).collect()
}

fn templated(field: &catalogue::Field) -> ExpectedField {
    let kind = match field.kind {
        catalogue::FieldKind::Text => FieldKind::Text,
        catalogue::FieldKind::MultiLineText => FieldKind::MultiLineText,
        catalogue::FieldKind::Password => FieldKind::Password,
        catalogue::FieldKind::Number => FieldKind::Number,
    };
    ExpectedField {
        slug: field.slug.clone(),
        label: field.label.clone(),
        kind,
        description: field.description.clone().unwrap_or_default(),
        placeholder: field.placeholder.clone(),
        required: field.required,
        secret: field.secret || kind == FieldKind::Password,
        default: field.default.clone(),
        shared: false,
    }
}

/// What a scheme itself needs from the user (contract/composio `connected_accounts`). The others get theirs from the
/// provider, or are opaque to us.
fn own(scheme: &Scheme) -> Vec<ExpectedField> {
    let names: &[(&str, &str, FieldKind)] = match scheme {
        Scheme::ApiKey => &[("generic_api_key", "API key", FieldKind::Password)],
        Scheme::Basic | Scheme::BasicJwt => &[
            ("username", "User name", FieldKind::Text),
            ("password", "Password", FieldKind::Password),
        ],
        Scheme::Bearer => &[("token", "Token", FieldKind::Password)],
        Scheme::GoogleServiceAccount => &[(
            "credentials_json",
            "Service account key",
            FieldKind::MultiLineText,
        )],
        Scheme::ServiceAccount => &[
            ("application_id", "Application id", FieldKind::Text),
            ("installation_id", "Installation id", FieldKind::Text),
            ("private_key", "Private key", FieldKind::MultiLineText),
        ],
        Scheme::ClientCredentials => &[
            ("client_id", "Client id", FieldKind::Text),
            ("client_secret", "Client secret", FieldKind::Password),
        ],
        Scheme::None
        | Scheme::OAuth2
        | Scheme::OAuth2Dcr
        | Scheme::OAuth2Cimd
        | Scheme::Opaque(_) => &[],
    };
    let field = |(slug, label, kind): &(&str, &str, FieldKind)| ExpectedField {
        slug: (*slug).to_owned(),
        label: (*label).to_owned(),
        kind: *kind,
        description: String::new(),
        placeholder: None,
        // Many services take a key for the user name of BASIC, and no password. So it is with a tenant's own
        // integration; of a service of the catalogue its entry says whether a password is required.
        required: *scheme != Scheme::Basic || *slug != "password",
        secret: *kind != FieldKind::Text,
        default: None,
        shared: false,
    };
    names.iter().map(field).collect()
}

/// Members of an API key's credential that stand for one another (contract/composio "`state.val` required").
pub const API_KEY_MEMBERS: [&str; 4] = [
    "generic_api_key",
    "api_key",
    "bearer_token",
    "basic_encoded",
];

/// The display names of what a connection still needs to be ACTIVE: what its scheme demands, and the required ones of
/// its fields. `has` says whether the credential or the config's shared credentials hold a value for a member.
pub fn missing(
    scheme: &Scheme,
    fields: &[ExpectedField],
    has: impl Fn(&str) -> bool,
) -> Vec<String> {
    let lacking = lacking(scheme, fields, has).into_iter();
    lacking.map(|(_, label)| label).collect()
}

/// As [`missing`]: the members with their display names.
pub(super) fn lacking(
    scheme: &Scheme,
    fields: &[ExpectedField],
    has: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    // The token is what the client's id and secret are exchanged for.
    let exchanged = *scheme == Scheme::ClientCredentials && has("access_token");
    let any_key = || API_KEY_MEMBERS.iter().any(|name| has(name));
    let stands_in = |slug: &str| {
        *scheme == Scheme::ApiKey && any_key() && {
            let mut secrets = fields.iter().filter(|field| field.secret && !field.shared);
            secrets.next().is_some_and(|field| field.slug == slug) && secrets.next().is_none()
        }
    };
    let mut missing: Vec<(String, String)> = Vec::new();
    for (slug, label) in demanded(scheme) {
        let label = fields
            .iter()
            .find(|field| field.slug == *slug)
            .map_or(*label, |field| &field.label);
        if !has(slug) && !exchanged {
            missing.push(((*slug).to_owned(), label.to_owned()));
        }
    }
    if *scheme == Scheme::ApiKey && fields.is_empty() && !any_key() {
        missing.push((API_KEY_MEMBERS[0].to_owned(), "API key".to_owned()));
    }
    for field in fields.iter().filter(|field| field.required) {
        let demanded = demanded(scheme).iter().any(|(slug, _)| field.slug == *slug);
        if !demanded && !has(&field.slug) && !stands_in(&field.slug) {
            missing.push((field.slug.clone(), field.label.clone()));
        }
    }
    missing
}

/// The fields, and those of the scheme's own that it demands and that none of them is: with all of these, nothing is
/// missing.
pub(super) fn with_demanded(scheme: &Scheme, mut fields: Vec<ExpectedField>) -> Vec<ExpectedField> {
    let lacks = |slug: &str| fields.iter().all(|field| field.slug != slug);
    let mut own = own(scheme);
    own.retain(|own| {
        demanded(scheme).iter().any(|(slug, _)| own.slug == *slug) && lacks(&own.slug)
    });
    fields.extend(own);
    fields
}

/// What the scheme demands of every ACTIVE connection, whatever its fields are.
fn demanded(scheme: &Scheme) -> &'static [(&'static str, &'static str)] {
    match scheme {
        Scheme::OAuth2 | Scheme::OAuth2Cimd => &[("access_token", "Access token")],
        Scheme::OAuth2Dcr => &[("client_id", "Client id"), ("access_token", "Access token")],
        Scheme::Basic => &[("username", "User name")],
        Scheme::BasicJwt => &[("username", "User name"), ("password", "Password")],
        Scheme::Bearer => &[("token", "Token")],
        Scheme::GoogleServiceAccount => &[("credentials_json", "Service account key")],
        Scheme::ServiceAccount => &[
            ("application_id", "Application id"),
            ("installation_id", "Installation id"),
            ("private_key", "Private key"),
        ],
        Scheme::ClientCredentials => &[
            ("client_id", "Client id"),
            ("client_secret", "Client secret"),
        ],
        Scheme::None | Scheme::ApiKey | Scheme::Opaque(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(slug: &str, secret: bool) -> ExpectedField {
        ExpectedField {
            slug: slug.to_owned(),
            label: format!("The {slug}"),
            kind: FieldKind::Text,
            description: String::new(),
            placeholder: None,
            required: true,
            secret,
            default: None,
            shared: false,
        }
    }

    fn lacks(scheme: &Scheme, fields: &[ExpectedField], given: &[&str]) -> Vec<String> {
        missing(scheme, fields, |name| given.contains(&name))
    }

    #[test]
    fn an_api_key_has_four_names_and_stands_for_a_sole_secret_field() {
        assert_eq!(lacks(&Scheme::ApiKey, &[], &[]), ["API key"]);
        for name in API_KEY_MEMBERS {
            assert_eq!(lacks(&Scheme::ApiKey, &[], &[name]), [""; 0]);
            let sole = [field("secret_key", true), field("shop", false)];
            assert_eq!(lacks(&Scheme::ApiKey, &sole, &[name]), ["The shop"]);
            let two = [field("one", true), field("other", true)];
            assert_eq!(lacks(&Scheme::ApiKey, &two, &[name]).len(), 2);
        }
    }

    #[test]
    fn what_a_scheme_demands_is_named_once_and_by_the_fields_label() {
        assert_eq!(
            lacks(&Scheme::BasicJwt, &[field("username", false)], &[]),
            ["The username", "Password"]
        );
        assert_eq!(
            lacks(&Scheme::OAuth2, &[], &["refresh_token"]),
            ["Access token"]
        );
        assert_eq!(lacks(&Scheme::None, &[], &[]), [""; 0]);
    }

    #[test]
    fn an_exchanged_token_stands_for_the_clients_id_and_secret() {
        let fields = [field("client_id", false), field("region", false)];
        assert_eq!(
            lacks(&Scheme::ClientCredentials, &fields, &["access_token"]),
            ["The region"]
        );
    }
}
