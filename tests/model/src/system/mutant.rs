//! Rules left out, one at a time: the search must find each. The rules themselves stay whole, and
//! are bent from outside.

use super::{Answer, Ask, Job, Request, System, Worker};
use crate::store::Store;

/// A rule that is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A token is the job's id, not the claim's number: given out at each claim again.
    TokensAreJobs,
    /// An outcome finds its job by id, whoever owns it now.
    SettleGoesByJob,
    /// One who joins starts at 1, not above those who are gone.
    GoneIsForgotten,
    /// A worker that was adopted may claim on.
    ClaimUnguarded,
    /// A worker that was adopted may adopt.
    AdoptUnguarded,
    /// The target's counter is not compared with what was seen.
    AdoptWhoeverLives,
    /// What a dead worker was handed is left where it is.
    AdoptNoHandoff,
    /// Ready is given out while the queue is paused.
    PauseIgnored,
    /// A reconcile releases what an open claim may have been given.
    ReconcileWithoutLimit,
    /// A claim counts as answered before its worker asked which of its jobs are cancelled.
    ClaimIsClosedBeforeItAsks,
    /// The worker starts what it was given at once.
    StartsWithoutAsking,
    /// Nobody releases what a lost answer held.
    NoReconcile,
    /// A worker learns its counter from claims alone.
    RenewTellsNothing,
    /// Nobody looks after those who stand still.
    NoAdoption,
    /// Nobody looks after owners that are no members.
    NoSweep,
    /// A worker that was adopted goes on as before.
    ReapedKeepsItsId,
}

/// What a bent step puts back.
#[derive(Debug, Default)]
pub(super) struct Bent {
    handoff: Option<Vec<Job>>,
    paused: bool,
}

type Queue = Store<Worker, Job, u8>;

impl Mutant {
    pub(super) fn before(self, queue: &mut Queue, request: &Request) -> Bent {
        let mut bent = Bent::default();
        let worker = request.worker;
        match (self, &request.ask) {
            (Self::ClaimUnguarded, Ask::Claim { known, .. }) => pass(queue, worker, *known),
            (Self::AdoptUnguarded, Ask::Adopt(adoption)) => pass(queue, worker, adoption.known),
            (Self::AdoptNoHandoff, Ask::Adopt(adoption)) => {
                bent.handoff = queue.handoffs.remove(&adoption.target);
            }
            (Self::PauseIgnored, Ask::Claim { .. }) => {
                bent.paused = std::mem::take(&mut queue.paused);
            }
            _ => {}
        }
        bent
    }

    pub(super) fn after(
        self,
        queue: &mut Queue,
        request: &Request,
        bent: Bent,
        mut answer: Answer,
    ) -> Answer {
        queue.paused |= bent.paused;
        if let (Ask::Adopt(adoption), Some(handoff)) = (&request.ask, bent.handoff) {
            queue.handoffs.insert(adoption.target, handoff);
        }
        if self == Self::GoneIsForgotten {
            queue.gone = 0;
        }
        if let (Self::TokensAreJobs, Answer::Given(given)) = (self, &mut answer) {
            for (token, job, _) in &mut given.jobs {
                queue.in_flight.remove(&(request.worker, *token));
                *token = (0, job.id().into());
                queue.in_flight.insert((request.worker, *token), *job);
            }
        }
        answer
    }

    /// What is asked instead.
    pub(super) fn bend(self, ask: Ask) -> Ask {
        match (self, ask) {
            (Self::ReconcileWithoutLimit, Ask::Held { .. }) => Ask::Held { limit: u64::MAX },
            (_, ask) => ask,
        }
    }

    /// Whether nothing may do this at all.
    pub(super) fn forbids(self, system: &System, ask: &Ask) -> bool {
        match (self, ask) {
            (Self::NoReconcile, Ask::Held { .. }) => true,
            (Self::NoAdoption, Ask::Adopt(adoption)) => adoption.seen.is_some(),
            (Self::NoSweep, Ask::Adopt(adoption)) => {
                let members = &system.queue.members;
                adoption.seen.is_none() && !members.contains_key(&adoption.target)
            }
            _ => false,
        }
    }
}

fn pass(queue: &mut Queue, worker: Worker, known: u64) {
    let counter = queue.members.entry(worker).or_insert(known);
    *counter = known.max(*counter).max(1);
}
