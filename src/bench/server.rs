//! The server under test: this very program as a process of its own, as it is shipped, with everything on.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::error::{BenchError, attempting};
use super::stage::Stage;

/// How long a start may take.
const START: Duration = Duration::from_secs(30);
/// How long a stop may take before it is forced.
const STOP: Duration = Duration::from_secs(30);
/// How often a server that starts is asked whether it is ready.
const ASK: Duration = Duration::from_millis(1);

/// When the audit rows of hand-outs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// With the hand-out, the default.
    Sync,
    /// Together with others, within a second.
    Batched,
}

/// A running server. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Its process.
    pub pid: u32,
    /// From its start to the first 200 of `/readyz`.
    pub started: Duration,
    /// How its hand-outs are audited.
    pub reads: Reads,
}

impl Server {
    /// Starts it and waits until it is ready.
    pub async fn start(
        stage: &Stage,
        address: SocketAddr,
        reads: Reads,
    ) -> Result<Self, BenchError> {
        let failed = "starting the server to measure";
        let program = std::env::current_exe().map_err(attempting(failed))?;
        let log = File::options()
            .create(true)
            .append(true)
            .open(stage.file("server.log"))
            .map_err(attempting(failed))?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .env_clear()
            .env("DATABASE_URL", stage.url())
            .env("KEYWAY_ROOT_KEY_FILE", stage.root_key())
            .env("KEYWAY_LISTEN", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        if reads == Reads::Batched {
            command.env("KEYWAY_AUDIT_READS", "batched");
        }
        let begun = Instant::now();
        let mut child = command.spawn().map_err(attempting(failed))?;
        let pid = child.id().unwrap_or_default();
        while !is_ready(address).await {
            let ended = child.try_wait().map_err(attempting(failed))?;
            if ended.is_some() || begun.elapsed() > START {
                return Err(BenchError::Said(format!(
                    "the server to measure is not ready: {}",
                    last_line(stage)
                )));
            }
            sleep(ASK).await;
        }
        Ok(Self {
            child,
            pid,
            started: begun.elapsed(),
            reads,
        })
    }

    /// Asks it to stop and waits until it has.
    pub async fn stop(mut self) -> Result<(), BenchError> {
        let failed = "stopping the server that was measured";
        if let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) {
            // It fails only where the process has ended, which the wait shows.
            let _ = kill_process(pid, Signal::TERM);
        }
        match timeout(STOP, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(BenchError::Said(format!(
                "{failed}: it ended with {status}"
            ))),
            Ok(Err(error)) => Err(attempting(failed)(error)),
            Err(_) => self.child.kill().await.map_err(attempting(failed)),
        }
    }
}

/// Whether a server there answers `/readyz` with 200.
async fn is_ready(address: SocketAddr) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut answer = Vec::new();
        stream.take(4_096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    matches!(timeout(Duration::from_secs(2), ask).await, Ok(Ok(true)))
}

/// What the server said last.
fn last_line(stage: &Stage) -> String {
    let log = std::fs::read_to_string(stage.file("server.log")).unwrap_or_default();
    log.lines().last().unwrap_or("it said nothing").to_owned()
}

/// An address on the loopback interface: the one that was named, with a free port where it names none.
pub fn free_address(named: SocketAddr) -> Result<SocketAddr, BenchError> {
    std::net::TcpListener::bind(named)
        .and_then(|listener| listener.local_addr())
        .map_err(attempting(format!(
            "taking {named} for the server to measure"
        )))
}
