//! One connection, from its first byte to a close that loses no answer.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use super::Limits;
use super::activity::Activity;
use super::unread::{self, Unread};
use super::watched::{Answer, Socket};

/// How long a connection that was accepted just before the stop may take to show its request.
const LATE: Duration = Duration::from_millis(100);

/// What all connections of a listener share.
pub(super) struct Connections<S> {
    service: S,
    limits: Limits,
    stop: CancellationToken,
    http: Builder<TokioExecutor>,
}

impl<S> Connections<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    pub(super) fn new(service: S, limits: Limits, stop: CancellationToken) -> Self {
        let http = builder(&limits);
        Self {
            service,
            limits,
            stop,
            http,
        }
    }

    /// Serves the connection until either side ends it or its time is over.
    pub(super) async fn drive(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        if !self.has_begun(&stream).await {
            return;
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not turn off Nagle's algorithm for a connection");
        }
        let stream = Arc::new(stream);
        self.exchange(&stream, peer).await;
        if let Some(stream) = Arc::into_inner(stream) {
            close(stream, &self.limits).await;
        }
    }

    /// Waits for the first byte; until it comes a connection holds no buffer and no state.
    async fn has_begun(&self, stream: &TcpStream) -> bool {
        let mut byte = [0];
        let mut peek = pin!(stream.peek(&mut byte));
        let first = tokio::select! {
            first = timeout(self.limits.first_byte, peek.as_mut()) => first,
            () = self.stop.cancelled() => timeout(LATE, peek).await,
        };
        matches!(first, Ok(Ok(1)))
    }

    async fn exchange(&self, stream: &Arc<TcpStream>, peer: SocketAddr) {
        let activity = Activity::new();
        let socket = Socket {
            stream: Arc::clone(stream),
            activity: Arc::clone(&activity),
        };
        let service = service_fn(|request: Request<Incoming>| {
            let mut running = activity.begin();
            let asked_to_send = unread::asks_to_send(&request);
            let (mut request, unread) = Unread::watch(request);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = self.service.clone().oneshot(request);
            async move {
                let mut answer = answer.await?;
                if let Some(unread) = unread {
                    unread.settle(asked_to_send, &mut answer).await;
                }
                running.respond();
                Ok::<_, Infallible>(answer.map(|body| Answer { body, running }))
            }
        });
        let mut http = pin!(self.http.serve_connection(TokioIo::new(socket), service));
        let mut stopping = false;
        // Set when the connection's time is over and its client has been told so.
        let mut last = None;
        loop {
            let due = activity
                .deadline(&self.limits)
                .map(|due| last.unwrap_or(due));
            // A head may begin meanwhile; its deadline cannot come before the next look.
            let look = Instant::now() + self.limits.headers.min(self.limits.idle);
            tokio::select! {
                biased;
                ended = http.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a connection ended with an error");
                    }
                    return;
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    http.as_mut().graceful_shutdown();
                }
                () = sleep_until(due.map_or(look, |due| due.min(look))) => {
                    let now = Instant::now();
                    if activity.deadline(&self.limits).is_none_or(|due| due > now) {
                        continue;
                    }
                    if !activity.is_http2() || last.is_some_and(|last| last <= now) {
                        return;
                    }
                    if last.is_none() {
                        // The client is told (GOAWAY) before the socket closes.
                        http.as_mut().graceful_shutdown();
                        last = Some(now + self.limits.linger);
                    }
                }
            }
        }
    }
}

fn builder(limits: &Limits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Activity` keeps this time, see there.
        .header_read_timeout(None)
        .max_headers(limits.header_fields)
        .max_buf_size(limits.head_bytes.max(8_192) as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(limits.head_bytes)
        .max_pending_accept_reset_streams(limits.reset_streams)
        .max_local_error_reset_streams(limits.reset_streams)
        // What one client may make us hold in memory: bodies in, answers out.
        .initial_stream_window_size(64 * 1024)
        .initial_connection_window_size(512 * 1024)
        .max_send_buf_size(64 * 1024)
        .keep_alive_interval(limits.ping)
        .keep_alive_timeout(limits.ping);
    builder
}

/// Sends the end of the stream, then reads and throws away what the client still sends, so that
/// the kernel has no reason for a reset while the last answer is on its way. Beyond the byte
/// bound nothing is read any more: a client that goes on sending is held up by its own window
/// until the time is over.
async fn close(mut stream: TcpStream, limits: &Limits) {
    let until = Instant::now() + limits.linger;
    if stream.shutdown().await.is_err() {
        return;
    }
    let mut left = limits.linger_bytes;
    let mut waste = vec![0; 16 * 1024];
    while let Ok(Ok(())) = timeout_at(until, stream.readable()).await {
        if left == 0 {
            return sleep_until(until).await;
        }
        let length = left.min(waste.len());
        match stream.try_read(&mut waste[..length]) {
            Ok(0) => return,
            Ok(read) => left -= read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}
