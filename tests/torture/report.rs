//! What is told of a fault: a line after each test, and in the full form `bench/torture.json` and `bench/torture.md`,
//! which grow with every test that ends.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;
use crate::scale;

/// The result file of one fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    fault: String,
    /// How often it was injected.
    count: u64,
    /// Of `count`, e.g. "kills", "disconnects".
    unit: String,
    acknowledged: u64,
    handed_out: u64,
    unknown: u64,
    refused: u64,
    lost: u64,
    phantom: u64,
    torn: u64,
    audit: u64,
    wrong: u64,
    late: u64,
    recovery_median_ms: Option<f64>,
    recovery_max_ms: Option<f64>,
    seconds: f64,
    /// The machine's load average over one minute, at the begin and at the end.
    load: [f64; 2],
    processors: usize,
    /// Unix time of the end.
    at: u64,
    notes: Vec<String>,
}

/// A fault under way.
pub struct Report {
    fault: &'static str,
    unit: &'static str,
    begun: Instant,
    load: f64,
    recoveries: Vec<Duration>,
    notes: Vec<String>,
}

impl Report {
    /// Begins the clock of one fault, whose count is of `unit`.
    pub fn begin(fault: &'static str, unit: &'static str) -> Self {
        Self {
            fault,
            unit,
            begun: Instant::now(),
            load: load_average(),
            recoveries: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The service was back after this time.
    pub fn recovered(&mut self, after: Duration) {
        self.recoveries.push(after);
    }

    /// Something else that was measured.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Tells it, writes it in the full form, and fails where anything was lost, phantom, torn, unaudited or answered
    /// wrongly.
    pub fn finish(mut self, ledger: &Ledger, count: u64) {
        self.recoveries.sort();
        let milliseconds = |time: &Duration| time.as_secs_f64() * 1e3;
        let counts = ledger.counts();
        let row = Row {
            fault: self.fault.to_owned(),
            count,
            unit: self.unit.to_owned(),
            acknowledged: counts.acknowledged,
            handed_out: counts.handed_out,
            unknown: counts.unknown,
            refused: counts.refused,
            lost: counts.lost,
            phantom: counts.phantom,
            torn: counts.torn,
            audit: counts.audit,
            wrong: counts.wrong,
            late: counts.late,
            recovery_median_ms: self
                .recoveries
                .get(self.recoveries.len() / 2)
                .map(milliseconds),
            recovery_max_ms: self.recoveries.last().map(milliseconds),
            seconds: self.begun.elapsed().as_secs_f64(),
            load: [self.load, load_average()],
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            at: SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs(),
            notes: self.notes,
        };
        eprintln!("{}", serde_json::to_string(&row).unwrap());
        if scale::full() {
            write(row);
        }
        let faults = [
            counts.lost,
            counts.phantom,
            counts.torn,
            counts.audit,
            counts.wrong,
        ];
        assert_eq!(
            faults,
            [0; 5],
            "lost, phantom, torn, audit, wrong: {:#?}",
            ledger.findings()
        );
    }
}

fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let first = text.split_whitespace().next();
    first.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// Puts the row in the place of its fault's former one.
fn write(row: Row) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench");
    std::fs::create_dir_all(&place).unwrap();
    let file = place.join("torture.json");
    let mut rows: Vec<Row> = std::fs::read(&file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    rows.retain(|other| other.fault != row.fault);
    rows.push(row);
    rows.sort_by(|one, other| one.fault.cmp(&other.fault));
    std::fs::write(&file, serde_json::to_string_pretty(&rows).unwrap() + "\n").unwrap();
    std::fs::write(place.join("torture.md"), table(&rows)).unwrap();
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "# Torture\n\n\
         Written by `make torture`. A client with a ledger of every acknowledged write works against the built server \
         while the fault is injected; afterwards a fresh session compares. *Unknown*: 5xx or a broken connection, where \
         either outcome is legal. *Audit*: rows that are missing, double, or of a refused request. *Wrong*: answers that \
         there must not be. Recovery in milliseconds, median and longest.\n\n\
         | fault | count | acknowledged | handed out | unknown | refused | lost | phantom | torn | audit | wrong | recovery | seconds | load |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let recovery = match (row.recovery_median_ms, row.recovery_max_ms) {
            (Some(median), Some(longest)) => format!("{median:.0} / {longest:.0}"),
            _ => "–".to_owned(),
        };
        let (fault, unit) = (&row.fault, &row.unit);
        writeln!(
            text,
            "| {fault} | {} {unit} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {recovery} | {:.0} | {:.1}–{:.1} |",
            row.count,
            row.acknowledged,
            row.handed_out,
            row.unknown,
            row.refused,
            row.lost,
            row.phantom,
            row.torn,
            row.audit,
            row.wrong,
            row.seconds,
            row.load[0],
            row.load[1],
        )
        .unwrap();
    }
    text.push('\n');
    for row in rows.iter().filter(|row| !row.notes.is_empty()) {
        writeln!(text, "- **{}**: {}", row.fault, row.notes.join("; ")).unwrap();
    }
    text
}
