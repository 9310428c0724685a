//! From how a run ended to what is sent to the broker: decides, rewrites the envelope, writes the
//! dead record.

use bytes::Bytes;
use jobq::broker::{Action, ReleaseTo};
use jobq::runtime::{AfterCrash, Ended, Outcome, Policy, SUSPECT_AFTER, after_crash, decide};
use jobq::{
    At, DeadRecord, Envelope, EnvelopeError, JobId, Options, QueueName, Reason, Token, WorkerId,
};
use tokio::time::Instant;

use super::{Owner, Run};
use crate::chance::draw;
use crate::outbox::{Kind, Note};
use crate::telemetry::rounded;

/// How the run of a job ends whose name nobody here knows. Warned about once per name.
pub(super) fn unknown_name(run: &Run) -> Ended {
    let (envelope, shared) = (&run.envelope, &run.owner.shared);
    shared.registry.warn_unknown(envelope.name());
    let due = run.options.as_ref().and_then(|options| options.due);
    let since = envelope.enqueued_at().max(due.unwrap_or_default());
    let times = run.options.as_ref().map_or(0, |options| options.unknown);
    Ended::UnknownName {
        times,
        age: shared.broker().now().since(since),
    }
}

/// What is sent for a run that ended so.
pub(super) fn settlement(run: &mut Run, ended: Ended) -> (Action, Kind) {
    if ended == Ended::Done {
        // Most runs end so: they pay for no clock, no draw and no options.
        return (Action::Ack, Kind::Done);
    }
    let options = run
        .options
        .take()
        .map(|options| *options)
        .unwrap_or_default();
    let defaults = run
        .entry
        .as_ref()
        .map(|entry| entry.registration.defaults)
        .unwrap_or_default();
    let policy = Policy {
        retries: options.retries.unwrap_or(defaults.retries),
        backoff: options.backoff.unwrap_or(defaults.backoff),
    };
    let ended = excuse(ended, run.owner.surroundings.cancellation.is_cancelled());
    let outcome = decide(ended, policy, run.envelope.failures(), draw());
    tell(run, &outcome);
    action(
        &run.envelope,
        options,
        outcome,
        run.owner.shared.broker().now(),
    )
}

/// A run that was asked to end and then failed is no failed attempt.
fn excuse(ended: Ended, cancelled: bool) -> Ended {
    match ended {
        Ended::Failed { .. } | Ended::Panicked(_) if cancelled => Ended::Interrupted,
        other => other,
    }
}

fn tell(run: &Run, outcome: &Outcome) {
    let (envelope, queue) = (&run.envelope, run.owner.queue());
    let (id, name) = (envelope.id(), envelope.name());
    let attempt = envelope.failures().saturating_add(1);
    match outcome {
        Outcome::Retry { delay, error } => {
            let delay = rounded(*delay);
            tracing::debug!(
                job.id = %id, job.name = name, job.queue = %queue, job.attempt = attempt, %delay, error,
                "failed; to be retried"
            );
            let failures = &run.owner.shared.failures;
            let warned = run.entry.as_ref();
            if let Some(not_logged) =
                warned.and_then(|entry| failures.note(entry.registration.name, Instant::now()))
            {
                tracing::warn!(
                    job.id = %id, job.name = name, job.queue = %queue, job.attempt = attempt, %delay, error,
                    not_logged, "a job fails and will be retried; its name is not logged again for 10 s"
                );
            }
        }
        Outcome::Bury { reason, error } => {
            let attempts = envelope.failures().saturating_add(failed_now(*reason));
            tracing::warn!(
                job.id = %id, job.name = name, job.queue = %queue, attempts, %reason, error,
                "given up: the job goes to the dead list"
            );
        }
        _ => {}
    }
}

/// Whether the run that ended so was a failed attempt: 1, or 0.
fn failed_now(reason: Reason) -> u32 {
    u32::from(matches!(reason, Reason::Exhausted | Reason::Fatal))
}

/// What is sent for an element that is no envelope, or one with options that cannot be read.
pub(super) fn unreadable(owner: &Owner, bytes: Bytes, error: &EnvelopeError) -> Action {
    // If only its options are at fault, it has an id by which people look for it.
    let id = Envelope::decode(bytes.clone()).map_or(JobId::from_bytes([0; 16]), |e| e.id());
    let queue = owner.queue();
    tracing::warn!(job.id = %id, job.queue = %queue, %error, "given up: an element of the queue is no envelope, and goes to the dead list");
    let record = DeadRecord {
        id,
        died_at: owner.shared.broker().now(),
        reason: Reason::Undecodable,
        error: error.to_string(),
        envelope: bytes,
        history: Vec::new(),
    };
    Action::Bury {
        record: record.encode(),
    }
}

fn action(envelope: &Envelope, mut options: Options, outcome: Outcome, now: At) -> (Action, Kind) {
    let (failures, crashes) = (envelope.failures(), envelope.crashes());
    match outcome {
        Outcome::Done => (Action::Ack, Kind::Done),
        Outcome::Discard => (Action::Ack, Kind::Discarded),
        Outcome::Release => (Action::RELEASE, Kind::Released),
        Outcome::Retry { delay, error } => {
            options.push_failure(now, &error);
            options.due = Some(now.after(delay));
            options.unknown = 0;
            let envelope = envelope.rewrite(failures.saturating_add(1), 0, &options);
            (Action::Retry { delay, envelope }, Kind::Retried)
        }
        Outcome::Snooze { delay } => {
            options.due = Some(now.after(delay));
            options.unknown = 0;
            (
                Action::Retry {
                    delay,
                    envelope: envelope.rewrite(failures, 0, &options),
                },
                Kind::Snoozed,
            )
        }
        Outcome::Postpone { delay } => {
            // Its age counts from when it was due first: `due` stays.
            options.unknown = options.unknown.saturating_add(1);
            let envelope = envelope.rewrite(failures, crashes, &options);
            (Action::Retry { delay, envelope }, Kind::Snoozed)
        }
        Outcome::Bury { reason, error } => {
            let failed = failed_now(reason);
            let kind = Kind::Dead { failed: failed > 0 };
            (bury(envelope, options, failed, 0, reason, error, now), kind)
        }
        // `Outcome` may grow; what this build does not know runs again.
        _ => (Action::RELEASE, Kind::Released),
    }
}

fn bury(
    envelope: &Envelope,
    mut options: Options,
    failed: u32,
    crashed: u32,
    reason: Reason,
    error: String,
    died_at: At,
) -> Action {
    // The history moves from the envelope, which would carry it into a retry, to the record.
    let history = std::mem::take(&mut options.history);
    let failures = envelope.failures().saturating_add(failed);
    let crashes = envelope.crashes().saturating_add(crashed);
    let record = DeadRecord {
        id: envelope.id(),
        died_at,
        reason,
        error,
        envelope: envelope.rewrite(failures, crashes, &options),
        history,
    };
    Action::Bury {
        record: record.encode(),
    }
}

/// A job of a worker that died, under a token of ours.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// The id that adopted it.
    pub(crate) worker: WorkerId,
    pub(crate) token: Token,
    pub(crate) bytes: Bytes,
}

impl Orphan {
    /// It goes back as it is.
    pub(crate) fn put_back(self, kind: Kind) -> (Self, Action, Note) {
        let envelope = Envelope::decode(self.bytes.clone()).ok();
        let id = envelope.map(|envelope| envelope.id());
        (self, Action::RELEASE, Note::not_run(id, kind))
    }
}

/// What becomes of the jobs that one dead worker held. The crash counts for each of them; but if
/// there are suspects among them it counts for those only: the others were bystanders.
pub(crate) fn after_crash_of_worker(
    queue: &QueueName,
    orphans: Vec<Orphan>,
    now: At,
) -> Vec<(Orphan, Action, Note)> {
    let read: Vec<_> = orphans
        .into_iter()
        .map(|o| (Envelope::decode(o.bytes.clone()), o))
        .collect();
    let crashes = |e: &Envelope| e.crashes();
    let suspects = read
        .iter()
        .any(|(e, _)| e.as_ref().is_ok_and(|e| crashes(e) >= SUSPECT_AFTER));
    let judged = read.into_iter().map(|(envelope, orphan)| match envelope {
        Ok(envelope) if !suspects || crashes(&envelope) >= SUSPECT_AFTER => {
            let (action, kind) = crashed(queue, &envelope, now);
            let id = Some(envelope.id());
            (orphan, action, Note::not_run(id, kind))
        }
        // Bystanders; and what is no envelope is buried when it is claimed.
        _ => orphan.put_back(Kind::Adopted),
    });
    judged.collect()
}

fn crashed(queue: &QueueName, envelope: &Envelope, now: At) -> (Action, Kind) {
    let options = envelope.options().unwrap_or_default();
    let crashes = envelope.crashes().saturating_add(1);
    let to = match after_crash(crashes) {
        AfterCrash::Ready => ReleaseTo::Front,
        AfterCrash::Suspect => ReleaseTo::Suspects,
        AfterCrash::Bury => {
            tracing::warn!(
                job.id = %envelope.id(), job.name = envelope.name(), job.queue = %queue, crashes,
                attempts = envelope.failures(),
                "given up: its workers died, and the job goes to the dead list"
            );
            let error = format!("{crashes} workers died while they ran it");
            let action = bury(envelope, options, 0, 1, Reason::Crashed, error, now);
            return (action, Kind::Dead { failed: false });
        }
    };
    let envelope = Some(envelope.rewrite(envelope.failures(), crashes, &options));
    (Action::Release { to, envelope }, Kind::Adopted)
}
