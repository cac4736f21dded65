//! The load: many clients with a mix of writes and hand-outs, each of which the ledger knows of.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::client::{Answer, Client, Reply, Targets};
use crate::history::Outcome;
use crate::ledger::{Action, Attempt, Kind, Object};
use crate::requests::{Request, seen};
use crate::world::{SERVICE, World};

/// How many of a hundred requests are of each sort; the rest hands credentials out.
#[derive(Debug, Clone, Copy)]
pub struct Mix {
    pub set_auth: u32,
    pub clear: u32,
    pub config: u32,
    pub setting: u32,
    pub invalid: u32,
    pub create: u32,
}

impl Mix {
    pub const USUAL: Self = Self {
        set_auth: 58,
        clear: 1,
        config: 10,
        setting: 5,
        invalid: 5,
        create: 1,
    };
    /// Writes of credentials alone.
    pub const SET_AUTH: Self = Self {
        set_auth: 100,
        clear: 0,
        config: 0,
        setting: 0,
        invalid: 0,
        create: 0,
    };
}

/// How a load works.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub clients: usize,
    pub mix: Mix,
    /// Half of the requests go to this many connections; 0 spreads them evenly.
    pub hot: usize,
    /// How often a client sends anew, as another write, what was not acknowledged and not refused.
    pub retries: usize,
}

impl Plan {
    pub const USUAL: Self = Self {
        clients: 16,
        mix: Mix::USUAL,
        hot: 4,
        retries: 0,
    };
}

/// One request with its answer, for what is promised about time.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub begun: Instant,
    pub took: Duration,
    /// `None`: no answer.
    pub status: Option<u16>,
    pub retry_after: bool,
    /// Whether the request was one that the server can refuse without its database.
    pub invalid: bool,
    /// Whether it goes by a lane, which promises more about time than a transaction of its own.
    pub hot: bool,
}

/// A running load.
pub struct Load {
    clients: JoinSet<()>,
    shared: Arc<Shared>,
}

struct Shared {
    world: Arc<World>,
    plan: Plan,
    end: AtomicBool,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Load {
    /// Starts the clients.
    pub fn start(world: &Arc<World>, targets: &Targets, plan: Plan) -> Self {
        let shared = Arc::new(Shared {
            world: Arc::clone(world),
            plan,
            end: AtomicBool::new(false),
            exchanges: Mutex::default(),
        });
        let mut clients = JoinSet::new();
        for _ in 0..plan.clients {
            let (client, shared) = (Client::new(targets), Arc::clone(&shared));
            clients.spawn(work(client, shared));
        }
        Self { clients, shared }
    }

    /// The time of the first acknowledged answer to a request that began after this moment.
    pub async fn served_after(&self, moment: Instant) -> Instant {
        let begun = Instant::now();
        loop {
            if let Some(first) = self.first_served_after(moment) {
                return first;
            }
            let waits = begun.elapsed() < Duration::from_secs(30);
            assert!(waits, "nothing is served any more");
            sleep(Duration::from_millis(5)).await;
        }
    }

    fn first_served_after(&self, moment: Instant) -> Option<Instant> {
        let exchanges = self.shared.exchanges.lock().unwrap();
        let good = |exchange: &&Exchange| {
            exchange.begun > moment && matches!(exchange.status, Some(200..=299))
        };
        let ends = exchanges.iter().filter(good);
        ends.map(|exchange| exchange.begun + exchange.took).min()
    }

    /// Forgets the exchanges up to now and returns them.
    pub fn exchanges(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.shared.exchanges.lock().unwrap())
    }

    /// Ends the load; every request that was sent has its outcome.
    pub async fn stop(mut self) -> Vec<Exchange> {
        self.shared.end.store(true, Ordering::Relaxed);
        while let Some(done) = self.clients.join_next().await {
            done.unwrap();
        }
        self.exchanges()
    }
}

async fn work(mut client: Client, shared: Arc<Shared>) {
    let ended = || shared.end.load(Ordering::Relaxed);
    while !ended() {
        let mut attempts = 0;
        while !one(&mut client, &shared).await {
            attempts += 1;
            if attempts > shared.plan.retries {
                if shared.plan.retries > 0 {
                    let what = "a request failed however often it was tried";
                    shared.world.ledger.wrong(what.into());
                }
                break;
            }
            client.forget();
            sleep(Duration::from_millis(20 * attempts as u64)).await;
        }
        if attempts > 0 {
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// One request of the mix. Answers false where it was neither acknowledged nor refused.
async fn one(client: &mut Client, shared: &Shared) -> bool {
    let (world, mix) = (&shared.world, shared.plan.mix);
    let hot = shared.plan.hot;
    let connection = if hot > 0 && rand::random() {
        any(&world.connections[..hot])
    } else {
        any(&world.connections)
    };
    let roll = rand::random_range(0..100);
    let mut upto = 0;
    let mut chosen = |share: u32| {
        upto += share;
        roll < upto
    };
    if chosen(mix.set_auth) {
        write(client, shared, &connection, Action::SetAuth).await
    } else if chosen(mix.clear) {
        write(client, shared, &connection, Action::ClearAuth).await
    } else if chosen(mix.config) {
        write(client, shared, &any(&world.configs), Action::PatchConfig).await
    } else if chosen(mix.setting) {
        write(client, shared, &any(&world.settings), Action::PatchSetting).await
    } else if chosen(mix.invalid) {
        invalid(client, shared).await
    } else if chosen(mix.create) {
        create(client, shared).await
    } else {
        hand_out(client, shared, &connection).await
    }
}

/// One of these.
pub fn any(objects: &[Arc<Object>]) -> Arc<Object> {
    Arc::clone(&objects[rand::random_range(0..objects.len())])
}

async fn write(client: &mut Client, shared: &Shared, object: &Object, action: Action) -> bool {
    let world = &shared.world;
    let attempt = world.ledger.begin_write(object, action);
    let caller = world.caller(object);
    let request = match action {
        Action::ClearAuth => caller.clear(object, attempt),
        _ => caller.write(object, attempt),
    };
    let (outcome, answer) = send(client, shared, &request, attempt).await;
    if answer.is_some_and(|answer| answer.is_void()) {
        world.ledger.end_void(object, attempt, false);
    } else {
        world.ledger.end_write(object, attempt, outcome);
    }
    outcome != Outcome::Unknown
}

async fn invalid(client: &mut Client, shared: &Shared) -> bool {
    let world = &shared.world;
    let (objects, action) = match rand::random_range(0..4) {
        0 => (&world.configs, Action::PatchConfig),
        1 => (&world.settings, Action::PatchSetting),
        2 => return invalid_creation(client, shared).await,
        _ => (&world.connections, Action::SetAuth),
    };
    let object = any(objects);
    let attempt = world.ledger.begin_write(&object, action);
    let request = if rand::random() {
        world.caller(&object).invalid(&object, attempt)
    } else {
        // In order, but not this tenant's.
        let stranger = (object.tenant + 1) % world.callers.len();
        world.callers[stranger].write(&object, attempt)
    };
    let outcome = send_invalid(client, shared, &request, attempt).await;
    world.ledger.end_write(&object, attempt, outcome);
    outcome != Outcome::Unknown
}

async fn invalid_creation(client: &mut Client, shared: &Shared) -> bool {
    let world = &shared.world;
    let tenant = rand::random_range(0..world.callers.len());
    let attempt = world.ledger.begin(Action::CreateConfig);
    let request = world.callers[tenant].create_invalid_config(attempt);
    let outcome = send_invalid(client, shared, &request, attempt).await;
    world.end_creation(Kind::Config, tenant, attempt, (outcome, None));
    outcome != Outcome::Unknown
}

/// Sends a request that must be refused.
async fn send_invalid(
    client: &mut Client,
    shared: &Shared,
    request: &Request,
    attempt: Attempt,
) -> Outcome {
    let (reply, mut exchange) = timed(client, request, attempt.action).await;
    exchange.invalid = true;
    shared.exchanges.lock().unwrap().push(exchange);
    match reply {
        Reply::Answer(answer) if answer.status >= 500 => unserved(shared, &answer),
        Reply::Answer(answer) => {
            if answer.status < 400 {
                let (action, text) = (attempt.action, answer.text());
                let what = format!("{action:?} must be refused: {text}");
                shared.world.ledger.wrong(what);
            }
            // Also then: its value is a phantom, if it is there.
            Outcome::Refused
        }
        Reply::NotSent => Outcome::Refused,
        Reply::Broken => Outcome::Unknown,
    }
}

async fn create(client: &mut Client, shared: &Shared) -> bool {
    let world = &shared.world;
    let tenant = rand::random_range(0..world.callers.len());
    let (kind, action) = if rand::random() {
        (Kind::Connection, Action::CreateInstance)
    } else {
        (Kind::Config, Action::CreateConfig)
    };
    let attempt = world.ledger.begin(action);
    let request = match kind {
        Kind::Config => world.callers[tenant].create_config(attempt),
        _ => world.callers[tenant].create_instance(SERVICE, attempt),
    };
    let (outcome, answer) = send(client, shared, &request, attempt).await;
    world.end_creation(kind, tenant, attempt, (outcome, answer.as_ref()));
    outcome != Outcome::Unknown
}

async fn hand_out(client: &mut Client, shared: &Shared, object: &Object) -> bool {
    let world = &shared.world;
    let attempt = world.ledger.begin(Action::HandOut);
    let request = world.caller(object).read(object, attempt);
    let (outcome, answer) = send(client, shared, &request, attempt).await;
    let seen = answer
        .filter(|_| outcome == Outcome::Acknowledged)
        .map(|answer| seen(object.kind, &answer));
    world.ledger.end_read(object, attempt, seen.as_ref());
    outcome != Outcome::Unknown
}

async fn timed(client: &mut Client, request: &Request, action: Action) -> (Reply, Exchange) {
    let begun = Instant::now();
    let reply = client.send(request).await;
    let (status, retry_after) = match &reply {
        Reply::Answer(answer) => (Some(answer.status), answer.retry_after.is_some()),
        _ => (None, false),
    };
    let exchange = Exchange {
        begun,
        took: begun.elapsed(),
        status,
        retry_after,
        invalid: false,
        hot: matches!(
            action,
            Action::SetAuth | Action::HandOut | Action::PatchConfig | Action::PatchSetting
        ),
    };
    (reply, exchange)
}

/// Sends a request that is in order.
async fn send(
    client: &mut Client,
    shared: &Shared,
    request: &Request,
    attempt: Attempt,
) -> (Outcome, Option<Answer>) {
    let (reply, exchange) = timed(client, request, attempt.action).await;
    shared.exchanges.lock().unwrap().push(exchange);
    match reply {
        Reply::Answer(answer) => (outcome(shared, &answer, attempt.action), Some(answer)),
        Reply::NotSent => {
            sleep(Duration::from_millis(10)).await;
            (Outcome::Refused, None)
        }
        Reply::Broken => (Outcome::Unknown, None),
    }
}

/// What an answer to a request that is in order means; one that it must not get is taken down.
fn outcome(shared: &Shared, answer: &Answer, action: Action) -> Outcome {
    match answer.status {
        200..300 if action == Action::SetAuth && answer.json()["success"] != true => {
            let text = answer.text();
            shared.world.ledger.wrong(format!("not stored: {text}"));
            Outcome::Refused
        }
        200..300 => Outcome::Acknowledged,
        500.. => unserved(shared, answer),
        status => {
            let text = answer.text();
            let what = format!("{action:?} in order was answered {status}: {text}");
            shared.world.ledger.wrong(what);
            Outcome::Refused
        }
    }
}

/// 503 with `Retry-After` is the only failure that there may be.
fn unserved(shared: &Shared, answer: &Answer) -> Outcome {
    let status = answer.status;
    if status != 503 || answer.retry_after.is_none() {
        let (after, text) = (&answer.retry_after, answer.text());
        let what = format!("answered {status}, Retry-After {after:?}: {text}");
        shared.world.ledger.wrong(what);
    }
    Outcome::Unknown
}
