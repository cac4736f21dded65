//! Logs: one line per event on stderr, for people or for machines, and never a secret. [`metrics`] are beside them.
//!
//! Libraries log what passes through them: at TRACE and DEBUG hyper and h2 print headers
//! (`authorization` among them) and frames, database drivers print statements. So whatever the
//! setting says, only Keyway's own events may go below INFO, and the libraries that see requests
//! and values may not go below WARN.

mod lines;
pub mod metrics;
mod panics;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::str::FromStr;

use lines::{JsonLines, JsonMembers};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

/// Targets below `keyway` are ours and may log everything.
const OURS: &str = "keyway";

/// What libraries may log at most. The first matching prefix of a target's path decides.
const CAPS: &[(&str, LevelFilter)] = &[
    // Prints the values of unknown parameters of a database URL at WARN.
    ("sqlx_postgres::options", LevelFilter::ERROR),
    ("sqlx", LevelFilter::WARN),
    ("sqlx_core", LevelFilter::WARN),
    ("sqlx_postgres", LevelFilter::WARN),
    ("hyper", LevelFilter::WARN),
    ("hyper_util", LevelFilter::WARN),
    ("h2", LevelFilter::WARN),
    ("tower", LevelFilter::WARN),
    ("tower_http", LevelFilter::WARN),
    ("axum", LevelFilter::WARN),
    ("rustls", LevelFilter::WARN),
    ("reqwest", LevelFilter::WARN),
];

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Readable text, in colour on a terminal.
    Human,
}

/// The parsed `KEYWAY_LOG`: what is logged, and how.
///
/// The setting is a list, separated by commas, in any order, of at most one format (`json`,
/// `human`; without one `human` on a terminal, else `json`), at most one level for everything
/// (`off`, `error`, `warn`, `info`, `debug`, `trace`; without one `info`), and levels of single
/// modules (`keyway::store=debug`).
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    format: LogFormat,
    levels: Targets,
    colour: bool,
}

/// Why `KEYWAY_LOG` was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// A part of the list is nothing we know.
    #[error(
        "KEYWAY_LOG: part {0} of the list is not understood; give a format (json, human), a level \
         (off, error, warn, info, debug, trace) or module=level, separated by commas"
    )]
    Unknown(usize),
    /// Two formats or two levels for everything.
    #[error(
        "KEYWAY_LOG: part {0} of the list says a second time what an earlier part said; remove one"
    )]
    Twice(usize),
    /// A logger was installed before.
    #[error("could not start logging: this process has a logger already")]
    AlreadyStarted,
}

impl Telemetry {
    /// Reads the setting; `None` and an empty text mean the defaults.
    pub fn from_setting(setting: Option<&str>) -> Result<Self, LogFault> {
        let terminal = io::stderr().is_terminal();
        let mut telemetry = Self::parse(setting.unwrap_or_default(), terminal)?;
        telemetry.colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        Ok(telemetry)
    }

    /// The format in use.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// Logs to stderr from now on, for the whole process; panics too, without their messages.
    pub fn init(self) -> Result<(), LogFault> {
        self.subscriber(io::stderr)
            .try_init()
            .map_err(|_| LogFault::AlreadyStarted)?;
        panics::log_places_only();
        Ok(())
    }

    fn parse(setting: &str, terminal: bool) -> Result<Self, LogFault> {
        let (mut format, mut level, mut modules) = (None, None, Vec::new());
        let parts = setting.split(',').map(str::trim).zip(1..);
        for (part, number) in parts.filter(|(part, _)| !part.is_empty()) {
            if let Some(named) = named_format(part) {
                refuse_second(format.replace(named), number)?;
            } else if let Some(all) = named_level(part) {
                refuse_second(level.replace(all), number)?;
            } else {
                let (module, level) = part.split_once('=').ok_or(LogFault::Unknown(number))?;
                let level = named_level(level.trim()).ok_or(LogFault::Unknown(number))?;
                let module = module.trim();
                let known = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
                if module.is_empty() || !module.chars().all(known) {
                    return Err(LogFault::Unknown(number));
                }
                modules.push((module.to_owned(), level));
            }
        }
        let default = if terminal {
            LogFormat::Human
        } else {
            LogFormat::Json
        };
        let levels = Targets::new().with_default(level.unwrap_or(LevelFilter::INFO));
        Ok(Self {
            format: format.unwrap_or(default),
            levels: levels.with_targets(modules),
            colour: false,
        })
    }

    /// What [`Telemetry::init`] installs, writing to `writer`: for programs that log elsewhere, as tests do.
    pub fn subscriber<W>(self, writer: W) -> impl Subscriber + Send + Sync
    where
        W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
    {
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(self.colour)
            // It would report a broken stderr on stderr, and panic.
            .log_internal_errors(false);
        let lines: Box<dyn Layer<Registry> + Send + Sync> = match self.format {
            LogFormat::Json => lines
                .with_ansi(false)
                .fmt_fields(JsonMembers)
                .event_format(JsonLines)
                .boxed(),
            LogFormat::Human => lines.boxed(),
        };
        // Filters of the whole subscriber, not of the one layer: a layer's own filter keeps state per thread, and a
        // probe (`tracing::enabled!`, which sqlx makes for each statement) leaves it set, so that the next line is lost.
        tracing_subscriber::registry()
            .with(lines)
            .with(self.levels)
            .with(filter_fn(harmless))
    }
}

fn named_format(word: &str) -> Option<LogFormat> {
    match word {
        "json" => Some(LogFormat::Json),
        "human" => Some(LogFormat::Human),
        _ => None,
    }
}

/// Words only: `LevelFilter` itself also takes digits.
fn named_level(word: &str) -> Option<LevelFilter> {
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    LevelFilter::from_str(word).ok()
}

fn refuse_second<T>(first: Option<T>, number: usize) -> Result<(), LogFault> {
    first.map_or(Ok(()), |_| Err(LogFault::Twice(number)))
}

fn harmless(event: &Metadata<'_>) -> bool {
    let is_in = |module: &str| {
        let rest = event.target().strip_prefix(module);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let cap = CAPS
        .iter()
        .find(|(module, _)| is_in(module))
        .map_or(LevelFilter::INFO, |(_, cap)| *cap);
    is_in(OURS) || *event.level() <= cap
}
