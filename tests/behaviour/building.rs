//! A worker that is set up wrongly is refused when it is built, with a message that names the
//! field, the value and what would be right.

use std::time::Duration;

use jobq::{Context, Job, Perform, StateType};
use jobq_worker::{BuildError, Worker, WorkerBuilder};

use crate::fixture::Fixture;

#[derive(Job)]
#[job(name = "building.first")]
struct First {}

impl Perform for First {
    type Output = ();

    async fn perform(self, _ctx: Context) {}
}

#[derive(Job)]
#[job(name = "building.first")]
struct Second {}

impl Perform for Second {
    type Output = ();

    async fn perform(self, _ctx: Context) {}
}

struct Warehouse;

#[derive(Job)]
#[job(name = "building.count")]
struct Count {}

impl Perform for Count {
    const STATES: &'static [StateType] = &[StateType::of::<Warehouse>()];

    type Output = ();

    async fn perform(self, _ctx: Context) {}
}

async fn builder() -> WorkerBuilder {
    Fixture::memory().await.worker()
}

fn refusal(builder: WorkerBuilder) -> String {
    let error = builder.build().expect_err("it is wrong");
    error.to_string()
}

#[tokio::test]
async fn settings_out_of_range_are_named_with_their_value_and_range() {
    let ms = Duration::from_millis;
    let b = builder().await;
    assert_eq!(
        refusal(b.concurrency(0)),
        "concurrency is 0; expected 1 to 100000"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.concurrency(1_000_000)),
        "concurrency is 1000000; expected 1 to 100000"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.connections(0)),
        "connections is 0; expected 1 to 64"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.connections(65)),
        "connections is 65; expected 1 to 64"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.lease(ms(2000)).renew_every(ms(1000))),
        "lease is 2s with renew_every 1s; expected more than twice renew_every"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.renew_every(Duration::ZERO)),
        "renew_every is 0s; expected 10 ms to 1 h"
    );
    let b = builder().await;
    assert_eq!(
        refusal(b.lease(Duration::from_secs(3601)).renew_every(ms(1000))),
        "lease is 3601s; expected at most 1 h"
    );
}

#[tokio::test]
async fn queues_that_cannot_be_are_named() {
    let cases = [
        (
            "mail:0",
            "queues is \"mail:0\"; expected a weight of 1 to 1000 after the colon",
        ),
        (
            "mail:1001",
            "queues is \"mail:1001\"; expected a weight of 1 to 1000 after the colon",
        ),
        (
            "mail:-1",
            "queues is \"mail:-1\"; expected a weight of 1 to 1000 after the colon",
        ),
    ];
    for (queue, message) in cases {
        assert_eq!(refusal(builder().await.queues([queue])), message);
    }
    for bad in ["", "a b", "ä", "a/b", &"x".repeat(129)] {
        let message = refusal(builder().await.queues([bad]));
        let shown: String = bad.chars().take(20).collect();
        assert!(
            message.contains(&shown) && message.contains("A-Za-z0-9_.:-"),
            "{message}"
        );
    }
    let message = refusal(builder().await.queues(["mail", "news", "mail:3"]));
    assert_eq!(
        message,
        "queues lists \"mail\" twice; expected each queue once"
    );
}

#[tokio::test]
async fn two_jobs_of_one_name_are_refused_with_both_places() {
    let builder = builder().await;
    let line = line!() + 1;
    let error = builder.register::<First>().register::<Second>().build();
    let error = error.expect_err("they have one name");
    let places = format!("at {}:{line} and at {}:{line}", file!(), file!());
    assert_eq!(
        error.to_string(),
        format!("two jobs are named \"building.first\": {places}; give one of them another `name`")
    );
}

#[tokio::test]
async fn a_missing_state_is_refused_with_the_job_and_the_type() {
    let line = line!() + 1;
    let message = refusal(builder().await.register::<Count>());
    assert!(message.contains("job \"building.count\""), "{message}");
    assert!(
        message.contains(&format!("{}:{line}", file!())),
        "{message}"
    );
    assert!(
        message.contains("State<behaviour::building::Warehouse>"),
        "{message}"
    );
    let complete = builder().await.register::<Count>().state(Warehouse).build();
    assert!(complete.is_ok());
}

#[tokio::test]
async fn a_function_that_lacks_its_state_is_refused_too() {
    let client = Fixture::memory().await.client;
    let error = Worker::builder(client)
        .build()
        .expect_err("no ledger was given");
    assert!(matches!(error, BuildError::MissingState { .. }), "{error}");
    assert!(error.to_string().contains("Ledger"), "{error}");
}

#[tokio::test]
async fn settings_at_their_borders_are_taken() {
    let hour = Duration::from_secs(3600);
    for b in [
        builder().await.concurrency(1).connections(1),
        builder().await.concurrency(100_000).connections(64),
        builder()
            .await
            .lease(hour)
            .renew_every(Duration::from_millis(10)),
        builder()
            .await
            .queues(["a:1", "b:1000", "a:b", &"x".repeat(128)]),
        builder().await.shutdown_timeout(Duration::MAX),
    ] {
        assert!(b.build().is_ok());
    }
}

#[tokio::test]
async fn a_worker_tells_its_jobs_and_queues() {
    let worker = builder().await.register::<First>().build().unwrap();
    let jobs: Vec<_> = worker.jobs().collect();
    assert!(jobs.contains(&"building.first") && jobs.contains(&"shop.introduce"));
    assert!(jobs.is_sorted());
    let queues: Vec<_> = worker.queues().collect();
    // Those that the jobs of this binary name.
    assert!(queues.contains(&"default") && queues.contains(&"people"));
    let worker = builder().await.queues(["b:2", "a"]).build().unwrap();
    assert_eq!(worker.queues().collect::<Vec<_>>(), ["b", "a"]);
}
