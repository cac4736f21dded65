//! What is measured: every series by name, with the text that explains it.

/// A family of series: one name, any labels.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// Its name.
    pub name: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// What it says, for the `# HELP` line.
    pub help: &'static str,
}

/// How a series behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only grows, from zero at the start.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values into buckets of these upper bounds.
    Histogram(&'static [f64]),
}

/// Seconds, for requests that take from a tenth of a millisecond to ten seconds.
const LATENCY: &[f64] = &[
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];
/// Calls that one round trip carried.
const BATCH: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];

const fn counter(name: &'static str, help: &'static str) -> Series {
    let kind = Kind::Counter;
    Series { name, kind, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Series {
    let kind = Kind::Gauge;
    Series { name, kind, help }
}

const fn histogram(name: &'static str, buckets: &'static [f64], help: &'static str) -> Series {
    let kind = Kind::Histogram(buckets);
    Series { name, kind, help }
}

/// Every series of the server.
pub const SERIES: &[Series] = &[
    counter(
        "keyway_http_requests_total",
        "Requests answered, by dialect, route template, method and status.",
    ),
    histogram(
        "keyway_http_request_duration_seconds",
        LATENCY,
        "From the whole head of a request to its answer, by dialect, route template, method and status.",
    ),
    gauge(
        "keyway_http_requests_in_flight",
        "Requests that are being handled.",
    ),
    counter(
        "keyway_http_requests_abandoned_total",
        "Requests whose client went away before the answer.",
    ),
    counter(
        "keyway_rate_limited_total",
        "Requests refused with 429, by whose rate limit they met: key or tenant.",
    ),
    gauge(
        "keyway_http_connections",
        "Open connections of the main listener.",
    ),
    gauge(
        "keyway_db_connections",
        "Connections of the pool to Postgres.",
    ),
    gauge(
        "keyway_db_connections_idle",
        "Connections of the pool that nobody uses.",
    ),
    gauge(
        "keyway_db_turns",
        "How many transactions may run at once, by kind of turn.",
    ),
    gauge(
        "keyway_db_turns_in_use",
        "Transactions that hold a turn, by kind of turn.",
    ),
    gauge(
        "keyway_db_turns_waiting",
        "Transactions that wait for a turn, by kind of turn.",
    ),
    counter(
        "keyway_db_acquire_timeouts_total",
        "Transactions that got no turn in time, by kind of turn.",
    ),
    counter(
        "keyway_db_transactions_total",
        "Attempts at a transaction, by kind and outcome.",
    ),
    gauge(
        "keyway_lane_waiting",
        "Calls that wait in a lane to be sent to Postgres.",
    ),
    histogram(
        "keyway_lane_batch_items",
        BATCH,
        "Calls that one round trip of a lane carried.",
    ),
    counter(
        "keyway_lane_calls_total",
        "Calls of a lane that have ended, by outcome.",
    ),
    counter(
        "keyway_key_cache_lookups_total",
        "Look-ups in the caches of data keys and API keys, by cache and outcome.",
    ),
    counter("keyway_sealed_total", "Secrets sealed under a data key."),
    counter("keyway_opened_total", "Sealed secrets opened."),
    counter(
        "keyway_open_failures_total",
        "Sealed secrets that did not open, by reason: refused (altered or moved), unknown_key (as for a moment after a rotation).",
    ),
    counter(
        "keyway_credentials_handed_out_total",
        "Credentials opened in the clear for a hand-out.",
    ),
    counter(
        "keyway_audit_rows_total",
        "Rows written to the audit log, including those of transactions that did not commit.",
    ),
    gauge("keyway_build_info", "Always 1; the label is the version."),
    gauge(
        "process_start_time_seconds",
        "When the process began, in seconds since 1970.",
    ),
    gauge(
        "process_cpu_seconds_total",
        "Processor time that the process has used.",
    ),
    gauge(
        "process_resident_memory_bytes",
        "Memory of the process that is in RAM.",
    ),
    gauge("process_open_fds", "Open file descriptors."),
    gauge("process_max_fds", "How many file descriptors may be open."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_buckets_rise() {
        let mut names: Vec<_> = SERIES.iter().map(|series| series.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), SERIES.len());
        for series in SERIES {
            if let Kind::Histogram(buckets) = series.kind {
                assert!(!buckets.is_empty() && buckets.is_sorted_by(|one, next| one < next));
            }
        }
    }
}
