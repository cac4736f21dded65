//! The id in the path.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::domain::Error;
use crate::domain::error::Kind;
use crate::domain::ids::{AuthConfigId, ConnectedAccountId, ConnectionId, IntegrationId};

/// An id that can stand in a path.
pub trait PathId: FromStr + Send {
    /// What it names.
    const KIND: Kind;
    /// Whether an encoded slash parts the path, as any other slash does, so that what holds one is no route.
    const PARTED_BY_SLASH: bool = false;
}

impl PathId for ConnectionId {
    const KIND: Kind = Kind::Connection;
}

impl PathId for ConnectedAccountId {
    const KIND: Kind = Kind::Connection;
}

impl PathId for AuthConfigId {
    const KIND: Kind = Kind::AuthConfig;
}

impl PathId for IntegrationId {
    const KIND: Kind = Kind::Integration;
}

/// The first path parameter, parsed.
#[derive(Debug)]
pub struct Param<T>(Result<T, Error>);

impl<T> Param<T> {
    /// The id, or [`Error::IllFormedId`].
    pub fn valid(self) -> Result<T, Error> {
        self.0
    }
}

impl<T: PathId, S: Send + Sync> FromRequestParts<S> for Param<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // Percent-encoded UTF-8 that is none makes the extractor fail: that is an ill-formed id too.
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let text = params
            .as_ref()
            .and_then(|params| params.iter().next())
            .map(|(_, text)| text);
        if T::PARTED_BY_SLASH && text.is_some_and(|text| text.contains('/')) {
            return Ok(Self(Err(Error::NoRoute)));
        }
        let parsed = text.and_then(|text| text.parse().ok());
        Ok(Self(parsed.ok_or(Error::IllFormedId(T::KIND))))
    }
}
