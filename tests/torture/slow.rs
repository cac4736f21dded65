//! Slow clients: they send their headers or their body, or read their answer, a byte at a time, and hold connections
//! as long as the server lets them. The others do not notice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::Targets;
use crate::load::{Exchange, Load, Plan};
use crate::report::Report;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// Between two bytes of a slow client.
const PACE: Duration = Duration::from_secs(1);
/// How long the others are measured, with the slow ones and without.
fn measured() -> Duration {
    scale::of(Duration::from_secs(10), Duration::from_secs(3))
}

/// In which way a client is slow.
#[derive(Debug, Clone, Copy)]
enum Slow {
    Headers,
    Body,
    Reading,
}

const WAYS: [Slow; 3] = [Slow::Headers, Slow::Body, Slow::Reading];

/// The slow clients.
struct Crowd {
    clients: JoinSet<()>,
    end: Arc<AtomicBool>,
    held: Arc<AtomicUsize>,
}

impl Crowd {
    /// Connects them, and waits until they are all there.
    async fn gather(address: SocketAddr, count: usize, key: &str) -> Self {
        let mut crowd = Self {
            clients: JoinSet::new(),
            end: Arc::default(),
            held: Arc::default(),
        };
        for number in 0..count {
            let (end, held) = (Arc::clone(&crowd.end), Arc::clone(&crowd.held));
            let (way, key) = (WAYS[number % WAYS.len()], key.to_owned());
            crowd.clients.spawn(async move {
                while !end.load(Ordering::Relaxed) {
                    let Ok(stream) = connect(address).await else {
                        continue;
                    };
                    held.fetch_add(1, Ordering::Relaxed);
                    be_slow(stream, way, &key, &end).await;
                    held.fetch_sub(1, Ordering::Relaxed);
                }
            });
            if number % 100 == 99 {
                sleep(Duration::from_millis(20)).await;
            }
        }
        for _ in 0..500 {
            if crowd.held() >= count * 9 / 10 {
                break;
            }
            sleep(Duration::from_millis(20)).await;
        }
        crowd
    }

    fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    async fn leave(mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.clients.shutdown().await;
    }
}

async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // What it does not read stays with the server.
    socket.set_recv_buffer_size(1_024)?;
    socket.connect(address).await
}

/// Until the server ends it, or the test.
async fn be_slow(mut stream: TcpStream, way: Slow, key: &str, end: &AtomicBool) {
    let (at_once, slowly) = match way {
        Slow::Headers => (
            "POST /mcp-server/instance/set-auth HTTP/1.1\r\nhost: localhost\r\nx-slow: ".to_owned(),
            true,
        ),
        Slow::Body => (
            format!(
                "POST /mcp-server/instance/set-auth HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {key}\r\n\
                 content-type: application/json\r\ncontent-length: 100000\r\n\r\n{{\"instanceId\":\""
            ),
            true,
        ),
        // The largest answer that there is, which fits no buffer of ours: many of them, one after the other.
        Slow::Reading => (
            "GET /openapi/composio.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(20),
            false,
        ),
    };
    if stream.write_all(at_once.as_bytes()).await.is_err() {
        return;
    }
    while !end.load(Ordering::Relaxed) {
        sleep(PACE).await;
        let mut byte = [b'a'];
        if slowly && stream.write_all(&byte).await.is_err() {
            return;
        }
        // A slow reader takes one byte; the others only notice that they were sent away.
        if let Ok(Ok(0) | Err(_)) = timeout(Duration::from_millis(1), stream.read(&mut byte)).await
        {
            return;
        }
    }
}

/// What the others get for a while: the 99th percentile, and how many were told to come again (503). At most one of a
/// hundred may be, which the full form narrows; nothing else may fail.
async fn others(load: &Load) -> (Duration, usize) {
    load.exchanges();
    sleep(measured()).await;
    let mut exchanges = load.exchanges();
    let status = |exchange: &Exchange| exchange.status;
    let failed = exchanges
        .iter()
        .find(|one| !matches!(status(one), Some(200..=499 | 503)));
    assert!(failed.is_none(), "beside slow clients: {failed:?}");
    let later = exchanges.iter().filter(|one| status(one) == Some(503));
    let later = later.count();
    assert!(
        later * 100 <= exchanges.len(),
        "{later} of {} were not served",
        exchanges.len()
    );
    exchanges.sort_by_key(|exchange| exchange.took);
    (exchanges[exchanges.len() * 99 / 100].took, later)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_harm_no_others() {
    let slow: usize = scale::of(2_000, 200);
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, most).unwrap();
    let mut report = Report::begin("slow clients (headers, body, reading)", "held connections");
    let home = Home::external().await;
    let server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[server.address]);
    let plan = Plan {
        clients: 8,
        // No waiting for rows: only the slow ones are in the way.
        hot: 0,
        ..Plan::USUAL
    };
    let load = Load::start(&world, &targets, plan);
    sleep(Duration::from_millis(500)).await;
    let (mut without, mut with) = (Duration::ZERO, Duration::ZERO);
    let (rounds, mut held) = (scale::of(3, 1), usize::MAX);
    let (mut later, mut later_without) = (0, 0);
    for _ in 0..rounds {
        let (p99, told) = others(&load).await;
        later_without += told;
        without += p99 / rounds;
        let crowd = Crowd::gather(server.address, slow, &world.callers[0].key).await;
        let (p99, told) = others(&load).await;
        with += p99 / rounds;
        later += told;
        held = held.min(crowd.held());
        crowd.leave().await;
        sleep(Duration::from_millis(500)).await;
    }
    load.stop().await;
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    report.note(format!(
        "p99 of 8 others {:.1} ms beside {held} slow clients, {:.1} ms without them: {ratio:.2}×; \
         {later} were told to come again, {later_without} without them",
        with.as_secs_f64() * 1e3,
        without.as_secs_f64() * 1e3,
    ));
    assert!(held * 10 >= slow * 9, "only {held} slow clients were held");
    report.finish(&world.ledger, u64::try_from(slow).unwrap());
    if scale::full() {
        assert!(ratio <= 2.0, "p99 grew {ratio:.2}×");
        // None on a quiet machine; on another, what it cannot serve anyway is not the slow clients' doing.
        assert!(
            later <= later_without,
            "{later} were not served, {later_without} without slow clients"
        );
    }
}
