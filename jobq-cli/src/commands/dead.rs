//! `jobq dead`: what was given up, and why.

mod analyze;
mod bulk;
mod fingerprint;
mod groups;
mod list;
mod selection;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// List and group dead jobs, retry and remove them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Analyze(analyze::Args),
    Retry(bulk::RetryArgs),
    Remove(bulk::RemoveArgs),
    Purge(bulk::PurgeArgs),
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List(args) => list::run(session, args).await,
        Command::Analyze(args) => analyze::run(session, args).await,
        Command::Retry(args) => bulk::retry(session, args).await,
        Command::Remove(args) => bulk::remove(session, args).await,
        Command::Purge(args) => bulk::purge(session, args).await,
    }
}
