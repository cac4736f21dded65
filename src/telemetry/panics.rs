//! Panics in the log: where, never what. A panic's message can hold the value that was being worked on.

use std::panic::{self, PanicHookInfo};

/// Logs every panic of the process from now on, as an error with its place in the source and without
/// its message, which the hook that Rust installs would print.
pub(super) fn log_places_only() {
    panic::set_hook(Box::new(log));
}

fn log(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(tracing::field::display);
    tracing::error!(place, "a panic; its message is left out");
}
