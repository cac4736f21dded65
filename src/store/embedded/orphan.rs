//! A Postgres, or the files of one, that an earlier guard left behind. Called under the guard's
//! lock, so no other guard is at work.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::net::UnixStream;

use super::error::EmbeddedError;
use super::layout::Layout;

/// How long an orphan may take to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a process that no longer takes connections may take to remove its files.
const LAST_BREATH: Duration = Duration::from_secs(3);

/// Stops an orphan, and removes the pair of files of one that is dead. A process is signalled only
/// when `postmaster.pid` and the socket's lock name it, the socket accepts, and the kernel, where
/// it tells, says that this very process listens there.
///
/// # Errors
/// `Orphan` when it still runs after 30 s.
pub(super) async fn clear(layout: &Layout) -> Result<(), EmbeddedError> {
    let begun = Instant::now();
    let mut stopped = None;
    while begun.elapsed() < PATIENCE {
        let by_data = named_in(&layout.postmaster_pid());
        let by_socket = named_in(&layout.socket_lock());
        if !layout.postmaster_pid().exists() && !layout.socket_lock().exists() {
            return Ok(());
        }
        match UnixStream::connect(layout.socket()).await {
            Ok(stream) => {
                let listener = stream.peer_cred().ok().and_then(|peer| peer.pid());
                if let Some(pid) = by_data
                    && by_socket == Some(pid)
                    && listener.is_none_or(|listener| listener == pid)
                    && stopped != Some(pid)
                {
                    stop(pid);
                    stopped = Some(pid);
                }
            }
            Err(_nobody_accepts) => {
                let may_be_ending = [by_data, by_socket].into_iter().flatten().any(is_postgres);
                if !may_be_ending || begun.elapsed() > LAST_BREATH {
                    return remove_files(layout);
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(EmbeddedError::Orphan(layout.data()))
}

/// Waits up to 3 s for a process that still works on a cluster in the making, whose initdb was
/// killed: it sees that soon, and releases its shared memory only when its files are still there.
pub(super) async fn let_end(unfinished: &Path) {
    let begun = Instant::now();
    while begun.elapsed() < LAST_BREATH
        // Without a postmaster, the number is written as a negative one.
        && named_in(&unfinished.join("postmaster.pid"))
            .is_some_and(|pid| is_postgres(pid.saturating_abs()))
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The process that the first line of such a file names.
fn named_in(path: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Fast shutdown: cuts its connections and ends cleanly.
fn stop(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // A failure shows as an orphan that stays.
        let _ = kill_process(pid, Signal::INT);
    }
}

/// Whether the process may be a Postgres. Only decides how long to wait, never whom to signal.
fn is_postgres(pid: i32) -> bool {
    if cfg!(target_os = "linux") {
        return std::fs::read_to_string(format!("/proc/{pid}/comm"))
            .is_ok_and(|name| name.trim() == "postgres");
    }
    Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

fn remove_files(layout: &Layout) -> Result<(), EmbeddedError> {
    for path in [
        layout.postmaster_pid(),
        layout.socket_lock(),
        layout.socket(),
    ] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(EmbeddedError::io("could not remove the stale file", &path)(
                    error,
                ));
            }
            _ => {}
        }
    }
    Ok(())
}
