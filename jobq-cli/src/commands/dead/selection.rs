//! Which dead jobs are meant: by group, id, name, queue, reason, text of the error and age.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use jobq::{At, DeadJob, JobId, Queue};

use super::groups::{GroupId, group_of};
use crate::failure::Failure;
use crate::session::Session;
use crate::values::duration;

/// The jobs that a command is about: those for which all that is given holds.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Selection {
    /// On these queues, with commas; all there are unless named
    #[arg(
        long,
        value_name = "QUEUE",
        value_delimiter = ',',
        help_heading = "Which jobs"
    )]
    queue: Vec<String>,

    /// Of these groups, as `dead analyze` names them, with commas
    #[arg(
        long,
        value_name = "GROUP",
        value_delimiter = ',',
        help_heading = "Which jobs"
    )]
    group: Vec<GroupId>,

    /// Of these ids, with commas
    #[arg(
        long,
        value_name = "ID",
        value_delimiter = ',',
        help_heading = "Which jobs"
    )]
    id: Vec<JobId>,

    /// Of this name
    #[arg(long, value_name = "NAME", help_heading = "Which jobs",
        value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,

    /// With this text in their last error
    #[arg(long, value_name = "TEXT", help_heading = "Which jobs",
        value_parser = NonEmptyStringValueParser::new())]
    error: Option<String>,

    /// Given up for this reason; what is no dead record, and so is listed as undecodable, with it
    #[arg(long, value_name = "REASON", help_heading = "Which jobs",
        value_parser = ["exhausted", "fatal", "crashed", "expired", "undecodable", "unknown job"])]
    reason: Option<String>,

    /// Given up so long ago, or longer; not what is no dead record, which has no time
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Which jobs")]
    older_than: Option<Duration>,

    /// Given up since then; not what is no dead record
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Which jobs")]
    newer_than: Option<Duration>,
}

impl Selection {
    /// All that were given up so long ago.
    pub(super) fn older_than(queue: &[String], age: Duration) -> Self {
        Self {
            queue: queue.to_vec(),
            older_than: Some(age),
            ..Self::default()
        }
    }

    /// Whether anything is said but the queues.
    pub(super) fn is_narrow(&self) -> bool {
        !self.group.is_empty()
            || !self.id.is_empty()
            || self.name.is_some()
            || self.error.is_some()
            || self.reason.is_some()
            || self.older_than.is_some()
            || self.newer_than.is_some()
    }

    pub(super) async fn queues(&self, session: &Session) -> Result<Vec<Queue>, Failure> {
        session.queues(&self.queue).await
    }

    /// Whether a job is meant, by what is shown of it. What is no dead record is shown as undecodable,
    /// and has no name and no time: it is meant only where none of the latter is asked for.
    pub(super) fn means(&self, job: &DeadJob, now: At) -> bool {
        let age = job.is_record().then(|| now.since(job.died_at().into()));
        let all = |wanted: Option<bool>| wanted.unwrap_or(true);
        all(self.name.as_ref().map(|name| job.name() == Some(name)))
            && all(self.error.as_ref().map(|text| job.error().contains(text)))
            && all(self.older_than.map(|than| age.is_some_and(|age| age >= than)))
            && all(self.newer_than.map(|than| age.is_some_and(|age| age < than)))
            && (self.id.is_empty() || self.id.contains(&job.id()))
            && all(self.reason.as_ref().map(|reason| job.reason().as_str() == reason))
            // The last: it costs the most.
            && (self.group.is_empty() || self.group.contains(&group_of(job).0))
    }
}
