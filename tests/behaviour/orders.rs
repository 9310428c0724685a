//! Workers tell who they are and what they run, and an order reaches each of them wherever it is.

use std::time::{Duration, Instant};

use jobq::{State, WorkerId, WorkerInfo, WorkerState, job};
use jobq_worker::WorkerBuilder;
use support::jobs::{QUEUE as PROGRAM_QUEUE, hold};
use support::{DEADLINE, Record, RedisServer};

use crate::fixture::{Fixture, Ledger, RENEW_EVERY};
use crate::foreign::only_member;
use crate::on_every_broker;
use crate::plain::{Plain, envelope};
use crate::program::{Program, command};

const QUEUE: &str = "orders";

/// Ends once the ledger says `go`.
#[job(name = "orders.wait", queue = "orders")]
async fn wait(ledger: State<Ledger>) {
    ledger.write("begin");
    ledger.wait_for("go", 1).await;
    ledger.write("end");
}

#[job(name = "orders.block", queue = "orders", blocking)]
fn block(ledger: State<Ledger>) {
    ledger.write("begin");
    // A test that fails before it says so must not wait for its runtime, and that for this, for ever.
    let began = Instant::now();
    while ledger.count("go") == 0 && began.elapsed() < DEADLINE {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[job(name = "orders.mark", queue = "orders")]
async fn mark(ledger: State<Ledger>) {
    ledger.write("mark");
}

fn worker(fixture: &Fixture) -> WorkerBuilder {
    let worker = fixture.calm_worker().renew_every(RENEW_EVERY);
    worker.queues([QUEUE]).concurrency(4)
}

async fn workers(fixture: &Fixture) -> Vec<WorkerInfo> {
    fixture.operator.workers().await.unwrap()
}

/// The only worker, once it is as it should be.
async fn seen(fixture: &Fixture, what: &str, is: impl Fn(&WorkerInfo) -> bool) -> WorkerInfo {
    let look = async || workers(fixture).await.into_iter().find(|worker| is(worker));
    support::eventually(what, look).await
}

async fn a_worker_tells_who_it_is_and_what_it_runs(fixture: Fixture) {
    assert_eq!(workers(&fixture).await, []);
    let handle = worker(&fixture)
        .queues(["orders:3", "other"])
        .build()
        .unwrap()
        .spawn();
    let first = wait::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 1).await;
    let second = block::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 2).await;
    let told = seen(&fixture, "both jobs", |worker| worker.running.len() == 2).await;
    assert_eq!(told.pid, std::process::id());
    assert_eq!(told.state, WorkerState::Working);
    assert!(!told.host.is_empty() && !told.version.is_empty() && !told.is_lost());
    assert_eq!((told.slots, told.slots_used, told.slots_leaked), (4, 2, 0));
    let queues = told
        .queues
        .iter()
        .map(|queue| (queue.name.as_str(), queue.weight));
    assert_eq!(queues.collect::<Vec<_>>(), [("orders", 3), ("other", 1)]);
    let running: Vec<_> = told
        .running
        .iter()
        .map(|job| (job.id, job.name.as_str()))
        .collect();
    let expected = [(first.id(), "orders.wait"), (second.id(), "orders.block")];
    assert_eq!(running, expected, "that which has run for longer first");
    assert!(told.started_at <= told.running[0].since);
    assert!(told.running[0].since <= told.last_heartbeat);
    let jobs = fixture
        .queue(QUEUE)
        .jobs(jobq::JobState::InFlight, 0, 9)
        .await
        .unwrap();
    assert_eq!(jobs[0].worker(), Some(&told.queues[0].member));

    fixture.ledger.write("go");
    let told = seen(&fixture, "their end", |worker| worker.totals.done == 2).await;
    assert_eq!((told.running.len(), told.slots_used), (0, 0));
    handle.shutdown().await;
    assert_eq!(workers(&fixture).await, [], "it has signed off");
}

async fn a_quiet_worker_finishes_what_it_runs_and_takes_no_more(fixture: Fixture) {
    let handle = worker(&fixture).build().unwrap().spawn();
    wait::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 1).await;
    let told = seen(&fixture, "the worker", |_| true).await;
    assert!(fixture.operator.quiet(&told.id).await.unwrap());
    seen(&fixture, "its quiet", |worker| {
        worker.state == WorkerState::Quiet
    })
    .await;
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.write("go");
    let told = seen(&fixture, "the end of its job", |worker| {
        worker.totals.done == 1
    })
    .await;
    assert_eq!(told.state, WorkerState::Quiet);
    let stats = fixture.queue(QUEUE).stats().await.unwrap();
    assert_eq!((stats.ready, stats.in_flight), (1, 0));

    let other = worker(&fixture).build().unwrap().spawn();
    fixture.ledger.wait_for("mark", 1).await;
    other.shutdown().await;
    handle.shutdown().await;
}

/// It waits for jobs in the store: a job that comes must not be handed to it.
async fn an_idle_worker_that_is_quiet_is_handed_nothing(fixture: Fixture) {
    let quiet = worker(&fixture).build().unwrap().spawn();
    let told = seen(&fixture, "the worker", |_| true).await;
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 1).await;
    assert!(fixture.operator.quiet(&told.id).await.unwrap());
    seen(&fixture, "its quiet", |worker| {
        worker.state == WorkerState::Quiet
    })
    .await;
    let other = worker(&fixture).build().unwrap().spawn();
    for times in 2..20 {
        mark::enqueue(&fixture.client).await.unwrap();
        fixture.ledger.wait_for("mark", times).await;
    }
    // A job has written its mark before its outcome is settled.
    let all_done = async || (other.stats().done == 18).then_some(());
    support::eventually("the end of the last job", all_done).await;
    assert_eq!(quiet.stats().done, 1);
    other.shutdown().await;
    quiet.shutdown().await;
}

async fn a_worker_that_is_ordered_to_stop_ends_in_order(fixture: Fixture) {
    let stopped = worker(&fixture).build().unwrap().spawn();
    wait::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("begin", 1).await;
    let told = seen(&fixture, "the worker", |_| true).await;
    assert!(fixture.operator.stop(&told.id).await.unwrap());
    seen(&fixture, "its end", |worker| {
        worker.state == WorkerState::Stopping
    })
    .await;
    fixture.ledger.write("go");
    let gone = async || workers(&fixture).await.is_empty().then_some(());
    support::eventually("its end", gone).await;
    assert_eq!(fixture.ledger.count("end"), 1);
    assert!(
        !fixture.operator.stop(&told.id).await.unwrap(),
        "it has gone"
    );
    assert_eq!(stopped.shutdown().await.abandoned, 0);
}

async fn an_order_to_one_worker_leaves_the_others_alone(fixture: Fixture) {
    let handles = [(); 2].map(|()| worker(&fixture).build().unwrap().spawn());
    let both = async || Some(workers(&fixture).await).filter(|workers| workers.len() == 2);
    let [one, other] = &support::eventually("both", both).await[..] else {
        panic!("there are two");
    };
    assert!(fixture.operator.stop(&one.id).await.unwrap());
    let left = async || Some(workers(&fixture).await).filter(|workers| workers.len() == 1);
    let left = support::eventually("the end of one", left).await;
    assert_eq!(
        (&left[0].id, left[0].state),
        (&other.id, WorkerState::Working)
    );
    mark::enqueue(&fixture.client).await.unwrap();
    fixture.ledger.wait_for("mark", 1).await;
    for handle in handles {
        handle.shutdown().await;
    }
}

async fn an_order_to_nobody_is_refused(fixture: Fixture) {
    let nobody = WorkerId::random();
    assert!(!fixture.operator.quiet(&nobody).await.unwrap());
    assert!(!fixture.operator.stop(&nobody).await.unwrap());
}

on_every_broker! {
    a_worker_tells_who_it_is_and_what_it_runs
    a_quiet_worker_finishes_what_it_runs_and_takes_no_more
    an_idle_worker_that_is_quiet_is_handed_nothing
    a_worker_that_is_ordered_to_stop_ends_in_order
    an_order_to_one_worker_leaves_the_others_alone
    an_order_to_nobody_is_refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_worker_gives_back_what_it_is_handed_late() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let quiet = worker(&fixture).build().unwrap().spawn();
    let (member, _) = only_member(&fixture, QUEUE).await;
    let told = seen(&fixture, "the worker", |_| true).await;
    assert!(fixture.operator.quiet(&told.id).await.unwrap());
    seen(&fixture, "its quiet", |worker| {
        worker.state == WorkerState::Quiet
    })
    .await;
    // As a blocking move does that its client has given up, and the server not yet.
    let handoff = plain.key(QUEUE, &format!("handoff:{member}"));
    let job = envelope(mark::new()).await;
    let _: () = plain.run(&[b"LPUSH", handoff.as_bytes(), &job]).await;
    let given_back = async || {
        let stats = fixture.queue(QUEUE).stats().await.unwrap();
        (stats.ready == 1).then_some(())
    };
    support::eventually("the job in its queue", given_back).await;
    assert_eq!((fixture.ledger.count("mark"), quiet.stats().done), (0, 0));
    quiet.shutdown().await;
    assert_eq!(plain.leftovers().await.len(), 1, "the job itself");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_process_that_is_ordered_to_stop_exits_with_0() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut command = command();
    command.args(["--url", &fixture.url, "--queues", PROGRAM_QUEUE]);
    let mut program = Program::launch(command.args(["--shutdown-timeout", "1s"]));
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    let told = seen(&fixture, "the worker", |worker| worker.running.len() == 1).await;
    assert!(fixture.operator.stop(&told.id).await.unwrap());
    assert_eq!(program.ended().await.code(), Some(0));
    assert!(
        program.log().contains("ordered to stop"),
        "{}",
        program.log()
    );
    let stats = fixture.queue(PROGRAM_QUEUE).stats().await.unwrap();
    assert_eq!(
        (stats.ready, stats.in_flight),
        (1, 0),
        "the job was given back"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_was_killed_is_told_of_as_lost() {
    let (server, record) = (RedisServer::start(), Record::new());
    let fixture = Fixture::on(&server).await;
    let mut command = command();
    command.args(["--url", &fixture.url, "--queues", PROGRAM_QUEUE]);
    let mut program = Program::launch(command.args(["--lease", "1s", "--renew-every", "300ms"]));
    hold::enqueue(&fixture.client, record.path(), "held")
        .await
        .unwrap();
    record.wait_for("begin held", 1).await;
    seen(&fixture, "the worker", |worker| worker.running.len() == 1).await;
    program.signal("KILL");
    program.ended().await;
    let lost = seen(&fixture, "its silence", WorkerInfo::is_lost).await;
    assert_eq!(lost.running.len(), 1);
}
