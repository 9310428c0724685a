//! A claim whose answer was lost leaves jobs in flight that their worker does not know: it finds
//! them, and runs them without an attempt or a crash.

use jobq::{Context, JobState, State, job};

use crate::fixture::{Fixture, Ledger};
use crate::foreign::{Foreign, only_member};
use crate::plain::{Plain, envelope};

const QUEUE: &str = "lost";

#[job(name = "lost.wait", queue = "lost")]
async fn wait(ctx: Context, ledger: State<Ledger>, key: String) {
    ledger.write(format!("begin {key} {}", ctx.attempt()));
    ledger.wait_for(&format!("go {key}"), 1).await;
    ledger.write(format!("end {key}"));
}

async fn crashes(fixture: &Fixture) -> Vec<u32> {
    let jobs = fixture
        .queue(QUEUE)
        .jobs(JobState::InFlight, 0, 10)
        .await
        .unwrap();
    jobs.iter()
        .map(|job| job.envelope().unwrap().crashes())
        .collect()
}

async fn jobs_of_a_claim_that_was_never_answered_are_run(fixture: Fixture) {
    wait::enqueue(&fixture.client, "first").await.unwrap();
    let worker = fixture
        .worker()
        .queues([QUEUE])
        .concurrency(1)
        .build()
        .unwrap()
        .spawn();
    fixture.ledger.wait_for("begin first 1", 1).await;
    // While the worker is full, someone claims in its name: to it, an answer that never came.
    wait::enqueue(&fixture.client, "lost").await.unwrap();
    let (id, counter) = only_member(&fixture, QUEUE).await;
    let lost = Foreign::under(&fixture, QUEUE, id, counter).claim(1).await;
    assert_eq!(lost.len(), 1);
    fixture.ledger.write("go first");
    fixture.ledger.wait_for("begin lost 1", 1).await;
    assert_eq!(crashes(&fixture).await, [0]);
    fixture.ledger.write("go lost");
    fixture.ledger.wait_for("end lost", 1).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.count("begin first 1"), 1);
    assert_eq!(fixture.ledger.count("begin lost 1"), 1);
}

async fn jobs_that_are_held_are_left_alone(fixture: Fixture) {
    let jobs = ["a", "b"].map(wait::new);
    fixture.client.enqueue_all(jobs).await.unwrap();
    let worker = fixture
        .worker()
        .queues([QUEUE])
        .concurrency(2)
        .build()
        .unwrap()
        .spawn();
    fixture.ledger.wait_for("begin a 1", 1).await;
    fixture.ledger.wait_for("begin b 1", 1).await;
    wait::enqueue(&fixture.client, "lost").await.unwrap();
    let (id, counter) = only_member(&fixture, QUEUE).await;
    Foreign::under(&fixture, QUEUE, id, counter).claim(1).await;
    // Its end has the worker claim again, and learn of a higher counter than that of the loss.
    fixture.ledger.write("go a");
    fixture.ledger.wait_for("begin lost 1", 1).await;
    fixture.ledger.write("go lost");
    fixture.ledger.write("go b");
    fixture.ledger.wait_for("end b", 1).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.count("begin b 1"), 1);
}

async fn a_worker_that_claims_nothing_finds_a_claim_that_was_carried_out_late(fixture: Fixture) {
    wait::enqueue(&fixture.client, "first").await.unwrap();
    let worker = fixture.worker().queues([QUEUE]).concurrency(1);
    let worker = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("begin first 1", 1).await;
    wait::enqueue(&fixture.client, "lost").await.unwrap();
    let (id, counter) = only_member(&fixture, QUEUE).await;
    // As of a claim that was given up, and carried out after all later ones were answered.
    Foreign::under(&fixture, QUEUE, id, counter).claim(1).await;
    support::eventually("the job to be ready again", async || {
        let stats = fixture.queue(QUEUE).stats().await.unwrap();
        (stats.ready == 1).then_some(())
    })
    .await;
    for line in ["go first", "go lost"] {
        fixture.ledger.write(line);
    }
    fixture.ledger.wait_for("end lost", 1).await;
    worker.shutdown().await;
    assert_eq!(fixture.ledger.count("begin lost 1"), 1);
}

crate::on_every_broker! {
    jobs_of_a_claim_that_was_never_answered_are_run
    jobs_that_are_held_are_left_alone
    a_worker_that_claims_nothing_finds_a_claim_that_was_carried_out_late
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_under_an_old_token_of_the_worker_is_released_and_run() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    let (id, _) = only_member(&fixture, QUEUE).await;
    let in_flight = plain.key(QUEUE, &format!("inflight:{id}"));
    let job = envelope(wait::new("old")).await;
    let _: () = plain
        .run(&[b"HSET", in_flight.as_bytes(), b"1.77", &job])
        .await;
    fixture.ledger.wait_for("begin old 1", 1).await;
    assert_eq!(crashes(&fixture).await, [0]);
    fixture.ledger.write("go old");
    fixture.ledger.wait_for("end old", 1).await;
    worker.shutdown().await;
    assert!(plain.leftovers().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_handed_over_without_anyone_being_told_is_run() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    let (id, _) = only_member(&fixture, QUEUE).await;
    // As a blocking move does that its client has given up, and the server not yet.
    let handoff = plain.key(QUEUE, &format!("handoff:{id}"));
    let job = envelope(wait::new("handed")).await;
    let _: () = plain.run(&[b"LPUSH", handoff.as_bytes(), &job]).await;
    fixture.ledger.wait_for("begin handed 1", 1).await;
    fixture.ledger.write("go handed");
    fixture.ledger.wait_for("end handed", 1).await;
    worker.shutdown().await;
    assert!(plain.leftovers().await.is_empty());
}
