//! What the process itself uses, read when metrics are rendered. Names as in Prometheus' own client libraries; what
//! the system does not tell (memory and files outside Linux) is left out.

use std::fs;
use std::sync::LazyLock;
use std::time::SystemTime;

use metrics::gauge;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// When measuring began, which a server does within the first milliseconds of its life.
static BEGAN: LazyLock<f64> = LazyLock::new(|| {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
});

/// Notes the time as that of the start.
pub(super) fn begin() {
    LazyLock::force(&BEGAN);
}

/// Hands the numbers of now to the recorder.
pub(super) fn publish() {
    gauge!("process_start_time_seconds").set(*BEGAN);
    // A gauge, since the recorder's counters are whole numbers; it only grows all the same.
    gauge!("process_cpu_seconds_total").set(cpu_seconds());
    if let Some(bytes) = resident_bytes() {
        gauge!("process_resident_memory_bytes").set(bytes);
    }
    if let Some(count) = open_files() {
        gauge!("process_open_fds").set(count);
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        gauge!("process_max_fds").set(rough(most));
    }
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    rough(used.tv_sec.cast_unsigned()) + rough(used.tv_nsec.cast_unsigned()) / 1e9
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    resident_in(&status)
}

/// `VmRSS:     1234 kB`, in bytes.
fn resident_in(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(rough(kibibytes.saturating_mul(1_024)))
}

/// Without the one that the look itself opens.
fn open_files() -> Option<f64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count.saturating_sub(1)).ok().map(rough)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a gauge is an f64, and 53 bits are exact enough for one"
)]
fn rough(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_bytes() {
        let status = "Name:\tkeyway\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(resident_in(status), Some(1_048_576.0));
        assert_eq!(resident_in("Name:\tkeyway\n"), None);
        assert_eq!(resident_in("VmRSS:\tmuch\n"), None);
    }

    #[test]
    fn a_running_process_has_used_time() {
        assert!(cpu_seconds() > 0.0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_running_process_has_memory_and_files() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1e6));
        assert!(open_files().is_some_and(|count| count > 0.0));
    }
}
