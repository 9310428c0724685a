//! What became of one job.

use jobq::JobId;

/// One job.
#[derive(Debug, Clone, Default)]
pub struct JobRecord {
    /// Its enqueue was answered `Ok`.
    pub accepted: bool,
    /// Its enqueue was answered that nobody knows, or never.
    pub unknown: bool,
    /// Its enqueue was answered that nothing was enqueued.
    pub refused: bool,
    /// Somebody had it removed, or cancelled.
    pub removed: bool,
    /// When it may start, if it was enqueued for later; else 0.
    pub due: u64,
    /// Its runs, by time.
    pub runs: Vec<Run>,
    /// How often its end was accepted as its last.
    pub acks: u32,
    /// When it was put among the suspects.
    pub suspected: Vec<u64>,
    /// When a retry was about to be settled, and when it was accepted: a claim each.
    pub retries: Vec<Retry>,
}

/// One run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it began: ms since the epoch.
    pub at: u64,
    /// The process.
    pub actor: usize,
    /// Which attempt it was told to be.
    pub attempt: u32,
    /// How it was about to end; `None` is never.
    pub end: Option<RunEnd>,
}

/// How a run was about to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunEnd {
    /// It succeeded.
    Done,
    /// It failed.
    Failed,
    /// It was asked to end.
    Cancelled,
}

/// One settlement of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// When it was first sent.
    pub asked: u64,
    /// When it was answered that it is accepted.
    pub accepted: Option<u64>,
}

impl JobRecord {
    /// Whether it may be nowhere: it succeeded, or the row had it removed. That it was acked is no
    /// reason: whoever acks a job that did not end has lost it.
    #[must_use]
    pub fn may_be_gone(&self) -> bool {
        self.removed || self.runs.iter().any(|run| run.end == Some(RunEnd::Done))
    }
}

impl JobRecord {
    /// I6, I8: what is wrong with the start of a run.
    pub(super) fn wrong(&self, run: &Run, id: JobId) -> Option<String> {
        if run.at < self.due {
            let early = self.due - run.at;
            return Some(format!("I8: job {id} started {early} ms early"));
        }
        let before = self.retries.iter().filter(|retry| retry.asked <= run.at);
        let most = before.clone().count();
        let accepted = |retry: &&Retry| retry.accepted.is_some_and(|at| at < run.at);
        let least = before.filter(accepted).count();
        let failures = run.attempt as usize - 1;
        (!(least..=most).contains(&failures)).then(|| {
            format!(
                "I6: job {id} was told of {failures} failures, it had {least} to {most} ({self:?})"
            )
        })
    }
}
