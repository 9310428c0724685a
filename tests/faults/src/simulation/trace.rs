//! What happened, line by line. Ids of workers are named in the order in which they appear: those
//! that they have are drawn from the clock.

use std::fmt::{self, Write as _};

use jobq::broker::memory::Snapshot;
use jobq::broker::{Action, Adopted, Claimed, ReleaseTo, Renewed, Settle, Settled};
use jobq::{BrokerError, Envelope, WorkerId};
use support::hooked::{Answer, Step};

use super::sim::job_of;

#[derive(Debug, Default)]
pub(crate) struct Trace {
    lines: Vec<String>,
    workers: Vec<WorkerId>,
}

impl Trace {
    pub(crate) fn line(&mut self, ms: u64, line: fmt::Arguments<'_>) {
        self.lines.push(format!("{ms:>6} {line}"));
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }

    /// A step that was carried out.
    pub(crate) fn step(
        &mut self,
        ms: u64,
        process: usize,
        step: &Step,
        answer: &Answer,
        how: &str,
    ) {
        let mut text = format!("p{process} {}{how}", step.name());
        // Writing to a string cannot fail.
        let _ = self.describe(&mut text, step, answer);
        self.line(ms, format_args!("{text}"));
    }

    fn describe(&mut self, text: &mut String, step: &Step, answer: &Answer) -> fmt::Result {
        match (step, answer) {
            (Step::Enqueue { queue, entries }, _) => {
                write!(text, " {queue}")?;
                for entry in entries {
                    write!(text, " {}", name(&entry.envelope))?;
                }
                Ok(())
            }
            (Step::Round { settles, claim }, Answer::Round(round)) => {
                for (settle, answer) in settles.iter().zip(&round.settles) {
                    self.settle(text, settle, answer)?;
                }
                let (Some(claim), Some(answer)) = (claim, &round.claim) else {
                    return Ok(());
                };
                let member = &claim.member;
                let worker = self.worker(&member.worker);
                write!(text, " | {worker}@{} {}", member.known, member.queue)?;
                match (claim.suspect, claim.max) {
                    (true, _) => write!(text, " one suspect:")?,
                    (false, max) => write!(text, " up to {max}:")?,
                }
                match answer {
                    Ok(Claimed::Granted(grant)) => {
                        let paused = if grant.paused { " paused" } else { "" };
                        write!(
                            text,
                            " {}{paused}{}",
                            grant.counter,
                            names(&grant.envelopes)
                        )
                    }
                    other => write!(text, " {other:?}"),
                }
            }
            (Step::Renew(member), Answer::Renewed(answer)) => {
                let worker = self.worker(&member.worker);
                write!(text, " {worker}@{} {}: ", member.known, member.queue)?;
                match answer {
                    Ok(Renewed::Alive {
                        counter,
                        in_flight,
                        handoff,
                        ..
                    }) => write!(text, "{counter} holds {in_flight}+{handoff}"),
                    other => write!(text, "{other:?}"),
                }
            }
            (Step::Adopt(adoption), Answer::Adopted(answer)) => {
                let (adopter, target) = (&adoption.member.worker, &adoption.target);
                let (adopter, target) = (self.worker(adopter), self.worker(target));
                let (queue, seen) = (&adoption.member.queue, adoption.seen);
                write!(text, " {target} seen at {seen:?} by {adopter} {queue}: ")?;
                match answer {
                    Ok(Adopted::Taken {
                        counter, envelopes, ..
                    }) => write!(text, "{counter}{}", names(envelopes)),
                    other => write!(text, "{other:?}"),
                }
            }
            (Step::Promote { queue, worker }, Answer::Promoted(Ok(promoted))) => {
                let worker = self.worker(worker);
                let (keeps, moved) = (promoted.timekeeper, promoted.moved);
                write!(text, " {worker} {queue}: {keeps}, {moved} due")
            }
            (Step::Leave { queue, worker }, Answer::Left(left)) => {
                let worker = self.worker(worker);
                write!(text, " {worker} {queue}: {left:?}")
            }
            (Step::Held { queue, worker }, Answer::Held(Ok(tokens))) => {
                let worker = self.worker(worker);
                write!(text, " {worker} {queue}:")?;
                tokens.iter().try_for_each(|token| write!(text, " {token}"))
            }
            (Step::Members { queue }, Answer::Members(Ok(members))) => {
                write!(text, " {queue}:")?;
                for (worker, counter) in members {
                    let worker = self.worker(worker);
                    write!(text, " {worker}@{counter}")?;
                }
                Ok(())
            }
            (Step::Owners { queue, .. }, Answer::Owners(Ok((_, owners)))) => {
                write!(text, " {queue}:")?;
                for worker in owners {
                    let worker = self.worker(worker);
                    write!(text, " {worker}")?;
                }
                Ok(())
            }
            (Step::Wait { queue, worker, .. }, Answer::Woken(woken)) => {
                let worker = self.worker(worker);
                write!(text, " {worker} {queue}: {woken:?}")
            }
            (Step::Cancelled { queue, .. }, Answer::Cancelled(answer)) => {
                write!(text, " {queue}: {answer:?}")
            }
            (Step::Interrupt { queue, worker }, _) => {
                let worker = self.worker(worker);
                write!(text, " {worker} {queue}")
            }
            _ => Ok(()),
        }
    }

    fn settle(
        &mut self,
        text: &mut String,
        settle: &Settle,
        answer: &Result<Settled, BrokerError>,
    ) -> fmt::Result {
        let resent = if settle.resent { " resent" } else { "" };
        write!(text, " {}{resent}", self.worker(&settle.worker))?;
        let Ok(answer) = answer else { return Ok(()) };
        for (settlement, accepted) in settle.settlements.iter().zip(&answer.accepted) {
            let stale = if *accepted { "" } else { " stale" };
            let kind = match &settlement.action {
                Action::Ack => "ack",
                Action::Retry { .. } => "retry",
                Action::Bury { .. } => "bury",
                Action::Release {
                    to: ReleaseTo::Front,
                    ..
                } => "release",
                Action::Release { .. } => "suspect",
            };
            write!(text, " {}={kind}{stale}", settlement.token)?;
        }
        Ok(())
    }

    /// What a queue holds.
    pub(crate) fn snapshot(&mut self, snapshot: &Snapshot) -> String {
        let delayed: Vec<_> = snapshot
            .delayed
            .iter()
            .map(|(_, one)| one.clone())
            .collect();
        let (ready, suspects) = (names(&snapshot.ready), names(&snapshot.suspects));
        let mut text = format!(
            "ready{ready}, delayed{}, suspects{suspects}, handed over",
            names(&delayed)
        );
        for (worker, handoff) in &snapshot.handoffs {
            text += &format!(" {}:{}", self.worker(worker), names(handoff));
        }
        text += ", in flight";
        for (worker, held) in &snapshot.in_flight {
            let held: Vec<_> = held.values().cloned().collect();
            text += &format!(" {}:{}", self.worker(worker), names(&held));
        }
        text += ", members";
        for (worker, counter) in &snapshot.members {
            text += &format!(" {}@{counter}", self.worker(worker));
        }
        text
    }

    fn worker(&mut self, worker: &WorkerId) -> String {
        let known = self.workers.iter().position(|known| known == worker);
        let number = known.unwrap_or_else(|| {
            self.workers.push(worker.clone());
            self.workers.len() - 1
        });
        format!("w{number}")
    }
}

fn names(envelopes: &[bytes::Bytes]) -> String {
    envelopes
        .iter()
        .fold(String::new(), |text, one| text + " " + &name(one))
}

fn name(envelope: &[u8]) -> String {
    Envelope::id_of(envelope).map_or_else(|| "?".to_owned(), |id| format!("j{}", job_of(id)))
}
