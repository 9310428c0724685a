//! A job runs: with its arguments, its context and its state.

use std::time::Duration;

use jobq::{Context, JobId, State, job};
use jobq_worker::RunError;

use crate::fixture::{Fixture, Ledger};

#[job]
async fn add(ledger: State<Ledger>, a: u32, b: u32) {
    ledger.write(format!("{}", a + b));
}

#[job(name = "shop.introduce", queue = "people")]
async fn introduce(ctx: Context, ledger: State<Ledger>) {
    let (name, queue, attempt) = (ctx.name(), ctx.queue(), ctx.attempt());
    ledger.write(format!("{} {name} {queue} {attempt}", ctx.id()));
}

#[job(blocking)]
fn block(ledger: State<Ledger>, text: String) {
    ledger.write(text);
}

#[job]
async fn chain(ctx: Context, left: u32) -> Result<(), jobq::EnqueueError> {
    if left > 0 {
        chain::enqueue(ctx.client(), left - 1).await?;
    }
    Ok(())
}

async fn a_job_runs_with_its_arguments_and_state(fixture: Fixture) {
    add::enqueue(&fixture.client, 20, 22).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["42"]);
}

async fn a_context_tells_what_runs(fixture: Fixture) {
    let id = JobId::new();
    introduce::new()
        .id(id)
        .enqueue(&fixture.client)
        .await
        .unwrap();
    fixture.run_until_idle().await;
    assert_eq!(
        fixture.ledger.lines(),
        [format!("{id} shop.introduce people 1")]
    );
}

async fn a_blocking_job_runs(fixture: Fixture) {
    block::enqueue(&fixture.client, "done").await.unwrap();
    fixture.run_until_idle().await;
    assert_eq!(fixture.ledger.lines(), ["done"]);
}

async fn a_job_enqueues_another(fixture: Fixture) {
    chain::enqueue(&fixture.client, 9).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 10);
}

async fn nothing_is_left_behind(fixture: Fixture) {
    let jobs = (0..1000).map(|n| add::new(n, n));
    fixture.client.enqueue_all(jobs).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.done, 1000);
    let stats = fixture.queue("default").stats().await.unwrap();
    assert_eq!(
        (stats.ready, stats.delayed, stats.in_flight, stats.dead),
        (0, 0, 0, 0)
    );
}

crate::on_every_broker! {
    a_job_runs_with_its_arguments_and_state
    a_context_tells_what_runs
    a_blocking_job_runs
    a_job_enqueues_another
    nothing_is_left_behind
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_does_not_become_idle_says_what_is_left() {
    let fixture = Fixture::memory().await;
    fixture.queue("default").pause().await.unwrap();
    for _ in 0..2 {
        add::enqueue(&fixture.client, 1, 2).await.unwrap();
    }
    let day = Duration::from_secs(24 * 3600);
    let later = introduce::new().queue("later").delay(day);
    later.enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().queues(["default", "later"]);
    let worker = worker.build().unwrap();
    let idle = worker.run_until_idle().max_wait(Duration::from_secs(2));
    let error = idle.await.expect_err("jobs are left");
    let text = error.to_string();
    assert!(text.starts_with("not idle after 2.0 s: "), "{text}");
    assert!(
        text.ends_with(": 1 delayed, 2 ready on a paused queue"),
        "{text}"
    );
    let RunError::NotIdle { left, .. } = error else {
        panic!("{error:?}");
    };
    assert_eq!((left.ready, left.paused), (0, 2));
    assert_eq!((left.delayed, left.in_flight), (1, 0));
}
