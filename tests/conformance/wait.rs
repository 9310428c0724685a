//! wait: ready → handoff, one waiter woken per job.

use std::sync::Arc;
use std::time::Duration;

use jobq::At;
use jobq::broker::{Due, Waiter, Wake};
use tokio::task::JoinHandle;

use crate::fixture::{Fixture, Given, Worker, release};

/// A wait in a task of its own. It may begin any time from now on.
struct Waiting {
    waiter: Arc<dyn Waiter>,
    task: JoinHandle<Wake>,
}

fn wait(worker: &Worker) -> Waiting {
    let waiter = worker.waiter();
    let waits = waiter.clone();
    let task = tokio::spawn(async move { waits.wait(2 * support::DEADLINE).await.expect("wait") });
    Waiting { waiter, task }
}

impl Waiting {
    async fn end(self) -> Wake {
        let ended = support::within("the end of a wait", self.task).await;
        ended.expect("a wait does not panic")
    }

    async fn interrupt(self) -> Wake {
        self.waiter.interrupt().await.expect("interrupt");
        self.end().await
    }
}

pub(crate) async fn hands_over_at_once_what_is_ready(f: Fixture) {
    let mut worker = f.member().await;
    f.enqueue(&["a", "b"]).await;
    assert_eq!(wait(&worker).end().await, Wake::Handed);
    assert_eq!(worker.handed().await, 1);
    assert_eq!(f.ready().await, ["b"]);
    assert_eq!(worker.claim(1).await.names(), ["a"]);
}

pub(crate) async fn wakes_when_a_job_comes(f: Fixture) {
    let mut worker = f.member().await;
    let waiting = wait(&worker);
    f.enqueue(&["a"]).await;
    assert_eq!(waiting.end().await, Wake::Handed);
    assert_eq!(worker.claim(1).await.names(), ["a"]);
}

pub(crate) async fn a_job_handed_over_counts_as_in_flight(f: Fixture) {
    let worker = f.member().await;
    f.enqueue(&["a"]).await;
    worker.be_handed(1).await;
    let stats = f.stats().await;
    assert_eq!((stats.ready, stats.in_flight), (0, 1));
}

pub(crate) async fn one_job_wakes_one_waiter(f: Fixture) {
    let mut workers = [f.member().await, f.member().await, f.member().await];
    let waiting = workers.each_ref().map(wait);
    f.enqueue(&["a"]).await;
    let handed = async || {
        waiting
            .iter()
            .any(|wait| wait.task.is_finished())
            .then_some(())
    };
    support::eventually("one of them to wake", handed).await;
    let mut wakes = Vec::new();
    for wait in waiting {
        wakes.push(wait.interrupt().await);
    }
    assert_eq!(
        wakes.iter().filter(|wake| **wake == Wake::Handed).count(),
        1
    );
    for (worker, wake) in workers.iter_mut().zip(wakes) {
        assert_eq!(worker.handed().await, u64::from(wake == Wake::Handed));
    }
}

pub(crate) async fn as_many_jobs_wake_as_many_waiters(f: Fixture) {
    let mut workers = [f.member().await, f.member().await, f.member().await];
    let waiting = workers.each_ref().map(wait);
    f.enqueue(&["a", "b", "c", "d"]).await;
    for wait in waiting {
        assert_eq!(wait.end().await, Wake::Handed);
    }
    for worker in &mut workers {
        assert_eq!(worker.handed().await, 1);
    }
    assert_eq!(f.ready().await, ["d"]);
}

pub(crate) async fn an_interrupt_ends_it(f: Fixture) {
    let mut worker = f.member().await;
    assert_eq!(wait(&worker).interrupt().await, Wake::TimedOut);
    f.enqueue(&["a"]).await;
    assert_eq!(f.ready().await, ["a"]);
    assert_eq!(worker.handed().await, 0);
}

pub(crate) async fn an_interrupt_ends_no_other_workers_wait(f: Fixture) {
    let (one, other) = (f.member().await, f.member().await);
    let goes_on = wait(&other);
    wait(&one).interrupt().await;
    f.enqueue(&["a"]).await;
    assert_eq!(goes_on.end().await, Wake::Handed);
}

/// The wait that is meant may be about to begin.
pub(crate) async fn an_interrupt_before_it_ends_the_next_one_alone(f: Fixture) {
    let waiter = f.member().await.waiter();
    f.enqueue(&["a"]).await;
    for _ in 0..3 {
        waiter.interrupt().await.expect("interrupt");
    }
    let wakes = [
        waiter.wait(support::DEADLINE).await.expect("wait"),
        waiter.wait(support::DEADLINE).await.expect("wait"),
    ];
    assert_eq!(wakes, [Wake::TimedOut, Wake::Handed]);
}

pub(crate) async fn it_can_be_used_again_after_an_interrupt(f: Fixture) {
    let mut worker = f.member().await;
    for _ in 0..3 {
        assert_eq!(wait(&worker).interrupt().await, Wake::TimedOut);
    }
    let waiter = worker.waiter();
    f.enqueue(&["a", "b"]).await;
    for _ in 0..2 {
        assert_eq!(
            waiter.wait(support::DEADLINE).await.expect("wait"),
            Wake::Handed
        );
    }
    assert_eq!(worker.claim(2).await.names(), ["a", "b"]);
}

pub(crate) async fn it_ends_when_its_time_is_up(f: Fixture) {
    let waiter = f.member().await.waiter();
    let wake = waiter.wait(Duration::from_millis(20)).await;
    assert_eq!(wake.expect("wait"), Wake::TimedOut);
}

pub(crate) async fn no_time_is_not_for_ever(f: Fixture) {
    let waiter = f.member().await.waiter();
    let wake = waiter.wait(Duration::ZERO).await;
    assert_eq!(wake.expect("wait"), Wake::TimedOut);
}

pub(crate) async fn a_released_job_wakes(f: Fixture) {
    let (mut owner, mut idle) = (f.member().await, f.member().await);
    f.enqueue(&["a"]).await;
    let token = owner.claim(1).await.token();
    let waiting = wait(&idle);
    owner.settle_one(token, release()).await;
    assert_eq!(waiting.end().await, Wake::Handed);
    assert_eq!(idle.claim(1).await.names(), ["a"]);
}

pub(crate) async fn a_promoted_job_wakes(f: Fixture) {
    let (keeper, idle) = (f.member().await, f.member().await);
    let waiting = wait(&idle);
    f.enqueue_due(&["a"], Due::At(At::from_ms(1))).await;
    f.broker
        .promote(&f.queue, &keeper.id)
        .await
        .expect("promote");
    assert_eq!(waiting.end().await, Wake::Handed);
}

pub(crate) async fn a_handoff_given_back_wakes_another(f: Fixture) {
    let (mut one, other) = (f.member().await, f.member().await);
    f.enqueue(&["a"]).await;
    one.be_handed(1).await;
    let waiting = wait(&other);
    one.claim(0).await;
    assert_eq!(waiting.end().await, Wake::Handed);
}

pub(crate) async fn a_paused_queue_hands_over_and_the_claim_puts_it_back(f: Fixture) {
    let mut worker = f.member().await;
    f.pause().await;
    let waiting = wait(&worker);
    f.enqueue(&["a"]).await;
    assert_eq!(waiting.end().await, Wake::Handed);
    let grant = worker.claim(1).await;
    assert!(grant.paused && grant.envelopes.is_empty());
    assert_eq!(f.ready().await, ["a"]);
}

pub(crate) async fn suspects_wake_nobody(f: Fixture) {
    let worker = f.member().await;
    f.suspect(&["s"]).await;
    assert_eq!(wait(&worker).interrupt().await, Wake::TimedOut);
    assert_eq!(f.stats().await.suspects, 1);
}
