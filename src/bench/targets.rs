//! What is to be reached, and whether it was. A figure that was not measured is neither met nor missed.

use serde::Serialize;

use super::path::Path;
use super::results::{ConstantRate, Memory, Summary};

/// The rows of a standard run.
pub const STANDARD_ROWS: u32 = 100_000;
/// The rows of the run on many.
pub const MANY_ROWS: u32 = 5_000_000;

/// What is judged.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The medians.
    pub summary: &'a [Summary],
    /// Latency at half the best throughput.
    pub constant_rate: &'a [ConstantRate],
    /// The server's memory.
    pub memory: Memory,
    /// The median start in milliseconds.
    pub start_ms: f64,
    /// The size of the program.
    pub binary_bytes: u64,
    /// By path; empty where one of the two runs was not made.
    pub many_rows: Vec<ManyRows>,
}

/// Rates at 64 connections on many rows over those on the standard number.
#[derive(Debug, Clone, Copy)]
pub struct ManyRows {
    /// The path.
    pub path: Path,
    /// The server's.
    pub ratio: f64,
    /// pgbench's: what the database alone loses, and the machine between the two runs.
    pub pgbench: f64,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What is measured.
    pub what: String,
    /// What is to be reached.
    pub target: String,
    /// What was.
    pub measured: Option<f64>,
    /// Whether it was met.
    pub met: Option<bool>,
}

/// A bound, with the unit of both figures.
#[derive(Debug, Clone, Copy)]
enum Bound {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
    Below(f64, &'static str),
}

impl Bound {
    fn judge(self, what: impl Into<String>, measured: Option<f64>) -> Verdict {
        let (target, met): (String, fn(f64, f64) -> bool) = match self {
            Self::AtLeast(bound, unit) => (format!("≥ {bound}{unit}"), |is, bound| is >= bound),
            Self::AtMost(bound, unit) => (format!("≤ {bound}{unit}"), |is, bound| is <= bound),
            Self::Below(bound, unit) => (format!("< {bound}{unit}"), |is, bound| is < bound),
        };
        let (Self::AtLeast(bound, _) | Self::AtMost(bound, _) | Self::Below(bound, _)) = self;
        Verdict {
            what: what.into(),
            target,
            measured,
            met: measured.map(|measured| met(measured, bound)),
        }
    }
}

/// The ratios to pgbench's single call of the same function in the same minute.
const RATIOS: [(Path, u32, f64); 7] = [
    (Path::SetAuth, 64, 2.0),
    (Path::SetAuth, 256, 2.0),
    (Path::SetAuth, 1, 0.6),
    (Path::HandOut, 64, 2.0),
    (Path::HandOutBatched, 64, 1.2),
    (Path::PatchComposio, 64, 1.0),
    (Path::PatchLangdock, 64, 1.0),
];

/// Every target, in the order of the issue that set them.
pub fn verdicts(facts: &Facts<'_>) -> Vec<Verdict> {
    let cell = |path, connections| {
        facts
            .summary
            .iter()
            .find(move |cell| cell.path == path && cell.connections == connections)
    };
    let mut verdicts = Vec::new();
    for (path, connections, bound) in RATIOS {
        let measured = cell(path, connections).map(|cell| cell.ratio);
        let what = format!("{} at {connections}, ratio to pgbench", path.name());
        verdicts.push(Bound::AtLeast(bound, "×").judge(what, measured));
    }
    for path in Path::ALL {
        let bound = Bound::Below(if path.writes() { 15.0 } else { 10.0 }, " ms");
        let measured = cell(path, 64).map(|cell| cell.latency_ms.p99);
        verdicts.push(bound.judge(format!("{} at 64, p99", path.name()), measured));
    }
    for path in Path::ALL {
        let runs = &facts.constant_rate;
        let measured = runs.iter().find(|run| run.path == path);
        let what = format!("{} at half its maximum, p99", path.name());
        verdicts.push(Bound::Below(5.0, " ms").judge(what, measured.map(|run| run.latency_ms.p99)));
    }
    verdicts.extend(sizes(facts));
    for many in &facts.many_rows {
        let (path, pgbench) = (many.path.name(), many.pgbench);
        let what = format!(
            "{path} at 64 on {MANY_ROWS} rows, over {STANDARD_ROWS} (pgbench: {pgbench:.2})"
        );
        verdicts.push(Bound::AtLeast(0.5, "×").judge(what, Some(many.ratio)));
    }
    if facts.many_rows.is_empty() {
        let what = format!("at 64 on {MANY_ROWS} rows, over {STANDARD_ROWS}");
        verdicts.push(Bound::AtLeast(0.5, "×").judge(what, None));
    }
    verdicts
}

fn sizes(facts: &Facts<'_>) -> [Verdict; 5] {
    let mib = |kib: Option<u64>| kib.map(|kib| whole(kib) / 1_024.0);
    let measured = facts.summary.iter().map(|cell| cell.failures);
    let constant = facts.constant_rate.iter().map(|run| run.failures);
    let failures = measured.chain(constant).sum::<u64>();
    [
        Bound::AtMost(20.0, " MiB").judge("memory of the server, idle", mib(facts.memory.idle)),
        Bound::AtMost(64.0, " MiB").judge(
            "memory of the server after 256 connections",
            mib(facts.memory.after_256),
        ),
        Bound::AtMost(150.0, " ms").judge("start to the first 200", Some(facts.start_ms)),
        Bound::AtMost(20.0, " MB").judge("program", Some(whole(facts.binary_bytes) / 1e6)),
        Bound::AtMost(0.0, "").judge("wrong answers", Some(whole(failures))),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "far below 2⁵³")]
fn whole(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Latency;

    fn measured(path: Path, connections: u32, ratio: f64, p99: f64) -> Summary {
        Summary {
            path,
            connections,
            per_second: 1.0,
            pgbench_per_second: 1.0,
            ratio,
            ratio_range: (ratio, ratio),
            latency_ms: Latency {
                p99,
                ..Latency::default()
            },
            failures: 0,
            server_us: None,
            postgres_us: None,
            generator_us: None,
            baseline_postgres_us: None,
            foreign_percent: None,
        }
    }

    fn met(verdicts: &[Verdict], what: &str) -> Option<bool> {
        let found = verdicts.iter().find(|verdict| verdict.what == what);
        found.unwrap_or_else(|| panic!("{what} is judged")).met
    }

    #[test]
    fn what_was_measured_is_judged_and_nothing_else() {
        let summary = [
            measured(Path::SetAuth, 64, 2.0, 15.0),
            measured(Path::HandOut, 64, 1.99, 9.9),
        ];
        let facts = Facts {
            summary: &summary,
            constant_rate: &[],
            memory: Memory {
                idle: Some(20 * 1_024),
                after_256: Some(65 * 1_024),
                ..Memory::default()
            },
            start_ms: 151.0,
            binary_bytes: 20_000_000,
            many_rows: vec![ManyRows {
                path: Path::SetAuth,
                ratio: 0.58,
                pgbench: 0.6,
            }],
        };
        let verdicts = verdicts(&facts);
        for (what, verdict) in [
            ("set-auth at 64, ratio to pgbench", Some(true)),
            ("set-auth at 256, ratio to pgbench", None),
            ("hand-out at 64, ratio to pgbench", Some(false)),
            ("set-auth at 64, p99", Some(false)),
            ("hand-out at 64, p99", Some(true)),
            ("set-auth at half its maximum, p99", None),
            ("memory of the server, idle", Some(true)),
            ("memory of the server after 256 connections", Some(false)),
            ("start to the first 200", Some(false)),
            ("program", Some(true)),
            ("wrong answers", Some(true)),
            (
                "set-auth at 64 on 5000000 rows, over 100000 (pgbench: 0.60)",
                Some(true),
            ),
        ] {
            assert_eq!(met(&verdicts, what), verdict, "{what}");
        }
    }
}
