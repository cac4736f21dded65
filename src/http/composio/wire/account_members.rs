//! The members that making, linking and changing connected accounts share.

use crate::domain::account_creation::Asked;
use crate::domain::account_rules::{self, Sharing};
use crate::domain::error::{Kind, Rule};
use crate::domain::ids::AuthConfigId;
use crate::domain::limits;
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, Object};

/// Members of `val` that are about the connection and no part of its credential.
pub(super) const STATUS: &str = "status";
pub(super) const REDIRECT_URL: &str = "redirectUrl";
/// What stands for a value that was shown masked: no value.
const REDACTED: &str = "REDACTED";
/// The statuses that a new connection can be asked to have.
const STATUSES: [&str; 3] = ["INITIALIZING", "INITIATED", "ACTIVE"];

/// An auth config's id.
pub(super) fn auth_config_id(json: Json, faults: &mut Faults) -> Option<AuthConfigId> {
    let text = shape::string(json, faults)?;
    let id = text.parse().ok();
    if id.is_none() {
        faults.note_here(Rule::IllFormedId(Kind::AuthConfig));
    }
    id
}

/// Whose a connection is, in the tenant's own words.
pub(super) fn user_id(json: Json, faults: &mut Faults) -> Option<String> {
    checked(json, faults, limits::broken_by_user_id)
}

/// What tells a connection apart from the user's others.
pub(super) fn alias(json: Json, faults: &mut Faults) -> Option<String> {
    checked(json, faults, account_rules::broken_by_alias)
}

/// Where the browser goes in the end.
pub(super) fn callback_url(json: Json, faults: &mut Faults) -> Option<String> {
    checked(json, faults, account_rules::broken_by_callback_url)
}

fn checked(json: Json, faults: &mut Faults, rule: fn(&str) -> Option<Rule>) -> Option<String> {
    let text = shape::string(json, faults)?;
    if let Some(broken) = rule(&text) {
        faults.note_here(broken);
        return None;
    }
    Some(text)
}

/// The credential that the member `name` holds, its limits checked; `None` where it is absent or no map.
pub(super) fn credential(
    members: &mut Members,
    name: &'static str,
    faults: &mut Faults,
) -> Option<Object> {
    let map = members.read(name, faults, shape::map)?;
    faults.merge_here(account_rules::broken_by_members(name, &map));
    Some(map)
}

/// What `status` asks of a new connection. One that has ended already is not made.
pub(super) fn asked(members: &Object, faults: &mut Faults) -> Asked {
    let Some(status) = members.get(STATUS) else {
        return Asked::Nothing;
    };
    match status {
        Json::String(word) if word.as_str() == "ACTIVE" => Asked::Ready,
        Json::String(word) if STATUSES.contains(&word.as_str()) => Asked::Redirect,
        Json::String(_) => {
            faults.note(STATUS, Rule::NotOneOf(STATUSES.as_slice().into()));
            Asked::Nothing
        }
        other => {
            faults.within(STATUS, |faults| shape::string(other.clone(), faults));
            Asked::Nothing
        }
    }
}

/// The members that are a value of the credential: apart from the status, null, and what was only shown masked.
pub(super) fn values(members: &Object) -> Object {
    let values = members.iter().filter(|(name, value)| {
        ![STATUS, REDIRECT_URL].contains(name)
            && !value.is_null()
            && value.as_str() != Some(REDACTED)
    });
    values
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// Who besides its own user `experimental` wants to use a connection. Whatever else it holds is ignored, as it is not
/// stable.
pub(super) fn sharing(members: &mut Members) -> Sharing {
    let experimental = members.take("experimental");
    let member = |name| {
        let object = experimental.as_ref().and_then(Json::as_object);
        object.and_then(|object| object.get(name))
    };
    if member("account_type").and_then(Json::as_str) == Some("SHARED") {
        Sharing::Shared
    } else if member("acl_config_for_shared").is_some_and(|list| !list.is_null()) {
        Sharing::Listed
    } else {
        Sharing::Nobody
    }
}
