//! A panic hook that an application sets stays its own. Alone in its process: hooks are global.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};

use jobq::job;
use jobq_worker::Worker;

static SEEN_BEFORE: AtomicUsize = AtomicUsize::new(0);
static SEEN_AFTER: AtomicUsize = AtomicUsize::new(0);

#[job(retries = 0)]
async fn fall() {
    panic!("on purpose");
}

#[tokio::test]
async fn a_hook_of_the_application_is_called_whenever_it_was_set() {
    panic::set_hook(Box::new(|_| {
        SEEN_BEFORE.fetch_add(1, Ordering::Relaxed);
    }));
    assert_eq!(
        fall_once().await,
        "panicked: on purpose (at ",
        "the place is known"
    );
    assert_eq!(SEEN_BEFORE.load(Ordering::Relaxed), 1);
    // As a library for error reports does: it calls the one that was there, and that is the worker's.
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        SEEN_AFTER.fetch_add(1, Ordering::Relaxed);
        before(info);
    }));
    assert_eq!(
        fall_once().await,
        "panicked: on purpose (at ",
        "the place is known"
    );
    assert_eq!(SEEN_BEFORE.load(Ordering::Relaxed), 2);
    assert_eq!(SEEN_AFTER.load(Ordering::Relaxed), 1);
    // One that calls nobody else costs the place, and nothing more.
    panic::set_hook(Box::new(|_| {
        SEEN_AFTER.fetch_add(1, Ordering::Relaxed);
    }));
    assert_eq!(fall_once().await, "panicked: on purpose");
    assert_eq!(SEEN_AFTER.load(Ordering::Relaxed), 2);
    // So that the test's own failure would be seen.
    drop(panic::take_hook());
}

/// The error of a job that panics, up to the place.
async fn fall_once() -> String {
    let client = jobq::connect("memory://").await.unwrap();
    fall::enqueue(&client).await.unwrap();
    let worker = Worker::builder(client.clone()).build().unwrap();
    assert_eq!(worker.run_until_idle().await.unwrap().dead, 1);
    let dead = client.queue("default").unwrap().dead();
    let error = dead.list(0, 1).await.unwrap().remove(0).error().to_owned();
    let end = error.find(file!()).unwrap_or(error.len());
    error[..end].to_owned()
}
