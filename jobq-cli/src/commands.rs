//! The commands: a file for each. One has its part of the command line as `Args`, and `run`.

mod completions;
mod dead;
mod doctor;
mod enqueue;
mod health;
mod jobs;
mod man;
mod queues;
mod stats;
mod workers;

use clap::Subcommand;

use crate::failure::Failure;
use crate::flags::Flags;
use crate::session::Session;

#[derive(Subcommand)]
pub(crate) enum Command {
    Stats(stats::Args),
    Queues(queues::Args),
    Jobs(jobs::Args),
    Dead(dead::Args),
    Workers(workers::Args),
    Enqueue(enqueue::Args),
    Doctor(doctor::Args),
    Health(health::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Does what the command line says.
pub(crate) async fn run(flags: Flags) -> Result<(), Failure> {
    let Flags { global, command } = flags;
    let session = Session::open(&global);
    match command {
        Command::Stats(args) => stats::run(&session.await?, &args).await,
        Command::Queues(args) => queues::run(&session.await?, &args).await,
        Command::Jobs(args) => jobs::run(&session.await?, &args).await,
        Command::Dead(args) => dead::run(&session.await?, &args).await,
        Command::Workers(args) => workers::run(&session.await?, &args).await,
        Command::Enqueue(args) => enqueue::run(&session.await?, &args).await,
        Command::Doctor(args) => doctor::run(&session.await?, &args).await,
        Command::Health(args) => health::run(session, &args).await,
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
