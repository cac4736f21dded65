//! Reading a request's body within bounds.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use tokio::time::timeout;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyFault {
    /// More bytes than the route takes (413).
    #[error("the request body is too large")]
    TooLarge,
    /// The client did not send it all in time (408).
    #[error("the request body did not arrive in time")]
    TimedOut,
    /// The connection broke or its framing is wrong (400).
    #[error("the request body could not be read")]
    Broken,
}

/// Bytes of a body on a route that says nothing else: 256 KiB.
pub const BODY_LIMIT: usize = 256 * 1024;
/// How long a client may take to send a body: 15 s, from the moment we begin to read.
pub const BODY_TIME: Duration = Duration::from_secs(15);

/// The whole body, of at most `limit` bytes, read within `time`.
///
/// A `Content-Length` beyond the limit is refused before a byte is read. What is left unread
/// does no harm: the connection closes with care (see `Limits::linger`).
pub async fn read_body(body: Body, limit: usize, time: Duration) -> Result<Bytes, BodyFault> {
    if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
        return Err(BodyFault::TooLarge);
    }
    timeout(time, collect(body, limit))
        .await
        .unwrap_or(Err(BodyFault::TimedOut))
}

async fn collect(mut body: Body, limit: usize) -> Result<Bytes, BodyFault> {
    let mut only = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // Trailers are of no use to any route.
        let Ok(data) = frame.map_err(|_| BodyFault::Broken)?.into_data() else {
            continue;
        };
        if only.len() + whole.len() + data.len() > limit {
            return Err(BodyFault::TooLarge);
        }
        if only.is_empty() && whole.is_empty() {
            only = data; // Most bodies come in one piece: no copy.
        } else {
            whole.extend_from_slice(&std::mem::take(&mut only));
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() {
        only
    } else {
        whole.freeze()
    })
}
