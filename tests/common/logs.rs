//! What the process logs, kept in memory, with everything that Keyway can log.

use std::io;
use std::sync::{Mutex, Once};

use keyway::telemetry::Telemetry;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Memory;

impl io::Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LINES
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Begins to keep what is logged, once per process. Where the log stands now.
pub fn capture() -> usize {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let telemetry = Telemetry::from_setting(Some("json,trace")).unwrap();
        tracing::subscriber::set_global_default(telemetry.subscriber(|| Memory)).unwrap();
    });
    LINES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .len()
}

/// Everything logged since the log stood at `begin`.
pub fn since(begin: usize) -> String {
    let lines = LINES
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    String::from_utf8_lossy(&lines[begin..]).into_owned()
}

/// The events of one request, in order.
pub fn of_request(request_id: &str) -> Vec<serde_json::Value> {
    let lines = since(0);
    let events = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events
        .filter(|event| event["span"]["request_id"] == request_id)
        .collect()
}
