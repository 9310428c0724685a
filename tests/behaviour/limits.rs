//! What is too large is refused whole, and what is many keeps its order.

use jobq::{Client, EnqueueError, State, job};

use crate::fixture::{Fixture, Ledger};

#[job(name = "limits.store")]
async fn store(ledger: State<Ledger>, number: u32, text: String) {
    drop(text);
    ledger.write(number.to_string());
}

/// Size and limit of the refusal of a job with so long a text.
async fn refused(client: &Client, length: usize) -> (usize, usize) {
    match store::enqueue(client, 0, "x".repeat(length)).await {
        Err(EnqueueError::PayloadTooLarge { job, size, limit }) => {
            assert_eq!(job, "limits.store");
            (size, limit)
        }
        other => panic!("{length} bytes: {other:?}"),
    }
}

async fn ready(fixture: &Fixture) -> u64 {
    fixture.queue("default").stats().await.unwrap().ready
}

/// Enqueues at the limit and one over it; `large` is well over it.
async fn hold_to_limit(fixture: &Fixture, client: &Client, limit: usize, large: usize) {
    let (size, told) = refused(client, large).await;
    assert_eq!(told, limit);
    assert_eq!(ready(fixture).await, 0);
    // The longest text that fits: every byte of it is one of the envelope.
    let fits = large - (size - limit);
    assert_eq!(refused(client, fits + 1).await, (limit + 1, limit));
    assert_eq!(ready(fixture).await, 0);
    store::enqueue(client, 7, "x".repeat(fits)).await.unwrap();
    assert_eq!(ready(fixture).await, 1);
    assert_eq!(fixture.run_until_idle().await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["7"]);
}

async fn a_payload_of_a_mebibyte_is_enqueued_and_no_larger_one(fixture: Fixture) {
    hold_to_limit(&fixture, &fixture.client, 1 << 20, 2 << 20).await;
}

#[tokio::test]
async fn a_client_may_set_another_limit() {
    let fixture = Fixture::redis().await;
    let builder = Client::builder(&fixture.url).max_payload(1024);
    let client = builder.connect().await.unwrap();
    hold_to_limit(&fixture, &client, 1024, 3000).await;
}

#[tokio::test]
async fn a_refusal_names_job_size_and_limit() {
    let fixture = Fixture::memory().await;
    let refused = store::enqueue(&fixture.client, 0, "x".repeat(2 << 20)).await;
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("`limits.store`"), "{text}");
    assert!(text.contains("20972") && text.contains("1048576"), "{text}");
}

async fn one_job_too_large_among_many_and_none_is_enqueued(fixture: Fixture) {
    let length = |n: u32| if n == 1500 { 2 << 20 } else { 1 };
    let jobs = (0..2000).map(|n| store::new(n, "x".repeat(length(n))));
    let refused = fixture.client.enqueue_all(jobs).await;
    assert!(matches!(refused, Err(EnqueueError::PayloadTooLarge { .. })));
    assert_eq!(ready(&fixture).await, 0);
}

/// Numbers of the jobs in the order in which one slot ran them.
async fn order(fixture: &Fixture) -> Vec<u32> {
    let worker = fixture.calm_worker().concurrency(1).build().unwrap();
    let idle = worker.run_until_idle();
    support::within("the queue to be empty", async { idle.await })
        .await
        .unwrap();
    let lines = fixture.ledger.lines();
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

async fn thousands_of_jobs_run_in_the_order_they_were_enqueued(fixture: Fixture) {
    let jobs = (0..2500).map(|n| store::new(n, ""));
    let handles = fixture.client.enqueue_all(jobs).await.unwrap();
    assert_eq!(handles.len(), 2500);
    assert!(handles.is_sorted_by_key(jobq::JobHandle::id), "ids grow");
    assert_eq!(ready(&fixture).await, 2500);
    assert!(order(&fixture).await.into_iter().eq(0..2500));
}

async fn jobs_of_many_mebibytes_run_in_order_too(fixture: Fixture) {
    let text = "x".repeat(1_000_000);
    let jobs = (0..30).map(|n| store::new(n, &*text));
    fixture.client.enqueue_all(jobs).await.unwrap();
    assert!(order(&fixture).await.into_iter().eq(0..30));
}

async fn no_jobs_at_all_are_enqueued_at_once(fixture: Fixture) {
    let none: [jobq::JobBuilder<store>; 0] = [];
    assert!(fixture.client.enqueue_all(none).await.unwrap().is_empty());
    assert_eq!(ready(&fixture).await, 0);
}

crate::on_every_broker! {
    a_payload_of_a_mebibyte_is_enqueued_and_no_larger_one
    one_job_too_large_among_many_and_none_is_enqueued
    thousands_of_jobs_run_in_the_order_they_were_enqueued
    jobs_of_many_mebibytes_run_in_order_too
    no_jobs_at_all_are_enqueued_at_once
}
