//! `keyway` as a child process.

use std::ffi::OsStr;
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::common::client::{Client, Key, Line};
use crate::place::Place;

pub const KEYWAY: &str = env!("CARGO_BIN_EXE_keyway");

/// A run of the program, with no settings but those given.
pub struct Run(Command);

/// `keyway` with these arguments, separated by spaces.
pub fn keyway(arguments: &str) -> Run {
    let mut command = Command::new(KEYWAY);
    command
        .args(arguments.split_whitespace())
        .env_clear()
        .stdin(Stdio::null())
        .kill_on_drop(true);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    Run(command)
}

impl Run {
    pub fn on(self, place: &Place) -> Self {
        self.env("KEYWAY_DATA_DIR", place.data_dir())
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    /// Runs it to its end.
    pub async fn answer(mut self) -> Answer {
        let begun = Instant::now();
        let output = timeout(Duration::from_mins(1), self.0.output());
        let output = output.await.expect("it ends within a minute").unwrap();
        Answer {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took: begun.elapsed(),
        }
    }

    /// Starts it as a server, whose output goes to files beside the data directory.
    pub fn spawn(mut self, place: &Place) -> Server {
        let (stdout, stderr) = (place.file("stdout"), place.file("stderr"));
        self.0.stdout(File::create(&stdout).unwrap());
        self.0.stderr(File::create(&stderr).unwrap());
        Server {
            child: self.0.spawn().unwrap(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            stdout,
            stderr,
        }
    }

    /// Starts it as a server on a free port and waits until it is ready.
    pub async fn serve(self, place: &Place) -> Server {
        let mut server = self.env("KEYWAY_LISTEN", "127.0.0.1:0").spawn(place);
        server.ready().await;
        server
    }
}

/// What a command said.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Answer {
    /// The result, where the command succeeded.
    pub fn ok(&self) -> &str {
        assert_eq!(self.code, 0, "{self:?}");
        &self.stdout
    }

    /// The JSON document on stdout, where the command succeeded.
    pub fn json(&self) -> Value {
        serde_json::from_str(self.ok()).unwrap()
    }

    /// What it complained of: it failed with this code, and printed no result.
    pub fn refusal(&self, code: i32) -> &str {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        &self.stderr
    }
}

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Server {
    async fn ready(&mut self) {
        let begun = Instant::now();
        let address = loop {
            let said = self.logged("keyway is ready");
            if let Some(address) = said.as_ref().and_then(|event| event["address"].as_str()) {
                break address.parse().unwrap();
            }
            let ended = self.child.try_wait().unwrap();
            let said = self.logs();
            assert!(ended.is_none(), "it ended ({ended:?}): {said}");
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "never ready: {said}"
            );
            sleep(Duration::from_millis(2)).await;
        };
        self.address = address;
    }

    /// The first event with this message, once it is there.
    pub fn logged(&self, message: &str) -> Option<Value> {
        let logs = self.logs();
        let mut events = logs
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.find(|event| event["message"] == message)
    }

    pub fn stdout(&self) -> String {
        std::fs::read_to_string(&self.stdout).unwrap()
    }

    pub fn logs(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap()
    }

    pub fn pid(&self) -> Pid {
        let id = self.child.id().expect("it has not been waited for");
        Pid::from_raw(id.try_into().unwrap()).unwrap()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits for its end: the exit code, or the signal that ended it as a negative number.
    pub async fn ended(&mut self) -> i32 {
        let ended = timeout(Duration::from_secs(40), self.child.wait()).await;
        let status = ended.expect("it ends").unwrap();
        status.code().unwrap_or_else(|| -status.signal().unwrap())
    }

    /// Asks it to stop: everything it started stops with it.
    pub async fn stop(mut self, place: &Place) {
        self.signal(Signal::TERM);
        assert_eq!(self.ended().await, 0, "{}", self.logs());
        assert!(!place.has_postgres());
    }

    /// The API key that the first start has shown.
    pub fn shown_key(&self) -> String {
        let stdout = self.stdout();
        let mut lines = stdout.lines();
        let key = lines.find_map(|line| line.trim().strip_prefix("export KEYWAY_KEY="));
        key.expect("a key was shown").to_owned()
    }

    /// A client of the Klavis and Langdock dialects with this key.
    pub fn client(&self, key: &str) -> Client {
        let key = Key::of("authorization", &format!("Bearer {key}"));
        Client::new(Arc::new(Line::new(self.address)), Some(key))
    }

    /// A client of the Composio dialect with this key.
    pub fn composio(&self, key: &str) -> Client {
        let key = Key::of("x-api-key", key);
        Client::new(Arc::new(Line::new(self.address)), Some(key))
    }
}
