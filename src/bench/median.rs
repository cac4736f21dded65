//! From rounds to one figure.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;

use super::path::Path;
use super::proc;
use super::results::{Cell, ConstantRate, Latency, Summary};

/// The middle one, or the mean of the two in the middle; `None` of none.
pub fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    Some(if sorted.len().is_multiple_of(2) {
        f64::midpoint(*sorted.get(middle - 1)?, upper)
    } else {
        upper
    })
}

/// Latencies of a histogram of microseconds, in milliseconds.
pub fn latency(histogram: &Histogram<u64>) -> Latency {
    if histogram.is_empty() {
        return Latency::default();
    }
    let at = |quantile| millis(histogram.value_at_quantile(quantile));
    Latency {
        p50: at(0.5),
        p99: at(0.99),
        p99_9: at(0.999),
        max: millis(histogram.max()),
    }
}

fn millis(micros: u64) -> f64 {
    std::time::Duration::from_micros(micros).as_secs_f64() * 1e3
}

/// The medians of every path and concurrency.
pub fn summary(cells: &[Cell], cores: usize) -> Vec<Summary> {
    let mut groups: BTreeMap<(Path, u32), Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        groups
            .entry((cell.path, cell.connections))
            .or_default()
            .push(cell);
    }
    groups
        .into_iter()
        .filter_map(|((path, connections), cells)| of_group(path, connections, &cells, cores))
        .collect()
}

/// The medians of the constant rates of each path.
pub fn constant_rates(runs: &[ConstantRate]) -> Vec<ConstantRate> {
    let mut groups: BTreeMap<Path, Vec<&ConstantRate>> = BTreeMap::new();
    for run in runs {
        groups.entry(run.path).or_default().push(run);
    }
    groups
        .into_iter()
        .filter_map(|(path, runs)| {
            let of = |figure: fn(&ConstantRate) -> f64| median(runs.iter().map(|run| figure(run)));
            Some(ConstantRate {
                path,
                rate: of(|run| run.rate)?,
                achieved: of(|run| run.achieved)?,
                failures: runs.iter().map(|run| run.failures).sum(),
                latency_ms: Latency {
                    p50: of(|run| run.latency_ms.p50)?,
                    p99: of(|run| run.latency_ms.p99)?,
                    p99_9: of(|run| run.latency_ms.p99_9)?,
                    max: of(|run| run.latency_ms.max)?,
                },
            })
        })
        .collect()
}

fn of_group(path: Path, connections: u32, cells: &[&Cell], cores: usize) -> Option<Summary> {
    let of = |figure: fn(&Cell) -> f64| median(cells.iter().map(|cell| figure(cell)));
    let known = |figure: &dyn Fn(&Cell) -> Option<f64>| {
        median(cells.iter().filter_map(|cell| figure(cell)))
    };
    let ratios = || cells.iter().map(|cell| cell.ratio);
    let per_request = |part: fn(&proc::Used) -> f64| {
        move |cell: &Cell| {
            let used = cell.server.cpu_seconds.as_ref()?;
            proc::per_request(part(used), cell.server.requests)
        }
    };
    let foreign = cells.iter().filter_map(|cell| foreign(cell, cores));
    Some(Summary {
        path,
        connections,
        per_second: of(|cell| cell.server.per_second)?,
        pgbench_per_second: of(|cell| cell.pgbench.per_second)?,
        ratio: median(ratios())?,
        ratio_range: (
            ratios().fold(f64::INFINITY, f64::min),
            ratios().fold(0.0, f64::max),
        ),
        latency_ms: Latency {
            p50: of(|cell| cell.server.latency_ms.p50)?,
            p99: of(|cell| cell.server.latency_ms.p99)?,
            p99_9: of(|cell| cell.server.latency_ms.p99_9)?,
            max: of(|cell| cell.server.latency_ms.max)?,
        },
        failures: cells.iter().map(|cell| cell.server.failures).sum(),
        server_us: known(&per_request(|used| used.server)),
        postgres_us: known(&per_request(|used| used.postgres)),
        generator_us: known(&per_request(|used| used.generator)),
        baseline_postgres_us: known(&|cell| {
            let used = cell.pgbench.cpu_seconds.as_ref()?;
            proc::per_request(used.postgres, cell.pgbench.calls)
        }),
        foreign_percent: foreign.reduce(f64::max),
    })
}

/// What others used of the machine while the server was measured, in percent of all cores.
fn foreign(cell: &Cell, cores: usize) -> Option<f64> {
    let used = cell.server.cpu_seconds?;
    let all = used.server + used.postgres + used.generator + used.pgbench + used.foreign;
    // The length of the window is not kept; a machine under load is busy for all of it, so this errs on the high side.
    let window = cell.server.window(cores).max(all);
    (window > 0.0).then(|| used.foreign / window * 100.0)
}

impl super::results::Measured {
    /// CPU seconds that the machine had in the measured time.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests and cores")]
    fn window(&self, cores: usize) -> f64 {
        if self.per_second > 0.0 {
            self.requests as f64 / self.per_second * cores as f64
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{Baseline, Measured};

    fn cell(round: u32, server: f64, pgbench: f64) -> Cell {
        Cell {
            round,
            path: Path::SetAuth,
            connections: 64,
            server_first: true,
            server: Measured {
                per_second: server,
                requests: 1_000,
                failures: 1,
                first_failure: None,
                read_back: None,
                latency_ms: Latency {
                    p99: server / 10.0,
                    ..Latency::default()
                },
                cpu_seconds: None,
                resident_kib: None,
            },
            pgbench: Baseline {
                per_second: pgbench,
                calls: 1_000,
                latency_ms: 1.0,
                cpu_seconds: None,
            },
            ratio: server / pgbench,
            load_average: None,
        }
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn ratios_are_taken_within_a_round_before_their_median() {
        // The machine was slower in the second round, for both.
        let cells = [
            cell(1, 200.0, 100.0),
            cell(2, 50.0, 20.0),
            cell(3, 210.0, 70.0),
        ];
        let summary = summary(&cells, 2);
        assert_eq!(summary.len(), 1);
        let all = &summary[0];
        assert!((all.ratio - 2.5).abs() < 1e-9, "{all:?}");
        assert_eq!(all.ratio_range, (2.0, 3.0));
        assert!((all.per_second - 200.0).abs() < 1e-9);
        assert!((all.latency_ms.p99 - 20.0).abs() < 1e-9);
        assert_eq!(all.failures, 3);
        assert_eq!(all.server_us, None);
    }

    #[test]
    fn one_bad_round_does_not_make_the_constant_rate() {
        let run = |p99, failures| ConstantRate {
            path: Path::HandOut,
            rate: 100.0,
            achieved: 100.0,
            failures,
            latency_ms: Latency {
                p99,
                ..Latency::default()
            },
        };
        let all = constant_rates(&[run(3.0, 0), run(400.0, 1), run(2.0, 1)]);
        assert_eq!(all.len(), 1);
        assert!((all[0].latency_ms.p99 - 3.0).abs() < 1e-9);
        assert_eq!(all[0].failures, 2);
    }

    #[test]
    fn percentiles_are_milliseconds() {
        let mut histogram = Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds");
        assert!(latency(&histogram).p99.abs() < 1e-9);
        for micros in 1..=1_000_u64 {
            histogram.record(micros * 10).expect("within");
        }
        let latency = latency(&histogram);
        assert!((latency.p50 - 5.0).abs() < 0.01, "{latency:?}");
        assert!((latency.p99 - 9.9).abs() < 0.01, "{latency:?}");
        assert!((latency.p99_9 - 9.99).abs() < 0.01, "{latency:?}");
    }
}
