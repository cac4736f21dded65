//! The guard: the process that owns Postgres for as long as somebody needs it.
//!
//! `keyway guard DIR` says one line on standard output, `ready`, `busy: …` or `error: …`, and
//! stops Postgres when its standard input closes, so also when the server is killed. INT, TERM and
//! HUP do not reach Postgres through it: a Ctrl-C lets the server drain first.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::account::Account;
use super::cluster::Cluster;
use super::error::EmbeddedError;
use super::layout::Layout;
use super::owner::Owner;
use super::{binaries, process};

/// How long a guard waits for the one before it.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// Whom a cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A server: durable, ends with its standard input.
    Serve,
    /// Tests: not durable; ends, and removes its directory, when nobody has shared it for the
    /// linger time (`--linger`, milliseconds, 3,000 unless told).
    Test,
}

#[derive(Debug)]
struct GuardOptions {
    data_dir: PathBuf,
    bin_dir: Option<PathBuf>,
    profile: Profile,
    linger: Duration,
}

/// Runs the hidden subcommands `guard DIR [--bin-dir DIR] [--profile test] [--linger MS]` and
/// `pg-exec …` when `arguments` (those of the process, its name first) ask for one, else `None`.
/// To be called from the main thread, before any runtime, thread or logging is started.
pub fn dispatch(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    let subcommand = arguments.next()?;
    if subcommand == process::PG_EXEC {
        return Some(process::pg_exec(arguments));
    }
    if subcommand != "guard" {
        return None;
    }
    Some(if let Some(options) = parse(arguments) {
        run(&options)
    } else {
        say("error: usage: keyway guard DIR [--bin-dir DIR] [--profile test] [--linger MS]");
        ExitCode::FAILURE
    })
}

fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<GuardOptions> {
    let mut options = GuardOptions {
        data_dir: PathBuf::from(arguments.next()?),
        bin_dir: std::env::var_os("KEYWAY_PG_BIN_DIR").map(PathBuf::from),
        profile: Profile::Serve,
        linger: Duration::from_secs(3),
    };
    while let Some(flag) = arguments.next() {
        let value = arguments.next()?;
        match flag.to_str()? {
            "--bin-dir" => options.bin_dir = Some(PathBuf::from(value)),
            "--profile" if value == "test" => options.profile = Profile::Test,
            "--linger" => options.linger = Duration::from_millis(value.to_str()?.parse().ok()?),
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &GuardOptions) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("error: the guard could not start: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(guard(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ EmbeddedError::InUse(_)) => {
            say(&format!("busy: {error}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn guard(options: &GuardOptions) -> Result<(), EmbeddedError> {
    let _ignored = ignore_signals()?;
    let layout = Layout::new(&options.data_dir)?;
    let candidates = binaries::candidates(options.bin_dir.as_deref())?;
    let account = Account::choose()?;
    layout.create()?;
    let _lock = layout.become_guard(LOCK_PATIENCE).await?;
    let mut owner = Owner::watch(options.profile, options.linger, &layout);
    let cluster = tokio::select! {
        alone = owner.gone() => return end(options.profile, &layout, alone.as_ref()),
        cluster = Cluster::prepare(&layout, &candidates, account, options.profile) => cluster?,
    };
    let alone = cluster.run(&mut owner).await?;
    end(options.profile, &layout, alone.as_ref())
}

/// Registers handlers that do nothing. Unlike an ignored signal, a handled one is back at its
/// default in the programs that this process starts.
fn ignore_signals() -> Result<Vec<Signal>, EmbeddedError> {
    [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
    ]
    .into_iter()
    .map(signal)
    .collect::<Result<_, _>>()
    .map_err(|error| EmbeddedError::Guard(format!("could not handle signals: {error}")))
}

/// Removes the directory of a test cluster that nobody shares. The name goes first, so that a
/// newcomer makes a directory of its own meanwhile.
fn end(profile: Profile, layout: &Layout, alone: Option<&File>) -> Result<(), EmbeddedError> {
    let directory = layout.data_dir();
    if profile == Profile::Serve || alone.is_none() {
        return Ok(());
    }
    let mut gone = directory.as_os_str().to_owned();
    gone.push(format!(".gone-{}", std::process::id()));
    std::fs::rename(directory, &gone)
        .and_then(|()| std::fs::remove_dir_all(&gone))
        .map_err(EmbeddedError::io(
            "could not remove the test cluster",
            directory,
        ))
}

/// One line to the server. It may have gone, then nobody reads.
pub(super) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    drop(writeln!(output, "{line}").and_then(|()| output.flush()));
}
