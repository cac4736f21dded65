//! Server, database and pgbench, ready to be measured: single cells.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::error::BenchError;
use super::load::{self, Load, Outcome};
use super::median;
use super::options::Options;
use super::path::Path;
use super::pgbench::Pgbench;
use super::proc::{self, Times, Used, Watched};
use super::read_back;
use super::results::{Baseline, Cell, ConstantRate, Control, Measured};
use super::server::{Reads, Server};
use super::stage::Stage;
use super::world::World;

/// Between the order to begin and the first request.
const LEAD: Duration = Duration::from_millis(20);
/// How long a server rests after a load, before its memory is looked at.
const REST: Duration = Duration::from_millis(200);

/// Everything that a cell needs.
#[derive(Debug)]
pub struct Field {
    /// The private Postgres.
    pub stage: Stage,
    /// Where the server listens.
    pub address: SocketAddr,
    /// What was seeded.
    pub world: Arc<World>,
    /// The baseline.
    pub pgbench: Pgbench,
    /// The server that runs, if one does.
    pub server: Option<Server>,
}

impl Field {
    /// Has a server run that audits its hand-outs like this.
    pub async fn serve(&mut self, reads: Reads) -> Result<(), BenchError> {
        if self
            .server
            .as_ref()
            .is_some_and(|server| server.reads == reads)
        {
            return Ok(());
        }
        if let Some(server) = self.server.take() {
            server.stop().await?;
        }
        self.server = Some(Server::start(&self.stage, self.address, reads).await?);
        Ok(())
    }

    /// The running server's memory.
    pub fn memory(&self) -> Option<proc::Memory> {
        proc::memory(self.server.as_ref()?.pid)
    }

    /// One path at one concurrency: the server and pgbench, one after the other in random order.
    pub async fn cell(
        &mut self,
        round: u32,
        path: Path,
        connections: u32,
        options: &Options,
    ) -> Result<Cell, BenchError> {
        let server_first = rand::random();
        let (server, pgbench) = if server_first {
            let server = self.measured(path, connections, options).await?;
            (server, self.baseline(path, connections, options).await?)
        } else {
            let pgbench = self.baseline(path, connections, options).await?;
            (self.measured(path, connections, options).await?, pgbench)
        };
        Ok(Cell {
            round,
            path,
            connections,
            server_first,
            ratio: server.per_second / pgbench.per_second,
            server,
            pgbench,
            load_average: proc::load_average(),
        })
    }

    async fn measured(
        &self,
        path: Path,
        connections: u32,
        options: &Options,
    ) -> Result<Measured, BenchError> {
        let load = self.load(path, connections, options.warm_up, options.seconds);
        let (outcome, used) = self.run(load).await?;
        sleep(REST).await;
        let mut measured = Measured {
            per_second: rate(outcome.right, options.seconds),
            requests: outcome.right,
            failures: outcome.failures,
            first_failure: outcome.first_failure,
            read_back: None,
            latency_ms: median::latency(&outcome.latency),
            cpu_seconds: used,
            resident_kib: self.memory().map(|memory| memory.resident),
        };
        if path == Path::SetAuth {
            let read = read_back::compare(self.address, &self.world).await?;
            measured.read_back = Some(read.compared);
            measured.failures += read.wrong;
            measured.first_failure = measured.first_failure.or(read.first);
        }
        Ok(measured)
    }

    async fn baseline(
        &mut self,
        path: Path,
        clients: u32,
        options: &Options,
    ) -> Result<Baseline, BenchError> {
        let (stage, server) = (&self.stage, self.server.as_ref());
        let warm = async {
            sleep(Pgbench::warm_up(clients)).await;
            times(stage, server)
        };
        let run = self.pgbench.run(stage, path, clients, options.seconds);
        let (run, before) = tokio::join!(run, warm);
        let run = run?;
        Ok(Baseline {
            per_second: run.rate,
            calls: run.calls,
            latency_ms: run.latency,
            cpu_seconds: self.used_since(before),
        })
    }

    /// A run that asks for nothing but what it may not have.
    pub async fn control(
        &self,
        path: Path,
        connections: u32,
        time: Duration,
    ) -> Result<Control, BenchError> {
        let mut load = self.load(path, connections, Duration::ZERO, time);
        load.wrong_ids = true;
        let (outcome, _) = self.run(load).await?;
        let requests = outcome.right + outcome.failures;
        Ok(Control {
            path,
            requests,
            failures: outcome.right,
            failed_percent: share(outcome.right, requests),
            status: path.refusal(),
            first_other: outcome.first_failure,
        })
    }

    /// A run at a constant rate.
    pub async fn constant_rate(
        &self,
        path: Path,
        connections: u32,
        rate_wanted: f64,
        options: &Options,
    ) -> Result<ConstantRate, BenchError> {
        let (measured, warm_up) = options.steady();
        let mut load = self.load(path, connections, warm_up, measured);
        load.rate = Some(rate_wanted);
        let (outcome, _) = self.run(load).await?;
        Ok(ConstantRate {
            path,
            rate: rate_wanted,
            // Every request is answered in the end: a server that falls behind shows it by when.
            achieved: rate(outcome.right, outcome.until_last.max(measured)),
            failures: outcome.failures,
            latency_ms: median::latency(&outcome.latency),
        })
    }

    fn load(&self, path: Path, connections: u32, warm_up: Duration, measured: Duration) -> Load {
        Load {
            address: self.address,
            world: Arc::clone(&self.world),
            path,
            connections,
            start: Instant::now() + LEAD,
            warm_up,
            measured,
            rate: None,
            wrong_ids: false,
        }
    }

    /// Runs a load and looks at the clock of every process at the borders of its measured time.
    async fn run(&self, load: Load) -> Result<(Outcome, Option<Used>), BenchError> {
        let from = load.start + load.warm_up;
        let measured = load.measured;
        let looking = async {
            sleep(from.saturating_duration_since(Instant::now())).await;
            let before = self.times();
            sleep((from + measured).saturating_duration_since(Instant::now())).await;
            self.used_since(before)
        };
        let (outcome, used) = tokio::join!(load::run(load), looking);
        Ok((outcome?, used))
    }

    fn times(&self) -> Option<Times> {
        times(&self.stage, self.server.as_ref())
    }

    fn used_since(&self, before: Option<Times>) -> Option<Used> {
        Some(self.times()?.since(before?))
    }
}

fn times(stage: &Stage, server: Option<&Server>) -> Option<Times> {
    Times::now(Watched {
        server: server?.pid,
        postmaster: stage.postmaster().ok()?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64 * 100.0
    }
}
