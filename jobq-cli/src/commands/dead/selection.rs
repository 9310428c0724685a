//! Which dead jobs are meant: by group, id, name, queue, reason, text of the error and age.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use jobq::{At, DeadJob, JobId, Queue};

use super::groups::{GroupId, group_of};
use crate::failure::Failure;
use crate::output::printable;
use crate::session::Session;
use crate::values::{duration, written};

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
        value_parser = ["exhausted", "fatal", "crashed", "undecodable", "unknown job"])]
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

    /// What says which jobs, besides the queues, as it can be typed.
    pub(super) fn typed(&self) -> String {
        let text = |text: &Option<String>| text.as_ref().map(|text| format!("{text:?}"));
        let given = [
            ("--group", listed(&self.group)),
            ("--id", listed(&self.id)),
            ("--name", text(&self.name)),
            ("--error", text(&self.error)),
            ("--reason", text(&self.reason)),
            ("--older-than", self.older_than.map(written)),
            ("--newer-than", self.newer_than.map(written)),
        ];
        let given = given.into_iter().filter_map(|(flag, value)| {
            let value = printable(&value?);
            Some(format!("{flag} {value}"))
        });
        let given: Vec<String> = given.collect();
        match given.is_empty() {
            true => "with --all".to_owned(),
            false => format!("with {}", given.join(" ")),
        }
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

/// Some values of a flag, the first few of many.
fn listed<T: ToString>(values: &[T]) -> Option<String> {
    const MOST: usize = 10;
    let shown: Vec<String> = values.iter().take(MOST).map(T::to_string).collect();
    match values.len() {
        0 => None,
        all if all > MOST => Some(format!("{} and {} more", shown.join(","), all - MOST)),
        _ => Some(shown.join(",")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_names_what_was_typed() {
        let id = JobId::from_bytes([0; 16]);
        let zeros = "00000000-0000-0000-0000-000000000000";
        let day = Duration::from_secs(86_400);
        for (selection, typed) in [
            (Selection::default(), "with --all".to_owned()),
            (
                Selection::older_than(&["mail".to_owned()], 30 * day),
                "with --older-than 30d".to_owned(),
            ),
            (
                Selection {
                    group: "0afa8a0b2a660305".parse().into_iter().collect(),
                    reason: Some("unknown job".to_owned()),
                    error: Some("\u{1b}[2J".to_owned()),
                    newer_than: Some(Duration::from_millis(1500)),
                    ..Selection::default()
                },
                "with --group 0afa8a0b2a660305 --error \"\\u{1b}[2J\" --reason \"unknown job\" \
                 --newer-than 1500ms"
                    .to_owned(),
            ),
            (
                Selection {
                    id: vec![id; 12],
                    ..Selection::default()
                },
                format!("with --id {} and 2 more", [zeros; 10].join(",")),
            ),
        ] {
            assert_eq!(selection.typed(), typed);
        }
    }
}
