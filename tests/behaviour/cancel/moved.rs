//! A cancelled job that is moved to another queue is cancelled there too.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jobq::{Client, JobId, JobState, Queue, Transfer};
use support::hooked::{Answer, Call, Hook, Hooked, Step};

use super::{DAY, QUEUE, cancel, enqueue, mark};
use crate::fixture::Fixture;

const OTHER: &str = "other";

/// Moves the only job in a state.
async fn move_it(from: &Queue, state: JobState, to: &Queue) {
    let job = from.jobs(state, 0, 1).await.unwrap().remove(0);
    let moved = from.transfer(state, &job, 0, to).await.unwrap();
    assert_eq!(moved, Transfer::Moved);
}

async fn run_other(fixture: &Fixture) -> (u64, u64) {
    let worker = fixture.calm_worker().queues([OTHER]).build().unwrap();
    let stats = worker.run_until_idle().await.unwrap();
    (stats.cancelled, stats.done)
}

async fn a_ready_and_a_delayed_job_are_dropped_on_their_new_queue(fixture: Fixture) {
    let (from, to) = (fixture.queue(QUEUE), fixture.queue(OTHER));
    let ready = enqueue(&fixture, 1).await;
    let later = mark::new(2u32).delay(std::time::Duration::from_millis(300));
    let delayed = later.enqueue(&fixture.client).await.unwrap().id();
    for id in [ready, delayed] {
        cancel(&fixture, id).await;
    }
    move_it(&from, JobState::Ready, &to).await;
    move_it(&from, JobState::Delayed, &to).await;
    assert_eq!(run_other(&fixture).await, (2, 0));
    assert_eq!(fixture.ledger.lines(), [""; 0]);
}

async fn a_job_that_is_not_cancelled_runs_on_its_new_queue(fixture: Fixture) {
    cancel(&fixture, JobId::new()).await;
    enqueue(&fixture, 1).await;
    let (from, to) = (fixture.queue(QUEUE), fixture.queue(OTHER));
    move_it(&from, JobState::Ready, &to).await;
    assert_eq!(run_other(&fixture).await, (0, 1));
}

/// Looks, before a job is enqueued anywhere, whether it is cancelled there; and cancels it where it
/// still is, if asked to.
struct Enqueueing {
    operator: Client,
    id: JobId,
    cancels_meanwhile: bool,
    /// Jobs that were enqueued where they were not cancelled.
    exposed: AtomicU32,
}

#[async_trait]
impl Hook for Enqueueing {
    async fn around(&self, call: Call) -> Answer {
        if let Step::Enqueue { queue, .. } = call.step() {
            let broker = self.operator.broker();
            let cancelled = broker.cancelled(queue, &[self.id]).await.unwrap();
            let exposed = cancelled.iter().filter(|cancelled| !**cancelled).count();
            self.exposed.fetch_add(exposed as u32, Ordering::SeqCst);
        }
        let is_enqueue = matches!(call.step(), Step::Enqueue { .. });
        let answer = call.run().await;
        if is_enqueue && self.cancels_meanwhile {
            let queue = self.operator.queue(QUEUE).unwrap();
            queue.cancel(self.id).await.unwrap();
        }
        answer
    }
}

/// Moves a job through the hook, and says how often it was exposed.
async fn moved_through(fixture: &Fixture, id: JobId, cancels_meanwhile: bool) -> u32 {
    let hook = Arc::new(Enqueueing {
        operator: fixture.operator.clone(),
        id,
        cancels_meanwhile,
        exposed: AtomicU32::new(0),
    });
    let hooked = Hooked::new(fixture.operator.broker().clone(), hook.clone());
    let client = Client::with_broker(Arc::new(hooked));
    let (from, to) = (client.queue(QUEUE).unwrap(), client.queue(OTHER).unwrap());
    move_it(&from, JobState::Ready, &to).await;
    hook.exposed.load(Ordering::SeqCst)
}

async fn there_is_no_moment_in_which_it_could_start(fixture: Fixture) {
    let id = enqueue(&fixture, 1).await;
    cancel(&fixture, id).await;
    assert_eq!(moved_through(&fixture, id, false).await, 0);
    assert_eq!(run_other(&fixture).await, (1, 0));
}

async fn what_is_cancelled_while_it_moves_is_dropped(fixture: Fixture) {
    let id = enqueue(&fixture, 1).await;
    assert_eq!(moved_through(&fixture, id, true).await, 1);
    assert_eq!(run_other(&fixture).await, (1, 0));
}

crate::on_every_broker! {
    a_ready_and_a_delayed_job_are_dropped_on_their_new_queue
    a_job_that_is_not_cancelled_runs_on_its_new_queue
    there_is_no_moment_in_which_it_could_start
    what_is_cancelled_while_it_moves_is_dropped
}

/// In virtual time: the other queue has nothing delayed that would keep the id for so long.
#[tokio::test(start_paused = true)]
async fn a_job_that_is_due_in_a_month_is_dropped_then() {
    let fixture = Fixture::memory().await;
    let late = mark::new(1u32).delay(DAY * 30);
    let late = late.enqueue(&fixture.client).await.unwrap().id();
    cancel(&fixture, late).await;
    let (from, to) = (fixture.queue(QUEUE), fixture.queue(OTHER));
    move_it(&from, JobState::Delayed, &to).await;
    tokio::time::advance(DAY * 30).await;
    assert_eq!(run_other(&fixture).await, (1, 0));
}
