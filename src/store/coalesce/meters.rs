//! What a lane tells the metrics. The handles are made once: looking one up costs more than counting.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// The handles of one lane.
pub(super) struct Meters {
    waiting: Gauge,
    items: Histogram,
    done: Counter,
    refused: Counter,
    broken: Counter,
}

impl Meters {
    pub(super) fn of(lane: &'static str) -> Self {
        let calls =
            |outcome| counter!("keyway_lane_calls_total", "lane" => lane, "outcome" => outcome);
        Self {
            waiting: gauge!("keyway_lane_waiting", "lane" => lane),
            items: histogram!("keyway_lane_batch_items", "lane" => lane),
            done: calls("done"),
            refused: calls("refused"),
            broken: calls("broken"),
        }
    }

    /// So many items waited when the task came for them.
    pub(super) fn waiting(&self, items: usize) {
        self.waiting.set(number(items));
    }

    /// A call of so many items is made.
    pub(super) fn called(&self, items: usize) {
        self.items.record(number(items));
    }

    pub(super) fn done(&self) {
        self.done.increment(1);
    }

    pub(super) fn refused(&self) {
        self.refused.increment(1);
    }

    pub(super) fn broken(&self) {
        self.broken.increment(1);
    }
}

fn number(items: usize) -> f64 {
    u32::try_from(items).map_or(f64::MAX, f64::from)
}
