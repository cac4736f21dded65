//! From what was measured to the result files.

use std::path::{Path as FilePath, PathBuf};

use sqlx::postgres::PgConnection;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::{BenchError, attempting};
use super::field::Field;
use super::median;
use super::notes::NOTES;
use super::options::Options;
use super::path::Path;
use super::proc;
use super::results::{Earlier, Machine, Plan, Results, Seed, Summary};
use super::run::Run;
use super::table;
use super::targets::{self, Facts, MANY_ROWS, ManyRows, STANDARD_ROWS};
use crate::store::provision::DATABASE;

/// The settings of Postgres that go into the results.
const SETTINGS: [&str; 7] = [
    "fsync",
    "full_page_writes",
    "synchronous_commit",
    "shared_buffers",
    "max_wal_size",
    "checkpoint_timeout",
    "data_checksums",
];

/// Where results were written, and what they say.
#[derive(Debug)]
pub struct Report {
    /// The results.
    pub results: Results,
    /// The same as text.
    pub text: String,
    /// The files.
    pub files: [PathBuf; 2],
}

/// What the machine is, for the results.
pub async fn machine(field: &Field) -> Result<Machine, BenchError> {
    let mut admin = field.stage.admin(DATABASE).await?;
    let mut settings = Vec::with_capacity(SETTINGS.len());
    for name in SETTINGS {
        settings.push((name.to_owned(), setting(&mut admin, name).await?));
    }
    Ok(Machine {
        cpu: proc::cpu_model(),
        cores: cores(),
        memory_mib: proc::machine_memory(),
        kernel: proc::kernel(),
        postgres: format!(
            "PostgreSQL {}",
            setting(&mut admin, "server_version").await?
        ),
        pgbench: field.pgbench.version().await?,
        settings,
    })
}

async fn setting(admin: &mut PgConnection, name: &str) -> Result<String, BenchError> {
    sqlx::query_scalar("-- bench: a setting\n SELECT current_setting($1)")
        .bind(name)
        .fetch_one(admin)
        .await
        .map_err(attempting("reading the settings of Postgres"))
}

/// How many processors there are.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Puts everything together and writes the files.
pub fn written(
    options: &Options,
    machine: Machine,
    seed: Seed,
    run: Run,
    summary: Vec<Summary>,
) -> Result<Report, BenchError> {
    let program = std::env::current_exe().and_then(std::fs::metadata);
    let binary_bytes = program
        .map_err(attempting("measuring this program's size"))?
        .len();
    let start = run.start();
    let constant_rate = median::constant_rates(&run.constant_rate_runs);
    let targets = targets::verdicts(&Facts {
        summary: &summary,
        constant_rate: &constant_rate,
        memory: run.memory,
        start_ms: start.median_ms,
        binary_bytes,
        many_rows: many_rows(options, &options.plan(), &summary),
    });
    let now = OffsetDateTime::now_utc();
    let results = Results {
        made_at: now.format(&Rfc3339).unwrap_or_default(),
        keyway: env!("CARGO_PKG_VERSION"),
        machine,
        plan: options.plan(),
        seed,
        start,
        memory: run.memory,
        binary_bytes,
        control: run.control,
        summary,
        constant_rate,
        constant_rate_runs: run.constant_rate_runs,
        targets,
        notes: NOTES.to_vec(),
        cells: run.cells,
    };
    let text = table::markdown(&results);
    let name = options.name();
    let files = ["json", "md"].map(|ending| options.output.join(format!("{name}.{ending}")));
    let json = serde_json::to_string_pretty(&results).map_err(attempting("writing the results"))?;
    std::fs::create_dir_all(&options.output)
        .and_then(|()| std::fs::write(&files[0], json + "\n"))
        .and_then(|()| std::fs::write(&files[1], &text))
        .map_err(attempting(format!(
            "writing the results to {} (--output names another directory)",
            options.output.display()
        )))?;
    Ok(Report {
        results,
        text,
        files,
    })
}

/// The rates at 64 connections on many rows over those on the standard number, the server's and pgbench's, where the
/// other of the two result files is there.
fn many_rows(options: &Options, plan: &Plan, summary: &[Summary]) -> Vec<ManyRows> {
    let (other, is_many) = match plan.rows {
        STANDARD_ROWS => (format!("results-{MANY_ROWS}.json"), false),
        MANY_ROWS => ("results.json".to_owned(), true),
        _ => return Vec::new(),
    };
    let Some(earlier) = earlier(&options.output.join(other)) else {
        return Vec::new();
    };
    let ratio = |path: Path| {
        let here = summary
            .iter()
            .find(|cell| cell.path == path && cell.connections == 64)?;
        let there = earlier
            .summary
            .iter()
            .find(|cell| cell.path == path.name() && cell.connections == 64)?;
        let ratio = |here: f64, there: f64| if is_many { here / there } else { there / here };
        Some(ManyRows {
            path,
            ratio: ratio(here.per_second, there.per_second),
            pgbench: ratio(here.pgbench_per_second, there.pgbench_per_second),
        })
    };
    Path::ALL.into_iter().filter_map(ratio).collect()
}

/// Another result file, where there is one that can be read.
fn earlier(file: &FilePath) -> Option<Earlier> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
