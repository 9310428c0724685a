//! Begins the jobs of a claim, several in one task as far as that does no harm.
//!
//! A task for each job is most of what a job costs that is over at once. So a task begins a cohort
//! of them, one after the other, and their outcomes are put away together. With the first that is not
//! over when it was polled once it goes on, and the rest begins beside it. So does what a cohort has
//! not begun after a while: a handler that blocks its thread holds up no other for longer. How large
//! cohorts are is for the queue's [`Pace`](crate::membership::Pace): one job each, unless the latest
//! were all over at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use jobq::broker::{Action, ReleaseTo, Settlement};
use jobq::runtime::Surroundings;
use jobq::{Envelope, Token};

use super::{Ending, Owner, Run, execute};
use crate::at_work::{AtWork, Board, Works};
use crate::membership::{Membership, Task, Tenure};
use crate::meters;
use crate::outbox::{Kind, Note};
use crate::shared::Shared;
use crate::slots::Filled;

/// How long a job of a cohort may wait for the one before it, about: at most twice this.
const LONG: Duration = Duration::from_millis(5);

/// Jobs of one claim that were not begun. Dropped, they are given back.
#[derive(Debug)]
pub(super) struct Jobs {
    owner: Arc<Owner>,
    claim: u64,
    /// Where they were taken from, and are given back to.
    from: ReleaseTo,
    /// With the places of their tokens.
    envelopes: vec::IntoIter<(u32, Bytes)>,
    slots: Filled,
}

/// A job that is about to begin.
struct Next {
    token: Token,
    bytes: Bytes,
    slot: Filled,
}

impl Owner {
    pub(super) fn new(shared: &Arc<Shared>, index: usize, tenure: Tenure) -> Arc<Self> {
        let Tenure {
            worker,
            lease,
            cancellation,
        } = tenure;
        let surroundings = Surroundings {
            queue: shared.memberships[index].queue.clone(),
            client: shared.client.clone(),
            states: shared.states.clone(),
            cancellation,
            lease,
        };
        Arc::new(Self {
            shared: shared.clone(),
            index,
            worker,
            surroundings: Arc::new(surroundings),
        })
    }

    fn membership(&self) -> &Membership {
        &self.shared.memberships[self.index]
    }
}

impl Jobs {
    pub(super) fn new(
        owner: Arc<Owner>,
        claim: u64,
        from: ReleaseTo,
        envelopes: Vec<Bytes>,
        slots: Filled,
    ) -> Self {
        let envelopes: Vec<_> = (1..).zip(envelopes).collect();
        Self {
            owner,
            claim,
            from,
            envelopes: envelopes.into_iter(),
            slots,
        }
    }

    fn next(&mut self) -> Option<Next> {
        let (index, bytes) = self.envelopes.next()?;
        let claim = self.claim;
        Some(Next {
            token: Token { claim, index },
            bytes,
            slot: self.slots.split(1),
        })
    }

    /// The first of them, or all.
    fn split(&mut self, jobs: usize) -> Self {
        let envelopes: Vec<_> = self.envelopes.by_ref().take(jobs).collect();
        let count = u32::try_from(envelopes.len()).expect("a grant has few jobs");
        Self {
            owner: self.owner.clone(),
            claim: self.claim,
            from: self.from,
            slots: self.slots.split(count),
            envelopes: envelopes.into_iter(),
        }
    }

    /// Settles those that somebody cancelled, by their places, and leaves the others; all if nothing
    /// is said.
    pub(super) fn drop_cancelled(&mut self, cancelled: &[bool]) {
        if !cancelled.contains(&true) {
            return;
        }
        let is_cancelled = |token: Token| cancelled.get(token.index as usize - 1) == Some(&true);
        let mut left = Vec::with_capacity(self.envelopes.len());
        while let Some(next) = self.next() {
            if is_cancelled(next.token) {
                self.owner.drop_job(next);
            } else {
                left.push((next.token.index, next.bytes));
                self.slots.join(next.slot);
            }
        }
        self.envelopes = left.into_iter();
    }

    /// Gives back what is left, with no attempt used.
    pub(super) fn give_back(&mut self) {
        while let Some(Next { token, bytes, slot }) = self.next() {
            let id = Envelope::id_of(&bytes);
            let ending = Ending::given_back(token, self.from, id, Some(slot));
            self.owner.settle(ending);
        }
    }

    /// Begins them, in their order.
    pub(super) fn start(self) {
        let owner = self.owner.clone();
        // However well they do, there is something for every thread.
        let threads = owner.shared.runtime.metrics().num_workers();
        let share = match threads {
            0 | 1 => self.envelopes.len(),
            threads => self.envelopes.len().div_ceil(2 * threads),
        };
        let size = owner.membership().pace.cohort().min(share.max(1));
        let cohorts = self.start_by(size);
        if size > 1 {
            owner.shared.runtime.spawn(hurry(cohorts));
        }
    }

    fn start_by(mut self, size: usize) -> Vec<Arc<Cohort>> {
        let mut cohorts = Vec::with_capacity(self.envelopes.len().div_ceil(size));
        let mut tasks = Vec::with_capacity(cohorts.capacity());
        while self.envelopes.len() > 0 {
            let cohort = Arc::new(Cohort::new(self.split(size)));
            let task = begin(Beginning(self.owner.clone(), cohort.clone()));
            let abort = self.owner.shared.runtime.spawn(task).abort_handle();
            tasks.push(Task::new(abort, &cohort));
            cohorts.push(cohort);
        }
        let (owner, claim) = (&self.owner, self.claim);
        let forgotten = owner.membership().started(&owner.worker, claim, tasks);
        owner.shared.abort_soon(forgotten);
        cohorts
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Owner {
    fn drop_job(&self, job: Next) {
        let Next { token, bytes, slot } = job;
        let (id, queue) = (Envelope::id_of(&bytes), self.queue());
        let envelope = Envelope::decode(bytes).ok();
        tracing::info!(
            job.id = id.map(tracing::field::display),
            job.name = envelope.as_ref().map(Envelope::name),
            job.queue = %queue,
            "dropped: the job is cancelled"
        );
        let note = Note::not_run(id, Kind::Cancelled);
        let ending = Ending::new(token, Action::Ack, note, Some(slot));
        self.settle(ending);
    }
}

/// Jobs that one task begins, unless they are taken from it.
#[derive(Debug)]
struct Cohort {
    state: Mutex<State>,
    board: Board,
}

#[derive(Debug)]
struct State {
    /// Not begun.
    jobs: Jobs,
    begun: u32,
    over: Over,
}

/// What of a cohort is over, to be put away together.
#[derive(Debug)]
struct Over {
    outcomes: Vec<(Settlement, Note)>,
    slots: Filled,
}

impl Cohort {
    fn new(mut jobs: Jobs) -> Self {
        let over = Over {
            outcomes: Vec::with_capacity(jobs.envelopes.len()),
            slots: jobs.slots.split(0),
        };
        Self {
            board: Board::new(jobs.owner.shared.started.0),
            state: Mutex::new(State {
                jobs,
                begun: 0,
                over,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins jobs one after the other, up to one that goes on, which is left in `place`, with the rest
    /// beside it. Answers whether that one is blocking; `None` if all were over at once.
    fn begin_all<F: Future<Output = Ending>>(
        &self,
        owner: &Arc<Owner>,
        start: fn(Run) -> F,
        mut place: Pin<&mut Option<F>>,
        cx: &mut Context<'_>,
    ) -> Option<bool> {
        let (pace, mut before) = (&owner.membership().pace, None);
        // Of each the end is the beginning of the next: a look at the clock costs as much as all else here.
        let mut begun_ns = owner.shared.elapsed_ns();
        let (measured, mut waits) = (&owner.shared.meters, meters::Local::default());
        let pending = loop {
            let Some((Next { token, bytes, slot }, from)) = self.next(before.take()) else {
                break None;
            };
            let run = match Run::begin(owner, token, bytes, slot, from, begun_ns) {
                Ok(run) => run,
                Err(ending) => {
                    before = Some(ending);
                    continue;
                }
            };
            let is_blocking = run.is_blocking();
            if meters::ON {
                let waited = measured.waited(begun_ns, run.waits_since());
                waits.observe(&meters::JOB_TIMES, waited);
            }
            self.board.write(run.envelope.id(), run.job(), begun_ns);
            place.set(Some(start(run)));
            match poll(place.as_mut(), cx) {
                Poll::Ready(ending) => {
                    begun_ns += ending.note.spent_ns;
                    before = Some(ending);
                }
                Poll::Pending => break Some(is_blocking),
            }
        };
        waits.give(&measured.waits[owner.index]);
        match pending {
            Some(_) => {
                pace.goes_on();
                self.put_away(owner);
                self.rest().start_by(1);
            }
            None => {
                self.board.clear();
                pace.over_at_once(self.put_away(owner));
            }
        }
        pending
    }

    /// Takes the next job to begin, after the end of the one before it, and says where it is from.
    fn next(&self, before: Option<Ending>) -> Option<(Next, ReleaseTo)> {
        let mut state = self.state();
        if let Some(Ending {
            settlement,
            note,
            slot,
        }) = before
        {
            state.over.outcomes.push((settlement, note));
            slot.into_iter()
                .for_each(|slot| state.over.slots.join(slot));
        }
        let next = state.jobs.next()?;
        state.begun += 1;
        Some((next, state.jobs.from))
    }

    /// Puts away what is over, the outcomes first: once all slots are free, every outcome is in the
    /// outbox. Answers how many these were.
    fn put_away(&self, owner: &Owner) -> u32 {
        let (outcomes, slots) = {
            let Over { outcomes, slots } = &mut self.state().over;
            (std::mem::take(outcomes), slots.split(u32::MAX))
        };
        let count = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
        if count > 0 {
            let shared = &owner.shared;
            shared
                .outbox
                .push(shared, owner.index, &owner.worker, outcomes);
            drop(slots);
            // Tells the fetcher, which may have taken the outcomes and not seen the slots.
            shared.work.notify_one();
        }
        count
    }

    /// What was not begun.
    fn rest(&self) -> Jobs {
        self.state().jobs.split(usize::MAX)
    }
}

impl Works for Cohort {
    fn at_work(&self) -> Option<AtWork> {
        self.board.at_work()
    }
}

/// Sees to it that neither a job nor an outcome of a cohort waits long for a job before or behind it:
/// puts away what is over, and where the cohort stands still begins the rest beside it.
async fn hurry(cohorts: Vec<Arc<Cohort>>) {
    let mut cohorts: Vec<_> = cohorts.into_iter().map(|cohort| (cohort, 0)).collect();
    while !cohorts.is_empty() {
        tokio::time::sleep(LONG).await;
        cohorts.retain_mut(|(cohort, seen)| {
            let state = cohort.state();
            let (begun, owner) = (state.begun, state.jobs.owner.clone());
            let is_over = state.jobs.envelopes.len() == 0 && state.over.outcomes.is_empty();
            drop(state);
            let stands_still = begun > 0 && begun == std::mem::replace(seen, begun);
            cohort.put_away(&owner);
            if stands_still && !is_over {
                owner.membership().pace.goes_on();
                cohort.rest().start_by(1);
            }
            !is_over && !stands_still
        });
    }
}

/// The task of a cohort. Ended early, it gives back what was not begun.
struct Beginning(Arc<Owner>, Arc<Cohort>);

impl Drop for Beginning {
    fn drop(&mut self) {
        self.1.put_away(&self.0);
        drop(self.1.rest());
    }
}

/// Begins the jobs of a cohort, and runs the one that goes on to its end.
///
/// There is one of these for each job in flight, so nothing large is kept over an `await`: what runs
/// has a place of its own, which the jobs before it had too.
async fn begin(beginning: Beginning) {
    let Beginning(owner, cohort) = &beginning;
    let mut place = Box::pin(None);
    let begun =
        poll_fn(|cx| Poll::Ready(cohort.begin_all(owner, execute, place.as_mut(), cx))).await;
    let Some(is_blocking) = begun else { return };
    if is_blocking {
        // This task can be aborted, and it cannot: its end is awaited in another.
        let (settles, cohort) = (owner.clone(), cohort.clone());
        let waits = async move {
            let ending = rest(place).await;
            cohort.board.clear();
            settles.settle(ending);
        };
        owner.shared.runtime.spawn(waits);
    } else {
        let ending = rest(place).await;
        cohort.board.clear();
        owner.settle(ending);
    }
}

/// What of a run is left.
async fn rest<F: Future>(mut running: Pin<Box<Option<F>>>) -> F::Output {
    poll_fn(|cx| poll(running.as_mut(), cx)).await
}

fn poll<F: Future>(place: Pin<&mut Option<F>>, cx: &mut Context<'_>) -> Poll<F::Output> {
    match place.as_pin_mut() {
        Some(future) => future.poll(cx),
        None => Poll::Pending,
    }
}
