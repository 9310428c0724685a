//! What one process knows: never more than it was answered.

use std::collections::BTreeMap;

use super::{Answer, Ask, Given, Job, Request, Worker};
use crate::store::{Action, Token};

/// Places for running jobs.
pub(super) const SLOTS: usize = 2;

/// One process.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its id.
    pub worker: Worker,
    /// The highest counter it was answered.
    pub known: u64,
    /// What it holds.
    pub held: BTreeMap<Token, Held>,
    /// What it waits for: one of a kind at a time.
    pub calls: BTreeMap<Lane, Call>,
    /// Ids it had before and looks after.
    pub former: Vec<Worker>,
}

/// A job that is held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Held {
    /// The job, as it was given.
    pub job: Job,
    /// What it does.
    pub run: Run,
}

/// What a held job does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Run {
    /// It runs.
    Running,
    /// It was taken over from this worker, which is not wholly taken over yet.
    Orphan(Worker),
    /// Its outcome is to be sent.
    Ended(Action<Job>),
}

/// What a call is for: a component has one on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Of the fetcher.
    Claim,
    /// A claim for a suspect.
    Suspect,
    /// An outcome.
    Settle,
    /// Of the heartbeat.
    Renew,
    /// Of the timekeeper.
    Promote,
    /// Of the reaper.
    Adopt,
    /// The end.
    Leave,
    /// Of the idler.
    Wait,
    /// Of the reaper, for itself.
    Reconcile,
}

/// A request, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The highest counter known when it was sent.
    pub known: u64,
    /// What was asked.
    pub request: Request,
    /// Where it is.
    pub leg: Leg,
}

/// How far a request has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Leg {
    /// On its way, or waiting at the broker.
    Out,
    /// Carried out; the answer is on its way.
    Back(Answer),
    /// The claim was answered; before its jobs start, the broker is asked which are cancelled.
    Asking(Given),
    /// The broker has said, for each.
    Told(Given, Vec<bool>),
}

impl Process {
    pub(super) fn new(worker: Worker) -> Self {
        Self {
            worker,
            known: 0,
            held: BTreeMap::new(),
            calls: BTreeMap::new(),
            former: Vec::new(),
        }
    }

    pub(super) fn send(&mut self, ask: Ask) {
        let lane = ask.lane();
        let worker = self.worker;
        let call = Call {
            known: self.known,
            request: Request { worker, ask },
            leg: Leg::Out,
        };
        self.calls.insert(lane, call);
    }

    pub(super) fn is_free(&self, lane: Lane) -> bool {
        !self.calls.contains_key(&lane)
    }

    pub(super) fn running(&self) -> usize {
        let runs = |held: &&Held| held.run == Run::Running;
        self.held.values().filter(runs).count()
    }

    /// Slots that are neither taken nor reserved.
    pub(super) fn free_slots(&self) -> usize {
        let reserved = self.calls.values().map(|call| match call.request.ask {
            Ask::Claim { max, .. } => max,
            _ => 0,
        });
        SLOTS.saturating_sub(self.running() + reserved.sum::<usize>())
    }

    /// Up to which claim a reconcile that begins now may release.
    pub(super) fn reconcile_limit(&self) -> u64 {
        let gives = |lane: &Lane| matches!(lane, Lane::Claim | Lane::Suspect | Lane::Adopt);
        let outstanding = self.calls.iter().filter(|(lane, _)| gives(lane));
        let oldest = outstanding.map(|(_, call)| call.known).min();
        oldest.unwrap_or(self.known)
    }

    /// Decides what becomes of the jobs of `target` that this process took over, as a whole: a
    /// crash counts for each; but if there are suspects among them, for those only.
    pub(super) fn judge(&mut self, target: Worker) {
        let own = self.former.contains(&target);
        let orphans = self.held.values_mut();
        let mut orphans: Vec<&mut Held> = orphans
            .filter(|held| held.run == Run::Orphan(target))
            .collect();
        let suspects = orphans.iter().any(|held| held.job.crashes() >= 2);
        for held in &mut orphans {
            let counts = !own && (!suspects || held.job.crashes() >= 2);
            held.run = Run::Ended(after_adoption(held.job, counts));
        }
    }
}

fn after_adoption(job: Job, counts: bool) -> Action<Job> {
    let counted = job.with_crashes(job.crashes() + 1);
    match counted.crashes() {
        _ if !counts => Action::Release {
            suspect: false,
            element: None,
        },
        0 | 1 => Action::Release {
            suspect: false,
            element: Some(counted),
        },
        2 => Action::Release {
            suspect: true,
            element: Some(counted),
        },
        _ => Action::Bury { record: counted },
    }
}

impl Ask {
    pub(super) fn lane(&self) -> Lane {
        match self {
            Self::Claim { suspect: false, .. } => Lane::Claim,
            Self::Claim { suspect: true, .. } => Lane::Suspect,
            Self::Settle { .. } => Lane::Settle,
            Self::Renew { .. } => Lane::Renew,
            Self::Promote => Lane::Promote,
            Self::Adopt(_) => Lane::Adopt,
            Self::Leave => Lane::Leave,
            Self::Wait => Lane::Wait,
            Self::Held { .. } => Lane::Reconcile,
        }
    }
}
