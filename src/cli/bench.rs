//! `keyway bench`: measures the server beside pgbench and writes the results.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, output};
use crate::bench::{self, Cell, Options, Path, STANDARD_ROWS, StageOptions};
use crate::config::StoreSettings;

#[derive(Debug, clap::Args)]
pub(super) struct Bench {
    /// How many rounds; each measures everything once, in random order
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// How many seconds of each cell count
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// One round with two seconds a cell, for a first look (about three minutes)
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// HTTP connections, and clients of pgbench
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,16,64,256",
        value_name = "LIST"
    )]
    connections: Vec<u32>,
    /// How many stored credentials to seed
    #[arg(long, default_value_t = STANDARD_ROWS)]
    rows: u32,
    /// Of how many tenants
    #[arg(long, default_value_t = 1_000)]
    tenants: u32,
    /// Only these paths
    #[arg(long, value_delimiter = ',', value_name = "PATHS")]
    only: Vec<Path>,
    /// Where the server to measure listens; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    address: SocketAddr,
    /// The directory of the result files
    #[arg(long, default_value = "bench", value_name = "DIR")]
    output: PathBuf,
    /// Makes the private database in this new directory and leaves it there
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

impl Bench {
    fn options(self, store: &StoreSettings) -> Result<Options, Failure> {
        let (rounds, seconds) = if self.quick {
            (1, 2.0)
        } else {
            (self.rounds, self.seconds)
        };
        let seconds = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Failure::Usage("--seconds must be a positive number".to_owned()))?;
        let mut connections = self.connections;
        connections.sort_unstable();
        connections.dedup();
        let mut paths = if self.only.is_empty() {
            Path::ALL.to_vec()
        } else {
            self.only
        };
        paths.sort_unstable();
        paths.dedup();
        Ok(Options {
            tenants: self.tenants,
            rows: self.rows,
            rounds,
            seconds,
            warm_up: seconds.min(Duration::from_millis(500)),
            connections,
            paths,
            address: self.address,
            output: self.output,
            stage: StageOptions {
                parent: store.data_dir.clone(),
                keep: self.keep,
                bin_dir: store.pg_bin_dir.clone(),
            },
        })
    }
}

pub(super) async fn run(store: &StoreSettings, bench: Bench, json: bool) -> Result<(), Failure> {
    let options = bench.options(store)?;
    let stop = asked_to_stop()?;
    let bar = ProgressBar::new(options.cells() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    let done = |cell: &Cell| {
        let Cell {
            path, connections, ..
        } = cell;
        let name = path.name();
        bar.set_message(format!("{name} at {connections}: {:.2}×", cell.ratio));
        bar.inc(1);
        if let Some(first) = &cell.server.first_failure {
            let failures = cell.server.failures;
            bar.suspend(|| {
                tracing::warn!(path = name, connections, failures, first, "wrong answers");
            });
        }
    };
    let report = bench::run(&options, &done, stop).await;
    bar.finish_and_clear();
    let report = report?;
    for file in &report.files {
        tracing::info!(file = %file.display(), "written");
    }
    if json {
        let value = serde_json::to_value(&report.results);
        output::json(
            &value.map_err(|error| Failure::Said(format!("writing the results: {error}")))?,
        )?;
    } else {
        output::text(&report.text)?;
    }
    match report.results.failures() {
        0 => Ok(()),
        failures => Err(Failure::Said(format!(
            "{failures} answers were wrong or did not come; the results say where, and what the first of each cell was"
        ))),
    }
}

/// Ctrl-C and SIGTERM: everything that was started is stopped first.
fn asked_to_stop() -> Result<impl Future<Output = ()>, Failure> {
    let registered = signal(SignalKind::terminate())
        .and_then(|term| Ok((term, signal(SignalKind::interrupt())?)));
    let (mut terminate, mut interrupt) = registered
        .map_err(|error| Failure::Said(format!("registering for SIGTERM and SIGINT: {error}")))?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
