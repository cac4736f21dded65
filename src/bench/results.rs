//! The result file: what was measured, on what, and how. Everything that a figure was made of is kept.

use serde::{Deserialize, Serialize};

use super::path::Path;
use super::proc::Used;
use super::targets::Verdict;

/// Everything.
#[derive(Debug, Serialize)]
pub struct Results {
    /// When it was written (RFC 3339).
    pub made_at: String,
    /// The version of Keyway.
    pub keyway: &'static str,
    /// Where it was measured.
    pub machine: Machine,
    /// What was asked for.
    pub plan: Plan,
    /// What was seeded.
    pub seed: Seed,
    /// From the start of the process to its first 200, in milliseconds.
    pub start: Start,
    /// The server's memory.
    pub memory: Memory,
    /// Bytes of this program.
    pub binary_bytes: u64,
    /// Runs with ids that are not the caller's: all must be refused, and with the very status that such ids get.
    pub control: Vec<Control>,
    /// The medians of the rounds.
    pub summary: Vec<Summary>,
    /// Latency at a constant rate, half of the round's best throughput: the medians of the rounds.
    pub constant_rate: Vec<ConstantRate>,
    /// Each of them, in the order of the rounds.
    pub constant_rate_runs: Vec<ConstantRate>,
    /// What was to be reached.
    pub targets: Vec<Verdict>,
    /// How to read it.
    pub notes: Vec<&'static str>,
    /// Every cell of every round.
    pub cells: Vec<Cell>,
}

impl Results {
    /// Wrong answers and broken connections of all runs but the control, which has none.
    pub fn failures(&self) -> u64 {
        let cells = self.cells.iter().map(|cell| cell.server.failures);
        let constant = self.constant_rate_runs.iter().map(|run| run.failures);
        cells.chain(constant).sum()
    }
}

/// Where it was measured.
#[derive(Debug, Serialize)]
pub struct Machine {
    /// The processor.
    pub cpu: Option<String>,
    /// How many of it.
    pub cores: usize,
    /// Memory in MiB.
    pub memory_mib: Option<u64>,
    /// The kernel.
    pub kernel: Option<String>,
    /// Postgres, as it names itself.
    pub postgres: String,
    /// pgbench, as it names itself.
    pub pgbench: String,
    /// The settings of Postgres that count here.
    pub settings: Vec<(String, String)>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Tenants.
    pub tenants: u32,
    /// Connections (rows), of all tenants.
    pub rows: u32,
    /// Rounds.
    pub rounds: u32,
    /// Seconds that count of a cell.
    pub seconds: f64,
    /// Seconds before them.
    pub warm_up: f64,
    /// Seconds that count of a constant rate.
    pub steady_seconds: f64,
    /// HTTP connections, and clients of pgbench.
    pub connections: Vec<u32>,
    /// The paths.
    pub paths: Vec<Path>,
}

/// What was seeded.
#[derive(Debug, Serialize)]
pub struct Seed {
    /// How long it took, with `VACUUM (ANALYZE)`.
    pub seconds: f64,
    /// Connections a second.
    pub rows_per_second: f64,
}

/// Starts of the server.
#[derive(Debug, Serialize)]
pub struct Start {
    /// The median.
    pub median_ms: f64,
    /// Each.
    pub all_ms: Vec<f64>,
}

/// The server's memory, in KiB.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Memory {
    /// After the start, before the first request.
    pub idle: Option<u64>,
    /// The most after any cell.
    pub loaded: Option<u64>,
    /// The most ever.
    pub peak: Option<u64>,
    /// The most after a cell with 256 connections.
    pub after_256: Option<u64>,
}

/// One control run.
#[derive(Debug, Clone, Serialize)]
pub struct Control {
    /// The path.
    pub path: Path,
    /// Requests.
    pub requests: u64,
    /// Those that were refused with `status`.
    pub failures: u64,
    /// Their share in percent.
    pub failed_percent: f64,
    /// How the path refuses ids that are not the caller's.
    pub status: u16,
    /// What the first of the others was.
    pub first_other: Option<String>,
}

/// Latency in milliseconds.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Latency {
    /// Half are faster.
    pub p50: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// 999 of 1,000 are faster.
    pub p99_9: f64,
    /// The slowest.
    pub max: f64,
}

/// The server in one cell.
#[derive(Debug, Clone, Serialize)]
pub struct Measured {
    /// Right answers a second.
    pub per_second: f64,
    /// Right answers.
    pub requests: u64,
    /// Wrong answers and broken connections.
    pub failures: u64,
    /// What the first of them was.
    pub first_failure: Option<String>,
    /// Hand-outs after the writes, compared with what was written last; those that differ are failures. None where
    /// nothing was written.
    pub read_back: Option<u64>,
    /// Latency as the client sees it.
    pub latency_ms: Latency,
    /// CPU seconds; none where the machine does not tell.
    pub cpu_seconds: Option<Used>,
    /// Resident memory of the server at the end, in KiB.
    pub resident_kib: Option<u64>,
}

/// pgbench in the same cell.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Baseline {
    /// Calls a second.
    pub per_second: f64,
    /// Calls.
    pub calls: u64,
    /// Average latency in milliseconds.
    pub latency_ms: f64,
    /// CPU seconds; none where the machine does not tell.
    pub cpu_seconds: Option<Used>,
}

/// One path at one concurrency in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// The round, from 1.
    pub round: u32,
    /// The path.
    pub path: Path,
    /// HTTP connections, and clients of pgbench.
    pub connections: u32,
    /// Which of the two ran first.
    pub server_first: bool,
    /// The server.
    pub server: Measured,
    /// pgbench.
    pub pgbench: Baseline,
    /// The server's rate over pgbench's.
    pub ratio: f64,
    /// The load average of the last minute, at the end.
    pub load_average: Option<f64>,
}

/// The medians of all rounds.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// The path.
    pub path: Path,
    /// HTTP connections, and clients of pgbench.
    pub connections: u32,
    /// Right answers a second.
    pub per_second: f64,
    /// pgbench's calls a second.
    pub pgbench_per_second: f64,
    /// The median of the rounds' ratios.
    pub ratio: f64,
    /// The lowest and the highest of them.
    pub ratio_range: (f64, f64),
    /// Latency; each figure is the median of the rounds.
    pub latency_ms: Latency,
    /// Failures of all rounds.
    pub failures: u64,
    /// CPU of the server for each request, in microseconds.
    pub server_us: Option<f64>,
    /// CPU of Postgres for each request, in microseconds.
    pub postgres_us: Option<f64>,
    /// CPU of the load generator for each request, in microseconds.
    pub generator_us: Option<f64>,
    /// CPU of Postgres for each call of pgbench, in microseconds.
    pub baseline_postgres_us: Option<f64>,
    /// The most that others used of the machine in any round, in percent of all cores.
    pub foreign_percent: Option<f64>,
}

/// Latency at a constant rate.
#[derive(Debug, Clone, Serialize)]
pub struct ConstantRate {
    /// The path.
    pub path: Path,
    /// Requests a second that were to go out.
    pub rate: f64,
    /// Right answers a second, until the last answer.
    pub achieved: f64,
    /// Failures.
    pub failures: u64,
    /// From when each request should have gone out.
    pub latency_ms: Latency,
}

/// What is read of another result file, to compare with.
#[derive(Debug, Deserialize)]
pub struct Earlier {
    /// Its medians.
    pub summary: Vec<EarlierSummary>,
}

/// A median of another result file.
#[derive(Debug, Deserialize)]
pub struct EarlierSummary {
    /// The path's name.
    pub path: String,
    /// Connections.
    pub connections: u32,
    /// Right answers a second.
    pub per_second: f64,
    /// pgbench's calls a second.
    pub pgbench_per_second: f64,
}
