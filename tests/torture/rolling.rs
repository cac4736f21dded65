//! A rolling restart: of two servers one after the other is asked to stop (SIGTERM) and started again, and no client
//! of [`crate::retrying`] notices.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::client::Targets;
use crate::report::Report;
use crate::retrying::Retries;
use crate::server::{Home, Server};
use crate::world::{Size, World};
use crate::{scale, verify};

/// Within what a server that is asked to stop has ended.
pub const STOPPED: Duration = Duration::from_secs(25);

/// Two servers that are restarted one after the other.
pub struct Pair {
    servers: [Option<Server>; 2],
    targets: Targets,
    /// The longest stop so far.
    pub longest: Duration,
}

impl Pair {
    pub async fn start(home: &Home) -> Self {
        let servers = [home.serve().await, home.serve().await].map(Some);
        let pair = Self {
            servers,
            targets: Targets::default(),
            longest: Duration::ZERO,
        };
        pair.point();
        pair
    }

    fn point(&self) {
        let known = self.servers.iter().flatten();
        let known: Vec<_> = known.map(|server| server.address).collect();
        self.targets.set(&known);
    }

    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    pub fn any(&self) -> &Server {
        self.servers[0].as_ref().unwrap()
    }

    /// SIGTERM to this one, its orderly end, and another in its place, with these settings.
    pub async fn restart(&mut self, which: usize, home: &Home, settings: &[(&str, &str)]) {
        let asked = Instant::now();
        // Its address stays known: clients that go there are refused.
        self.servers[which].take().unwrap().stop().await;
        let took = asked.elapsed();
        assert!(took <= STOPPED, "a stop took {took:?}");
        self.longest = self.longest.max(took);
        self.servers[which] = Some(home.serve_with(settings).await);
        self.point();
    }

    pub async fn stop(self) {
        for server in self.servers.into_iter().flatten() {
            server.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_fails_no_request() {
    let mut report = Report::begin("SIGTERM, rolling restart of two servers", "restarts");
    let home = Home::external().await;
    let mut pair = Pair::start(&home).await;
    let world = World::seed(&home, pair.any(), Size::USUAL).await;
    let load = Retries::start(&world, pair.targets());
    let restarts: usize = scale::of(20, 3);
    let mut met = 0;
    for restart in 0..restarts {
        sleep(Duration::from_millis(rand::random_range(100..600))).await;
        let (served, retried) = (load.served(), load.retried());
        pair.restart(restart % 2, &home, &[]).await;
        assert!(
            load.served() > served,
            "no request was served during a restart"
        );
        met += usize::from(load.retried() > retried);
    }
    report.note(load.stop().await);
    verify::everything(&world, &home, pair.any()).await;
    report.note(format!(
        "{met} of {restarts} restarts were met by requests, the longest stop took {} ms",
        pair.longest.as_millis()
    ));
    pair.stop().await;
    // Sixteen clients, each with a connection: a restart that none of them meets did not happen under load.
    assert!(met == restarts, "{met} of {restarts} restarts were met");
    report.finish(&world.ledger, u64::try_from(restarts).unwrap());
}
