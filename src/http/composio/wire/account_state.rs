//! `state` of a connected account: one of the arms, a scheme and a status each, that the public SDKs know. They refuse
//! any other, and an arm without its members.

use serde::Serialize;
use utoipa::ToSchema;

use super::auth_config::shown;
use crate::crypto::{Plain, Secret};
use crate::domain::account_view::{AccountView, Content};
use crate::domain::connection::Status;
use crate::domain::scheme::{Opaque, Scheme};
use crate::json::{Form, Json, Object};

/// How a connected account authenticates, as the SDKs take it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionState)]
pub(in super::super) struct AccountState {
    /// The scheme. A credential without the members of its scheme is shown as `API_KEY`.
    #[serde(rename = "authScheme")]
    #[schema(example = "API_KEY")]
    auth_scheme: &'static str,
    /// `status` and the members of the credential: texts, but for those that the scheme knows otherwise.
    #[schema(value_type = std::collections::HashMap<String, serde_json::Value>)]
    val: Members,
}

/// Members of a credential as they go out.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Members {
    /// Masked, or nothing secret.
    Masked(Object),
    /// In the clear, against an audit row.
    Plain(Plain),
}

/// The member that the SDKs know as something else than a text under every scheme.
const FORMS: &[(&str, Form)] = &[("long_redirect_url", Form::Boolean)];
/// The same, and those that they know so under OAuth 2.
const OAUTH2_FORMS: &[(&str, Form)] = &[
    ("long_redirect_url", Form::Boolean),
    ("expires_in", Form::NumberOrText),
    ("scope", Form::TextOrTexts),
    ("client_id_issued_at", Form::Number),
    ("client_secret_expires_at", Form::Number),
    ("extra_token_data", Form::Map),
    ("authed_user", Form::MapOfTexts(&["access_token", "scope"])),
];
/// Our own member beside those of the credential.
const STATUS: &str = "status";

impl AccountState {
    /// The state of a connection whose credential is masked.
    pub(super) fn of(view: &AccountView) -> Self {
        let (members, texts) = match &view.content {
            Content::Masked { members, texts } => (Some(members), texts.as_slice()),
            Content::None | Content::Plain { .. } => (None, [].as_slice()),
        };
        let arm = Arm::of(&view.config.scheme, view.connection.status, texts);
        let val = members.map_or_else(|| arm.beside(), |members| arm.val(members));
        Self {
            auth_scheme: shown(&arm.scheme),
            val: Members::Masked(val),
        }
    }

    /// The state of a connection whose user is sent to a page. This is the one arm in which all SDKs find the page's URL;
    /// that of `DCR_OAUTH` wants a `client_id` too.
    pub(super) fn redirected(url: &str) -> Self {
        let arm = Arm {
            scheme: Scheme::OAuth2,
            status: Status::Initiated,
        };
        let mut val = arm.beside();
        val.insert("redirectUrl", url);
        Self {
            auth_scheme: shown(&arm.scheme),
            val: Members::Masked(val),
        }
    }

    /// The state, and the members of the credential as they are stored.
    pub(super) fn with_data(scheme: &Scheme, status: Status, content: Content) -> (Self, Members) {
        let (arm, val, data) = match content {
            Content::None => {
                let arm = Arm::of(scheme, status, &[]);
                let val = Members::Masked(arm.beside());
                (arm, val, Members::Masked(Object::new()))
            }
            Content::Masked { members, texts } => {
                let arm = Arm::of(scheme, status, &texts);
                let val = Members::Masked(arm.val(&members));
                (arm, val, Members::Masked(members))
            }
            Content::Plain { secret, audited } => {
                let arm = Arm::of(scheme, status, &secret.text_names());
                let beside = Secret::json(&Json::Object(arm.beside()));
                let shape = secret.in_forms(arm.forms(), STATUS).over(&beside);
                let (val, data) = secret.hand_out_with(shape, &audited);
                (arm, Members::Plain(val), Members::Plain(data))
            }
        };
        let auth_scheme = shown(&arm.scheme);
        (Self { auth_scheme, val }, data)
    }
}

/// A scheme and a status that the SDKs know together.
#[derive(Debug, PartialEq, Eq)]
struct Arm {
    scheme: Scheme,
    status: Status,
}

impl Arm {
    /// The arm of a connection whose credential has these texts: its own where the SDKs know that and it is whole; the
    /// status is never told better than it is.
    fn of(scheme: &Scheme, status: Status, texts: &[String]) -> Self {
        let has = |name: &&str| texts.iter().any(|text| text == name);
        let own = match scheme {
            Scheme::OAuth2Cimd => &Scheme::OAuth2Dcr,
            other => other,
        };
        let whole =
            |scheme, status| needed(scheme, status).is_some_and(|names| names.iter().all(has));
        let otherwise = match status {
            // No redirect is pending, whatever the row says.
            Status::Initiated => (own, Status::Initializing),
            Status::Revoked if is_oauth2(own) => (&Scheme::OAuth2, Status::Revoked),
            Status::Active => (&Scheme::ApiKey, Status::Active),
            _ if whole(own, Status::Inactive) => (own, Status::Inactive),
            _ => (&Scheme::ApiKey, Status::Inactive),
        };
        let (scheme, status) = if whole(own, status) {
            (own, status)
        } else {
            otherwise
        };
        Self {
            scheme: scheme.clone(),
            status,
        }
    }

    /// What stands in `val` beside the members of the credential. The TypeScript SDK wants a password of every user
    /// name, and the empty one is that of a credential without (RFC 7617).
    fn beside(&self) -> Object {
        let mut members = Object::new();
        members.insert(STATUS, self.status.name());
        if self.scheme == Scheme::Basic && self.status != Status::Initializing {
            members.insert("password", "");
        }
        members
    }

    /// The forms of the members.
    fn forms(&self) -> &'static [(&'static str, Form)] {
        if is_oauth2(&self.scheme) {
            OAUTH2_FORMS
        } else {
            FORMS
        }
    }

    /// `val`, of masked members.
    fn val(&self, members: &Object) -> Object {
        let mut val = self.beside();
        let shaped = members.in_forms(self.forms());
        for (name, value) in shaped.iter().filter(|(name, _)| *name != STATUS) {
            val.insert(name, value.clone());
        }
        val
    }
}

fn is_oauth2(scheme: &Scheme) -> bool {
    matches!(
        scheme,
        Scheme::OAuth2 | Scheme::OAuth2Dcr | Scheme::ClientCredentials
    )
}

/// The texts without which the SDKs refuse this arm; `None` where they know no such arm.
fn needed(scheme: &Scheme, status: Status) -> Option<&'static [&'static str]> {
    use Status::{Active, Expired, Failed, Inactive, Initializing, Initiated, Revoked};
    let names: &[&str] = match (scheme, status) {
        (
            Scheme::OAuth2 | Scheme::GoogleServiceAccount | Scheme::Opaque(Opaque::BillCom),
            Initiated,
        ) => &["redirectUrl"],
        (Scheme::OAuth2Dcr, Initiated) => &["client_id", "redirectUrl"],
        (Scheme::Opaque(Opaque::OAuth1), Initiated) => &[
            "authUri",
            "oauth_token",
            "oauth_token_secret",
            "redirectUrl",
        ],
        (_, Active | Inactive) | (Scheme::BasicJwt, Failed | Expired) => of_ready(scheme),
        (_, Initializing | Initiated)
        | (
            Scheme::OAuth2
            | Scheme::OAuth2Dcr
            | Scheme::ClientCredentials
            | Scheme::None
            | Scheme::Opaque(_),
            Failed | Expired,
        )
        | (Scheme::OAuth2, Revoked) => &[],
        (_, Failed | Expired | Revoked) => return None,
    };
    Some(names)
}

/// The texts of a whole credential.
fn of_ready(scheme: &Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::OAuth2 | Scheme::ClientCredentials => &["access_token"],
        Scheme::OAuth2Dcr | Scheme::OAuth2Cimd => &["access_token", "client_id"],
        Scheme::Basic => &["username"],
        Scheme::BasicJwt => &["username", "password"],
        Scheme::Bearer => &["token"],
        Scheme::GoogleServiceAccount => &["credentials_json"],
        Scheme::ServiceAccount => &["application_id", "installation_id", "private_key"],
        Scheme::Opaque(Opaque::OAuth1) => &["oauth_token", "oauth_token_secret"],
        Scheme::Opaque(Opaque::BillCom) => &["sessionId", "devKey"],
        Scheme::None | Scheme::ApiKey | Scheme::Opaque(Opaque::CalCom | Opaque::Saml) => &[],
    }
}

#[cfg(test)]
mod tests;
