//! Whether an outcome that the broker accepted follows from how a run ended.

use bytes::Bytes;
use jobq::broker::Action;
use jobq::{At, DeadRecord, Envelope, Reason};

use super::{Claim, Job, Ledger};
use crate::simulation::plan::End;

impl Ledger {
    /// An outcome counts that follows from how a run ended in the process that claimed it.
    pub(super) fn accepted(
        &mut self,
        claim: &Claim,
        action: &Action,
        at: At,
    ) -> Result<(), &'static str> {
        let process = claim.process;
        let job = &mut self.jobs[claim.job];
        let ended = |job: &mut Job, ends: &[End]| {
            let at = job
                .ends
                .iter()
                .position(|(by, end)| *by == process && ends.contains(end));
            at.map(|at| job.ends.remove(at)).is_some()
        };
        match action {
            Action::Ack => {
                job.acked += 1;
                let done = ended(job, &[End::Done, End::Discarded]);
                sound(done || job.cancelled.is_some(), "acked, and no run is done")
            }
            Action::Retry { delay, envelope } => {
                job.due = Some(at.after(*delay));
                let (failures, _) = counts(envelope);
                if failures == claim.failures {
                    return sound(
                        ended(job, &[End::Snoozed]),
                        "put off, and no run asked for it",
                    );
                }
                job.failed += 1;
                sound(failures == claim.failures + 1, "more than one attempt")?;
                let failed = [End::Failed, End::Panicked, End::TimedOut];
                sound(ended(job, &failed), "a failed attempt, and no run failed")
            }
            Action::Bury { record } => {
                job.buried = Some(record.clone());
                let dead = DeadRecord::decode(record).map_err(|_| "a broken record")?;
                let (failures, crashes) = counts(&dead.envelope);
                match dead.reason {
                    Reason::Crashed => {
                        sound(claim.adopted, "crashed, and not adopted")?;
                        sound(failures == claim.failures, "a crash is no attempt")?;
                        sound(crashes == claim.crashes + 1, "more than one crash")?;
                        sound(job.adoptions >= crashes, "more crashes than adoptions")
                    }
                    Reason::Exhausted => {
                        job.failed += 1;
                        sound(failures == claim.failures + 1, "more than one attempt")?;
                        sound(failures == job.retries + 1, "not all attempts")?;
                        let failed = [End::Failed, End::Panicked, End::TimedOut];
                        sound(ended(job, &failed), "exhausted, and no run failed")
                    }
                    Reason::Fatal => {
                        job.failed += 1;
                        sound(ended(job, &[End::Fatal]), "no run was fatal")
                    }
                    _ => Err("nothing here gives a job up so"),
                }
            }
            Action::Release { envelope: None, .. } => {
                ended(job, &[End::Interrupted]);
                Ok(())
            }
            Action::Release {
                envelope: Some(envelope),
                ..
            } => {
                let (failures, crashes) = counts(envelope);
                sound(claim.adopted, "a crash is counted, and it was not adopted")?;
                sound(failures == claim.failures, "a crash is no attempt")?;
                sound(crashes == claim.crashes + 1, "more than one crash")
            }
        }
    }
}

fn counts(envelope: &Bytes) -> (u32, u32) {
    let envelope = Envelope::decode(envelope.clone()).expect("workers write whole envelopes");
    (envelope.failures(), envelope.crashes())
}

fn sound(is: bool, wrong: &'static str) -> Result<(), &'static str> {
    if is { Ok(()) } else { Err(wrong) }
}
