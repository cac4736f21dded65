//! The body of `PATCH /{integrationId}/auth`: read as a whole, every problem told at once.

use utoipa::ToSchema;

use super::wire::{AuthType, FieldType};
use super::{default_codes, names};
use crate::domain::auth_config::{
    AuthKind, DeclaredField, FieldKind, IntegrationAuth, OAuthClientChange,
};
use crate::domain::error::{Issue, Rule};
use crate::domain::patch::Patch;
use crate::domain::{Error, limits};
use crate::http::extract::FromJson;
use crate::http::shape::{Faults, Members, array, boolean, secret, text};
use crate::json::Json;

/// The body, not looked at yet: whether its URLs are allowed depends on the operator's settings.
#[derive(Debug)]
pub(super) struct AuthRequest(Json);

impl FromJson for AuthRequest {
    fn from_json(json: Json) -> Result<Self, Vec<Issue>> {
        Ok(Self(json))
    }
}

impl AuthRequest {
    /// The domain's input, or [`Error::Invalid`] with all that is wrong: the JSON's shape, the limits, and the rules
    /// between members. Where a member cannot be read, a value that breaks no other rule stands for it meanwhile.
    pub(super) fn read(self, egress_allow: &[String]) -> Result<IntegrationAuth, Error> {
        let mut faults = Faults::default();
        let auth = faults
            .object(self.0)
            .map(|members| auth(members, &mut faults));
        if let Some(auth) = &auth {
            let limits = limits::broken_limits(auth);
            let rules = auth.broken_rules(egress_allow);
            faults.merge(names::on_the_wire([limits, rules].concat()));
        }
        faults
            .finish(auth)
            .map_err(|issues| Error::Invalid(names::in_order(issues)))
    }
}

fn auth(mut members: Members, faults: &mut Faults) -> IntegrationAuth {
    let kind = members.read_required("authType", faults, |json, faults| {
        one_of(json, &AuthType::NAMES, faults)
    });
    let fields = members.read("authFields", faults, |json, faults| {
        Some(auth_fields(array(json, faults)?, faults))
    });
    let test_code = members.patch("authTestCode", faults, text);
    let oauth_client = members.patch("oauthClient", faults, oauth_client);
    IntegrationAuth {
        kind: kind.unwrap_or(AuthKind::OAuth),
        fields: fields.unwrap_or_default(),
        test_code: if test_code.as_set().is_some_and(String::is_empty) {
            Patch::Clear
        } else {
            test_code
        },
        oauth_client,
    }
}

/// Reads one element more than a config can have, so that its limit speaks, and leaves the rest alone.
fn auth_fields(elements: Vec<Json>, faults: &mut Faults) -> Vec<DeclaredField> {
    let elements = elements
        .into_iter()
        .take(limits::MAX_FIELDS + 1)
        .enumerate();
    elements
        .map(|(index, element)| faults.within(index, |faults| auth_field(element, faults)))
        .collect()
}

fn auth_field(json: Json, faults: &mut Faults) -> DeclaredField {
    let mut field = DeclaredField {
        slug: String::new(),
        label: String::new(),
        kind: FieldKind::Text,
        description: String::new(),
        placeholder: None,
        required: false,
        default: None,
    };
    let Some(mut members) = faults.object(json) else {
        return field;
    };
    field.slug = members
        .read_required("slug", faults, text)
        .unwrap_or_default();
    field.label = members
        .read_required("label", faults, text)
        .unwrap_or_default();
    let kind = members.read_required("type", faults, |json, faults| {
        one_of(json, &FieldKind::NAMES, faults)
    });
    field.kind = kind.unwrap_or(FieldKind::Text);
    field.description = members
        .read("description", faults, text)
        .unwrap_or_default();
    field.placeholder = members.patch("placeholder", faults, text).apply(None);
    field.required = members
        .read("required", faults, boolean)
        .unwrap_or_default();
    field
}

fn oauth_client(json: Json, faults: &mut Faults) -> Option<OAuthClientChange> {
    let mut members = faults.object(json)?;
    let client_id = members.patch("clientId", faults, secret);
    let client_secret = members.patch("clientSecret", faults, secret);
    let mut member = |name| members.patch(name, faults, text);
    Some(OAuthClientChange {
        scopes: member("scopes"),
        auth_url: member("authUrl"),
        token_url: member("tokenUrl"),
        client_id,
        client_secret,
        label: member("label"),
        authorization_code: default_codes::without_default(
            member("authorizationCode"),
            default_codes::AUTHORIZATION,
        ),
        access_token_code: default_codes::without_default(
            member("accessTokenCode"),
            default_codes::ACCESS_TOKEN,
        ),
        refresh_token_code: default_codes::without_default(
            member("refreshTokenCode"),
            default_codes::REFRESH_TOKEN,
        ),
    })
}

/// A word of a list.
fn one_of<T: Copy>(json: Json, names: &[(T, &'static str)], faults: &mut Faults) -> Option<T> {
    let word = text(json, faults)?;
    let known = names
        .iter()
        .find(|(_, name)| *name == word)
        .map(|(value, _)| *value);
    if known.is_none() {
        faults.note_here(Rule::NotOneOf(
            names.iter().map(|(_, name)| *name).collect(),
        ));
    }
    known
}

/// How users connect to the integration.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it documents the body, which is read member by member to find all problems at once"
)]
pub(super) struct UpdateAuthConfigurationRequest {
    auth_type: AuthType,
    /// What users fill in when connecting. The whole list is made anew on every call; absent means none.
    #[schema(required = false, max_items = 100, default = json!([]))]
    auth_fields: Vec<AuthFieldInput>,
    /// JavaScript that checks a credential. Absent is kept while the type stays, null or an empty text clears.
    #[schema(max_length = 1000)]
    auth_test_code: Option<String>,
    /// Only for `OAUTH` and `OAUTH_DCR`. Absent is kept while the type stays, null deletes it.
    oauth_client: Option<OauthClientInput>,
}

/// A field that users fill in when connecting.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it documents a part of the body")]
struct AuthFieldInput {
    /// Unique among the fields without regard to case; not `__proto__`, `constructor` or `prototype`.
    #[schema(
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9][A-Za-z0-9_-]*$"
    )]
    slug: String,
    #[schema(min_length = 1, max_length = 100)]
    label: String,
    #[schema(rename = "type")]
    kind: FieldType,
    /// Help text.
    #[schema(required = false, max_length = 500, default = "")]
    description: String,
    #[schema(max_length = 200)]
    placeholder: Option<String>,
    #[schema(required = false, default = false)]
    required: bool,
}

/// An OAuth client. Absent members are kept, null clears one.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it documents a part of the body")]
struct OauthClientInput {
    /// Separated by spaces.
    #[schema(max_length = 2000)]
    scopes: Option<String>,
    /// Absolute https URL without user info or fragment. Never returned.
    #[schema(max_length = 2000, write_only, format = "uri")]
    auth_url: Option<String>,
    /// Absolute https URL without user info or fragment. Never returned.
    #[schema(max_length = 2000, write_only, format = "uri")]
    token_url: Option<String>,
    /// Never returned.
    #[schema(max_length = 500, write_only)]
    client_id: Option<String>,
    /// Never returned.
    #[schema(max_length = 500, write_only, format = Password)]
    client_secret: Option<String>,
    /// The words on the connect button.
    #[schema(max_length = 100)]
    label: Option<String>,
    /// JavaScript that returns the authorization URL; null or an empty text stands for the default.
    #[schema(max_length = 1000)]
    authorization_code: Option<String>,
    /// JavaScript that exchanges the code for tokens; null or an empty text stands for the default.
    #[schema(max_length = 1000)]
    access_token_code: Option<String>,
    /// JavaScript that refreshes the tokens; null or an empty text stands for the default.
    #[schema(max_length = 1000)]
    refresh_token_code: Option<String>,
}

#[cfg(test)]
mod tests;
