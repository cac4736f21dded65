//! The baseline: pgbench, on the same database, with prepared statements and as many clients.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tokio::process::Command;

use super::error::{BenchError, attempting};
use super::path::Path;
use super::scripts;
use super::seed::Seeded;
use super::stage::Stage;
use crate::store::embedded::{PORT, find_binaries};
use crate::store::provision::{DATABASE, LOGIN};

/// Threads of pgbench.
const THREADS: &str = "2";
/// Calls between the first numbers of two runs: audit rows are numbered.
const CALLS_OF_A_RUN: u64 = 1_000_000_000;

/// A pgbench that can be run.
#[derive(Debug)]
pub struct Pgbench {
    program: PathBuf,
    runs: u64,
}

/// What one run of it came to.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Calls a second, without the time of connecting and that of warming up.
    pub rate: f64,
    /// Calls in that time.
    pub calls: u64,
    /// The average latency of the whole run, in milliseconds.
    pub latency: f64,
}

impl Pgbench {
    /// Finds it: beside the server programs, else in `PATH`.
    pub fn find(bin_dir: Option<&std::path::Path>) -> Result<Self, BenchError> {
        let binaries = find_binaries(bin_dir)?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let directories = std::iter::once(binaries.directory().to_owned());
        directories
            .chain(std::env::split_paths(&path))
            .map(|directory| directory.join("pgbench"))
            .find(|program| program.is_file())
            .map(|program| Self { program, runs: 0 })
            .ok_or_else(|| BenchError::NoPgbench {
                directory: binaries.directory().display().to_string(),
            })
    }

    /// Its own version.
    pub async fn version(&self) -> Result<String, BenchError> {
        let output = Command::new(&self.program).arg("--version").output().await;
        let output = output.map_err(attempting("running pgbench"))?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Writes the script of each path, having seen that its call does its work.
    pub async fn prepare(stage: &Stage, seeded: &Seeded) -> Result<(), BenchError> {
        let mut login = stage
            .login()
            .connect()
            .await
            .map_err(attempting("connecting to the private Postgres"))?;
        for path in Path::ALL {
            let trying = format!("trying the baseline of {}", path.name());
            // Built from constants, numbers and hexadecimal digits.
            let call = sqlx::query(AssertSqlSafe(scripts::example(path, seeded)));
            let row = call
                .fetch_one(&mut login)
                .await
                .map_err(attempting(&trying))?;
            let code: String = row.try_get("code").map_err(attempting(&trying))?;
            if code != "done" {
                return Err(BenchError::Said(format!("{trying}: it answers {code}")));
            }
            std::fs::write(script(stage, path), scripts::of(path, seeded))
                .map_err(attempting("writing a script for pgbench"))?;
        }
        Ok(())
    }

    /// How long so many clients warm up: each has a fresh backend, which compiles its functions and fills its caches.
    pub fn warm_up(clients: u32) -> Duration {
        Duration::from_secs(u64::from(1 + clients / 128))
    }

    /// Runs a path's script for as long, rounded up to whole seconds, after its warm-up.
    pub async fn run(
        &mut self,
        stage: &Stage,
        path: Path,
        clients: u32,
        time: Duration,
    ) -> Result<Run, BenchError> {
        self.runs += 1;
        let warm_up = Self::warm_up(clients).as_secs();
        let seconds = warm_up + (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1);
        let mut command = Command::new(&self.program);
        command
            .args(["--no-vacuum", "--protocol", "prepared", "--jobs", THREADS])
            .arg("--client")
            .arg(clients.to_string())
            .arg("--time")
            .arg(seconds.to_string())
            .args(["--progress", "1"])
            .arg("--define")
            .arg(format!("i={}", self.runs * CALLS_OF_A_RUN))
            .arg("--file")
            .arg(script(stage, path))
            .arg("--host")
            .arg(stage.socket_dir())
            .args(["--port", &PORT.to_string(), "--username", LOGIN, DATABASE])
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(attempting("running pgbench"))?;
        read(&output, warm_up, seconds).ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            let cause = said.lines().find(|line| line.contains("error:"));
            let cause = cause.unwrap_or("not one call was answered in the measured time");
            BenchError::Said(format!("pgbench failed on {}: {cause}", path.name()))
        })
    }
}

fn script(stage: &Stage, path: Path) -> PathBuf {
    stage.file(&format!("{}.pgbench", path.name()))
}

/// The figures of its report; `None` where it failed, or where a client gave up.
fn read(output: &Output, warm_up: u64, seconds: u64) -> Option<Run> {
    if !output.status.success() {
        return None;
    }
    let (report, progress) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    figures(&report, &progress, warm_up, seconds)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive counts and seconds, far below 2⁵³"
)]
fn figures(report: &str, progress: &str, warm_up: u64, seconds: u64) -> Option<Run> {
    let after = |beginning: &str| {
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix(beginning))?;
        line.trim().split([' ', '/']).next()
    };
    let all: f64 = after("number of transactions actually processed:")?
        .parse()
        .ok()?;
    // Each line tells the rate since the one before it; those of the warm-up are taken away.
    let (mut until, mut before) = (0.0, 0.0);
    for (at, rate) in progress.lines().filter_map(interval) {
        if until >= warm_up as f64 - 0.05 {
            break;
        }
        before += (at - until) * rate;
        until = at;
    }
    let (time, calls) = (seconds as f64 - until, all - before);
    (time > 0.0 && calls >= 1.0).then_some(Run {
        rate: calls / time,
        calls: calls as u64,
        latency: after("latency average = ")?.parse().ok()?,
    })
}

/// `progress: 1.0 s, 5000.0 tps, lat …`: when, and how many calls a second.
fn interval(line: &str) -> Option<(f64, f64)> {
    let (at, rest) = line.strip_prefix("progress: ")?.split_once(" s, ")?;
    let (rate, _) = rest.split_once(" tps")?;
    Some((at.parse().ok()?, rate.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_pgbench_is_read() {
        let report = "transaction type: x.pgbench\nscaling factor: 1\nquery mode: prepared\nnumber of clients: 4\n\
            number of threads: 2\nduration: 1 s\nnumber of transactions actually processed: 12345\n\
            number of failed transactions: 0 (0.000%)\nlatency average = 0.325 ms\n\
            initial connection time = 3.1 ms\ntps = 12301.500123 (without initial connection time)\n";
        let progress = "progress: 1.0 s, 345.0 tps, lat 9.1 ms stddev 0.050, 0 failed\n\
            progress: 2.0 s, 4000.0 tps, lat 0.2 ms stddev 0.050, 0 failed\n";
        // The first of four seconds had 345 of the calls.
        let run = figures(report, progress, 1, 4).expect("it has the form");
        assert_eq!(run.calls, 12_000);
        assert!((run.rate - 4_000.0).abs() < 1e-6 && (run.latency - 0.325).abs() < 1e-9);
        assert!(figures("pgbench: error: connection failed", progress, 1, 4).is_none());
    }
}
