//! One run: starts, control, rounds with their constant rates.

use std::time::Duration;

use rand::seq::SliceRandom as _;

use super::error::BenchError;
use super::field::Field;
use super::options::Options;
use super::path::Path;
use super::results::{Cell, ConstantRate, Control, Memory, Start};
use super::server::{Reads, Server};

/// How often the server is started to see how long that takes.
const STARTS: usize = 7;
/// Connections of the control and of the constant rate.
const CONNECTIONS: u32 = 64;
/// How long the control of a path runs.
const CONTROL: Duration = Duration::from_millis(500);
/// How long the server rests before its memory is looked at.
const REST: Duration = Duration::from_millis(300);

/// What a run has measured.
#[derive(Debug, Default)]
pub struct Run {
    /// The control.
    pub control: Vec<Control>,
    /// Every cell.
    pub cells: Vec<Cell>,
    /// The constant rates of every round.
    pub constant_rate_runs: Vec<ConstantRate>,
    /// The server's memory.
    pub memory: Memory,
    /// Its starts, in milliseconds.
    pub starts: Vec<f64>,
}

impl Run {
    /// Starts the server several times.
    pub async fn starts(&mut self, field: &Field) -> Result<(), BenchError> {
        for _ in 0..STARTS {
            let server = Server::start(&field.stage, field.address, Reads::Sync).await?;
            self.starts.push(server.started.as_secs_f64() * 1e3);
            server.stop().await?;
        }
        Ok(())
    }

    /// The starts, with their median.
    pub fn start(&self) -> Start {
        Start {
            median_ms: super::median::median(self.starts.iter().copied()).unwrap_or_default(),
            all_ms: self.starts.clone(),
        }
    }

    /// Asks for what is not the caller's: every answer must be the refusal that such ids get.
    pub async fn control(
        &mut self,
        field: &mut Field,
        options: &Options,
    ) -> Result<(), BenchError> {
        let most = options.connections.iter().copied().max().unwrap_or(1);
        for path in &options.paths {
            field.serve(path.reads()).await?;
            let run = field.control(*path, most.min(CONNECTIONS), CONTROL).await?;
            let other = run.requests - run.failures;
            if other > 0 || run.requests == 0 {
                let first = run.first_other.as_deref().unwrap_or("none came");
                return Err(BenchError::Control {
                    path: path.name(),
                    other,
                    requests: run.requests,
                    status: run.status,
                    first: first.to_owned(),
                });
            }
            self.control.push(run);
        }
        Ok(())
    }

    /// All rounds: in each, every path at every concurrency, in random order but for the server's restarts, and then
    /// at half of the best of that round.
    pub async fn rounds(
        &mut self,
        field: &mut Field,
        options: &Options,
        done: &dyn Fn(&Cell),
    ) -> Result<(), BenchError> {
        for round in 1..=options.rounds {
            for group in shuffled(vec![Reads::Sync, Reads::Batched]) {
                let paths = options.paths.iter().filter(|path| path.reads() == group);
                let cells: Vec<(Path, u32)> = paths
                    .flat_map(|path| options.connections.iter().map(|count| (*path, *count)))
                    .collect();
                for (path, connections) in shuffled(cells) {
                    field.serve(group).await?;
                    let cell = field.cell(round, path, connections, options).await?;
                    self.remember(&cell, field);
                    done(&cell);
                    self.cells.push(cell);
                }
                self.constant_rates(field, options, round, group).await?;
            }
        }
        Ok(())
    }

    /// Each path of this group at half of its best of this round.
    async fn constant_rates(
        &mut self,
        field: &mut Field,
        options: &Options,
        round: u32,
        group: Reads,
    ) -> Result<(), BenchError> {
        let most = options.connections.iter().copied().max().unwrap_or(1);
        let paths = options.paths.iter().filter(|path| path.reads() == group);
        for path in shuffled(paths.copied().collect()) {
            let cells = self.cells.iter();
            let cells = cells.filter(|cell| cell.round == round && cell.path == path);
            let best = cells.map(|cell| cell.server.per_second).fold(0.0, f64::max);
            if best < 2.0 {
                continue;
            }
            field.serve(group).await?;
            let run = field
                .constant_rate(path, most.min(CONNECTIONS), best / 2.0, options)
                .await?;
            self.constant_rate_runs.push(run);
        }
        Ok(())
    }

    /// The memory of a server that nobody has asked anything yet.
    pub async fn idle(&mut self, field: &mut Field) -> Result<(), BenchError> {
        field.serve(Reads::Sync).await?;
        tokio::time::sleep(REST).await;
        self.memory.idle = field.memory().map(|memory| memory.resident);
        Ok(())
    }

    fn remember(&mut self, cell: &Cell, field: &Field) {
        let resident = cell.server.resident_kib;
        self.memory.loaded = self.memory.loaded.max(resident);
        self.memory.peak = self
            .memory
            .peak
            .max(field.memory().map(|memory| memory.peak));
        if cell.connections == 256 {
            self.memory.after_256 = self.memory.after_256.max(resident);
        }
    }
}

fn shuffled<T>(mut items: Vec<T>) -> Vec<T> {
    items.shuffle(&mut rand::rng());
    items
}
