//! The listener of `/metrics`, where `KEYWAY_METRICS_LISTEN` asks for one.

use std::net::SocketAddr;
use std::time::Duration;

use metrics::gauge;
use tokio::net::TcpSocket;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::serve::{self, METRICS_LISTEN};
use crate::http::{metrics_router, serve as listener};
use crate::store::Db;
use crate::telemetry::metrics::{Metrics, UPKEEP};

/// Scrapers are few.
const CONNECTIONS: usize = 64;
/// How long a scrape may still take once the server has stopped.
const STOP: Duration = Duration::from_secs(1);

/// An address that is taken, and a recorder that runs.
pub(super) struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
    metrics: Metrics,
}

/// Takes the address, without listening on it, and records from now on: before anything is made that is measured.
/// `main` is where the server itself listens.
pub(super) fn reserve(listen: SocketAddr, main: SocketAddr) -> Result<Reserved, Failure> {
    if overlap(listen, main) {
        return Err(Failure::Refused(format!(
            "KEYWAY_METRICS_LISTEN: {listen} takes the address of the server itself (KEYWAY_LISTEN, {main}); give the \
             metrics another one"
        )));
    }
    let (socket, address) = serve::reserve(listen, METRICS_LISTEN)?;
    let metrics = Metrics::install().map_err(|fault| Failure::Said(fault.to_string()))?;
    Ok(Reserved {
        socket,
        address,
        metrics,
    })
}

/// Whether two listeners on these addresses would get in each other's way. The kernel says so only when both listen.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = |v6: SocketAddr| v6.is_ipv6() && v6.ip().is_unspecified();
    let same_ip = if one.is_ipv4() == other.is_ipv4() {
        one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified()
    } else {
        // `[::]` takes what comes over IPv4 too.
        everywhere(one) || everywhere(other)
    };
    same_ip && one.port() == other.port() && one.port() != 0
}

/// The listener at work.
pub(super) struct Running {
    stop: CancellationToken,
    serving: JoinHandle<std::io::Result<()>>,
    upkeep: JoinHandle<()>,
}

impl Reserved {
    /// Answers `/metrics` with the numbers of this process, of `db` and of the main listener's connections.
    pub(super) fn serve(self, db: Db, open: listener::OpenConnections) -> Result<Running, Failure> {
        let listening = serve::listen_on(self.socket, self.address, METRICS_LISTEN)?;
        let metrics = self.metrics.clone();
        let render = move || {
            db.gauges().publish();
            let open = u32::try_from(open.count()).unwrap_or(u32::MAX);
            gauge!("keyway_http_connections").set(open);
            metrics.render()
        };
        let limits = listener::Limits {
            connections: CONNECTIONS,
            stop: STOP,
            ..listener::Limits::default()
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving = listener::serve(listening, metrics_router(render), stopped, limits);
        tracing::info!(address = %self.address, "metrics are at /metrics");
        Ok(Running {
            stop,
            serving: tokio::spawn(serving),
            upkeep: tokio::spawn(keep_up(self.metrics)),
        })
    }
}

impl Running {
    /// Finishes a scrape that has begun.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.upkeep.abort();
        if let Ok(Err(error)) = self.serving.await {
            tracing::debug!(%error, "a scrape was still running and was cut");
        }
    }
}

async fn keep_up(metrics: Metrics) {
    let mut ticks = interval(UPKEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        metrics.upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_overlap_where_a_connection_could_mean_either() {
        for (one, other, overlaps) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "127.0.0.1:81", false),
            ("127.0.0.1:80", "127.0.0.2:80", false),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("127.0.0.1:80", "[::]:80", true),
            ("0.0.0.0:80", "[::1]:80", false),
            ("[::1]:80", "[::]:80", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
        ] {
            let parsed = |text: &str| text.parse().expect("an address");
            assert_eq!(
                overlap(parsed(one), parsed(other)),
                overlaps,
                "{one} {other}"
            );
            assert_eq!(
                overlap(parsed(other), parsed(one)),
                overlaps,
                "{other} {one}"
            );
        }
    }
}
