//! The JSON body: read within its limits, parsed without loss, understood by the dialect's wire type.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::domain::Error;
use crate::domain::error::{BodyFault, Issue};
use crate::http::serve;
use crate::json::{Json, JsonFault};

/// The largest JSON body, in bytes, where the wire type names no other limit.
pub const JSON_LIMIT: usize = 256 * 1024;
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(15);

/// A wire type that can be read from JSON.
pub trait FromJson: Sized {
    /// The largest body in bytes.
    const LIMIT: usize = JSON_LIMIT;

    /// Parses the text. A dialect whose parser takes more or less than [`Json::parse`] says so here.
    fn parse(text: &[u8]) -> Result<Json, JsonFault> {
        Json::parse(text)
    }

    /// Reads the value, or names everything that is wrong with it.
    fn from_json(json: Json) -> Result<Self, Vec<Issue>>;
}

/// The body, read into `T`.
#[derive(Debug)]
pub struct Body<T>(Result<T, Error>);

impl<T> Body<T> {
    /// The value, or why it could not be read: [`Error::Body`] or [`Error::Invalid`].
    pub fn valid(self) -> Result<T, Error> {
        self.0
    }
}

impl<T: FromJson + Send, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        Ok(Self(read(request).await))
    }
}

async fn read<T: FromJson>(request: Request) -> Result<T, Error> {
    let (parts, body) = request.into_parts();
    let bytes = serve::read_body(body, T::LIMIT, ARRIVAL)
        .await
        .map_err(|fault| match fault {
            serve::BodyFault::TooLarge => BodyFault::TooLarge { limit: T::LIMIT },
            serve::BodyFault::TimedOut | serve::BodyFault::Broken => BodyFault::Incomplete,
        });
    let bytes = bytes.map_err(Error::Body)?;
    if bytes.is_empty() {
        return Err(Error::Body(BodyFault::Empty));
    }
    if !is_json(&parts.headers) {
        return Err(Error::Body(BodyFault::MediaType));
    }
    let dialect = crate::http::dialect_of(parts.uri.path());
    if dialect.refuses_encoded && is_encoded(&parts.headers) {
        return Err(Error::Body(BodyFault::Encoding));
    }
    let json = T::parse(&bytes).map_err(|fault| Error::Body(BodyFault::Json(fault)))?;
    T::from_json(json).map_err(Error::Invalid)
}

/// Whether the body is said to be encoded in some way; `identity` is none (RFC 9110 section 8.4).
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| {
        let value = value.as_bytes().trim_ascii();
        !value.is_empty() && !value.eq_ignore_ascii_case(b"identity")
    })
}

/// `application/json` or `application/*+json`, parameters allowed.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .map_or(&[][..], |value| value.as_bytes());
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence
        .strip_prefix(b"application/")
        .is_some_and(|subtype| {
            subtype == b"json" || subtype.ends_with(b"+json") && !subtype.contains(&b'/')
        })
}
