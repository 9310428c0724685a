//! What a log shows: one span for each run, a warning for the dead and now and then one for those
//! that fail, and no line for each job unless asked.

mod capture;

use jobq::{Context, Job, State, job};
use tracing::Level;

use crate::fixture::{Fixture, Ledger};
use capture::Capture;

/// What is said of a job that died.
const GIVEN_UP: &str = "given up: the job goes to the dead list";

#[job(
    name = "tracing.fail",
    retries = 2,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn fail(ctx: Context, ledger: State<Ledger>) -> Result<(), String> {
    tracing::error!(target: "handler", "inside");
    ledger.write(ctx.attempt().to_string());
    Err("always".to_owned())
}

#[job(
    name = "tracing.other_fail",
    retries = 1,
    backoff = "fixed",
    base_delay = "1ms"
)]
async fn other_fail() -> Result<(), String> {
    Err("always".to_owned())
}

#[job(name = "tracing.fine")]
async fn fine() {}

/// Goes on after its timeout until the ledger says `stop`; with `heeds`, until it is asked to end.
#[job(name = "tracing.long", blocking, retries = 0, timeout = "20ms")]
fn long(ctx: Context, ledger: State<Ledger>, heeds: bool) {
    while ledger.count("stop") == 0 && !(heeds && ctx.is_cancelled()) {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

/// Jobs of names that no worker knows.
macro_rules! unknown {
    ($($name:ident $wire:literal)*) => {
        $(#[derive(Job)]
        #[job(name = $wire)]
        struct $name;)*
    };
}

unknown! {
    Unknown "tracing.unknown"
    AlsoUnknown "tracing.also_unknown"
}

// All on one thread, which the capture listens to.

#[tokio::test]
async fn each_run_has_a_span_that_says_which_it_is() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let id = fail::enqueue(&fixture.client).await.unwrap().id();
    fixture.run_until_idle().await;
    let spans = capture.spans("job");
    let field = |name: &str| spans.iter().map(|s| s.field(name)).collect::<Vec<_>>();
    assert_eq!(field("job.attempt"), ["1", "2", "3"]);
    assert_eq!(field("job.id"), [&*id.to_string(); 3]);
    assert_eq!(field("job.name"), ["tracing.fail"; 3]);
    assert_eq!(field("job.queue"), ["default"; 3]);
    // What a handler logs is in the span of its run.
    let inside: Vec<_> = capture
        .events()
        .into_iter()
        .filter(|e| e.target == "handler")
        .collect();
    let attempts: Vec<_> = inside
        .iter()
        .map(|event| event.in_span("job.attempt"))
        .collect();
    assert_eq!(attempts, ["1", "2", "3"]);
}

#[tokio::test]
async fn a_dead_job_is_warned_about_with_its_id_reason_and_error() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let id = fail::enqueue(&fixture.client).await.unwrap().id();
    fixture.run_until_idle().await;
    let warnings = capture.at(Level::WARN).into_iter();
    let mut dead = warnings.filter(|event| event.field("message") == GIVEN_UP);
    let (dead, more) = (dead.next().unwrap(), dead.next());
    assert!(more.is_none(), "{more:?}");
    assert_eq!(dead.field("job.id"), id.to_string());
    assert_eq!(dead.field("job.name"), "tracing.fail");
    assert_eq!(
        (dead.field("reason"), dead.field("error")),
        ("exhausted", "always")
    );
    assert_eq!(
        (dead.field("job.queue"), dead.field("attempts")),
        ("default", "3")
    );
}

#[tokio::test]
async fn a_job_that_is_dropped_because_it_is_cancelled_is_told_with_its_id() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let job = fine::enqueue(&fixture.client).await.unwrap();
    let queue = fixture.queue(job.queue());
    queue.cancel(job.id()).await.unwrap();
    fixture.run_until_idle().await;
    let told = capture.at(Level::INFO).into_iter();
    let mut told = told.filter(|event| event.field("message").contains("cancelled"));
    let (event, more) = (told.next().unwrap(), told.next());
    assert!(more.is_none(), "{more:?}");
    assert_eq!(event.field("job.id"), job.id().to_string());
    assert_eq!(event.field("job.name"), "tracing.fine");
    assert_eq!(event.field("job.queue"), "default");
    assert!(capture.spans("job").is_empty(), "it did not run");
}

#[tokio::test]
async fn a_blocking_job_that_goes_on_after_its_timeout_is_told_of_unless_it_heeds_that() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let outlived = || {
        let warnings = capture.at(Level::WARN).into_iter();
        let mut outlived = warnings.filter(|e| e.field("message").contains("after its timeout"));
        outlived.next()
    };
    long::enqueue(&fixture.client, true).await.unwrap();
    fixture.run_until_idle().await;
    assert!(outlived().is_none());
    long::enqueue(&fixture.client, false).await.unwrap();
    let worker = fixture.worker().build().unwrap().spawn();
    let told = support::eventually("the log to tell", async || outlived()).await;
    fixture.ledger.write("stop");
    worker.shutdown().await;
    assert_eq!(told.field("leaked"), "1");
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_warned_about_once_in_ten_seconds_for_each_name() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let jobs = (0..100).map(|_| fail::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    other_fail::enqueue(&fixture.client).await.unwrap();
    assert_eq!(fixture.run_until_idle().await.retried, 201);
    let failures = || {
        let warnings = capture.at(Level::WARN).into_iter();
        warnings.filter(|event| !event.field("not_logged").is_empty())
    };
    let mut names: Vec<_> = failures().map(|e| e.field("job.name").to_owned()).collect();
    names.sort_unstable();
    assert_eq!(names, ["tracing.fail", "tracing.other_fail"]);
    for failure in failures() {
        assert_eq!(failure.field("error"), "always");
        assert_eq!(failure.field("job.queue"), "default");
        assert_eq!(failure.field("job.attempt"), "1");
        assert_eq!(failure.field("not_logged"), "0");
        assert_eq!(failure.field("delay"), "1ms");
    }
    // Each one is told to those who ask.
    let all = capture.at(Level::DEBUG).into_iter();
    let all = all.filter(|event| event.field("message") == "failed; to be retried");
    assert_eq!(all.count(), 201);
}

/// Lines at info and above that a worker writes for so many jobs.
async fn lines_for(jobs: usize) -> usize {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let jobs = (0..jobs).map(|_| fine::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    fixture.run_until_idle().await;
    let events = capture.events();
    events
        .iter()
        .filter(|event| event.level <= Level::INFO)
        .count()
}

#[tokio::test]
async fn a_hundred_jobs_write_no_more_lines_than_one() {
    let one = lines_for(1).await;
    assert!(one > 0, "a worker says that it starts");
    assert_eq!(lines_for(100).await, one);
}

#[tokio::test]
async fn every_step_of_a_job_is_an_event_for_those_who_ask() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let id = fail::enqueue(&fixture.client).await.unwrap().id();
    fixture.run_until_idle().await;
    let id = id.to_string();
    let of_the_job =
        |event: &&capture::Event| event.field("job.id") == id || event.in_span("job.id") == id;
    let events = capture.events();
    let told = events.iter().filter(of_the_job).filter(|e| {
        e.target != "handler" && e.level != Level::WARN || e.field("message") == GIVEN_UP
    });
    let told: Vec<&str> = told.map(|event| event.field("message")).collect();
    let retry = ["started", "failed; to be retried", "settled"];
    let expected = [
        &["enqueued"][..],
        &retry,
        &retry,
        &["started", GIVEN_UP, "settled"],
    ]
    .concat();
    assert_eq!(told, expected);
    let outcomes = events.iter().map(|event| event.field("outcome"));
    let outcomes: Vec<_> = outcomes.filter(|outcome| !outcome.is_empty()).collect();
    assert_eq!(outcomes, ["retry", "retry", "dead"]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_name_is_warned_about_once() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    for _ in 0..5 {
        Unknown.enqueue(&fixture.client).await.unwrap();
        AlsoUnknown.enqueue(&fixture.client).await.unwrap();
    }
    let worker = fixture.calm_worker().build().unwrap().spawn();
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert!(worker.stats().snoozed >= 10);
    worker.shutdown().await;
    let mut names: Vec<_> = capture.at(Level::WARN);
    names.sort_by_key(|event| event.field("job.name").to_owned());
    let names: Vec<_> = names.iter().map(|event| event.field("job.name")).collect();
    assert_eq!(names, ["tracing.also_unknown", "tracing.unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_told_when_it_is_found_begun_and_ended_and_not_each_second() {
    let (capture, fixture) = (Capture::start(), Fixture::memory().await);
    let queue = fixture.queue("default");
    let told = || -> Vec<_> {
        let events = capture.events().into_iter();
        let events = events.filter(|event| event.field("message").starts_with("the queue "));
        let told = events.map(|event| {
            assert_eq!(event.field("job.queue"), "default");
            let words = event.field("message").split([' ', ':']).take(4);
            (event.level, words.collect::<Vec<_>>().join(" "))
        });
        told.collect()
    };
    queue.pause().await.unwrap();
    let worker = fixture.worker().build().unwrap().spawn();
    let a_minute = std::time::Duration::from_secs(60);
    for _ in 0..2 {
        tokio::time::sleep(a_minute).await;
        queue.resume().await.unwrap();
        tokio::time::sleep(a_minute).await;
        queue.pause().await.unwrap();
    }
    tokio::time::sleep(a_minute).await;
    worker.shutdown().await;
    let expected = [
        (Level::WARN, "the queue is paused".to_owned()),
        (Level::INFO, "the queue was resumed".to_owned()),
        (Level::INFO, "the queue was paused".to_owned()),
        (Level::INFO, "the queue was resumed".to_owned()),
        (Level::INFO, "the queue was paused".to_owned()),
    ];
    assert_eq!(told(), expected);
}
