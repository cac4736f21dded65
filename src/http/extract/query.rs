//! The query string.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::domain::Error;
use crate::domain::error::Issue;

/// A query that a dialect's wire type can be read from.
pub trait FromQuery: Sized {
    /// Reads the pairs in the order in which they came, or names everything that is wrong with them.
    fn from_pairs(pairs: &[(String, String)]) -> Result<Self, Vec<Issue>>;
}

/// The query, read into `T`.
#[derive(Debug)]
pub struct Query<T>(Result<T, Error>);

impl<T> Query<T> {
    /// The query, or [`Error::Invalid`] with all its issues.
    pub fn valid(self) -> Result<T, Error> {
        self.0
    }
}

impl<T: FromQuery + Send, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        Ok(Self(T::from_pairs(&pairs).map_err(Error::Invalid)))
    }
}
