//! A load of clients that send again what was not served, and whose every other failure is one.
//!
//! The clients are *retrying* ones, as every load balancer and most HTTP clients are. They keep connections and know
//! both servers. A request is sent again to the other server, at most five times in all,
//! - where it reached nobody: the connection was refused, or ended before it carried a first request,
//! - where it was answered 503,
//! - where a connection that had carried requests before was closed before the first byte of the answer. A server may
//!   close an idle connection at any time, and a request that crosses the close on its way was not read (RFC 9112,
//!   9.3.1). The repetition is the same request with the same id: were it executed twice, its audit rows would tell.
//!
//! Everything else is a failed request: a new connection that is accepted and then cut, an answer that breaks off, any
//! other 5xx, no answer in time, five attempts in vain.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::{Answer, PATIENCE, Targets, read};
use crate::history::Outcome;
use crate::ledger::{Action, Kind, Object};
use crate::load::any;
use crate::requests::{Request, seen};
use crate::world::{SERVICE, World};

const CLIENTS: usize = 16;
const ATTEMPTS: u32 = 5;

/// What the clients have met.
#[derive(Default)]
struct Met {
    end: AtomicBool,
    served: AtomicU64,
    refused_connections: AtomicU64,
    answered_503: AtomicU64,
    closed_while_kept: AtomicU64,
}

/// A client as the module describes it.
struct Retrying {
    targets: Targets,
    kept: Option<(SocketAddr, TcpStream)>,
    /// The server that missed last.
    missed: Option<SocketAddr>,
    met: Arc<Met>,
}

/// Why a request was not served, this time.
enum Miss {
    /// It may be sent again.
    Retry,
    /// It has failed.
    Failed(String),
}

impl Retrying {
    /// Sends it until it is served.
    async fn send(&mut self, request: &Request) -> Result<Answer, String> {
        for attempt in 1..=ATTEMPTS {
            match self.attempt(request).await {
                Ok(answer) => {
                    self.met.served.fetch_add(1, Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(Miss::Failed(why)) => return Err(why),
                Err(Miss::Retry) => sleep(Duration::from_millis(20) * attempt).await,
            }
        }
        Err(format!("{ATTEMPTS} attempts in vain"))
    }

    /// A server, any but the one that missed last.
    fn other(&self) -> SocketAddr {
        loop {
            let address = self.targets.pick().expect("two servers");
            if self.missed != Some(address) {
                return address;
            }
        }
    }

    async fn attempt(&mut self, request: &Request) -> Result<Answer, Miss> {
        // Some take a new connection although they have one: it is served, or refused, at every moment of a stop.
        if rand::random_range(0..4) == 0 {
            self.kept = None;
        }
        let (address, mut stream, kept) = if let Some((address, stream)) = self.kept.take() {
            (address, stream, true)
        } else {
            let address = self.other();
            self.missed = Some(address);
            let Ok(stream) = TcpStream::connect(address).await else {
                self.met.refused_connections.fetch_add(1, Ordering::Relaxed);
                return Err(Miss::Retry);
            };
            stream.set_nodelay(true).ok();
            (address, stream, false)
        };
        let bytes = request.bytes();
        let first = async {
            stream.write_all(&bytes).await?;
            stream.peek(&mut [0]).await
        };
        match timeout(PATIENCE, first).await {
            Err(_) => return Err(Miss::Failed("no answer".into())),
            Ok(Ok(1)) => {}
            Ok(_) if kept => {
                self.missed = Some(address);
                self.met.closed_while_kept.fetch_add(1, Ordering::Relaxed);
                return Err(Miss::Retry);
            }
            Ok(ended) => {
                return Err(Miss::Failed(format!(
                    "a connection was accepted and cut without an answer: {ended:?}"
                )));
            }
        }
        let Ok(Some((answer, stays))) = timeout(PATIENCE, read(&mut stream)).await else {
            return Err(Miss::Failed("an answer broke off".into()));
        };
        if stays {
            self.kept = Some((address, stream));
        }
        match answer.status {
            503 => {
                self.kept = None;
                self.missed = Some(address);
                self.met.answered_503.fetch_add(1, Ordering::Relaxed);
                Err(Miss::Retry)
            }
            500.. => Err(Miss::Failed(format!(
                "{}: {}",
                answer.status,
                answer.text()
            ))),
            _ => {
                self.missed = None;
                Ok(answer)
            }
        }
    }
}

/// The load at work.
pub struct Retries {
    clients: JoinSet<()>,
    met: Arc<Met>,
}

impl Retries {
    /// Starts the clients, against two servers at least.
    pub fn start(world: &Arc<World>, targets: &Targets) -> Self {
        let (mut clients, met) = (JoinSet::new(), Arc::new(Met::default()));
        for _ in 0..CLIENTS {
            let client = Retrying {
                targets: targets.clone(),
                kept: None,
                missed: None,
                met: Arc::clone(&met),
            };
            clients.spawn(work(client, Arc::clone(world)));
        }
        Self { clients, met }
    }

    /// How many requests were served.
    pub fn served(&self) -> u64 {
        self.met.served.load(Ordering::Relaxed)
    }

    /// How many attempts were sent again.
    pub fn retried(&self) -> u64 {
        let met = &self.met;
        let all = [
            &met.refused_connections,
            &met.answered_503,
            &met.closed_while_kept,
        ];
        all.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Ends the clients, and tells what they have met.
    pub async fn stop(self) -> String {
        self.met.end.store(true, Ordering::Relaxed);
        self.clients.join_all().await;
        let count = |met: &AtomicU64| met.load(Ordering::Relaxed);
        format!(
            "{} requests, behind clients that retried {} refused connections, {} answers of 503 and {} kept \
             connections that were closed",
            count(&self.met.served),
            count(&self.met.refused_connections),
            count(&self.met.answered_503),
            count(&self.met.closed_while_kept),
        )
    }
}

/// Requests of all sorts, one after the other, until the end. What is read is judged like what is written: an auth config
/// that is read beside a PATCH shows one of its states, never a mix.
async fn work(mut client: Retrying, world: Arc<World>) {
    while !client.met.end.load(Ordering::Relaxed) {
        let (client, world) = (&mut client, &world);
        let (connections, configs) = (&world.connections, &world.configs);
        let failed = match rand::random_range(0..100) {
            0..50 => write(client, world, connections, Action::SetAuth).await,
            50..52 => write(client, world, connections, Action::ClearAuth).await,
            52..62 => write(client, world, configs, Action::PatchConfig).await,
            62..66 => write(client, world, &world.settings, Action::PatchSetting).await,
            66..69 => invalid(client, world).await,
            69 => create(client, world).await,
            70..73 => look(client, world, configs, Action::PatchConfig).await,
            73..76 => look(client, world, &world.settings, Action::PatchSetting).await,
            _ => look(client, world, connections, Action::HandOut).await,
        };
        if let Err(why) = failed {
            world.ledger.wrong(format!("a request failed: {why}"));
        }
    }
}

/// What the answer to a request that is in order means; any but a success is a failure.
fn outcome(served: Result<Answer, String>) -> (Outcome, Result<Answer, String>) {
    match served {
        Ok(answer) if (200..300).contains(&answer.status) => (Outcome::Acknowledged, Ok(answer)),
        Ok(answer) => {
            let why = format!("{}: {}", answer.status, answer.text());
            (Outcome::Refused, Err(why))
        }
        Err(why) => (Outcome::Unknown, Err(why)),
    }
}

async fn write(
    client: &mut Retrying,
    world: &World,
    objects: &[Arc<Object>],
    action: Action,
) -> Result<(), String> {
    let object = &any(objects);
    let attempt = world.ledger.begin_write(object, action);
    let caller = world.caller(object);
    let request = match action {
        Action::ClearAuth => caller.clear(object, attempt),
        _ => caller.write(object, attempt),
    };
    let (outcome, answer) = outcome(client.send(&request).await);
    if answer.as_ref().is_ok_and(Answer::is_void) {
        world.ledger.end_void(object, attempt, true);
    } else {
        world.ledger.end_write(object, attempt, outcome);
    }
    answer.map(|_| ())
}

async fn look(
    client: &mut Retrying,
    world: &World,
    objects: &[Arc<Object>],
    action: Action,
) -> Result<(), String> {
    let object = &any(objects);
    let attempt = world.ledger.begin(action);
    let served = client
        .send(&world.caller(object).read(object, attempt))
        .await;
    let found = served.as_ref().ok().map(|answer| seen(object.kind, answer));
    world.ledger.end_read(object, attempt, found.as_ref());
    served.map(|_| ())
}

async fn invalid(client: &mut Retrying, world: &World) -> Result<(), String> {
    let object = any(&world.connections);
    let attempt = world.ledger.begin_write(&object, Action::SetAuth);
    let request = world.caller(&object).invalid(&object, attempt);
    let served = client.send(&request).await;
    // Whatever it says, its value must not be there.
    world.ledger.end_write(&object, attempt, Outcome::Refused);
    match served {
        Ok(answer) if answer.status < 400 => Err(format!("not refused: {}", answer.text())),
        other => other.map(|_| ()),
    }
}

async fn create(client: &mut Retrying, world: &World) -> Result<(), String> {
    let tenant = rand::random_range(0..world.callers.len());
    let caller = &world.callers[tenant];
    let (kind, action) = if rand::random() {
        (Kind::Connection, Action::CreateInstance)
    } else {
        (Kind::Config, Action::CreateConfig)
    };
    let attempt = world.ledger.begin(action);
    let request = match kind {
        Kind::Config => caller.create_config(attempt),
        _ => caller.create_instance(SERVICE, attempt),
    };
    let (outcome, answer) = outcome(client.send(&request).await);
    let made = answer.as_ref().ok();
    world.end_creation(kind, tenant, attempt, (outcome, made));
    answer.map(|_| ())
}
