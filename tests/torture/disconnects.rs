//! Clients that go away: at a random byte of the request, at a random moment before the answer, at a random byte of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::client::Targets;
use crate::history::Outcome;
use crate::ledger::Action;
use crate::load::{Load, Plan, any};
use crate::report::Report;
use crate::requests::Request;
use crate::server::Home;
use crate::world::{Size, World};
use crate::{scale, verify};

/// How many go away at the same time.
const WORKERS: usize = 8;

/// Where a client goes away.
#[derive(Debug, Clone, Copy)]
enum Cut {
    /// Before this byte of the request.
    Request(usize),
    /// After the whole request, this long after its last byte.
    Wait(Duration),
    /// When it has read this many bytes of the answer.
    Answer(usize),
}

fn cut(length: usize) -> Cut {
    match rand::random_range(0..3) {
        0 => Cut::Request(rand::random_range(0..length)),
        1 => Cut::Wait(Duration::from_micros(rand::random_range(0..6_000))),
        _ => Cut::Answer(rand::random_range(1..400)),
    }
}

/// Sends as much as `cut` says, then closes the connection, in order or with a reset. Answers whether the server got
/// the whole request.
async fn go_away(address: SocketAddr, request: &Request) -> bool {
    let bytes = request.bytes();
    let cut = cut(bytes.len());
    let Ok(mut stream) = TcpStream::connect(address).await else {
        return false;
    };
    if rand::random() {
        stream.set_zero_linger().unwrap();
    }
    let sent = match cut {
        Cut::Request(upto) => &bytes[..upto],
        Cut::Wait(_) | Cut::Answer(_) => &bytes[..],
    };
    // In two pieces, the second of which may be late.
    let (first, second) = sent.split_at(rand::random_range(0..=sent.len()));
    stream.write_all(first).await.ok();
    if rand::random_range(0..4) == 0 {
        sleep(Duration::from_micros(rand::random_range(0..2_000))).await;
    }
    stream.write_all(second).await.ok();
    match cut {
        Cut::Request(_) => {}
        Cut::Wait(time) => sleep(time).await,
        Cut::Answer(upto) => {
            let mut answer = vec![0; upto];
            let read = stream.read_exact(&mut answer);
            timeout(Duration::from_millis(200), read).await.ok();
        }
    }
    sent.len() == bytes.len()
}

async fn one(world: &World, address: SocketAddr) {
    let roll = rand::random_range(0..100);
    if roll < 15 {
        let connection = any(&world.connections);
        let attempt = world.ledger.begin(Action::HandOut);
        let request = world.caller(&connection).read(&connection, attempt);
        go_away(address, &request).await;
        world.ledger.end_read(&connection, attempt, None);
        return;
    }
    let (object, action) = match roll {
        15..70 => (any(&world.connections), Action::SetAuth),
        70..75 => (any(&world.connections), Action::ClearAuth),
        75..90 => (any(&world.configs), Action::PatchConfig),
        _ => (any(&world.settings), Action::PatchSetting),
    };
    let attempt = world.ledger.begin_write(&object, action);
    let caller = world.caller(&object);
    let request = match action {
        Action::ClearAuth => caller.clear(&object, attempt),
        _ => caller.write(&object, attempt),
    };
    let whole = go_away(address, &request).await;
    let outcome = if whole {
        Outcome::Unknown
    } else {
        Outcome::Refused
    };
    world.ledger.end_write(&object, attempt, outcome);
}

/// This many clients go away, while others work on.
async fn round(world: &Arc<World>, address: SocketAddr, count: u64) {
    let targets = Targets::default();
    targets.set(&[address]);
    let load = Load::start(world, &targets, Plan::USUAL);
    let left = Arc::new(AtomicU64::new(count));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (world, left) = (Arc::clone(world), Arc::clone(&left));
        workers.spawn(async move {
            let next = || {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
            };
            while next().is_ok() {
                one(&world, address).await;
            }
        });
    }
    while let Some(done) = workers.join_next().await {
        done.unwrap();
    }
    load.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_take_nothing_with_them() {
    let mut report = Report::begin("client disconnects and time-outs", "disconnects");
    let home = Home::external().await;
    let mut server = home.serve().await;
    let world = World::seed(&home, &server, Size::USUAL).await;
    let (rounds, each) = scale::of((10, 1_000), (2, 200));
    for _ in 0..rounds {
        round(&world, server.address, each).await;
        server.stop().await;
        home.quiet().await;
        server = home.serve().await;
        verify::values(&world, &server).await;
    }
    verify::everything(&world, &home, &server).await;
    server.stop().await;
    report.note("a third each: within the request, before the answer, within the answer".into());
    report.finish(&world.ledger, rounds * each);
}
