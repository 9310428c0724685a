//! An outcome whose answer was lost is sent again, and counts once, as what it was: not as one that
//! came too late. Once others have taken the jobs over, it is theirs to count.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jobq::broker::Action;
use jobq::{BrokerError, BrokerErrorKind, State, job};
use support::hooked::{Answer, Call, Hook, Step};

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, only_member};

#[job(name = "unanswered.mark")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("ran");
}

/// Leaves the first outcomes without an answer.
struct Silent {
    is_done: bool,
    told: AtomicBool,
}

fn no_answer() -> BrokerError {
    BrokerError::new(BrokerErrorKind::Timeout, "no answer").with_outcome_unknown()
}

#[async_trait]
impl Hook for Silent {
    async fn around(&self, call: Call) -> Answer {
        let settles = matches!(call.step(), Step::Round { settles, .. } if !settles.is_empty());
        if !settles || self.told.swap(true, Ordering::Relaxed) {
            return call.run().await;
        }
        if self.is_done {
            drop(call.run().await);
        }
        call.fail(no_answer)
    }
}

async fn counts_once(is_done: bool) {
    let mut fixture = Fixture::memory().await;
    let told = AtomicBool::new(false);
    let hook = Arc::new(Silent { is_done, told });
    fixture.hook(&hook);
    mark::enqueue(&fixture.client).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert!(hook.told.load(Ordering::Relaxed));
    assert_eq!(fixture.ledger.lines(), ["ran"]);
    assert_eq!((stats.done, stats.stale, stats.adopted), (1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_done_without_an_answer_counts_once() {
    counts_once(true).await;
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_was_lost_on_its_way_is_sent_again() {
    counts_once(false).await;
}

/// Ends once the ledger says `go`.
#[job(name = "unanswered.wait")]
async fn wait(ledger: State<Ledger>) {
    ledger.write("begin");
    ledger.wait_for("go", 1).await;
}

/// A line that can be cut: then nothing arrives by whose answer a worker learns of its place.
#[derive(Default)]
struct Line {
    is_cut: AtomicBool,
    has_lost_outcomes: AtomicBool,
}

#[async_trait]
impl Hook for Line {
    async fn around(&self, call: Call) -> Answer {
        let settles = match call.step() {
            Step::Round { settles, .. } => !settles.is_empty(),
            Step::Renew(_) => false,
            _ => return call.run().await,
        };
        if !self.is_cut.load(Ordering::Relaxed) {
            return call.run().await;
        }
        if settles {
            self.has_lost_outcomes.store(true, Ordering::Relaxed);
        }
        call.fail(no_answer)
    }
}

async fn an_outcome_that_was_lost_before_the_worker_was_adopted_is_not_counted(fixture: Fixture) {
    let (mut cut_off, line) = (fixture.clone(), Arc::new(Line::default()));
    cut_off.hook(&line);
    wait::enqueue(&fixture.client).await.unwrap();
    let worker = cut_off.calm_worker().build().unwrap().spawn();
    fixture.ledger.wait_for("begin", 1).await;
    line.is_cut.store(true, Ordering::Relaxed);
    fixture.ledger.write("go");
    support::eventually("the loss of its outcome", async || {
        let lost = line.has_lost_outcomes.load(Ordering::Relaxed);
        lost.then_some(())
    })
    .await;

    let (dead, _) = only_member(&fixture, "default").await;
    let mut stranger = Foreign::new(&fixture, "default");
    stranger.claim(0).await;
    for job in stranger.adopt(&dead).await {
        stranger.settle(job.token, Action::RELEASE).await;
    }
    stranger.leave().await;
    line.is_cut.store(false, Ordering::Relaxed);

    fixture.ledger.wait_for("begin", 2).await;
    support::eventually("the second run to be settled", async || {
        let stats = worker.stats();
        (stats.done + stats.stale == 2).then_some(())
    })
    .await;
    let stats = worker.stats();
    assert_eq!((stats.done, stats.stale), (1, 1));
    worker.shutdown().await;
    let totals = fixture.queue("default").totals().await.unwrap();
    let done: Vec<_> = totals.iter().map(|tally| tally.totals.done).collect();
    assert_eq!(done, [1], "{totals:?}");
}

crate::on_every_broker! {
    an_outcome_that_was_lost_before_the_worker_was_adopted_is_not_counted
}
