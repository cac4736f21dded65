//! Serving over TCP: HTTP/1.1 and HTTP/2 with prior knowledge (h2c) on one listener, with every
//! bound that keeps slow, silent or greedy clients from harming the others, and a stop that
//! finishes what has begun.

mod accept;
mod activity;
mod body;
mod connection;
mod open;
#[cfg(test)]
mod tests;
mod unread;
mod watched;

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use tokio::net::TcpListener;
use tower::Service;

pub use body::{BODY_LIMIT, BODY_TIME, BodyFault, read_body};
pub use open::OpenConnections;

/// The bounds of a listener. `Default` gives the promised ones; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From accepting a connection to its first byte; before that it costs a socket only.
    pub first_byte: Duration,
    /// From the first byte of a request's head to its last (HTTP/1.1, and HTTP/2's preface).
    pub headers: Duration,
    /// How long a connection may stay without a request, or with an answer that its client does
    /// not take. A request that is being handled is never cut by it.
    pub idle: Duration,
    /// Connections at once; further ones wait in the kernel's backlog.
    pub connections: usize,
    /// After the last answer, how long and how many bytes are read and thrown away before a
    /// connection closes. Closing with unread bytes sends a reset, which can destroy an answer
    /// (401, 413, 429 …) that the client has not read yet.
    pub linger: Duration,
    /// See [`Limits::linger`].
    pub linger_bytes: usize,
    /// How long running requests may take once the stop is requested.
    pub stop: Duration,
    /// Bytes of a request's head, also `SETTINGS_MAX_HEADER_LIST_SIZE`. At least 8,192.
    pub head_bytes: u32,
    /// Number of header fields (HTTP/1.1).
    pub header_fields: usize,
    /// `SETTINGS_MAX_CONCURRENT_STREAMS`.
    pub streams: u32,
    /// Streams that a client may reset before we have looked at them, before the connection is
    /// closed (CVE-2023-44487).
    pub reset_streams: usize,
    /// How often HTTP/2 clients are pinged, and how long they may take to answer.
    pub ping: Duration,
    /// Where the open connections are counted. A clone of the limits counts in the same place.
    pub open: OpenConnections,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte: Duration::from_secs(10),
            headers: Duration::from_secs(10),
            idle: Duration::from_mins(1),
            connections: 10_000,
            linger: Duration::from_secs(1),
            linger_bytes: 1024 * 1024,
            stop: Duration::from_secs(25),
            head_bytes: 32 * 1024,
            header_fields: 100,
            streams: 128,
            reset_streams: 20,
            ping: Duration::from_secs(20),
            open: OpenConnections::default(),
        }
    }
}

/// Serves until `shutdown` completes, then stops accepting, finishes running requests and closes.
///
/// Each request carries its peer as `axum::extract::ConnectInfo<SocketAddr>` in its extensions.
/// Failing to accept (too many open files) is logged and retried, never the end. A panic in the
/// service ends its own connection only.
///
/// # Errors
/// `TimedOut` when requests were still running [`Limits::stop`] after the stop was requested and
/// had to be cut.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    accept::run(listener, service, shutdown, limits).await
}
