//! The load: N keep-alive connections on a thread of their own, each asking again once it was answered (closed loop),
//! or all together at a constant rate, where the time counts from when a request should have gone out, so that a
//! server that stalls cannot hide it (no coordinated omission).

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{sleep, timeout};

use super::choice::Chooser;
use super::error::{BenchError, attempting};
use super::http::Line;
use super::path::Path;
use super::template::Template;
use super::world::World;

/// How long after the end an answer is waited for.
const GRACE: Duration = Duration::from_secs(10);
/// The shortest pause of the pace maker: requests that are due within it go out together, none before its time.
const PACE: Duration = Duration::from_micros(250);
/// How long a connection rests after it broke.
const REST: Duration = Duration::from_millis(1);
/// The longest time that is told apart, in microseconds.
const LONGEST: u64 = 60_000_000;

/// What to do.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where the server is.
    pub address: SocketAddr,
    /// What was seeded.
    pub world: Arc<World>,
    /// The path.
    pub path: Path,
    /// How many connections.
    pub connections: u32,
    /// When it begins.
    pub start: Instant,
    /// How long answers do not count yet.
    pub warm_up: Duration,
    /// How long they count.
    pub measured: Duration,
    /// Requests a second; `None` is the closed loop.
    pub rate: Option<f64>,
    /// The control: only ids that are not the caller's.
    pub wrong_ids: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Right answers within the measured time.
    pub right: u64,
    /// Wrong answers and broken connections, those of the warm-up included.
    pub failures: u64,
    /// What the first of them was.
    pub first_failure: Option<String>,
    /// Microseconds of the right answers.
    pub latency: Histogram<u64>,
    /// From the beginning of the measured time to the last of the right answers.
    pub until_last: Duration,
}

/// Runs a load to its end.
pub async fn run(load: Load) -> Result<Outcome, BenchError> {
    let failed = "running the load generator";
    let (done, outcome) = oneshot::channel();
    let thread = std::thread::Builder::new().name("bench-load".to_owned());
    thread
        .spawn(move || {
            // Where nobody waits any more, nobody needs it.
            let _ = done.send(on_this_thread(load));
        })
        .map_err(attempting(failed))?;
    outcome.await.map_err(attempting(failed))?
}

fn on_this_thread(load: Load) -> Result<Outcome, BenchError> {
    let failed = "running the load generator";
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(attempting(failed))?;
    let latency = Histogram::new_with_bounds(1, LONGEST, 3).map_err(attempting(failed))?;
    let shared = Rc::new(Shared {
        tally: Tally {
            latency: RefCell::new(latency),
            right: Cell::new(0),
            failures: Cell::new(0),
            first_failure: RefCell::new(None),
            last: Cell::new(load.start + load.warm_up),
        },
        turns: Arc::new(Semaphore::new(0)),
        next_turn: Cell::new(0),
        load,
    });
    LocalSet::new().block_on(&runtime, all(Rc::clone(&shared)));
    let tally = &shared.tally;
    Ok(Outcome {
        right: tally.right.get(),
        failures: tally.failures.get(),
        first_failure: tally.first_failure.take(),
        latency: tally.latency.borrow().clone(),
        until_last: tally.last.get() - (shared.load.start + shared.load.warm_up),
    })
}

struct Shared {
    load: Load,
    tally: Tally,
    /// One permit for each request that is due; unused in the closed loop.
    turns: Arc<Semaphore>,
    next_turn: Cell<u64>,
}

struct Tally {
    latency: RefCell<Histogram<u64>>,
    right: Cell<u64>,
    failures: Cell<u64>,
    first_failure: RefCell<Option<String>>,
    /// When the last right answer came that counts.
    last: Cell<Instant>,
}

impl Tally {
    fn failed(&self, what: String) {
        self.failures.set(self.failures.get() + 1);
        self.first_failure.borrow_mut().get_or_insert(what);
    }
}

async fn all(shared: Rc<Shared>) {
    let load = &shared.load;
    if let Some(rate) = load.rate {
        keep_pace(load, rate, Arc::clone(&shared.turns));
    }
    let mut connections = JoinSet::new();
    for place in 0..load.connections {
        connections.spawn_local(one(Rc::clone(&shared), place));
    }
    let end = load.start + load.warm_up + load.measured;
    let patience = end.saturating_duration_since(Instant::now()) + GRACE;
    let joined = timeout(patience, async {
        while connections.join_next().await.is_some() {}
    });
    if joined.await.is_err() {
        for _ in 0..connections.len() {
            shared
                .tally
                .failed("no answer within 10 s of the end".to_owned());
        }
        connections.shutdown().await;
    }
}

/// Gives each request its turn when it is due, from a thread of its own: the runtime's timers are a thousandth of a
/// second coarse.
fn keep_pace(load: &Load, rate: f64, turns: Arc<Semaphore>) {
    let (start, connections) = (load.start, load.connections);
    let total = total(load, rate);
    std::thread::spawn(move || {
        let mut given = 0;
        while given < total {
            let due = due(start.elapsed(), rate).min(total);
            let more = usize::try_from(due - given).unwrap_or_default();
            turns.add_permits(more);
            given = due;
            let next = start + intended(given, rate);
            std::thread::sleep(next.saturating_duration_since(Instant::now()).max(PACE));
        }
        // Those who still wait see that there is no more.
        turns.add_permits(connections as usize);
    });
}

/// How many requests a constant rate sends in all.
fn total(load: &Load, rate: f64) -> u64 {
    due(load.warm_up + load.measured, rate)
}

/// How many requests should have gone out after `elapsed`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive count, far below 2⁵³"
)]
fn due(elapsed: Duration, rate: f64) -> u64 {
    (elapsed.as_secs_f64() * rate) as u64
}

/// When request number `turn` should go out, after the start.
#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn intended(turn: u64, rate: f64) -> Duration {
    Duration::from_secs_f64(turn as f64 / rate)
}

/// One connection, until the end.
async fn one(shared: Rc<Shared>, place: u32) {
    let load = &shared.load;
    let mut chooser = Chooser::new(load.path, (place, load.connections), load.wrong_ids);
    let mut template = Template::of(load.path);
    let mut line = Line::new(load.address);
    // Without it the first round of requests would be behind that of connecting.
    let _ = line.connect().await;
    while let Some(begun) = turn(&shared).await {
        let choice = chooser.next(&load.world);
        let answer = line.ask(template.render(&load.world, choice.target)).await;
        let verdict = choice.judge(load.path, &load.world, answer.as_ref());
        let now = Instant::now();
        let broken = answer.is_err();
        if let Err(what) = verdict {
            shared.tally.failed(what);
        } else if counts(load, begun, now) {
            let micros = u64::try_from((now - begun).as_micros()).unwrap_or(LONGEST);
            shared.tally.latency.borrow_mut().saturating_record(micros);
            shared.tally.right.set(shared.tally.right.get() + 1);
            shared.tally.last.set(shared.tally.last.get().max(now));
        }
        if broken {
            sleep(REST).await;
        }
    }
}

/// Whether an answer lies in the measured time: by its end in the closed loop, by its beginning at a constant rate.
fn counts(load: &Load, begun: Instant, ended: Instant) -> bool {
    let from = load.start + load.warm_up;
    if load.rate.is_some() {
        begun >= from
    } else {
        ended >= from && ended <= from + load.measured
    }
}

/// When the next request begins, or should have begun; `None` at the end.
async fn turn(shared: &Shared) -> Option<Instant> {
    let load = &shared.load;
    let Some(rate) = load.rate else {
        let now = Instant::now();
        return (now < load.start + load.warm_up + load.measured).then_some(now);
    };
    shared.turns.acquire().await.ok()?.forget();
    let turn = shared.next_turn.get();
    shared.next_turn.set(turn + 1);
    (turn < total(load, rate)).then(|| load.start + intended(turn, rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_has_a_moment_for_each_request() {
        assert_eq!(due(Duration::from_secs(2), 500.0), 1_000);
        assert_eq!(intended(250, 500.0), Duration::from_millis(500));
    }
}
