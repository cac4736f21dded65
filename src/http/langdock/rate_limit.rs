//! What a 429 says of the limit, in the fields `RateLimit-Policy` and `RateLimit` of the IETF's draft
//! draft-ietf-httpapi-ratelimit-headers (in its form since version 8): the policy is named after whom it limits.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, HeaderName, HeaderValue};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::{Object, ResponseBuilder, Type};

use crate::domain::rate_limits::{Limited, Rate};
use crate::http::whole_seconds;

/// The limit: `"key";q=600;w=60` are 600 requests in 60 seconds for each API key.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Where the caller stands: `"key";r=0;t=3`, no request left, one more in three seconds.
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Puts the limit that was met into the headers. `t` is what `Retry-After` says.
pub(super) fn tell(headers: &mut HeaderMap, by: Limited, rate: Rate, retry_after: Duration) {
    let (by, wait) = (by.name(), whole_seconds(retry_after));
    let policy = format!("\"{by}\";q={};w={}", rate.count(), rate.period().seconds());
    let standing = format!("\"{by}\";r=0;t={wait}");
    for (name, text) in [(POLICY, policy), (STANDING, standing)] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// The headers of a 429, for the document.
pub(super) fn describe(response: ResponseBuilder) -> ResponseBuilder {
    response
        .header(
            RETRY_AFTER.as_str(),
            described(Type::Integer, "Seconds until a request is let through again"),
        )
        .header(
            POLICY.as_str(),
            described(
                Type::String,
                "The limit that was met, such as \"key\";q=600;w=60: of the key or of the tenant, how many requests, in how many seconds",
            ),
        )
        .header(
            STANDING.as_str(),
            described(
                Type::String,
                "Where the caller stands, such as \"key\";r=0;t=3: requests left, seconds until there is one",
            ),
        )
}

fn described(kind: Type, description: &str) -> Header {
    let schema = Object::with_type(kind);
    let header = HeaderBuilder::new().schema(Some(schema));
    header.description(Some(description)).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_and_where_the_caller_stands_are_told() {
        for (by, rate, millis, policy, standing) in [
            (
                Limited::Key,
                "600/m",
                100,
                "\"key\";q=600;w=60",
                "\"key\";r=0;t=1",
            ),
            (
                Limited::Tenant,
                "10/h",
                360_000,
                "\"tenant\";q=10;w=3600",
                "\"tenant\";r=0;t=360",
            ),
        ] {
            let mut headers = HeaderMap::new();
            let wait = Duration::from_millis(millis);
            tell(&mut headers, by, rate.parse().unwrap(), wait);
            assert_eq!(headers["ratelimit-policy"], policy);
            assert_eq!(headers["ratelimit"], standing);
        }
    }
}
