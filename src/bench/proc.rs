//! What processes use, as Linux tells it in `/proc` (proc(5)): CPU time, memory, load. Elsewhere nothing is known, and
//! the results say so with null.

use std::fs;
use std::time::Duration;

use serde::Serialize;

/// Clock ticks a second in `/proc` (`USER_HZ`): 100 on every machine that Rust's std supports on Linux.
const TICKS: f64 = 100.0;

/// CPU seconds since the start of each, at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    server: f64,
    postgres: f64,
    own: f64,
    children: f64,
    machine: f64,
}

/// CPU seconds that were used between two moments.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Used {
    /// The server process, all its threads.
    pub server: f64,
    /// The postmaster and all its children, ended ones too.
    pub postgres: f64,
    /// This process: the load generator.
    pub generator: f64,
    /// Processes that this one has waited for: pgbench.
    pub pgbench: f64,
    /// Everything else on the machine, time stolen by its host included.
    pub foreign: f64,
}

/// The processes to watch.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    /// The server.
    pub server: u32,
    /// The postmaster.
    pub postmaster: u32,
}

impl Times {
    /// Now; `None` where the machine does not tell.
    pub fn now(watched: Watched) -> Option<Self> {
        let own = Stat::of(std::process::id())?;
        Some(Self {
            server: Stat::of(watched.server)?.own(),
            postgres: family(watched.postmaster)?,
            own: own.own(),
            children: own.waited_for,
            machine: machine()?,
        })
    }

    /// What was used since `before`.
    pub fn since(self, before: Self) -> Used {
        let between = |now: f64, before: f64| (now - before).max(0.0);
        let (server, postgres) = (
            between(self.server, before.server),
            between(self.postgres, before.postgres),
        );
        let (generator, pgbench) = (
            between(self.own, before.own),
            between(self.children, before.children),
        );
        let known = server + postgres + generator + pgbench;
        Used {
            server,
            postgres,
            generator,
            pgbench,
            foreign: (between(self.machine, before.machine) - known).max(0.0),
        }
    }
}

/// What `/proc/PID/stat` says, in seconds.
struct Stat {
    parent: u32,
    used: f64,
    waited_for: f64,
}

impl Stat {
    fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name, in parentheses, may hold anything; the fields follow the last one.
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            used: (ticks(11)? + ticks(12)?) / TICKS,
            waited_for: (ticks(13)? + ticks(14)?) / TICKS,
        })
    }

    fn own(&self) -> f64 {
        self.used
    }
}

/// What a process and all its children have used, those that it has waited for included.
fn family(pid: u32) -> Option<f64> {
    let head = Stat::of(pid)?;
    let mut sum = head.used + head.waited_for;
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let child = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(stat) = child.and_then(Stat::of)
            && stat.parent == pid
        {
            sum += stat.used + stat.waited_for;
        }
    }
    Some(sum)
}

/// What the whole machine has used: user, nice, system, irq, softirq, steal.
fn machine() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<f64> = line
        .split_whitespace()
        .filter_map(|field| field.parse().ok())
        .collect();
    let sum: f64 = [0, 1, 2, 5, 6, 7]
        .into_iter()
        .filter_map(|index| fields.get(index))
        .sum();
    Some(sum / TICKS)
}

/// The load average of the last minute.
pub fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Memory {
    /// Resident now (`VmRSS`).
    pub resident: u64,
    /// The most that ever was (`VmHWM`).
    pub peak: u64,
}

/// The memory of a process.
pub fn memory(pid: u32) -> Option<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some(Memory {
        resident: field("VmRSS:")?,
        peak: field("VmHWM:")?,
    })
}

/// The name of the processor.
pub fn cpu_model() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The memory of the machine, in MiB.
pub fn machine_memory() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib / 1_024)
}

/// The version of the kernel.
pub fn kernel() -> Option<String> {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").ok()?;
    Some(text.trim().to_owned())
}

/// Microseconds of CPU for each of `requests`.
pub fn per_request(seconds: f64, requests: u64) -> Option<f64> {
    let count = u32::try_from(requests).ok().filter(|count| *count > 0)?;
    let micros = Duration::try_from_secs_f64(seconds).ok()?.as_secs_f64() * 1e6;
    Some(micros / f64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_with_parentheses_in_its_name_is_read() {
        let text = "12 (a) b (c)) S 7 1 1 0 -1 4194560 1 2 3 4 250 50 30 20 20 0 9 0 100";
        let stat = Stat::parse(text).expect("it has the form");
        assert_eq!(stat.parent, 7);
        assert!((stat.used - 3.0).abs() < 1e-9 && (stat.waited_for - 0.5).abs() < 1e-9);
    }

    #[test]
    fn what_nobody_known_has_used_is_foreign() {
        let before = Times::default();
        let now = Times {
            server: 1.0,
            postgres: 2.0,
            own: 0.5,
            children: 0.25,
            machine: 4.0,
        };
        let used = now.since(before);
        assert!((used.foreign - 0.25).abs() < 1e-9);
        assert!(per_request(1.0, 0).is_none());
        assert!((per_request(0.5, 1_000).expect("requests") - 500.0).abs() < 1e-6);
    }
}
