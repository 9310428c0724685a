//! The command line: what all commands share. Each command's own part stands with it.

use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser};
use jobq::runtime::text::without_login;

use crate::commands::Command;
use crate::failure::EXIT_USAGE;
use crate::output::printable;

/// Looks at jobq's queues, jobs, dead letters and workers, and intervenes.
#[derive(Parser)]
#[command(name = "jobq", bin_name = "jobq", version, max_term_width = 100, after_help = AFTER_HELP)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Flags {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes. Not `Debug`: the URL may hold a password.
#[derive(clap::Args)]
pub(crate) struct Global {
    /// The broker: redis://[user:password@]host[:port][/database][?namespace=name]
    /// [env: JOBQ_URL] [default: redis://127.0.0.1:6379]
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) url: Option<String>,

    /// What stands before every key; wins over that of a URL [env: JOBQ_NAMESPACE, unless --url
    /// says one] [default: jobq]
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        help_heading = "Global options"
    )]
    pub(crate) namespace: Option<String>,

    /// Print one JSON document
    #[arg(
        long,
        global = true,
        overrides_with = "json",
        help_heading = "Global options"
    )]
    pub(crate) json: bool,

    /// Refuse whatever changes anything
    #[arg(
        long,
        global = true,
        overrides_with = "read_only",
        help_heading = "Global options"
    )]
    pub(crate) read_only: bool,

    /// Answer every question with yes
    #[arg(
        long,
        short,
        global = true,
        overrides_with = "yes",
        help_heading = "Global options"
    )]
    pub(crate) yes: bool,
}

const AFTER_HELP: &str = "\
The user, the password and the file of certificate authorities are set by JOBQ_USERNAME,
JOBQ_PASSWORD and JOBQ_CA_FILE; a user in --url wins over the first, a password there over the first
two. A listing is a table on a terminal, and lines of fields with a tab in between when piped.
NO_COLOR turns colours off.
Exit codes:
  0   done
  1   not all that was asked for could be done: no such job, a deadline that passed, interrupted
  2   the command line cannot be read, or a question needs --yes
  3   doctor and health: something may do harm (a warning), and nothing worse was found
  4   doctor and health: something does harm (an error)
  69  the broker is unavailable: trying again later may help
  70  what should not be: damaged data, an error of this program
  77  the login is refused or lacks a right, or --read-only forbids it
  78  the configuration is wrong: the URL, an environment variable, the server";

impl Flags {
    /// Reads the command line. What cannot be read, and help and version, is told at once; what is
    /// left is the code to exit with.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(tell)
    }

    /// The definition of the whole command line, for completions and man pages.
    pub(crate) fn definition() -> clap::Command {
        Self::command()
    }
}

/// Prints an error, or what was asked for.
fn tell(mut error: clap::Error) -> ExitCode {
    // A URL, and the password in it, may stand where none belongs; so may anything else.
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
    ] {
        if let Some(ContextValue::String(given)) = error.get(kind) {
            let shown = printable(&without_login(given));
            error.insert(kind, ContextValue::String(shown));
        }
    }
    // Standard output or error is closed: the exit code still tells.
    let _ = error.print();
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::from(EXIT_USAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Flags::definition().debug_assert();
    }

    #[test]
    fn a_switch_may_be_given_again() {
        let words = "jobq --json -y --json --read-only stats --yes --json --read-only";
        let read = Flags::try_parse_from(words.split(' '));
        let global = read.map(|flags| flags.global).ok();
        let global = global.expect("it can be read");
        assert!(global.json && global.yes && global.read_only);
    }

    #[test]
    fn every_command_and_flag_has_help() {
        fn check(command: &clap::Command) {
            let name = command.get_name();
            assert!(command.get_about().is_some(), "{name}");
            for flag in command.get_arguments() {
                assert!(flag.get_help().is_some(), "{name} {}", flag.get_id());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Flags::definition());
    }
}
