//! Two servers on one database whose machines' clocks are an hour apart, both wrong: what depends on time depends on
//! the database's clock.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _};
use tokio::time::sleep;

use crate::client::{Client, Reply, Targets};
use crate::history::Outcome;
use crate::ledger::Action;
use crate::load::{Load, Plan};
use crate::report::Report;
use crate::requests::{Caller, seen};
use crate::server::{Home, Server};
use crate::world::{Size, World};
use crate::{scale, verify};

/// The library of the package `faketime`, where distributions put it.
const PLACES: [&str; 4] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];
/// How long a server may go on believing what it has read of an API key.
const KEY_MEMORY: Duration = Duration::from_secs(5);
/// How long the short-lived key lives.
const LIFE: Duration = Duration::from_secs(4);

async fn serve(home: &Home, library: &str, clock: &str) -> Server {
    let faked = [
        ("LD_PRELOAD", library),
        ("FAKETIME", clock),
        // Only the time of day is wrong; the clock that measures spans is not.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    home.serve_with(&faked).await
}

/// Whether the key is taken.
async fn is_taken(world: &World, client: &mut Client, key: &str) -> bool {
    let caller = Caller {
        key: key.to_owned(),
    };
    let object = &world.connections[0];
    let attempt = world.ledger.begin(Action::HandOut);
    match client.send(&caller.read(object, attempt)).await {
        Reply::Answer(answer) if answer.status == 403 => {
            world.ledger.end(attempt, Outcome::Refused);
            false
        }
        Reply::Answer(answer) => {
            assert_eq!(answer.status, 200, "{}", answer.text());
            let seen = seen(object.kind, &answer);
            world.ledger.end_read(object, attempt, Some(&seen));
            true
        }
        reply => panic!("{reply:?}"),
    }
}

/// When this server took the key for the last time, and refused it for the first time.
async fn ends(world: &World, server: &Server, key: &str) -> (Instant, Instant) {
    let mut client = Client::of(server.address);
    let mut last = Instant::now();
    assert!(
        is_taken(world, &mut client, key).await,
        "a key that lives is refused"
    );
    loop {
        let asked = Instant::now();
        if !is_taken(world, &mut client, key).await {
            return (last, Instant::now());
        }
        last = asked;
        sleep(Duration::from_millis(20)).await;
    }
}

/// What the server thinks the time is, by the header of its answers, in seconds after the test's clock.
fn ahead(server: &Server) -> f64 {
    let log = server.log();
    let line = log
        .lines()
        .find(|line| line.contains("keyway is ready"))
        .unwrap();
    let event: Value = serde_json::from_str(line).unwrap();
    let at = event["timestamp"].as_str().unwrap();
    let at = time::OffsetDateTime::parse(at, &time::format_description::well_known::Rfc3339);
    (at.unwrap() - time::OffsetDateTime::now_utc()).as_seconds_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_with_wrong_clocks_agree_by_the_databases_clock() {
    let Some(library) = PLACES.into_iter().find(|place| Path::new(place).is_file()) else {
        scale::cannot(
            "there is no libfaketime here: install the package `faketime` (`.ci/setup test` does)",
        );
        return;
    };
    let mut report = Report::begin("two servers, clocks one hour apart", "rounds");
    let home = Home::external().await;
    let mut superuser = PgConnection::connect_with(&home.superuser()).await.unwrap();
    let begun: f64 = now(&mut superuser).await;
    let servers = [
        serve(&home, library, "+1800s").await,
        serve(&home, library, "-1800s").await,
    ];
    let hour = ahead(&servers[0]) - ahead(&servers[1]);
    assert!(
        (3_500.0..3_700.0).contains(&hour),
        "the clocks are {hour} s apart"
    );
    let world = World::seed(&home, &servers[0], Size::USUAL).await;
    let targets = Targets::default();
    targets.set(&[servers[0].address, servers[1].address]);
    let rounds = scale::of(4, 1);
    let mut differences = Duration::ZERO;
    for _ in 0..rounds {
        let load = Load::start(&world, &targets, Plan::USUAL);
        let life = format!("{}s", LIFE.as_secs());
        let create = ["key", "create", "--tenant", "tenant-0", "--expires", &life];
        let before = Instant::now();
        let made = home.command(&create).await;
        let after = Instant::now();
        let key = made["api_key"].as_str().unwrap();
        let ((last, first), (other_last, other_first)) = tokio::join!(
            ends(&world, &servers[0], key),
            ends(&world, &servers[1], key)
        );
        for (last, first) in [(last, first), (other_last, other_first)] {
            assert!(first >= before + LIFE, "the key ended too early");
            assert!(last <= after + LIFE + KEY_MEMORY, "the key ended too late");
        }
        differences = differences.max(first.max(other_first) - first.min(other_first));
        load.stop().await;
    }
    // Every time that was stored is of the database's clock: none before the test, none after it.
    let ended: f64 = now(&mut superuser).await;
    for (table, column) in [
        ("audit_log", "at"),
        ("connections", "updated_at"),
        ("auth_configs", "updated_at"),
        ("integrations", "created_at"),
        ("api_keys", "created_at"),
    ] {
        let query = format!(
            "SELECT count(*) FROM {table} WHERE extract(epoch FROM {column})::float8 NOT BETWEEN $1 AND $2"
        );
        let outside: i64 = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(begun)
            .bind(ended)
            .fetch_one(&mut superuser)
            .await
            .unwrap();
        assert_eq!(outside, 0, "{table}.{column}");
    }
    let [first, second] = servers;
    verify::everything(&world, &home, &second).await;
    first.stop().await;
    second.stop().await;
    report.note(format!(
        "a key with an end was refused by both within {} ms of each other (each remembers a key for {} s at most)",
        differences.as_millis(),
        KEY_MEMORY.as_secs(),
    ));
    report.finish(&world.ledger, rounds);
}

async fn now(superuser: &mut PgConnection) -> f64 {
    sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::float8")
        .fetch_one(superuser)
        .await
        .unwrap()
}
