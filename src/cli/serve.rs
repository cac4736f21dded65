//! `keyway serve`: opens the house, listens, keeps it tidy, and leaves it in order.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::house::{self, For, House};
use super::{Failure, metrics, welcome};
use crate::config::{ServeSettings, StoreSettings, reachable};
use crate::domain::{Service, Settings};
use crate::http::{layers, router, serve};
use crate::store::embedded::{Embedded, EmbeddedError, free_bytes};
use crate::store::keys::UnlockError;
use crate::store::{DISK_FLOOR, Db};

/// The longest that one answer may take: an authType change over very many connections has 60 s of its own.
const REQUEST: Duration = Duration::from_secs(75);
/// Connections that wait in the kernel until they are accepted.
const BACKLOG: u32 = 1_024;
/// How often the house is tidied.
const TIDY: Duration = Duration::from_mins(1);
/// How often the server says that it runs, and how soon again where that failed: it counts as gone after 150 s.
const CHECK_IN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(5));
/// How often the free disk space is looked at.
const DISK: Duration = Duration::from_secs(1);
/// How long a start that was asked to stop may take to come to an end of its own.
const UNFINISHED_START: Duration = Duration::from_secs(3);
/// What names the address to listen on, for the server and for its metrics.
const LISTEN: &str = "--listen or KEYWAY_LISTEN";
pub(super) const METRICS_LISTEN: &str = "--metrics-listen or KEYWAY_METRICS_LISTEN";

pub(super) async fn run(
    store: &StoreSettings,
    settings: &ServeSettings,
    json: bool,
) -> Result<(), Failure> {
    // Registered first: a Ctrl-C while the database starts ends the start in order.
    let mut stop = Box::pin(asked_to_stop()?);
    let managed_apps = Arc::new(settings.managed_apps()?);
    let (socket, address) = reserve(settings.listen, LISTEN)?;
    let metrics = settings
        .metrics_listen
        .map(|listen| metrics::reserve(listen, address))
        .transpose()?;
    let domain = Settings {
        public_url: settings.public_url(address),
        egress_allow: settings.egress_allow.clone(),
        retention: settings.retention,
        audit_reads: settings.audit_reads,
        rate_limits: settings.rate_limits(),
        managed_apps,
    };
    let mut opening = pin!(house::open(store, domain, For::Serving));
    let mut house = tokio::select! {
        opened = &mut opening => opened?,
        () = &mut stop => {
            if let Ok(Ok(house)) = timeout(UNFINISHED_START, opening).await {
                house.close().await?;
            }
            return Ok(());
        }
    };
    let outcome = listen(&mut house, store, (socket, address), metrics, json, stop).await;
    let closed = house.close().await;
    outcome.and(closed)
}

/// Takes the address before anything is started, without listening on it: nobody is let in before the root key is
/// proven. `setting` is what names the address.
pub(super) fn reserve(
    listen: SocketAddr,
    setting: &str,
) -> Result<(TcpSocket, SocketAddr), Failure> {
    let bind = || {
        let socket = match listen {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(listen)?;
        let address = socket.local_addr()?;
        Ok((socket, address))
    };
    bind().map_err(|error| cannot_listen(listen, setting, &error))
}

/// Listens on the address that was taken.
pub(super) fn listen_on(
    socket: TcpSocket,
    address: SocketAddr,
    setting: &str,
) -> Result<TcpListener, Failure> {
    socket
        .listen(BACKLOG)
        .map_err(|error| cannot_listen(address, setting, &error))
}

fn cannot_listen(address: SocketAddr, setting: &str, error: &std::io::Error) -> Failure {
    Failure::Said(format!(
        "listening on {address}: {error}; choose another address with {setting}"
    ))
}

async fn listen(
    house: &mut House,
    store: &StoreSettings,
    (socket, address): (TcpSocket, SocketAddr),
    metrics: Option<metrics::Reserved>,
    json: bool,
    stop: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let listener = listen_on(socket, address, LISTEN)?;
    let limits = serve::Limits::default();
    let mut router = router(house.service.clone(), REQUEST);
    let metrics = match metrics {
        Some(reserved) => {
            router = layers::measured(router);
            Some(reserved.serve(house.db.clone(), limits.open.clone())?)
        }
        None => None,
    };
    // From here on no root key seals that this server does not hold.
    house.service.check_in().await?;
    welcome::first_start(&house.service, address, json).await?;
    let public_url = &house.service.settings().public_url;
    tracing::info!(%address, public_url, "keyway is ready");
    let tidying = tokio::spawn(tidy(house.service.clone()));
    let present = tokio::spawn(keep_checked_in(house.service.clone()));
    let watching = house
        .embedded
        .is_some()
        .then(|| tokio::spawn(watch_disk(house.db.clone(), store.data_dir())));
    let mut lost = None;
    let embedded = house.embedded.as_mut();
    let ended = async {
        tokio::select! {
            () = stop => tracing::info!("stopping: running requests are finished first"),
            error = lost_database(embedded) => lost = Some(error),
        }
    };
    let served = serve::serve(listener, router, ended, limits).await;
    tidying.abort();
    present.abort();
    if let Some(metrics) = metrics {
        metrics.stop().await;
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    if let Err(error) = served {
        tracing::warn!(%error, "some requests were still running and were cut");
    }
    if let Err(error) = house.service.check_out().await {
        tracing::debug!(%error, "that this server ends could not be told");
    }
    match lost {
        Some(error) => Err(Failure::Embedded(error)),
        None => Ok(()),
    }
}

async fn lost_database(embedded: Option<&mut Embedded>) -> EmbeddedError {
    match embedded {
        Some(embedded) => embedded.exited().await,
        None => std::future::pending().await,
    }
}

fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let registered = signal(SignalKind::terminate())
        .and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    let (mut terminate, mut interrupt) = registered
        .map_err(|error| Failure::Said(format!("registering for SIGTERM and SIGINT: {error}")))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A task of its own: however long tidying takes, the server does not count as gone.
async fn keep_checked_in(service: Service) {
    let (every, again) = CHECK_IN;
    let mut pause = every;
    loop {
        sleep(pause).await;
        pause = every;
        match service.check_in().await {
            Ok(()) => {}
            Err(UnlockError::Store(error)) => {
                pause = again;
                tracing::warn!(%error, "that this server runs could not be told; it is tried again in a few seconds");
            }
            Err(error) => tracing::error!(
                %error,
                "a rotation of the root key has begun without this server: restart it with the new root key in \
                 KEYWAY_ROOT_KEY_FILE and the old one in KEYWAY_OLD_ROOT_KEY_FILES; until then requests that need the \
                 new one get 503"
            ),
        }
    }
}

async fn tidy(service: Service) {
    let mut ticks = interval(TIDY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = service.tidy().await {
            tracing::warn!(%error, "destroying what is older than KEYWAY_RETENTION, or finishing a rotation, failed; it is tried again in a minute");
        }
        if let Err(error) = service.sweep_tenants().await {
            tracing::warn!(%error, "destroying the rows of deleted tenants failed; it is tried again in a minute");
        }
    }
}

async fn watch_disk(db: Db, directory: PathBuf) {
    let mut ticks = interval(DISK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut readable = true;
    loop {
        ticks.tick().await;
        match free_bytes(&directory) {
            Ok(free) => {
                readable = true;
                db.set_disk_low(free < DISK_FLOOR);
            }
            // Once, not every second.
            Err(error) if readable => {
                readable = false;
                tracing::warn!(%error, "the free space of the data directory cannot be read");
            }
            Err(_) => {}
        }
    }
}

/// Asks a server on this machine for `/readyz`, for a container's health check.
pub(super) async fn healthcheck(address: SocketAddr) -> Result<(), Failure> {
    let address = reachable(address);
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    match timeout(Duration::from_secs(3), ask).await {
        Ok(Ok(true)) => Ok(()),
        Ok(Ok(false)) => Err(Failure::Said(format!(
            "the server on {address} is not ready"
        ))),
        _ => Err(Failure::Said(format!("no server answers on {address}"))),
    }
}
