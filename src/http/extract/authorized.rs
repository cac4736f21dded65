//! The caller, authenticated and allowed.

use std::marker::PhantomData;
use std::ops::Deref;

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use crate::domain::{Caller, Error, Scope, Service};
use crate::http::failure::Failure;
use crate::http::layers::RequestId;

/// A scope that a route needs, as a type.
pub trait Needs: Send + Sync + 'static {
    /// Any one of these is enough; an empty list lets every live key through.
    const ANY_OF: &'static [Scope];
}

macro_rules! needs {
    ($($(#[$doc:meta])* $name:ident: [$($scope:ident),*];)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl Needs for $name {
            const ANY_OF: &'static [Scope] = &[$(Scope::$scope),*];
        }
    )*};
}

needs! {
    /// Every live key.
    AnyKey: [];
    /// `INTEGRATION_API`.
    IntegrationApi: [IntegrationApi];
    /// `auth_configs:read`.
    AuthConfigsRead: [AuthConfigsRead];
    /// `auth_configs:write`.
    AuthConfigsWrite: [AuthConfigsWrite];
    /// `connections:read`.
    ConnectionsRead: [ConnectionsRead];
    /// `connections:write`.
    ConnectionsWrite: [ConnectionsWrite];
    /// `credentials:read`.
    CredentialsRead: [CredentialsRead];
}

/// The caller of a route that needs `N`. Rejects with 401, then 429, then 403, in the dialect's words; the body is not
/// read before.
#[derive(Debug)]
pub struct Authorized<N> {
    caller: Caller,
    needs: PhantomData<N>,
}

impl<N> Deref for Authorized<N> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<N: Needs, S> FromRequestParts<S> for Authorized<N>
where
    S: Send + Sync,
    Service: FromRef<S>,
{
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let dialect = crate::http::dialect_of(parts.uri.path());
        (dialect.admit)(&parts.headers)?;
        let presented = (dialect.api_key)(&parts.headers).map_err(Error::Unauthenticated)?;
        let request_id = RequestId::of(&parts.extensions);
        let service = Service::from_ref(state);
        let caller = service.authenticate(&presented, request_id).await?;
        tracing::Span::current().record("tenant", tracing::field::display(caller.tenant));
        service.count_request(&caller)?;
        match N::ANY_OF {
            [first, ..] if !N::ANY_OF.iter().any(|scope| caller.has(*scope)) => {
                Err(Error::MissingScope(*first).into())
            }
            _ => Ok(Self {
                caller,
                needs: PhantomData,
            }),
        }
    }
}
