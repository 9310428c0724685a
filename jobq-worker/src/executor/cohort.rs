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

use jobq::broker::{ReleaseTo, Settlement};

use super::jobs::{Jobs, Next};
use super::owner::{Ending, Owner};
use super::{Run, execute};
use crate::at_work::{AtWork, Board, Works};
use crate::membership::Task;
use crate::meters;
use crate::outbox::Note;
use crate::slots::Filled;

/// How long a job of a cohort may wait for the one before it, about: at most twice this.
const LONG: Duration = Duration::from_millis(5);

impl Jobs {
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
