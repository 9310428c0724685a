//! `jobq queues pause` and `resume`

use serde_json::json;

use crate::failure::Failure;
use crate::session::Session;

/// Start no job of these queues until they are resumed; enqueueing goes on
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queues
    #[arg(value_name = "QUEUE", required = true)]
    pub(super) queues: Vec<String>,
}

/// Start jobs of these queues again
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// The queues
    #[arg(value_name = "QUEUE", required = true)]
    pub(super) queues: Vec<String>,
}

pub(super) async fn run(session: &Session, names: &[String], pause: bool) -> Result<(), Failure> {
    let (verb, done) = match pause {
        true => ("pause", "paused"),
        false => ("resume", "resumed"),
    };
    let what = format!("{verb} {}", names.join(", "));
    session.consent.to_change(&what)?;
    // All are looked up before the first is changed.
    let queues = session.queues(names).await?;
    let names: Vec<&str> = queues.iter().map(|queue| queue.name().as_str()).collect();
    let names = names.join(", ");
    for queue in &queues {
        match pause {
            true => queue.pause().await?,
            false => queue.resume().await?,
        }
    }
    let queues: Vec<_> = queues.iter().map(|queue| queue.name().as_str()).collect();
    let document = json!({ "queues": queues, "paused": pause });
    session.out.outcome(&format!("{done} {names}"), &document)
}
