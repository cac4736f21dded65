//! The command line. stdout holds only results, logs and errors go to stderr; `--json` makes every result one JSON
//! document. Exit codes: 0; 1 where it failed; 2 where the command line is not understood; 78 where the configuration
//! must not run.

mod bench;
mod doctor;
mod failure;
mod house;
mod keys;
mod metrics;
mod migrate;
mod output;
mod parse;
mod progress;
mod root_key;
mod serve;
mod tenants;
mod welcome;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ServeSettings, StoreSettings};
use crate::crypto::harden_process;
use crate::telemetry::Telemetry;
use failure::{Failure, USAGE};

#[derive(Debug, Parser)]
#[command(
    name = "keyway",
    version,
    about = "A self-hosted, multi-tenant auth-config service",
    disable_help_subcommand = true
)]
struct Cli {
    /// Print the result as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    store: StoreSettings,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeSettings,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the dialects (what `keyway` alone does)
    Serve(Box<ServeSettings>),
    /// Make roles, login and schema in a Postgres of your own, as its administrator (--database-url)
    Migrate(migrate::Migrate),
    /// Make, list and delete tenants
    #[command(subcommand)]
    Tenant(tenants::TenantCommand),
    /// Make, list and revoke API keys
    #[command(subcommand)]
    Key(keys::KeyCommand),
    /// Make a root key, or rotate to another one
    #[command(subcommand)]
    RootKey(root_key::RootKeyCommand),
    /// Print the OpenAPI document of a dialect: klavis, composio or langdock
    Openapi {
        /// The dialect
        dialect: String,
    },
    /// Check database, roles, isolation, root key, shared OAuth apps, clock and disk, and say what to do
    Doctor,
    /// Measure this build on this machine, beside pgbench, on a private Postgres
    Bench(bench::Bench),
    /// Ask a running server whether it is ready: exit code 0 or 1
    #[command(hide = true)]
    Healthcheck {
        /// The address that the server listens on
        #[arg(long, env = "KEYWAY_LISTEN", default_value = "127.0.0.1:8080")]
        address: std::net::SocketAddr,
    },
}

/// Runs the program with these arguments (its name first).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match parse::parse(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; clap prints to the right stream.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let message = failure.to_string();
            if !message.is_empty() {
                eprintln!("keyway: {message}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

fn start(cli: Cli) -> Result<(), Failure> {
    // Before a key is read.
    let hardened = harden_process();
    let log = std::env::var("KEYWAY_LOG").ok();
    Telemetry::from_setting(log.as_deref())
        .and_then(Telemetry::init)
        .map_err(|fault| Failure::Refused(fault.to_string()))?;
    if let Err(error) = hardened {
        tracing::warn!(%error, "core dumps of this process could not be switched off");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime =
        runtime.map_err(|error| Failure::Said(format!("starting the runtime: {error}")))?;
    runtime.block_on(dispatch(cli))
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let Cli {
        json,
        store,
        command,
        serve,
    } = cli;
    match command {
        None => serve::run(&store, &serve, json).await,
        Some(Command::Serve(serve)) => serve::run(&store, &serve, json).await,
        Some(Command::Migrate(command)) => migrate::run(&store, command, json).await,
        Some(Command::Tenant(command)) => tenants::run(&store, command, json).await,
        Some(Command::Key(command)) => keys::run(&store, command, json).await,
        Some(Command::RootKey(command)) => root_key::run(&store, command, json).await,
        Some(Command::Openapi { dialect }) => match crate::http::openapi_json(&dialect) {
            Some(text) => output::text(&text),
            None => Err(Failure::Usage(format!(
                "there is no dialect of that name: {}",
                crate::http::DIALECTS.map(|dialect| dialect.name).join(", ")
            ))),
        },
        Some(Command::Bench(command)) => bench::run(&store, command, json).await,
        Some(Command::Doctor) => doctor::run(&store, &serve, json).await,
        Some(Command::Healthcheck { address }) => serve::healthcheck(address).await,
    }
}
