//! The accept loop and the graceful stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
#[cfg(target_os = "linux")]
use rustix::net::{SocketFlags, accept_with};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::Limits;
use super::connection::Connections;

/// Pauses after an accept that failed for want of resources.
const PAUSE: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// Where connections come from; tests make it fail.
pub(super) trait Source {
    /// Must be safe to cancel.
    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>>;

    /// One that the kernel has accepted already; `WouldBlock` where there is none, or where the system cannot tell.
    fn waiting(&self) -> io::Result<(TcpStream, SocketAddr)> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Source for TcpListener {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }

    /// Asks the kernel: tokio learns of connections only when it next waits for events.
    #[cfg(target_os = "linux")]
    fn waiting(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = accept_with(self, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)?;
        let stream = TcpStream::from_std(accepted.into())?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }
}

pub(super) async fn run<S>(
    source: impl Source,
    service: S,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) -> io::Result<()>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    let slots = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let connections = Arc::new(Connections::new(service, limits.clone(), stop.clone()));
    let tasks = TaskTracker::new();
    let start = |(stream, peer), slot| {
        let (connections, cut) = (Arc::clone(&connections), cut.clone());
        let open = limits.open.one();
        tasks.spawn(async move {
            cut.run_until_cancelled_owned(connections.drive(stream, peer))
                .await;
            drop((slot, open));
        });
    };

    let mut shutdown = pin!(shutdown);
    let mut pause = PAUSE.0;
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (source.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => next,
        };
        match accepted {
            Ok(accepted) => {
                start(accepted, slot);
                pause = PAUSE.0;
            }
            Err(error) if is_about_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(
                    %error,
                    "could not accept a connection; if too many files are open, raise the limit (ulimit -n)"
                );
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(pause) => pause = (pause * 2).min(PAUSE.1),
                }
            }
        }
    }

    // What the kernel has already accepted for us would be reset when the listener closes.
    while let Ok(slot) = Arc::clone(&slots).try_acquire_owned() {
        match source.waiting() {
            Ok(accepted) => start(accepted, Ok(slot)),
            Err(error) if is_about_one_connection(&error) => {}
            Err(_) => break,
        }
    }
    drop(source);
    stop.cancel();
    tasks.close();
    if timeout(limits.stop, tasks.wait()).await.is_ok() {
        return Ok(());
    }
    let message = format!("connections cut while still busy: {}", tasks.len());
    cut.cancel();
    // Only a request that blocks its thread is still there after this.
    timeout(limits.linger, tasks.wait()).await.ok();
    Err(io::Error::new(io::ErrorKind::TimedOut, message))
}

/// Errors of a connection that died in the backlog; the next one may be well.
fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted, NotConnected,
    };
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted | NotConnected
    )
}
