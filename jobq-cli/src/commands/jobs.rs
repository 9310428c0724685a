//! `jobq jobs`: single jobs, wherever they are.

mod cancel;
mod list;
mod relocate;
mod report;
mod run_now;
mod search;
mod show;

use clap::Subcommand;

use crate::failure::Failure;
use crate::session::Session;

/// List and show jobs, cancel them, run them now, move them
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::Args),
    Show(show::Args),
    Cancel(cancel::Args),
    RunNow(run_now::Args),
    Move(relocate::Args),
}

pub(crate) async fn run(session: &Session, args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List(args) => list::run(session, args).await,
        Command::Show(args) => show::run(session, args).await,
        Command::Cancel(args) => cancel::run(session, args).await,
        Command::RunNow(args) => run_now::run(session, args).await,
        Command::Move(args) => relocate::run(session, args).await,
    }
}
