//! The precondition of a change (RFC 9110 section 13.1.1).

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::header::IF_MATCH;
use http::request::Parts;

/// The entity tag that the caller saw. Absent and `*` ask for nothing: the object must exist anyway.
#[derive(Debug)]
pub struct IfMatch(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts
            .headers
            .get_all(IF_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let tags = values.collect::<Vec<_>>().join(",");
        let absent = !parts.headers.contains_key(IF_MATCH) || tags.trim() == "*";
        Ok(Self((!absent).then_some(tags)))
    }
}
