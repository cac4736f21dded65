//! The program `keyway`.

use std::process::ExitCode;

fn main() -> ExitCode {
    // The guard of the embedded Postgres must run on the main thread, before any other is started.
    keyway::store::embedded::dispatch(std::env::args_os())
        .unwrap_or_else(|| keyway::cli::run(std::env::args_os()))
}
