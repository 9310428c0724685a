//! What a worker shows to the recorder of the `metrics` crate that its program has installed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jobq::{NamedJob, State, job};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};

use crate::fixture::{Fixture, Ledger};

#[job(name = "metrics.good", queue = "metrics")]
async fn good() {}

#[job(name = "metrics.slow", queue = "metrics")]
async fn slow() {
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
}

/// Ends once two of them have begun.
#[job(name = "metrics.pair", queue = "metrics")]
async fn pair(ledger: State<Ledger>) {
    ledger.write("begin");
    ledger.wait_for("begin", 2).await;
}

/// All that was recorded, by name and labels: how often, and the last value or the sum.
#[derive(Debug, Clone, Default)]
struct Seen(Arc<Mutex<HashMap<String, (u64, f64)>>>);

impl Seen {
    fn change(&self, key: &str, change: impl FnOnce(&mut (u64, f64))) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(seen.entry(key.to_owned()).or_default());
    }

    fn get(&self, key: &str) -> Option<(u64, f64)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key).copied()
    }

    fn one(&self, key: &Key) -> Arc<One> {
        let labels = key
            .labels()
            .map(|label| format!(" {}={}", label.key(), label.value()));
        let key = format!("{}{}", key.name(), labels.collect::<String>());
        Arc::new(One(self.clone(), key))
    }
}

struct One(Seen, String);

impl CounterFn for One {
    fn increment(&self, value: u64) {
        self.0.change(&self.1, |seen| seen.0 += value);
    }

    fn absolute(&self, value: u64) {
        self.0.change(&self.1, |seen| seen.0 = value);
    }
}

impl GaugeFn for One {
    fn increment(&self, value: f64) {
        self.0.change(&self.1, |seen| seen.1 += value);
    }

    fn decrement(&self, value: f64) {
        self.0.change(&self.1, |seen| seen.1 -= value);
    }

    fn set(&self, value: f64) {
        self.0.change(&self.1, |seen| seen.1 = value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.0.change(&self.1, |seen| {
            seen.0 += 1;
            seen.1 += value;
        });
    }
}

impl Recorder for Seen {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.one(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.one(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.one(key))
    }
}

/// The only test that installs one: there is one for a process. Other tests' workers show there too,
/// on queues of their own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recorder_of_the_program_sees_the_worker() {
    let seen = Seen::default();
    metrics::set_global_recorder(seen.clone()).expect("no other test installs one");
    let fixture = Fixture::redis().await;
    let worker = fixture.calm_worker().queues(["metrics"]).build().unwrap();
    let handle = worker.spawn();
    fixture
        .client
        .enqueue_all((0..5).map(|_| good::new()))
        .await
        .unwrap();
    fixture
        .client
        .enqueue_all((0..3).map(|_| slow::new()))
        .await
        .unwrap();
    let labels = |name: &str| format!("queue=metrics name={name}");
    let done = |name| seen.get(&format!("jobq_jobs_total {} outcome=done", labels(name)));
    let runs = |name| seen.get(&format!("jobq_job_run_seconds {}", labels(name)));
    let shown = async || {
        let all = (done("metrics.good")?.0, done("metrics.slow")?.0);
        let (good, slow) = (runs("metrics.good")?, runs("metrics.slow")?);
        let ready = seen.get("jobq_queue_ready queue=metrics");
        let waited = seen.get("jobq_job_wait_seconds queue=metrics")?.0;
        let slots = seen.get("jobq_slots")?.1;
        // They are shown one after the other.
        let is_all = (all, (good.0, slow.0), waited) == ((5, 3), (5, 3), 8);
        (is_all && ready.is_some() && slots > 0.0).then_some(slow.1)
    };
    let took = support::eventually("what it did", shown).await;
    assert!((0.09..60.0).contains(&took), "{took}");
    handle.shutdown().await;
    // Nobody but the timekeeper shows a queue.
    let gone = async || (seen.get("jobq_queue_ready queue=metrics")?.1 == 0.0).then_some(());
    support::eventually("nothing of the queue", gone).await;
}

/// Two workers of one thread, each of which runs one of two jobs, and stops at once: what was shown in
/// between, while they ran, and after their end.
#[tokio::test(start_paused = true)]
async fn workers_of_one_process_add_up_until_they_have_stopped() {
    let (seen, fixture) = (Seen::default(), Fixture::memory().await);
    let _shown = metrics::set_default_local_recorder(&seen);
    let worker = || fixture.calm_worker().queues(["metrics"]).concurrency(1);
    let workers = [(); 2].map(|()| worker().build().unwrap().spawn());
    let slots = || seen.get("jobq_slots").map(|(_, slots)| slots);
    let both = async || slots().filter(|slots| *slots > 1.0);
    let sum = support::eventually("the slots of both", both).await;
    assert!((sum - 2.0).abs() < 0.1, "{sum}");
    fixture
        .client
        .enqueue_all((0..2).map(|_| pair::new()))
        .await
        .unwrap();
    fixture.ledger.wait_for("begin", 2).await;
    for worker in workers {
        worker.shutdown().await;
    }
    let count = |key: &str| seen.get(key).map(|(count, _)| count);
    let labels = "queue=metrics name=metrics.pair";
    let done = count(&format!("jobq_jobs_total {labels} outcome=done"));
    let runs = count(&format!("jobq_job_run_seconds {labels}"));
    assert_eq!((done, runs), (Some(2), Some(2)), "the last ones too");
    for gauge in ["jobq_slots", "jobq_jobs_in_flight"] {
        assert_eq!(seen.get(gauge), Some((0, 0.0)), "{gauge}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_of_an_unknown_name_is_shown_as_no_run() {
    let (seen, fixture) = (Seen::default(), Fixture::memory().await);
    let _shown = metrics::set_default_local_recorder(&seen);
    let unknown = NamedJob::new("metrics.unknown", &HashMap::<String, u32>::new()).unwrap();
    let unknown = unknown.queue("metrics");
    fixture.client.enqueue_named(unknown).await.unwrap();
    let worker = fixture.calm_worker().queues(["metrics"]).build().unwrap();
    let handle = worker.spawn();
    let labels = "queue=metrics name=other";
    let snoozed = format!("jobq_jobs_total {labels} outcome=snoozed");
    let shown = async || seen.get(&snoozed).filter(|(jobs, _)| *jobs > 0);
    support::eventually("its postponement", shown).await;
    handle.shutdown().await;
    assert_eq!(seen.get(&format!("jobq_job_run_seconds {labels}")), None);
}
