//! Reading the command line: what clap alone does not say or refuse.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory as _, Error, FromArgMatches as _};

use super::Cli;

/// The settings of `serve`, which `keyway` alone takes too.
const OF_SERVE: [&str; 6] = [
    "listen",
    "metrics_listen",
    "public_url",
    "retention",
    "egress_allow",
    "managed_apps_file",
];

/// Reads the arguments (the program's name first) and the environment.
///
/// # Errors
/// Help, version, or what is wrong, to be printed.
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Error> {
    let mut command = Cli::command();
    let matches = command
        .try_get_matches_from_mut(arguments)
        .map_err(|error| with_variable(error, &command))?;
    refuse_misplaced(&matches, &mut command)?;
    Cli::from_arg_matches(&matches)
}

/// `keyway --listen … serve` would be taken and forgotten.
fn refuse_misplaced(matches: &ArgMatches, command: &mut Command) -> Result<(), Error> {
    let Some(subcommand) = matches.subcommand_name() else {
        return Ok(());
    };
    let on_the_line = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
    match OF_SERVE.into_iter().find(on_the_line) {
        Some(id) => {
            let flag = id.replace('_', "-");
            let said = format!(
                "--{flag} stands before `{subcommand}`: it belongs behind `serve`, or to `keyway` without a command"
            );
            Err(command.error(ErrorKind::ArgumentConflict, said))
        }
        None => Ok(()),
    }
}

/// clap names the flag of a wrong value, also where the value came from the environment: name the variable too.
fn with_variable(mut error: Error, command: &Command) -> Error {
    let flag = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) => flag.clone(),
        _ => return error,
    };
    let named = flag
        .strip_prefix("--")
        .and_then(|rest| rest.split([' ', '=']).next());
    let variable = command
        .get_arguments()
        .chain(command.get_subcommands().flat_map(Command::get_arguments))
        .filter(|argument| argument.get_long() == named)
        .find_map(clap::Arg::get_env)
        .filter(|variable| std::env::var_os(variable).is_some());
    if let Some(variable) = variable {
        let tip = format!("the environment sets it too: {}", variable.display());
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
}
