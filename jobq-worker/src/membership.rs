//! What one worker is on one queue: its id there, the highest counter it was answered, what it
//! holds, and what it asked for and has no answer to.
//!
//! The rules of the protocol that are the worker's live here: what "reaped" ends, until when a lease
//! is trusted, and, in `reconcile.rs`, what a reconcile may release. No I/O.

mod held;
mod pace;
mod reconcile;
mod request;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jobq::broker::Member;
use jobq::runtime::{Cancellation, Lease};
use jobq::{QueueName, Token, WorkerId};
use tokio::time::Instant;

use crate::at_work::AtWork;

use self::held::Held;
pub(crate) use self::held::Task;
pub(crate) use self::pace::Pace;
pub(crate) use self::request::Request;

/// A worker's place on one queue, shared by its components.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) queue: QueueName,
    /// Suspects that wait on this queue and may run, as last answered.
    pub(crate) suspects: AtomicU64,
    /// Whether this worker is the queue's timekeeper, as last answered.
    pub(crate) timekeeper: AtomicBool,
    pub(crate) pace: Pace,
    /// How long a lease is trusted.
    trust: Duration,
    state: Mutex<State>,
}

/// An id of a worker on a queue, and what ends with it. Clones share that.
#[derive(Debug, Clone)]
pub(crate) struct Tenure {
    pub(crate) worker: WorkerId,
    pub(crate) lease: Lease,
    /// Of every run that began under it.
    pub(crate) cancellation: Cancellation,
}

#[derive(Debug)]
struct State {
    tenure: Tenure,
    known: u64,
    held: Held,
    /// Claims and adoptions under way: request → the highest counter known when it was sent.
    outstanding: BTreeMap<u64, u64>,
    next_request: u64,
    /// Ids this worker had here before it was reaped.
    former: Vec<WorkerId>,
    reconcile: bool,
    /// How often running the sizes of a renew did not match what is held.
    mismatches: u32,
    resigned_until: Option<Instant>,
}

/// What a renew tells of the worker.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Alive {
    pub(crate) counter: u64,
    pub(crate) in_flight: u64,
    pub(crate) handoff: u64,
}

/// What is left to be told of an id that was reaped.
#[derive(Debug)]
pub(crate) struct Former {
    /// How many jobs it held, those included that had ended and were not settled yet.
    pub(crate) held: usize,
    /// The tasks that run them.
    pub(crate) tasks: Vec<Task>,
    /// The id the worker has now.
    pub(crate) successor: WorkerId,
}

/// How long a timekeeper that resigned does not ask for the office: until its time has run out and
/// another worker has looked.
const RESIGNATION: Duration = Duration::from_secs(5);

impl Membership {
    pub(crate) fn new(queue: QueueName, worker: WorkerId, trust: Duration) -> Self {
        let state = State::new(worker, trust, Vec::new());
        Self {
            queue,
            suspects: AtomicU64::new(0),
            timekeeper: AtomicBool::new(false),
            pace: Pace::default(),
            trust,
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code that can panic runs under this lock; a poisoned one is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn worker(&self) -> WorkerId {
        self.state().worker().clone()
    }

    /// The member as it presents itself to the broker.
    pub(crate) fn member(&self) -> Member {
        self.state().member(&self.queue)
    }

    /// Notes a claim or adoption that is about to be sent.
    pub(crate) fn ask(&self) -> (Request<'_>, Member) {
        let sent = Instant::now();
        let mut state = self.state();
        state.next_request += 1;
        let id = state.next_request;
        let member = state.member(&self.queue);
        state.outstanding.insert(id, member.known);
        let request = Request {
            membership: self,
            id,
            worker: member.worker.clone(),
            sent,
            open: true,
        };
        (request, member)
    }

    /// Attaches tasks that run jobs of a claim. Gives them back if the worker was reaped meanwhile:
    /// nobody knows of them any more.
    pub(crate) fn started(&self, worker: &WorkerId, counter: u64, tasks: Vec<Task>) -> Vec<Task> {
        let mut state = self.state();
        if state.worker() != worker {
            return tasks;
        }
        state.held.attach(counter, tasks);
        Vec::new()
    }

    /// So many of the jobs that run, those of the oldest claims.
    pub(crate) fn at_work(&self, most: usize) -> Vec<AtWork> {
        self.state().held.at_work().take(most).collect()
    }

    /// Forgets jobs whose settle was answered.
    pub(crate) fn settled(&self, worker: &WorkerId, tokens: impl IntoIterator<Item = Token>) {
        let mut state = self.state();
        if state.worker() != worker {
            return;
        }
        for token in tokens {
            state.held.forget(token);
        }
    }

    /// Notes a renew that was sent at `sent` and answered. Twice running sizes that do not match
    /// what is held ask for a reconcile.
    pub(crate) fn renewed(&self, worker: &WorkerId, sent: Instant, alive: Alive) {
        let Alive {
            counter,
            in_flight,
            handoff,
        } = alive;
        let mut state = self.state();
        if state.worker() != worker {
            return;
        }
        state.tenure.lease.renewed(sent);
        // Also of a claim that was carried out after it was given up: its number is below this one,
        // and a worker that asks for nothing else would never reconcile it.
        state.known = state.known.max(counter);
        let held = state.held.len() as u64;
        let settled = state.outstanding.is_empty() && in_flight <= held && handoff == 0;
        state.mismatches = if settled { 0 } else { state.mismatches + 1 };
        if state.mismatches >= 2 {
            state.reconcile = true;
        }
    }

    /// Whether the lease can be trusted at `now`: past it, nothing may be claimed. The first claim or
    /// adoption that is answered with a counter makes the worker a member: until then it has no lease
    /// that could have run out.
    pub(crate) fn is_trusted(&self, now: Instant) -> bool {
        let state = self.state();
        state.known == 0 || state.tenure.lease.is_trusted(now)
    }

    /// The worker was adopted: it takes a new id and owns nothing; what runs under the old one is
    /// asked to end. Answers how to abort it, later; `None` if that id was given up before.
    pub(crate) fn reaped(&self, worker: &WorkerId) -> Option<Former> {
        let mut state = self.state();
        if state.worker() != worker {
            return None;
        }
        let mut former = std::mem::take(&mut state.former);
        former.push(worker.clone());
        let successor = worker.successor();
        let new = State::new(successor.clone(), self.trust, former);
        let old = std::mem::replace(&mut *state, new);
        // First, so that whoever is told to end finds that it is lost.
        old.tenure.lease.lost();
        drop(state);
        old.tenure.cancellation.cancel();
        Some(Former {
            held: old.held.len(),
            tasks: old.held.tasks().cloned().collect(),
            successor,
        })
    }

    /// Ids this worker had before, whose remains it looks after first.
    pub(crate) fn former(&self) -> Vec<WorkerId> {
        self.state().former.clone()
    }

    /// Nothing of this id is left.
    pub(crate) fn forget_former(&self, worker: &WorkerId) {
        self.state().former.retain(|former| former != worker);
    }

    /// The tokens that are held, with the id they belong to.
    pub(crate) fn held_tokens(&self) -> (WorkerId, Vec<Token>) {
        let state = self.state();
        (state.worker().clone(), state.held.tokens())
    }

    /// Whether a job is held under this id.
    pub(crate) fn holds(&self, worker: &WorkerId, token: Token) -> bool {
        let state = self.state();
        state.worker() == worker && state.held.contains(token)
    }

    /// Whether this worker is the queue's timekeeper, and has not resigned.
    pub(crate) fn is_timekeeper(&self) -> bool {
        self.timekeeper.load(Ordering::Relaxed) && !self.has_resigned(Instant::now())
    }

    /// Asks every job to end.
    pub(crate) fn cancel_all(&self) {
        self.state().tenure.cancellation.cancel();
    }

    /// Asks every job to end, and aborts those that can be.
    pub(crate) fn abort_all(&self) {
        let state = self.state();
        state.tenure.cancellation.cancel();
        state.held.tasks().for_each(Task::abort);
    }

    /// Gives up the office of timekeeper for a while, so that another worker takes it.
    pub(crate) fn resign(&self, now: Instant) {
        self.state().resigned_until = Some(now + RESIGNATION);
    }

    /// Whether it gave up the office of timekeeper.
    pub(crate) fn has_resigned(&self, now: Instant) -> bool {
        self.state().resigned_until.is_some_and(|until| now < until)
    }
}

impl State {
    fn new(worker: WorkerId, trust: Duration, former: Vec<WorkerId>) -> Self {
        Self {
            tenure: Tenure {
                worker,
                lease: Lease::new(trust),
                cancellation: Cancellation::default(),
            },
            known: 0,
            held: Held::default(),
            outstanding: BTreeMap::new(),
            next_request: 0,
            former,
            reconcile: false,
            mismatches: 0,
            resigned_until: None,
        }
    }

    fn worker(&self) -> &WorkerId {
        &self.tenure.worker
    }

    fn member(&self, queue: &QueueName) -> Member {
        Member {
            queue: queue.clone(),
            worker: self.worker().clone(),
            known: self.known,
        }
    }
}

#[cfg(test)]
mod tests;
