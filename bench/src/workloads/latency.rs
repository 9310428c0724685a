//! How soon jobs start: at once, and when they are due.

use std::time::Duration;

use jobq::Client;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, sleep, sleep_until};

use crate::jobs::{TEXT, noop, now_us, timed};
use crate::load::{client, fill_noop};
use crate::round::{Plan, QUEUE, drain};
use crate::sheet::{Row, Sheet};
use crate::statistics::percentile;
use crate::store::Store;
use crate::worker::{Process, Setup, until_done};

/// Between two jobs of an idle worker, on the average.
const PAUSE: Duration = Duration::from_millis(5);

/// How long the load of the loaded latency is enqueued at a time.
const BEAT: Duration = Duration::from_millis(2);

/// A queue that has the timed jobs alone, while another has the load.
const TIMED: &str = "timed";

impl Row {
    fn note_late(&mut self, late_us: &[f64]) {
        for (name, percent) in [("p50_us", 50.0), ("p99_us", 99.0), ("max_us", 100.0)] {
            self.note(name, percentile(late_us, percent));
        }
    }
}

pub(super) async fn latency(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    let jobs = plan.jobs(1000);
    let mut idle = Row::new().with("load", "idle");
    let mut loaded = Row::new().with("load", "half");
    for _ in 0..plan.rounds {
        let bare = bare_wakes(&store, jobs).await;
        store.flush().await;
        let mut worker = started(&store, &[QUEUE], 100).await;
        let client = client(&store.url()).await;
        for number in 0..jobs {
            sleep(pause(number)).await;
            timed::enqueue(&client, now_us(), TEXT)
                .await
                .expect("Redis takes the job");
        }
        until_done(std::slice::from_mut(&mut worker), jobs).await;
        let late = worker.late();
        idle.note_late(&late);
        idle.note("bare_p50_us", percentile(&bare, 50.0));
        idle.note("bare_p99_us", percentile(&bare, 99.0));
        idle.note(
            "ratio_to_bare_p50",
            percentile(&late, 50.0) / percentile(&bare, 50.0),
        );
        drop(worker);
        half_loaded(&store, plan, &mut loaded).await;
    }
    sheet.print(&idle);
    sheet.print(&loaded);
}

/// Uneven, so that nothing falls into step.
fn pause(number: u64) -> Duration {
    let part = u32::try_from(number * 37 % 53).expect("it is below 53");
    PAUSE * (part + 1) / 27
}

/// A worker that has a connection and waits.
async fn started(store: &Store, queues: &[&str], concurrency: u32) -> Process {
    let mut setup = Setup::new(store, concurrency, 1);
    setup.queues = queues.iter().map(|queue| (*queue).to_owned()).collect();
    let mut worker = Process::start(&setup);
    let client = client(&store.url()).await;
    for queue in queues {
        let job = noop::new(0, TEXT).queue(*queue);
        client.enqueue(job).await.expect("Redis takes the job");
    }
    until_done(std::slice::from_mut(&mut worker), queues.len() as u64).await;
    worker.anew();
    worker
}

/// Latencies of a bare LPUSH to a blocked BLMOVE, in µs.
async fn bare_wakes(store: &Store, jobs: u64) -> Vec<f64> {
    store.flush().await;
    let (waiting, mut pushing) = (store.connect().await, store.connect().await);
    let waits = tokio::spawn(waits(waiting, jobs));
    for number in 0..jobs {
        sleep(pause(number)).await;
        let mut command = redis::cmd("LPUSH");
        command.arg("ready").arg(format!("{:080}", now_us()));
        command
            .query_async::<()>(&mut pushing)
            .await
            .expect("Redis takes it");
    }
    waits.await.expect("it does not panic")
}

async fn waits(mut connection: MultiplexedConnection, jobs: u64) -> Vec<f64> {
    let mut late = Vec::new();
    for _ in 0..jobs {
        let mut command = redis::cmd("BLMOVE");
        command
            .arg("ready")
            .arg("handoff")
            .arg("RIGHT")
            .arg("LEFT")
            .arg(0);
        let sent: String = command
            .query_async(&mut connection)
            .await
            .expect("Redis answers");
        late.push(now_us() as f64 - sent.parse::<f64>().expect("it is a number"));
    }
    late
}

/// A worker, a producer and Redis use half of what they can: the load is half of what a drain of
/// the same worker came to right before.
async fn half_loaded(store: &Store, plan: Plan, row: &mut Row) {
    let jobs = plan.jobs(300_000);
    store.flush().await;
    fill_noop(&store.url(), jobs).await;
    let full = drain(store, &Setup::new(store, 1000, 1), 1, jobs)
        .await
        .jobs_per_s;
    store.flush().await;
    let mut worker = started(store, &[QUEUE, TIMED], 1000).await;
    let client = client(&store.url()).await;
    let load = tokio::spawn(load(client.clone(), full / 2.0));
    let timed_jobs = plan.jobs(1000);
    for number in 0..timed_jobs {
        sleep(pause(number)).await;
        let job = timed::new(now_us(), TEXT).queue(TIMED);
        client.enqueue(job).await.expect("Redis takes the job");
    }
    load.abort();
    let mut late = worker.late();
    while (late.len() as u64) < timed_jobs {
        sleep(BEAT).await;
        late.extend(worker.late());
    }
    row.note_late(&late);
    row.note("load_jobs_per_s", full / 2.0);
}

/// Enqueues so many jobs a second, for ever.
async fn load(client: Client, per_s: f64) {
    let began = Instant::now();
    let mut sent = 0u64;
    for beat in 1u32.. {
        let meant = (f64::from(beat) * BEAT.as_secs_f64() * per_s) as u64;
        let jobs = (sent..meant).map(|number| noop::new(number, TEXT));
        client
            .enqueue_all(jobs)
            .await
            .expect("Redis takes the jobs");
        sent = meant;
        sleep_until(began + BEAT * beat).await;
    }
}

pub(super) async fn delayed(plan: Plan, sheet: &mut Sheet) {
    let store = Store::start().await;
    for load in ["idle", "drain"] {
        let mut row = Row::new().with("load", load);
        for _ in 0..plan.rounds {
            store.flush().await;
            let mut worker = started(&store, &[TIMED, QUEUE], 1000).await;
            if load == "drain" {
                fill_noop(&store.url(), plan.jobs(3_000_000)).await;
            }
            row.note_late(&due_jobs(&store, plan.jobs(1000), &mut worker).await);
        }
        sheet.print(&row);
    }
}

/// Enqueues jobs that are due within the next second; answers how late they started.
async fn due_jobs(store: &Store, jobs: u64, worker: &mut Process) -> Vec<f64> {
    let client = client(&store.url()).await;
    let first = now_us() / 1000 + 500;
    let entries = (0..jobs).map(|number| {
        let due = first + number * 1000 / jobs;
        let at = std::time::UNIX_EPOCH + Duration::from_millis(due);
        let at = jobq::Timestamp::try_from(at).expect("it is soon");
        timed::new(due * 1000, TEXT).queue(TIMED).at(at)
    });
    client
        .enqueue_all(entries)
        .await
        .expect("Redis takes the jobs");
    let mut late = worker.late();
    while (late.len() as u64) < jobs {
        sleep(BEAT * 5).await;
        late.extend(worker.late());
    }
    late
}
