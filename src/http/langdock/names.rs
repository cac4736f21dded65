//! The members' names: the domain's, and this wire's. Their order is that of the published tables.

use crate::domain::error::{Issue, Segment};

/// Each member with its name in the domain's input types, in the order in which problems are told.
const NAMES: [(&str, &str); 21] = [
    ("name", "name"),
    ("kind", "authType"),
    ("fields", "authFields"),
    ("test_code", "authTestCode"),
    ("oauth_client", "oauthClient"),
    ("slug", "slug"),
    ("scopes", "scopes"),
    ("auth_url", "authUrl"),
    ("token_url", "tokenUrl"),
    ("client_id", "clientId"),
    ("client_secret", "clientSecret"),
    ("label", "label"),
    ("type", "type"),
    ("description", "description"),
    ("placeholder", "placeholder"),
    ("required", "required"),
    ("authorization_code", "authorizationCode"),
    ("access_token_code", "accessTokenCode"),
    ("refresh_token_code", "refreshTokenCode"),
    ("default", "default"),
    ("x-dry-run", "x-dry-run"),
];

/// The issues of a domain input, with the names that its members have on this wire.
pub(super) fn on_the_wire(issues: Vec<Issue>) -> Vec<Issue> {
    issues
        .into_iter()
        .map(|issue| Issue {
            path: issue.path.into_iter().map(renamed).collect(),
            rule: issue.rule,
        })
        .collect()
}

fn renamed(segment: Segment) -> Segment {
    let known = match &segment {
        Segment::Key(key) => NAMES.iter().find(|(domain, _)| key == domain),
        Segment::Index(_) => None,
    };
    known.map_or(segment, |(_, wire)| Segment::from(*wire))
}

/// Puts issues with wire names into the order of the members.
pub(super) fn in_order(mut issues: Vec<Issue>) -> Vec<Issue> {
    issues.sort_by_cached_key(|issue| issue.path.iter().map(rank).collect::<Vec<_>>());
    issues
}

fn rank(segment: &Segment) -> usize {
    match segment {
        Segment::Index(index) => *index,
        Segment::Key(key) => NAMES
            .iter()
            .position(|(_, wire)| key == wire)
            .unwrap_or(NAMES.len()),
    }
}
