//! The members that making and changing an auth config share.

use crate::domain::auth_config::{self, Proxy, ToolAccessChange};
use crate::domain::error::{Expected, Rule};
use crate::http::shape::{self, Faults, Members};
use crate::json::{Json, JsonKind, Object};

/// Keys of `credentials` whose values are checked; any other key takes any value.
pub(super) const SCOPE_KEYS: [&str; 2] = ["scopes", "user_scopes"];

/// A name. The domain's rules are asked here too, so that what breaks them is named together with all other faults.
pub(super) fn name(json: Json, faults: &mut Faults) -> Option<String> {
    let name = shape::string(json, faults)?;
    if let Some(rule) = auth_config::broken_by_name(&name) {
        faults.note_here(rule);
        return None;
    }
    Some(name)
}

/// `credentials`: a map whose scopes are strings or lists of them; null stands for a key that goes.
pub(super) fn credentials(json: Json, faults: &mut Faults) -> Option<Object> {
    let cells = cells(json, faults)?;
    for key in SCOPE_KEYS {
        if let Some(value) = cells.get(key).filter(|value| !value.is_null()) {
            faults.within(key, |faults| check_scopes(value, faults));
        }
    }
    Some(cells)
}

/// A map whose values are sealed one by one, so that only its keys are stored as text.
pub(super) fn cells(json: Json, faults: &mut Faults) -> Option<Object> {
    let cells = shape::map(json, faults)?;
    faults.merge_here(auth_config::broken_by_cells(&cells));
    Some(cells)
}

/// Scopes at a place of their own: a string or a list of strings.
pub(super) fn scopes(
    members: &mut Members,
    key: &'static str,
    faults: &mut Faults,
) -> Option<Json> {
    let scopes = members.take(key)?;
    faults.within(key, |faults| check_scopes(&scopes, faults));
    Some(scopes)
}

fn check_scopes(value: &Json, faults: &mut Faults) {
    match value {
        Json::String(_) => {}
        Json::Array(elements) => {
            let others = elements
                .iter()
                .enumerate()
                .filter(|(_, element)| element.as_str().is_none());
            for (index, element) in others {
                faults.note(
                    index,
                    Rule::Type {
                        expected: Expected::String,
                        received: element.kind(),
                    },
                );
            }
        }
        other => faults.note_here(Rule::Type {
            expected: Expected::StringOrStrings,
            received: other.kind(),
        }),
    }
}

/// `proxy_config`: an absolute URL, and the key that the proxy wants.
pub(super) fn proxy(json: Json, faults: &mut Faults) -> Option<Proxy> {
    let mut members = faults.object(json)?;
    let url = members
        .required("proxy_url", faults)
        .and_then(|url| faults.within("proxy_url", |faults| proxy_url(url, faults)));
    let auth_key = members.read("proxy_auth_key", faults, |key, faults| {
        shape::string(key, faults).map(Json::from)
    });
    Some(Proxy {
        url: url?,
        auth_key,
    })
}

/// The URL is stored and shown as it is, so that it must not hold a secret.
fn proxy_url(json: Json, faults: &mut Faults) -> Option<String> {
    let text = shape::text(json, faults)?;
    let rule = match url::Url::parse(&text) {
        Ok(url) if !url.has_host() => Rule::NotAUrl,
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            let expected = Expected::Other(
                "a url without user name and password (the secret goes into proxy_auth_key)",
            );
            Rule::Type {
                expected,
                received: JsonKind::String,
            }
        }
        Ok(_) => return Some(text),
        Err(_) => Rule::NotAUrl,
    };
    faults.note_here(rule);
    None
}

/// Both spellings of the tool lists; `tool_access_config` wins over the deprecated `restrict_to_following_tools`.
pub(super) fn tools(members: &mut Members, faults: &mut Faults) -> ToolAccessChange {
    let change = members.read("tool_access_config", faults, |json, faults| {
        let mut lists = faults.object(json)?;
        Some(ToolAccessChange {
            for_creation: lists.read("tools_for_connected_account_creation", faults, shape::texts),
            for_execution: lists.read("tools_available_for_execution", faults, shape::texts),
        })
    });
    let alias = members.read("restrict_to_following_tools", faults, shape::texts);
    let change = change.unwrap_or_default();
    ToolAccessChange {
        for_execution: change.for_execution.or(alias),
        ..change
    }
}
