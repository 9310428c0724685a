//! `jobq workers`

mod list;
mod order;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// List workers, quiet and stop them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Quiet(order::QuietArgs),
    Stop(order::StopArgs),
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List(args) => list::run(session, args).await,
        Command::Quiet(args) => order::quiet(session, args).await,
        Command::Stop(args) => order::stop(session, args).await,
    }
}
