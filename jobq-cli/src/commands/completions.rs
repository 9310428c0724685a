//! `jobq completions`: for a shell, from the definition of the command line.

use clap_complete::Shell;

use crate::failure::Failure;
use crate::flags::Flags;
use crate::output::Output;

/// Print the completions of a shell
///
/// bash: `source <(jobq completions bash)`; fish: `jobq completions fish | source`; zsh: write them
/// to a file `_jobq` in a folder of `$fpath`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Flags::definition(), "jobq", &mut script);
    Output::new(false).write(&String::from_utf8_lossy(&script))
}
