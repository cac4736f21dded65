//! How long an answer may take.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::request::Parts;
use tokio::time::{Instant, sleep_until};

use crate::domain::Error;
use crate::http::failure::Failure;

/// The limit of one request in milliseconds, which its handler can raise.
#[derive(Debug, Clone)]
struct Limit(Arc<AtomicU64>);

impl Limit {
    fn new(limit: Duration) -> Self {
        Self(Arc::new(AtomicU64::new(
            u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        )))
    }

    fn after(&self, begun: Instant) -> Instant {
        begun + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// Answers [`Error::TimedOut`] when the limit has passed. Database work that runs in its own task goes on: what it
/// acknowledges to nobody is complete or not there, never half done.
pub(super) async fn bounded(
    State(limit): State<Duration>,
    mut request: Request,
    next: Next,
) -> Response {
    let (begun, limit) = (Instant::now(), Limit::new(limit));
    request.extensions_mut().insert(limit.clone());
    let mut answer = std::pin::pin!(next.run(request));
    loop {
        let deadline = limit.after(begun);
        tokio::select! {
            biased;
            response = &mut answer => return response,
            () = sleep_until(deadline) => {
                if limit.after(begun) <= deadline {
                    return Failure(Error::TimedOut).into_response();
                }
            }
        }
    }
}

/// Taken by a handler that may need longer than other requests: at least this many seconds.
#[derive(Debug, Clone, Copy)]
pub struct Within<const SECONDS: u64>;

impl<const SECONDS: u64, S: Sync> FromRequestParts<S> for Within<SECONDS> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        if let Some(Limit(limit)) = parts.extensions.get() {
            limit.fetch_max(SECONDS * 1_000, Ordering::Relaxed);
        }
        Ok(Self)
    }
}
