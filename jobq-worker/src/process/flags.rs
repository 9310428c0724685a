//! The command line and the environment.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, CommandFactory, FromArgMatches, Parser};
use jobq::runtime::InUrl;
use jobq::runtime::text::{escaped, without_login};

use super::given::Given;
use super::{EXIT_CONFIGURATION, EXIT_USAGE};
use crate::nearest::nearest;

/// What the names of jobq's variables begin with.
const PREFIX: &str = "JOBQ_";

const PASSWORD: &str = "JOBQ_PASSWORD";

/// Runs the jobs of this program until it is told to stop.
#[derive(Parser)]
#[command(version, max_term_width = 100, after_help = AFTER_HELP)]
pub(super) struct Flags {
    #[command(flatten)]
    pub(super) given: Given,

    /// Read further settings from this TOML file; its keys are the flags in snake case
    #[arg(long, env = "JOBQ_CONFIG", value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,

    /// Print the jobs of this program and their defaults, a line each, and exit
    #[arg(long, conflicts_with = "check")]
    pub(super) list_jobs: bool,

    /// Check settings, broker and jobs, take no job, and exit
    #[arg(long)]
    pub(super) check: bool,
}

const AFTER_HELP: &str = "\
A flag wins over its environment variable, that over the configuration file; a namespace, a user and
a password in the URL count as set with it, and --namespace and --username win over theirs. TIME is a
number with a unit: 500ms, 10s, 5m, 1h. The password is set by JOBQ_PASSWORD, or `password` in the
file.
SIGTERM or Ctrl-C drains: no further jobs are taken, running ones may end. A second signal gives
them back to the queue at once, a third exits.
Exit codes:
  0   stopped, or all that --check looked at is right
  2   the command line cannot be read
  69  the broker is unavailable: starting again later may help
  78  the configuration is wrong: a setting, its environment variable or file, the password, the
      jobs, or the program's own set-up; starting again does not help";

impl Flags {
    /// Reads both. What cannot be read, and help and version, is told at once; what is left is the
    /// code to exit with.
    pub(super) fn read() -> Result<Self, ExitCode> {
        let command = Self::command().mut_args(|flag| match is_empty(&flag) {
            true => flag.env(None::<&str>),
            false => flag.hide_env_values(true),
        });
        if let Some(variable) = unreadable_variable(&command) {
            eprintln!("error: {variable} is not UTF-8; expected a text");
            return Err(ExitCode::from(EXIT_CONFIGURATION));
        }
        let read = command.clone().try_get_matches();
        let read = read.and_then(|matches| Ok((Self::from_arg_matches(&matches)?, matches)));
        let (mut flags, matches) = read.map_err(|error| tell(&command, error))?;
        flags.note_origins(&command, &matches);
        flags.given.doubts = strange_variables();
        if let Some(password) = std::env::var(PASSWORD).ok().filter(|set| !set.is_empty()) {
            flags.given.password = Some(password);
            flags.given.origins.note("password", PASSWORD.to_owned());
        }
        flags.prefer_url(&matches);
        Ok(flags)
    }

    fn note_origins(&mut self, command: &Command, matches: &ArgMatches) {
        for flag in command.get_arguments() {
            let id = flag.get_id().as_str();
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => flag.get_long().map(|long| format!("--{long}")),
                Some(ValueSource::EnvVariable) => variable(flag),
                _ => None,
            };
            if let Some(origin) = origin {
                self.given.origins.note(id, origin);
            }
        }
    }

    /// Lets what stands in `--url` win over variables.
    fn prefer_url(&mut self, matches: &ArgMatches) {
        let source = |id| matches.value_source(id);
        if source("url") != Some(ValueSource::CommandLine) {
            return;
        }
        let said = self.given.in_url();
        let is_variable = |id| source(id) == Some(ValueSource::EnvVariable);
        self.given.forget(InUrl {
            namespace: said.namespace && is_variable("namespace"),
            username: said.username && is_variable("username"),
            // It has no flag.
            password: said.password,
        });
    }
}

/// What is said of each variable that looks like a setting and is none.
fn strange_variables() -> Vec<String> {
    // Not the one that was read: it passes over variables that are empty.
    let known = known(&Flags::command());
    let set = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let mut doubts: Vec<_> = set.filter_map(|name| strange(&known, &name)).collect();
    doubts.sort();
    doubts
}

/// Every variable that a worker process reads.
fn known(command: &Command) -> Vec<String> {
    let variables = command.get_arguments().filter_map(variable);
    variables.chain([PASSWORD.to_owned()]).collect()
}

fn strange(known: &[String], name: &str) -> Option<String> {
    // Kubernetes makes such for a service that is called `jobq` or `jobq-…`.
    let service = ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"];
    let of_a_service = service.iter().any(|part| name.contains(part));
    if !name.starts_with(PREFIX) || of_a_service || known.iter().any(|known| known == name) {
        return None;
    }
    let settings = known.iter().filter_map(|known| known.strip_prefix(PREFIX));
    let meant = nearest(&name[PREFIX.len()..], settings);
    let meant = meant.map(|meant| format!("; did you mean {PREFIX}{meant}?"));
    let (name, meant) = (escaped(name, 100), meant.unwrap_or_default());
    Some(format!(
        "environment variable {name} sets nothing of a worker{meant}"
    ))
}

fn variable(flag: &clap::Arg) -> Option<String> {
    Some(flag.get_env()?.to_string_lossy().into_owned())
}

/// Whether the flag's variable is there and says nothing: that counts as not set.
fn is_empty(flag: &clap::Arg) -> bool {
    let variable = flag.get_env().and_then(std::env::var_os);
    variable.is_some_and(|value| value.is_empty())
}

/// A variable whose value is no text, which the parser of flags would not name. Paths need be none.
fn unreadable_variable(command: &Command) -> Option<String> {
    let flags = command.get_arguments();
    let texts = flags.filter(|flag| flag.get_value_hint() != clap::ValueHint::FilePath);
    let mut variables = texts.filter_map(variable).chain([PASSWORD.to_owned()]);
    variables.find(|name| std::env::var_os(name).is_some_and(|value| value.to_str().is_none()))
}

/// Prints an error, or what was asked for. A wrong value of an environment variable is one of the
/// configuration, and named: the flag alone is what nobody wrote.
fn tell(command: &Command, mut error: clap::Error) -> ExitCode {
    let blamed = blamed_variable(command, &error);
    // A URL, and the password in it, may stand where none belongs.
    for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
        if let Some(ContextValue::String(given)) = error.get(kind) {
            let shown = without_login(given).into_owned();
            error.insert(kind, ContextValue::String(shown));
        }
    }
    if let Some(variable) = &blamed {
        let tip = format!("the value is that of the environment variable {variable}");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    // Standard output or error is closed: the exit code still tells.
    let _ = error.print();
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ if blamed.is_some() => ExitCode::from(EXIT_CONFIGURATION),
        _ => ExitCode::from(EXIT_USAGE),
    }
}

/// The variable that set the flag an error is about, if the command line did not.
fn blamed_variable(command: &Command, error: &clap::Error) -> Option<String> {
    error.get(ContextKind::InvalidValue)?;
    let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    // `--renew-every <TIME>`, `--strict[=<BOOL>]`
    let name = shown.split([' ', '[', '=']).next()?.strip_prefix("--")?;
    let written = format!("--{name}");
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    if words.any(|word| word.split('=').next() == Some(&written)) {
        return None;
    }
    let flag = command
        .get_arguments()
        .find(|flag| flag.get_long() == Some(name))?;
    variable(flag).filter(|name| std::env::var_os(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_sets_nothing_is_doubted_and_no_other() {
        let known = known(&Flags::command());
        for (name, told) in [
            ("JOBQ_CONCURENCY", "; did you mean JOBQ_CONCURRENCY?"),
            ("JOBQ_QUEUE", "; did you mean JOBQ_QUEUES?"),
            (
                "JOBQ_MAX_WAIT_OF_MINE",
                "JOBQ_MAX_WAIT_OF_MINE sets nothing of a worker",
            ),
            ("JOBQ_", "JOBQ_ sets nothing of a worker"),
        ] {
            let doubt = strange(&known, name);
            assert!(
                doubt.as_ref().is_some_and(|doubt| doubt.ends_with(told)),
                "{doubt:?}"
            );
        }
        let fine = [
            "JOBQ_PORT_6379_TCP",
            "JOBQ_REDIS_SERVICE_HOST",
            "JOBQUEUES",
            "QUEUES",
            "",
        ];
        let fine = fine.into_iter().chain(known.iter().map(String::as_str));
        for name in fine {
            assert_eq!(strange(&known, name), None, "{name}");
        }
    }

    #[test]
    fn the_flags_are_consistent() {
        Flags::command().debug_assert();
    }

    #[test]
    fn every_flag_has_help_and_each_that_sets_something_a_variable() {
        for flag in Flags::command().get_arguments() {
            let id = flag.get_id().as_str();
            assert!(flag.get_help().is_some(), "{id}");
            if flag.get_action().takes_values() {
                assert_eq!(
                    variable(flag),
                    Some(format!("JOBQ_{}", id.to_uppercase())),
                    "{id}"
                );
            }
        }
    }
}
