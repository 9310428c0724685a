//! A living worker that was taken for dead: its jobs are told to end, what they still report
//! changes nothing, and it goes on under a new id.

mod former;

use jobq::broker::Action;
use jobq::{Context, State, WorkerId, job};
use jobq_worker::WorkerHandle;

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, only_member};
use crate::plain::Plain;

const QUEUE: &str = "reaped";

/// The first run goes on until it should end.
#[job(name = "reaped.surrender", queue = "reaped")]
async fn surrender(ctx: Context, ledger: State<Ledger>) {
    ledger.write(format!("begin {}", ctx.attempt()));
    if ledger.count("begin 1") == 1 {
        ctx.cancelled().await;
        ledger.write("cancelled");
    }
}

/// Does not heed that it should end.
#[job(name = "reaped.deaf", queue = "reaped")]
async fn deaf(ctx: Context, ledger: State<Ledger>) {
    ledger.write(format!("begin {}", ctx.attempt()));
    let _dropped = Dropped(&ledger);
    std::future::pending::<()>().await;
}

struct Dropped<'a>(&'a Ledger);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.write("dropped");
    }
}

#[job(name = "reaped.mark", queue = "reaped")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("mark");
}

async fn spawn(fixture: &Fixture) -> WorkerHandle {
    fixture.worker().queues([QUEUE]).build().unwrap().spawn()
}

/// Takes over what the only worker holds: one job.
async fn take_over(fixture: &Fixture) -> (Foreign, crate::foreign::Held, WorkerId) {
    let (worker, _) = only_member(fixture, QUEUE).await;
    let mut stranger = Foreign::new(fixture, QUEUE);
    stranger.claim(0).await;
    let mut taken = stranger.adopt(&worker).await;
    assert_eq!(taken.len(), 1);
    (stranger, taken.remove(0), worker)
}

async fn goes_on(fixture: &Fixture, worker: &WorkerHandle, old: &WorkerId) {
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 1).await;
    support::eventually("a member of a new id alone", async || {
        (only_member(fixture, QUEUE).await.0 != *old).then_some(())
    })
    .await;
    support::eventually("the new job to be settled", async || {
        (worker.stats().done > 0).then_some(())
    })
    .await;
}

async fn a_worker_that_was_reaped_gives_up_its_jobs_and_goes_on(fixture: Fixture) {
    surrender::enqueue(&fixture.client).await.unwrap();
    let worker = spawn(&fixture).await;
    fixture.ledger.wait_for("begin 1", 1).await;
    let (stranger, held, old) = take_over(&fixture).await;
    fixture.ledger.wait_for("cancelled", 1).await;
    support::eventually("a stale outcome to be counted", async || {
        (worker.stats().stale == 1).then_some(())
    })
    .await;
    // It changed nothing: the job is the stranger's.
    assert_eq!(worker.stats().done, 0);
    stranger.settle(held.token, Action::Ack).await;
    stranger.leave().await;
    goes_on(&fixture, &worker, &old).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.lines(), ["begin 1", "cancelled", "mark"]);
}

async fn a_job_that_does_not_heed_it_is_aborted(fixture: Fixture) {
    deaf::enqueue(&fixture.client).await.unwrap();
    let worker = spawn(&fixture).await;
    fixture.ledger.wait_for("begin 1", 1).await;
    let (stranger, held, old) = take_over(&fixture).await;
    fixture.ledger.wait_for("dropped", 1).await;
    stranger.settle(held.token, Action::Ack).await;
    stranger.leave().await;
    goes_on(&fixture, &worker, &old).await;
    assert_eq!(worker.stats().released, 0);
    worker.shutdown().await;
}

crate::on_every_broker! {
    a_worker_that_was_reaped_gives_up_its_jobs_and_goes_on
    a_job_that_does_not_heed_it_is_aborted
}

/// Damages the worker's registration. Nobody else takes its job: either the first run still settles
/// it under the old id, or the worker takes it over itself before that, and runs it again.
async fn a_damaged_registration(damage: impl AsyncFnOnce(&mut Plain, &str, &str)) {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    surrender::enqueue(&fixture.client).await.unwrap();
    let worker = spawn(&fixture).await;
    fixture.ledger.wait_for("begin 1", 1).await;
    let old = only_member(&fixture, QUEUE).await.0;
    let workers = plain.key(QUEUE, "workers");
    damage(&mut plain, &workers, &old.to_string()).await;
    fixture.ledger.wait_for("cancelled", 1).await;
    goes_on(&fixture, &worker, &old).await;
    support::eventually("both jobs to be settled", async || {
        (worker.stats().done == 2).then_some(())
    })
    .await;
    let runs = fixture.ledger.count("begin 1") as u64;
    assert_eq!(runs, 1 + worker.stats().stale);
    assert_eq!(worker.stats().adopted, 0, "what it takes back is its own");
    worker.shutdown().await;
    // An office of timekeeper under the old id runs out by itself.
    support::eventually("nothing to be left", async || {
        plain.leftovers().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_that_was_removed_is_taken_anew() {
    a_damaged_registration(async |plain, workers, worker| {
        plain.say::<()>(&format!("HDEL {workers} {worker}")).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_under_adoption_is_taken_anew() {
    a_damaged_registration(async |plain, workers, worker| {
        plain.say::<()>(&format!("HSET {workers} {worker} 0")).await;
    })
    .await;
}
