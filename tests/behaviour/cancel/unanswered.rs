//! A worker that cannot learn which jobs are cancelled starts none and loses none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use jobq::{Context, JobState, State, job};
use support::hooked::{Answer, Call, Hook, Step};
use support::{RedisServer, Role};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::QUEUE;
use crate::fixture::{Fixture, Ledger};
use crate::foreign::make_suspects;
use crate::plain::Plain;

/// Writes down its number and which attempt it is.
#[job(name = "cancel.attempt")]
async fn attempt(ctx: Context, ledger: State<Ledger>, number: u32) {
    ledger.write(format!("{number}: {}", ctx.attempt()));
}

/// Three jobs, the second of which is cancelled.
async fn three(fixture: &Fixture) {
    let jobs = fixture.client.enqueue_all((1..=3).map(attempt::new));
    let cancelled = jobs.await.unwrap()[1].id();
    fixture.queue(QUEUE).cancel(cancelled).await.unwrap();
}

/// The first and the third have run, once, and nothing is left.
async fn one_and_three_ran(fixture: &Fixture, worker: jobq_worker::WorkerHandle) {
    support::eventually("all three to be settled", async || {
        let stats = worker.stats();
        (stats.done == 2 && stats.cancelled == 1).then_some(())
    })
    .await;
    assert!(worker.stats().released > 0);
    worker.shutdown().await;
    let mut lines = fixture.ledger.lines();
    lines.sort_unstable();
    assert_eq!(lines, ["1: 1", "3: 1"]);
    let stats = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!(
        (stats.ready, stats.delayed, stats.in_flight, stats.dead),
        (0, 0, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_right_to_ask_the_jobs_go_back_and_other_queues_go_on() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    let mut plain = Plain::connect(&fixture).await;
    let worker = Role::Worker.user();
    plain
        .say::<()>(&format!("ACL SETUSER {worker} -zmscore"))
        .await;
    three(&fixture).await;
    let handle = fixture.calm_worker().queues([QUEUE, "other"]);
    let handle = handle.build().unwrap().spawn();
    // It tries again and again.
    support::eventually("the jobs to be given back twice", async || {
        (handle.stats().released >= 6).then_some(())
    })
    .await;
    let other = attempt::new(4u32).queue("other");
    other.enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("4: 1", 1).await;
    assert_eq!(fixture.ledger.lines(), ["4: 1"]);
    plain
        .say::<()>(&format!("ACL SETUSER {worker} +zmscore"))
        .await;
    for line in ["1: 1", "3: 1"] {
        fixture.ledger.wait_for(line, 1).await;
    }
    support::eventually("the other to be dropped", async || {
        (handle.stats().cancelled == 1).then_some(())
    })
    .await;
    handle.shutdown().await;
    assert_eq!(fixture.ledger.lines().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspect_goes_back_to_the_suspects() {
    let server = RedisServer::start();
    let fixture = Fixture::on(&server).await;
    three(&fixture).await;
    make_suspects(&fixture, QUEUE).await;
    let mut plain = Plain::connect(&fixture).await;
    let worker = Role::Worker.user();
    plain
        .say::<()>(&format!("ACL SETUSER {worker} -zmscore"))
        .await;
    let handle = fixture.calm_worker().build().unwrap().spawn();
    support::eventually("one to be given back", async || {
        (handle.stats().released > 0).then_some(())
    })
    .await;
    let queue = fixture.queue(QUEUE);
    let ready = queue.jobs(JobState::Ready, 0, 10).await.unwrap();
    assert!(ready.is_empty(), "suspects are no part of it: {ready:?}");
    plain
        .say::<()>(&format!("ACL SETUSER {worker} +zmscore"))
        .await;
    one_and_three_ran(&fixture, handle).await;
}

/// The connection ends with the question, several times: before it arrives, or before it is
/// answered.
async fn a_connection_ends_with_the_question(passed_on: bool) {
    let near = Fixture::redis().await;
    three(&near).await;
    let cuts = Arc::new(AtomicU32::new(3));
    let left = cuts.clone();
    let pass = move |client, server| pass(client, server, left.clone(), passed_on);
    let far = near.by_way_of(pass).await;
    let worker = far.calm_worker().build().unwrap().spawn();
    one_and_three_ran(&near, worker).await;
    assert_eq!(cuts.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_is_lost_starts_nothing_and_loses_nothing() {
    a_connection_ends_with_the_question(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_lost_starts_nothing_and_loses_nothing() {
    a_connection_ends_with_the_question(true).await;
}

/// Passes a connection on, and cuts it when it asks, as often as `cuts` says.
async fn pass(mut client: TcpStream, mut server: TcpStream, cuts: Arc<AtomicU32>, passed_on: bool) {
    let (mut asked, mut answered) = (vec![0; 64 * 1024], vec![0; 64 * 1024]);
    loop {
        let (to, bytes, is_question) = tokio::select! {
            Ok(read @ 1..) = client.read(&mut asked) => {
                let bytes = &asked[..read];
                (&mut server, bytes, bytes.windows(7).any(|word| word == b"ZMSCORE"))
            }
            Ok(read @ 1..) = server.read(&mut answered) => (&mut client, &answered[..read], false),
            else => return,
        };
        let cut = is_question
            && cuts
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok();
        if cut && !passed_on {
            return;
        }
        if to.write_all(bytes).await.is_err() || cut {
            return;
        }
    }
}

/// Answers which jobs are cancelled once it has seen a renew of who asks.
struct AfterARenew(Notify);

#[async_trait]
impl Hook for AfterARenew {
    async fn around(&self, call: Call) -> Answer {
        match call.step() {
            Step::Renew(_) => self.0.notify_one(),
            Step::Cancelled { .. } => self.0.notified().await,
            _ => {}
        }
        call.run().await
    }
}

#[tokio::test]
async fn a_first_claim_is_renewed_while_its_jobs_are_asked_about() {
    let mut fixture = Fixture::memory().await;
    three(&fixture).await;
    fixture.hook(&Arc::new(AfterARenew(Notify::new())));
    let handle = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    fixture.ledger.wait_for("3: 1", 1).await;
    handle.shutdown().await;
}
