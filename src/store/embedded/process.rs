//! Child processes of the guard, which shall not outlive it.
//!
//! The kernel sends a parent-death signal when the *thread* that started the child ends, and
//! forgets it when the user is switched. So the guard starts its own binary as `pg-exec` from its
//! main thread, already under the other account; `pg-exec` asks for the signal and becomes the
//! program. Only Linux has this; elsewhere a child that outlives a killed guard is stopped by the
//! next start.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::account::Account;

/// The hidden subcommand that becomes another program: `pg-exec PARENT-PID PROGRAM ARGUMENTS…`.
pub(super) const PG_EXEC: &str = "pg-exec";

/// A command that runs `program` under `account` and, on Linux, gets SIGINT when the guard dies.
/// To be spawned from the guard's main thread.
#[cfg(target_os = "linux")]
pub(super) fn bound_to_guard(account: Account, program: &Path) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = account.command("/proc/self/exe");
    command
        .arg0("keyway")
        .arg(PG_EXEC)
        .arg(std::process::id().to_string())
        .arg(program);
    command
}

/// A command that runs `program` under `account`.
#[cfg(not(target_os = "linux"))]
pub(super) fn bound_to_guard(account: Account, program: &Path) -> Command {
    account.command(program)
}

/// `pg-exec`: becomes the program that `arguments` name after the guard's process id. Returns
/// only on failure, having said on standard error why.
pub(super) fn pg_exec(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    use std::os::unix::process::CommandExt;

    let guard: Option<i32> = arguments
        .next()
        .and_then(|pid| pid.to_str().and_then(|pid| pid.parse().ok()));
    let (Some(guard), Some(program)) = (guard, arguments.next()) else {
        eprintln!("keyway {PG_EXEC} is started by `keyway guard` only");
        return ExitCode::FAILURE;
    };
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::INT))
    {
        eprintln!("keyway {PG_EXEC} could not ask for the parent-death signal: {error}");
        return ExitCode::FAILURE;
    }
    // The guard may have died before the signal was asked for.
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    if parent != guard {
        eprintln!("keyway {PG_EXEC}: the guard {guard} has ended");
        return ExitCode::FAILURE;
    }
    let error = Command::new(&program).args(arguments).exec();
    eprintln!("could not run {}: {error}", Path::new(&program).display());
    ExitCode::FAILURE
}
