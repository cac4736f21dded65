//! How a failure leaves a handler: as the domain error, which a layer renders in the dialect of the path.

use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};

use crate::domain::Error;
use crate::domain::error::Refusal;

/// A domain error on its way out. As a response it carries the error in its extensions; the layer
/// [`rendered`](super::layers) replaces it by the dialect's own answer.
#[derive(Debug)]
pub struct Failure(pub Error);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(Arc::new(self.0));
        response
    }
}

/// The `Retry-After` header that goes with `error` (RFC 9110 section 10.2.3): whole seconds, rounded up, at least
/// one. `None` where trying again is not a matter of waiting.
pub fn retry_after(error: &Error) -> Option<HeaderValue> {
    let retry_after = match error {
        Error::RateLimited { retry_after, .. } | Error::Unavailable { retry_after, .. } => {
            *retry_after
        }
        // Somebody has to make room, which no one can foretell.
        Error::Refused(Refusal::DiskFull) => Duration::from_secs(1),
        _ => return None,
    };
    Some(HeaderValue::from(whole_seconds(retry_after)))
}

/// A time to wait in whole seconds, rounded up, at least one.
pub fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_rounded_up_and_never_zero() {
        for (millis, header) in [
            (0, "1"),
            (1, "1"),
            (1_000, "1"),
            (1_001, "2"),
            (60_000, "60"),
        ] {
            let error = Error::Unavailable {
                reason: "database".into(),
                retry_after: Duration::from_millis(millis),
            };
            assert_eq!(retry_after(&error).unwrap(), header);
        }
        let full = Error::Refused(Refusal::DiskFull);
        assert_eq!(retry_after(&full).unwrap(), "1");
        assert_eq!(retry_after(&Error::TimedOut), None);
    }
}
