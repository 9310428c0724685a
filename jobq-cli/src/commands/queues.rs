//! `jobq queues`: which there are, and what can be done to one as a whole.

mod drain;
mod list;
mod pause;
mod purge;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// List queues, pause, resume, purge and drain them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Pause(pause::Args),
    Resume(pause::ResumeArgs),
    Purge(purge::Args),
    Drain(drain::Args),
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List(args) => list::run(session, args).await,
        Command::Pause(args) => pause::run(session, &args.queues, true).await,
        Command::Resume(args) => pause::run(session, &args.queues, false).await,
        Command::Purge(args) => purge::run(session, args).await,
        Command::Drain(args) => drain::run(session, args).await,
    }
}
