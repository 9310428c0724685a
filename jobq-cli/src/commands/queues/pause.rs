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
    let mut changed = Vec::new();
    let mut end = Ok(());
    for queue in &queues {
        let name = queue.name().as_str();
        let answer = match pause {
            true => queue.pause().await,
            false => queue.resume().await,
        };
        if let Err(error) = answer {
            let so_far = match changed.is_empty() {
                true => format!("no queue was {done}"),
                false => format!("{done}: {}", changed.join(", ")),
            };
            end = Err(Failure::from(error)
                .before(&format!("{name}: "))
                .after(&so_far));
            break;
        }
        changed.push(name);
    }
    let line = format!("{done} {}", changed.join(", "));
    let document = json!({ "queues": changed, "paused": pause });
    session.out.end(&line, document, end)
}
