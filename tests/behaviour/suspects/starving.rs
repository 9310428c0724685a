//! Suspects that find no empty worker: all are full for hours, or run a suspect that is long itself.
//! In virtual time.

use std::time::Duration;

use jobq::{Context, State, job};
use jobq_worker::WorkerHandle;
use tokio::time::Instant;

use super::{alone, appears, long};
use crate::fixture::{Fixture, Ledger};
use crate::foreign::make_suspects;

const MINUTE: Duration = Duration::from_secs(60);

/// After so long a suspect runs beside others.
const STARVED: Duration = Duration::from_secs(10 * 60);

/// No multiple of any time at which somebody looks.
const BUSY: Duration = Duration::from_millis(337_337);

/// Takes minutes, and puts itself at the end of its queue again.
#[job(name = "starving.busy", queue = "crowd")]
async fn busy(ctx: Context, ledger: State<Ledger>) -> Result<(), jobq::EnqueueError> {
    ledger.write("busy");
    tokio::time::sleep(BUSY).await;
    busy::enqueue(ctx.client()).await?;
    Ok(())
}

#[job(name = "starving.hours", queue = "crowd", timeout = "none")]
async fn hours(ledger: State<Ledger>, name: String) {
    ledger.write(format!("{name} begins"));
    tokio::time::sleep(120 * MINUTE).await;
    ledger.write(format!("{name} ends"));
}

fn worker(fixture: &Fixture, queues: &[&str], concurrency: u32) -> WorkerHandle {
    let worker = fixture.calm_worker().queues(queues.iter().copied());
    worker.concurrency(concurrency).build().unwrap().spawn()
}

async fn suspect_hours(fixture: &Fixture, name: &str, queue: &str) {
    let job = hours::new(name).queue(queue);
    job.enqueue(&fixture.client).await.unwrap();
    make_suspects(fixture, queue).await;
}

#[tokio::test(start_paused = true)]
async fn a_suspect_gets_a_slot_of_workers_that_are_never_free() {
    let fixture = Fixture::memory().await;
    let busy_for_hours = async |name: &str, queue| {
        let job = hours::new(name).queue(queue);
        job.enqueue(&fixture.client).await.unwrap();
    };
    for name in ["first", "second"] {
        busy_for_hours(name, "other").await;
    }
    let full = worker(&fixture, &["other", "crowd"], 2);
    appears(&fixture, "second begins").await;
    busy_for_hours("third", "crowd").await;
    let never_idle = worker(&fixture, &["crowd"], 2);
    appears(&fixture, "third begins").await;
    busy::enqueue(&fixture.client).await.unwrap();
    appears(&fixture, "busy").await;
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    let many = (0..5).map(|_| busy::new());
    fixture.client.enqueue_all(many).await.unwrap();
    let begun = Instant::now();
    appears(&fixture, "suspect ends").await;
    let waited = begun.elapsed();
    assert!(waited > STARVED - MINUTE, "{waited:?}");
    assert!(waited < STARVED + 15 * MINUTE, "{waited:?}");
    // Others were kept waiting by offers, and for no slot that stayed empty.
    assert!(fixture.ledger.count("busy") >= 2);
    for worker in [full, never_idle] {
        worker.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_suspects_never_run_on_one_worker_together() {
    let fixture = Fixture::memory().await;
    suspect_hours(&fixture, "first", "crowd").await;
    suspect_hours(&fixture, "second", "crowd").await;
    suspect_hours(&fixture, "third", "other").await;
    long::enqueue(&fixture.client).await.unwrap();
    let worker = worker(&fixture, &["crowd", "other"], 8);
    for name in ["first", "second", "third"] {
        appears(&fixture, &format!("{name} ends")).await;
    }
    fixture.ledger.write("stop");
    worker.shutdown().await;
    let lines = fixture.ledger.lines();
    let of_suspects = lines.iter().filter(|line| {
        let name = line.split(' ').next().unwrap_or_default();
        ["first", "second", "third"].contains(&name)
    });
    let of_suspects: Vec<_> = of_suspects.collect();
    for pair in of_suspects.chunks(2) {
        assert_eq!(pair[0].replace("begins", "ends"), *pair[1], "{lines:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn suspects_do_not_wait_for_a_long_one_that_another_worker_runs() {
    let fixture = Fixture::memory().await;
    suspect_hours(&fixture, "first", "crowd").await;
    let secluded = worker(&fixture, &["crowd", "other"], 8);
    appears(&fixture, "first begins").await;
    suspect_hours(&fixture, "second", "crowd").await;
    suspect_hours(&fixture, "third", "other").await;
    // No worker will be empty, and the one that is alone has both offices.
    let busy = worker(&fixture, &["crowd", "other"], 8);
    let third = worker(&fixture, &["crowd", "other"], 8);
    for _ in 0..2 {
        long::enqueue(&fixture.client).await.unwrap();
    }
    let begun = Instant::now();
    appears(&fixture, "second begins").await;
    appears(&fixture, "third begins").await;
    assert!(begun.elapsed() < 20 * MINUTE, "{:?}", begun.elapsed());
    assert_eq!(fixture.ledger.count("first ends"), 0);
    fixture.ledger.write("stop");
    for worker in [secluded, busy, third] {
        worker.shutdown().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_leaves_slowly_gives_up_its_office() {
    let fixture = Fixture::memory().await;
    long::enqueue(&fixture.client).await.unwrap();
    let slow = fixture.calm_worker().queues(["crowd"]);
    let slow = slow.shutdown_timeout(120 * MINUTE).build().unwrap().spawn();
    appears(&fixture, "long begins").await;
    let leaving = tokio::spawn(slow.shutdown());
    alone::enqueue(&fixture.client).await.unwrap();
    make_suspects(&fixture, "crowd").await;
    let other = worker(&fixture, &["crowd"], 8);
    let begun = Instant::now();
    appears(&fixture, "suspect ends").await;
    assert!(begun.elapsed() < MINUTE, "{:?}", begun.elapsed());
    fixture.ledger.write("stop");
    leaving.await.unwrap();
    other.shutdown().await;
}

/// Goes on after its timeout for as long as the ledger does not say `stop`.
#[job(
    name = "starving.deaf",
    queue = "crowd",
    blocking,
    timeout = "100ms",
    retries = 0
)]
fn deaf(ledger: State<Ledger>) {
    ledger.write("deaf begins");
    while ledger.count("stop") == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_that_never_ends_holds_its_worker_up_no_longer_than_its_timeout() {
    let fixture = Fixture::memory().await;
    for _ in 0..2 {
        deaf::enqueue(&fixture.client).await.unwrap();
    }
    make_suspects(&fixture, "crowd").await;
    let worker = worker(&fixture, &["crowd"], 8);
    // The second is run alone, whatever the first one's thread does.
    fixture.ledger.wait_for("deaf begins", 2).await;
    super::crowd::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("crowd ends", 1).await;
    assert_eq!(worker.stats().leaked, 2);
    fixture.ledger.write("stop");
    support::eventually("the threads to end", async || {
        (worker.stats().leaked == 0).then_some(())
    })
    .await;
    worker.shutdown().await;
}
