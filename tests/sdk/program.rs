//! The built program: a server of its own for each test, and its command line.

use std::fs::{DirBuilder, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What the first start may take, with other tests at work beside it.
const START: Duration = Duration::from_mins(1);

/// A file of the checkout.
pub fn checkout(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// `KEYWAY_SDK_BINARY`, or `target/release/keyway`, built from the sources as they are: its dependency file names them.
fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("KEYWAY_SDK_BINARY") {
        return program.into();
    }
    let program = checkout("target/release/keyway");
    let changed = |file: &Path| file.metadata().and_then(|facts| facts.modified());
    let Ok(built) = changed(&program) else {
        panic!(
            "{} is not there: run `make test`, which builds it",
            program.display()
        );
    };
    let dependencies =
        std::fs::read_to_string(checkout("target/release/keyway.d")).unwrap_or_default();
    let newer = dependencies
        .split_whitespace()
        .map(Path::new)
        .find(|source| changed(source).is_ok_and(|changed| changed > built));
    assert_eq!(
        newer, None,
        "target/release/keyway is older than this source: run `make test`, which builds it"
    );
    program
}

/// `program` without the settings of whoever runs the tests, apart from where `PostgreSQL` is.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if (text.starts_with("KEYWAY_") && text != "KEYWAY_PG_BIN_DIR") || text == "DATABASE_URL" {
            command.env_remove(name);
        }
    }
    command
}

/// `keyway serve` on a free loopback port, with a new data directory that goes with it.
pub struct Server {
    program: PathBuf,
    place: PathBuf,
    address: SocketAddr,
    process: Child,
}

impl Server {
    /// Starts it with these settings and waits until it is ready.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let program = program();
        let since_epoch = SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let name = format!(
            "keyway-sdk-{}-{}",
            std::process::id(),
            since_epoch.as_nanos()
        );
        let place = std::env::temp_dir().join(name);
        // As root, the database's own user must pass.
        DirBuilder::new().mode(0o755).create(&place).unwrap();
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        // What a start prints is shown nowhere: it has a key in it.
        let (printed, log) = (place.join("printed"), place.join("log"));
        let process = command(&program)
            .arg("--data-dir")
            .arg(place.join("data"))
            .args(["--listen", &address.to_string()])
            .envs(settings.iter().copied())
            .stdout(File::create(printed).unwrap())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self {
            program,
            place,
            address,
            process,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        while !self.is_ready() {
            let ended = self.process.try_wait().unwrap();
            let waits = ended.is_none() && begun.elapsed() < START;
            assert!(waits, "the server is not ready ({ended:?}): {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn is_ready(&self) -> bool {
        let mut answer = Vec::new();
        let asked = TcpStream::connect(self.address).and_then(|mut stream| {
            stream.set_read_timeout(Some(Duration::from_secs(5)))?;
            stream.write_all(
                b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
            )?;
            stream.read_to_end(&mut answer)
        });
        asked.is_ok() && answer.starts_with(b"HTTP/1.1 200 ")
    }

    /// Everything that it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.place.join("log")).unwrap_or_default()
    }

    /// The statuses of its answers on one route, in their order, as its log tells them (`KEYWAY_LOG=json,info`).
    pub fn answered(&self, method: &str, route: &str) -> Vec<u64> {
        let log = self.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == "answered")
            .filter(|line| line["span"]["method"] == method && line["span"]["route"] == route)
            .map(|line| line["span"]["status"].as_u64().unwrap())
            .collect()
    }

    pub fn data_dir(&self) -> PathBuf {
        self.place.join("data")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a tenant on the command line, while the server runs; returns its name.
    pub fn tenant(&self, name: &str) -> String {
        let made = self.command_line(&["tenant", "create", name]);
        assert_eq!(made["name"], name);
        name.to_owned()
    }

    /// Makes an API key with these scopes, or the default ones.
    pub fn key(&self, tenant: &str, scopes: &[&str]) -> String {
        let mut arguments = vec!["key", "create", "--tenant", tenant];
        arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
        let made = self.command_line(&arguments);
        made["api_key"].as_str().unwrap().to_owned()
    }

    fn command_line(&self, arguments: &[&str]) -> Value {
        let output = command(&self.program)
            .args(arguments)
            .arg("--json")
            .arg("--data-dir")
            .arg(self.data_dir())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "keyway {arguments:?}: {} {said}",
            output.status
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.process.id().cast_signed()) {
            kill_process(pid, Signal::TERM).ok();
        }
        let ended = self.process.wait();
        if std::thread::panicking() {
            eprintln!("the server ({ended:?}) said:\n{}", self.log());
        } else {
            assert!(
                ended.is_ok_and(|status| status.success()),
                "the server stops in order: {}",
                self.log()
            );
        }
        std::fs::remove_dir_all(&self.place).ok();
    }
}
