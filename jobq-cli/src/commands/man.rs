//! `jobq man`: the man pages, from the definition of the command line.

use std::path::PathBuf;

use clap_mangen::Man;

use crate::failure::Failure;
use crate::flags::Flags;
use crate::output::{Output, printable};

/// Print the man page, or write those of all commands into a folder
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write a page for each command into this folder, which exists
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    // The pages tell what `help` would.
    let mut definition = Flags::definition().disable_help_subcommand(true);
    let Some(folder) = &args.dir else {
        let mut page = Vec::new();
        let rendered = Man::new(definition).render(&mut page);
        rendered.map_err(|error| Failure::output(&error))?;
        return Output::new(false).write(&String::from_utf8_lossy(&page));
    };
    definition.build();
    clap_mangen::generate_to(definition, folder).map_err(|error| {
        let folder = printable(&folder.to_string_lossy());
        Failure::configuration(format!("could not write man pages to {folder}: {error}"))
    })
}
