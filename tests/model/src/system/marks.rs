//! What a step was, told from the states before and after it.

use super::process::{Lane, Run};
use super::{Answer, Ask, Marks, Process, Request, Rule, System};
use crate::store::Action;

/// A request was carried out.
pub(super) fn of_request(
    before: &System,
    request: &Request,
    answer: &Answer,
    after: &System,
) -> Marks {
    let mut marks = Marks::default();
    let worker = request.worker;
    let reaped = *answer == Answer::Reaped;
    let (is_member, gone) = (
        before.queue.members.contains_key(&worker),
        before.queue.gone,
    );
    let joined = !is_member && after.queue.members.contains_key(&worker);
    marks.put_if(joined, Rule::Joined);
    marks.put_if(joined && gone > 0, Rule::JoinedAboveTheGone);
    match &request.ask {
        Ask::Claim { suspect, .. } => {
            let given = matches!(answer, Answer::Given(given) if !given.jobs.is_empty());
            let cancelled = matches!(answer, Answer::Given(given) if given.flag);
            let moved = !before.queue.delayed.is_empty() && after.queue.delayed.is_empty();
            let handed = before.queue.handoffs.contains_key(&worker);
            marks.put_if(reaped, Rule::ClaimReaped);
            marks.put_if(given && !suspect, Rule::Claimed);
            marks.put_if(given && *suspect, Rule::SuspectClaimed);
            marks.put_if(!given && !reaped, Rule::ClaimFoundNothing);
            marks.put_if(given && cancelled, Rule::FoundCancelled);
            marks.put_if(moved, Rule::Promoting);
            marks.put_if(!reaped && handed && !suspect, Rule::TookHandoff);
            marks.put_if(!reaped && before.queue.paused, Rule::ClaimWhilePaused);
        }
        Ask::Settle { token, action, .. } => {
            let owned = before.queue.in_flight.contains_key(&(worker, *token));
            let lives = before.processes.iter().any(|p| p.worker == worker);
            marks.put_if(!owned, Rule::Stale);
            marks.put_if(owned && !lives, Rule::SettledForAFormerId);
            marks.put_if(owned, settled(action));
            let crash = matches!(
                action,
                Action::Release {
                    element: Some(_),
                    ..
                }
            );
            marks.put_if(owned && crash, Rule::CrashCounted);
        }
        Ask::Renew { .. } => {
            marks.put_if(reaped, Rule::RenewReaped);
            marks.put_if(!reaped, Rule::Renewed);
        }
        Ask::Promote => marks.put_if(true, Rule::Promoted),
        Ask::Adopt(adoption) => {
            let half = before.queue.members.get(&adoption.target) == Some(&0);
            let stranger = !before.queue.members.contains_key(&adoption.target);
            let taken = matches!(answer, Answer::Given(_));
            let more = matches!(answer, Answer::Given(given) if given.flag);
            marks.put_if(reaped, Rule::AdoptReaped);
            marks.put_if(*answer == Answer::Alive, Rule::AdoptFoundItAlive);
            marks.put_if(taken && more, Rule::AdoptedHalf);
            marks.put_if(taken && !more && half, Rule::AdoptedTheRest);
            marks.put_if(taken && !more && !half, Rule::AdoptedWhole);
            marks.put_if(taken && stranger, Rule::Swept);
        }
        Ask::Leave => {
            marks.put_if(*answer == Answer::Left(true), Rule::Left);
            marks.put_if(*answer == Answer::Left(false), Rule::LeaveRefused);
        }
        Ask::Wait => {
            let handed = before.queue.handoffs != after.queue.handoffs;
            marks.put_if(handed, Rule::Handed);
            marks.put_if(!handed, Rule::WaitTimedOut);
        }
        Ask::Held { .. } => marks.put_if(true, Rule::Listed),
    }
    marks
}

fn settled(action: &Action<super::Job>) -> Rule {
    match action {
        Action::Ack => Rule::Acked,
        Action::Retry { .. } => Rule::Retried,
        Action::Bury { .. } => Rule::Buried,
        Action::Release { suspect: false, .. } => Rule::Released,
        Action::Release { suspect: true, .. } => Rule::MadeSuspect,
    }
}

/// An answer arrived.
pub(super) fn of_answer(before: &System, index: usize, lane: Lane, after: &System) -> Marks {
    let mut marks = Marks::default();
    let (was, is) = (&before.processes[index], &after.processes[index]);
    marks.put_if(
        was.worker != is.worker && lane != Lane::Leave,
        Rule::TookANewId,
    );
    marks.put_if(is.running() > was.running(), Rule::Started);
    let dropped = is
        .held
        .values()
        .any(|held| held.run == Run::Ended(Action::Ack));
    marks.put_if(dropped && is.held.len() > was.held.len(), Rule::Dropped);
    if lane == Lane::Reconcile {
        let releases = after.late.len() > before.late.len();
        marks.put_if(releases, Rule::ReconcileReleases);
        marks.put_if(!releases, Rule::ReconcileFindsNothing);
    }
    marks
}

impl Process {
    pub(super) fn has_orphans(&self) -> bool {
        let orphan = |held: &super::Held| matches!(held.run, Run::Orphan(_));
        self.held.values().any(orphan)
    }
}
