//! The operator's command in front of a million jobs, with all that it asks on the way.

use std::process::{Command, Stdio};

use crate::store::{Store, To, id};

const JOBS: u64 = 1_000_000;

const RUNNING: u64 = 20_000;

const DEAD: u64 = 10_000;

/// What a queue is filled with again where a million are gone.
const AGAIN: u64 = 100_000;

async fn nothing() {}

/// Runs `jobq` with these words and expects it to go well, and no call of it to hold the server.
async fn run(store: &Store, line: &str, prepare: impl AsyncFnMut()) {
    let act = async || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jobq-test-cli"));
        command.env_clear().env("JOBQ_URL", store.url());
        let run = command.args(line.split(' ')).stdin(Stdio::null());
        let output = run.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{line}: {said}");
    };
    store.expect_fast(line, prepare, act).await;
}

async fn fill_all(store: &Store) {
    let mut list = redis::cmd("SADD");
    store.tell(list.arg("jobq:queues").arg("mail")).await;
    store.join(1..=1).await;
    store.fill(To::Ready, 1..=JOBS, 40).await;
    store.fill(To::Delayed, JOBS + 1..=2 * JOBS, 40).await;
    let in_flight = 2 * JOBS + 1..=2 * JOBS + RUNNING;
    store.fill(To::InFlight(1), in_flight, 40).await;
    store.fill(To::Dead, 1..=DEAD, 6_500).await;
}

#[tokio::test]
async fn no_command_holds_a_server_of_a_million_jobs() {
    let store = Store::start().await;
    fill_all(&store).await;
    look(&store).await;
    touch_single_jobs(&store).await;
    touch_all(&store).await;
}

async fn look(store: &Store) {
    for line in [
        "stats",
        "queues list",
        "workers list --jobs",
        "jobs list --offset 500000 --limit 3000",
        "jobs list --state delayed --offset 500000 --limit 3000",
        "jobs list --state in-flight --offset 10000 --limit 3000",
        "dead list --limit 10000",
        "dead analyze",
        "dead retry --all --dry-run",
        "queues purge mail --state ready,delayed,dead --dry-run",
        "health",
    ] {
        run(store, line, nothing).await;
    }
    run(store, &format!("dead list --id {}", id(1)), nothing).await;
    for (state, number) in [
        ("ready", JOBS / 2),
        ("delayed", JOBS + JOBS / 2),
        ("in-flight", 2 * JOBS + RUNNING),
        ("dead", 1),
    ] {
        let show = format!("jobs show {} --state {state}", id(number));
        run(store, &show, nothing).await;
    }
}

async fn touch_single_jobs(store: &Store) {
    let queue = store.queue();
    let wanted = JOBS / 2;
    let cancel = format!("--yes jobs cancel {} --state ready", id(wanted));
    run(store, &cancel, nothing).await;
    let delayed = JOBS + JOBS / 2;
    let again = async || store.fill(To::Delayed, delayed..=delayed, 40).await;
    run(store, &format!("jobs run-now {}", id(delayed)), again).await;
    let front = queue.jobs(jobq::JobState::Ready, 0, 1).await.unwrap();
    assert_eq!(front[0].id(), Some(id(delayed)));
    let again = async || store.fill(To::Ready, JOBS..=JOBS, 40).await;
    let relocate = format!("--yes jobs move {} --state ready --to other", id(JOBS));
    run(store, &relocate, again).await;
    run(store, "queues pause mail", nothing).await;
    run(store, "queues resume mail", nothing).await;
    run(store, "enqueue paging.some_job --queue mail", nothing).await;
}

async fn touch_all(store: &Store) {
    let dead = async || store.fill(To::Dead, 1..=DEAD, 6_500).await;
    run(store, "--yes dead remove --older-than 30d", dead).await;
    dead().await;
    run(store, "--yes dead purge --older-than 30d", dead).await;
    dead().await;
    run(store, "--yes dead retry --all", dead).await;
    for (state, to) in [("ready", To::Ready), ("delayed", To::Delayed)] {
        let again = async || store.fill(to, 1..=AGAIN, 40).await;
        let purge = format!("--yes queues purge mail --state {state}");
        run(store, &purge, again).await;
    }
    let stats = store.queue().stats().await.unwrap();
    assert_eq!((stats.ready, stats.delayed, stats.dead), (0, 0, 0));
}
