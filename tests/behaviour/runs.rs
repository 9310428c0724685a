//! A job runs: with its arguments, its context and its state.

use jobq::{Context, JobId, State, job};

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
