//! Queues share a worker by weight or in strict order, and none holds the others up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jobq::{Context, QueueName, State, job};
use support::hooked::{Answer, Call, Hook, Step};

use crate::fixture::{Fixture, Ledger};

#[job(name = "queues.mark")]
async fn mark(ctx: Context, ledger: State<Ledger>) {
    ledger.write(ctx.queue());
}

/// Keeps its queue full until a job of the queue `urgent` has run.
#[job(name = "queues.refill")]
async fn refill(ctx: Context, ledger: State<Ledger>) -> Result<(), jobq::EnqueueError> {
    ledger.write("refill");
    tokio::time::sleep(Duration::from_millis(10)).await;
    if ledger.count("urgent") == 0 {
        refill::new()
            .queue(ctx.queue())
            .enqueue(ctx.client())
            .await?;
    }
    Ok(())
}

/// Takes a while; the one that says so sends a job to the queue `quiet`.
#[job(name = "queues.toil")]
async fn toil(ctx: Context, ledger: State<Ledger>, sends: bool) -> Result<(), jobq::EnqueueError> {
    if sends {
        let job = mark::new().queue("quiet");
        job.enqueue(ctx.client()).await?;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    ledger.write("toil");
    Ok(())
}

async fn fill(fixture: &Fixture, queue: &str, jobs: usize) {
    let jobs = (0..jobs).map(|_| mark::new().queue(queue));
    fixture.client.enqueue_all(jobs).await.unwrap();
}

async fn shares(fixture: &Fixture, concurrency: u32) {
    for queue in ["critical", "default", "low"] {
        fill(fixture, queue, 1000).await;
    }
    let worker = fixture
        .calm_worker()
        .queues(["critical:6", "default:3", "low:1"]);
    let worker = worker.concurrency(concurrency).build().unwrap();
    worker.run_until_idle().await.unwrap();
    let lines = fixture.ledger.lines();
    assert_eq!(lines.len(), 3000);
    for (queue, share) in [("critical", 600), ("default", 300), ("low", 100)] {
        let count = lines[..1000].iter().filter(|line| *line == queue).count();
        let tenth = share / 10;
        assert!(
            (share - tenth..=share + tenth).contains(&count),
            "{queue}: {count} of the first thousand"
        );
    }
}

async fn weights_share_the_first_thousand_one_at_a_time(fixture: Fixture) {
    shares(&fixture, 1).await;
}

async fn weights_share_the_first_thousand_ten_at_a_time(fixture: Fixture) {
    shares(&fixture, 10).await;
}

async fn weights_share_the_first_thousand_64_at_a_time(fixture: Fixture) {
    shares(&fixture, 64).await;
}

async fn in_strict_order_a_queue_waits_for_those_before_it(fixture: Fixture) {
    for queue in ["last", "middle", "first"] {
        fill(&fixture, queue, 20).await;
    }
    let worker = fixture.calm_worker().queues(["first", "middle", "last"]);
    let worker = worker.strict(true).concurrency(1).build().unwrap();
    worker.run_until_idle().await.unwrap();
    let expected: Vec<_> = ["first", "middle", "last"]
        .iter()
        .flat_map(|queue| [*queue; 20])
        .collect();
    assert_eq!(fixture.ledger.lines(), expected);
}

async fn an_empty_queue_does_not_hold_others_up(fixture: Fixture) {
    fill(&fixture, "full", 500).await;
    let worker = fixture
        .calm_worker()
        .queues(["empty:1000", "void:1000", "full"]);
    worker
        .concurrency(3)
        .build()
        .unwrap()
        .run_until_idle()
        .await
        .unwrap();
    assert_eq!(fixture.ledger.count("full"), 500);
}

/// One queue never gets empty until a job ran that came to another, which was found empty.
/// Answers how long that took.
async fn a_late_comer_runs(fixture: &Fixture, strict: bool) -> Duration {
    let full = (0..100).map(|_| refill::new().queue("full"));
    fixture.client.enqueue_all(full).await.unwrap();
    let worker = fixture
        .calm_worker()
        .queues(["urgent", "full"])
        .strict(strict);
    let handle = worker.concurrency(4).build().unwrap().spawn();
    fixture.ledger.wait_for("refill", 100).await;
    let enqueued = tokio::time::Instant::now();
    fill(fixture, "urgent", 1).await;
    fixture.ledger.wait_for("urgent", 1).await;
    let waited = enqueued.elapsed();
    handle.shutdown().await;
    waited
}

#[tokio::test(start_paused = true)]
async fn in_virtual_time_a_late_comer_waits_less_than_a_second() {
    for strict in [false, true] {
        let fixture = Fixture::memory().await;
        let waited = a_late_comer_runs(&fixture, strict).await;
        assert!(waited < Duration::from_secs(1), "{waited:?}");
    }
}

async fn a_queue_that_was_empty_gets_its_turn_while_another_is_full(fixture: Fixture) {
    a_late_comer_runs(&fixture, false).await;
}

async fn in_strict_order_a_late_comer_goes_before_the_rest(fixture: Fixture) {
    a_late_comer_runs(&fixture, true).await;
}

async fn a_paused_queue_rests_and_others_go_on(fixture: Fixture) {
    fill(&fixture, "paused", 1).await;
    fixture.queue("paused").pause().await.unwrap();
    let worker = fixture
        .calm_worker()
        .queues(["paused:9", "open"])
        .build()
        .unwrap();
    let handle = worker.spawn();
    fill(&fixture, "open", 100).await;
    fixture.ledger.wait_for("open", 100).await;
    fill(&fixture, "paused", 9).await;
    fill(&fixture, "open", 100).await;
    fixture.ledger.wait_for("open", 200).await;
    assert_eq!(fixture.ledger.count("paused"), 0);
    fixture.queue("paused").resume().await.unwrap();
    fixture.ledger.wait_for("paused", 10).await;
    handle.shutdown().await;
}

async fn a_pause_holds_for_a_worker_that_waits(fixture: Fixture) {
    let handle = fixture
        .calm_worker()
        .queues(["q", "probe"])
        .build()
        .unwrap()
        .spawn();
    fill(&fixture, "q", 1).await;
    fixture.ledger.wait_for("q", 1).await;
    fixture.queue("q").pause().await.unwrap();
    fill(&fixture, "q", 5).await;
    // It may be woken by them, and must not start them: a later job of another queue tells that
    // it had the time.
    for round in 1..=5 {
        fill(&fixture, "probe", 1).await;
        fixture.ledger.wait_for("probe", round).await;
    }
    assert_eq!(fixture.ledger.count("q"), 1);
    // What has run may not be settled yet.
    let held = async || {
        let stats = fixture.queue("q").stats().await.unwrap();
        (stats.paused && stats.ready + stats.in_flight == 5).then_some(())
    };
    support::eventually("the five that wait", held).await;
    assert_eq!(fixture.ledger.count("q"), 1);
    fixture.queue("q").resume().await.unwrap();
    fixture.ledger.wait_for("q", 6).await;
    handle.shutdown().await;
}

async fn the_queues_that_a_worker_serves_are_listed(fixture: Fixture) {
    let worker = fixture.calm_worker().queues(["b", "a:2"]).build().unwrap();
    let handle = worker.spawn();
    support::eventually("both queues to be listed", async || {
        let queues = fixture.operator.queues().await.unwrap();
        let queues: Vec<_> = queues.iter().map(QueueName::as_str).collect();
        (queues == ["a", "b"]).then_some(())
    })
    .await;
    handle.shutdown().await;
}

crate::on_every_broker! {
    the_queues_that_a_worker_serves_are_listed
    weights_share_the_first_thousand_one_at_a_time
    weights_share_the_first_thousand_ten_at_a_time
    weights_share_the_first_thousand_64_at_a_time
    in_strict_order_a_queue_waits_for_those_before_it
    an_empty_queue_does_not_hold_others_up
    a_queue_that_was_empty_gets_its_turn_while_another_is_full
    in_strict_order_a_late_comer_goes_before_the_rest
    a_paused_queue_rests_and_others_go_on
    a_pause_holds_for_a_worker_that_waits
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_was_waited_on_is_not_forgotten_while_another_is_worked_off() {
    const JOBS: usize = 400;
    let fixture = Fixture::memory().await;
    let worker = fixture
        .calm_worker()
        .queues(["busy", "quiet"])
        .concurrency(1);
    let worker = worker.build().unwrap().spawn();
    // It waits on both, in virtual time.
    tokio::time::sleep(Duration::from_millis(10)).await;
    // By then the wait on the quiet queue, half a lease, has long ended.
    let toils = (0..JOBS).map(|job| toil::new(job == JOBS / 2).queue("busy"));
    fixture.client.enqueue_all(toils).await.unwrap();
    fixture.ledger.wait_for("quiet", 1).await;
    let before = fixture.ledger.count("toil");
    assert!(before < JOBS / 2 + 10, "after {before} others");
    worker.shutdown().await;
}

/// Counts claims.
#[derive(Debug, Default)]
struct Claims(AtomicUsize);

#[async_trait]
impl Hook for Claims {
    async fn around(&self, call: Call) -> Answer {
        if matches!(call.step(), Step::Round { claim: Some(_), .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        call.run().await
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_empty_queues_each_is_looked_at_once_and_then_waited_on() {
    const QUEUES: usize = 100;
    let mut fixture = Fixture::memory().await;
    let claims = Arc::new(Claims::default());
    fixture.hook(&claims);
    let queues: Vec<String> = (0..QUEUES).map(|queue| format!("q{queue}")).collect();
    let worker = fixture.calm_worker().queues(&queues).build().unwrap();
    let worker = worker.spawn();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(claims.0.load(Ordering::Relaxed), QUEUES);
    let enqueued = tokio::time::Instant::now();
    fill(&fixture, "q50", 1).await;
    fixture.ledger.wait_for("q50", 1).await;
    assert!(enqueued.elapsed() < Duration::from_millis(10));
    worker.shutdown().await;
}
