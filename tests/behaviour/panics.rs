//! A panic is a failed attempt, wherever it happens: the worker survives and runs other jobs.

use std::fmt;
use std::panic::{panic_any, resume_unwind};

use jobq::{Context, Reason, State, job};
use serde::{Deserialize, Deserializer, Serialize};

use crate::fixture::{Fixture, Ledger};

#[job(name = "panics.str", retries = 0)]
async fn with_str() {
    panic!("on purpose");
}

#[job(name = "panics.string", retries = 0)]
async fn with_string(ctx: Context) {
    tokio::task::yield_now().await;
    panic!("attempt {}", ctx.attempt());
}

#[job(name = "panics.value", retries = 0)]
async fn with_value() {
    panic_any(7_u32);
}

#[job(name = "panics.blocking", retries = 0, blocking)]
fn in_a_thread() {
    panic!("in a thread");
}

#[job(name = "panics.index", retries = 0)]
async fn by_index(places: Vec<u8>) -> u8Result {
    Ok(places[3])
}

#[expect(non_camel_case_types, reason = "an alias is a type like any other")]
type u8Result = Result<u8, String>;

struct Explosive;

impl Drop for Explosive {
    fn drop(&mut self) {
        panic!("in a drop");
    }
}

#[job(name = "panics.drop", retries = 0)]
async fn in_drop() {
    let _explosive = Explosive;
    tokio::task::yield_now().await;
}

#[job(name = "panics.drop_of_value", retries = 0)]
async fn in_drop_of_what_it_returns() -> Result<Explosive, String> {
    Ok(Explosive)
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("in the drop of a payload");
    }
}

#[job(name = "panics.drop_of_payload", retries = 0)]
async fn in_drop_of_the_payload() {
    panic_any(PanicsWhenDropped);
}

#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in a display");
    }
}

impl std::error::Error for Unspeakable {}

#[job(name = "panics.display", retries = 0)]
async fn in_display() -> Result<(), Unspeakable> {
    Err(Unspeakable)
}

#[derive(Serialize)]
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("in a deserialize");
    }
}

#[job(name = "panics.deserialize", retries = 0)]
async fn in_deserialize(value: Unreadable) {
    let _ = value;
}

#[job(name = "panics.deserialize_blocking", retries = 0, blocking)]
fn in_deserialize_in_a_thread(value: Unreadable) {
    let _ = value;
}

/// Catches one panic of its own, and goes on.
#[job(name = "panics.caught")]
async fn caught(ledger: State<Ledger>) {
    let result = std::panic::catch_unwind(|| panic!("caught"));
    ledger.write(format!("caught: {}", result.is_err()));
}

/// Goes on with a panic that no hook sees, as `resume_unwind` of a joined task does.
#[job(name = "panics.resumed", retries = 0)]
async fn resumed() {
    resume_unwind(Box::new("resumed"));
}

#[job(name = "panics.huge", retries = 0)]
async fn huge() {
    panic!("{}", "é".repeat(1 << 20));
}

#[job(name = "panics.fine")]
async fn fine(ledger: State<Ledger>) {
    ledger.write("fine");
}

/// Runs one job that panics, and another one after it; answers the error of the first.
async fn error_of<J: jobq::Job>(fixture: &Fixture, job: jobq::JobBuilder<J>) -> String {
    job.enqueue(&fixture.client).await.unwrap();
    fine::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().concurrency(1).build().unwrap();
    let stats = worker.run_until_idle().await.unwrap();
    assert_eq!((stats.dead, stats.done), (1, 1), "{}", J::NAME);
    let dead = fixture.dead().await.remove(0);
    assert_eq!(dead.name(), Some(J::NAME));
    assert_eq!((dead.reason(), dead.attempts()), (Reason::Exhausted, 1));
    dead.error().to_owned()
}

/// Holds the error to `panicked: <message> (at <this file>:<line>:<column>)`.
#[track_caller]
fn assert_told(error: &str, message: &str) {
    let rest = error.strip_prefix("panicked: ").unwrap_or_default();
    let (told, place) = rest.rsplit_once(" (at ").unwrap_or_default();
    assert_eq!(told, message, "{error}");
    let file = place.split(':').next().unwrap_or_default();
    assert!(file.ends_with("panics.rs"), "{error}");
    assert_eq!(place.split(':').count(), 3, "{error}");
}

async fn a_panic_is_told_with_its_message_and_place(fixture: Fixture) {
    assert_told(&error_of(&fixture, with_str::new()).await, "on purpose");
    assert_told(&error_of(&fixture, with_string::new()).await, "attempt 1");
    let text = "a value that is no text";
    assert_told(&error_of(&fixture, with_value::new()).await, text);
    let index = "index out of bounds: the len is 2 but the index is 3";
    assert_told(&error_of(&fixture, by_index::new(vec![1, 2])).await, index);
}

async fn a_panic_anywhere_is_a_failed_attempt(fixture: Fixture) {
    assert_told(&error_of(&fixture, in_a_thread::new()).await, "in a thread");
    assert_told(&error_of(&fixture, in_drop::new()).await, "in a drop");
    let dropped = in_drop_of_what_it_returns::new();
    assert_told(&error_of(&fixture, dropped).await, "in a drop");
    assert_told(&error_of(&fixture, in_display::new()).await, "in a display");
    let read = in_deserialize::new(Unreadable);
    assert_told(&error_of(&fixture, read).await, "in a deserialize");
    let read = in_deserialize_in_a_thread::new(Unreadable);
    assert_told(&error_of(&fixture, read).await, "in a deserialize");
}

async fn a_payload_that_panics_when_it_is_dropped_ends_nothing(fixture: Fixture) {
    let error = error_of(&fixture, in_drop_of_the_payload::new()).await;
    assert_told(&error, "a value that is no text");
}

#[tokio::test]
async fn a_panic_without_a_place_is_not_told_with_that_of_another() {
    let fixture = Fixture::memory().await;
    caught::enqueue(&fixture.client).await.unwrap();
    let worker = fixture.calm_worker().build().unwrap();
    assert_eq!(worker.run_until_idle().await.unwrap().done, 1);
    assert_eq!(fixture.ledger.lines(), ["caught: true"]);
    // On the same thread, for this runtime has only one.
    let error = error_of(&fixture, resumed::new()).await;
    assert_eq!(error, "panicked: resumed");
}

async fn a_message_of_megabytes_is_cut_and_its_place_is_not(fixture: Fixture) {
    let error = error_of(&fixture, huge::new()).await;
    assert!(error.starts_with("panicked: éé"));
    assert!(error.len() <= 4096, "{} bytes", error.len());
    assert!(error.contains("é (at "), "the place is lost");
    assert!(error.contains("panics.rs:"), "the place is lost");
}

async fn hundreds_of_panics_at_once_end_no_worker(fixture: Fixture) {
    let jobs = (0..300).map(|_| with_str::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    let jobs = (0..300).map(|_| fine::new());
    fixture.client.enqueue_all(jobs).await.unwrap();
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.dead, stats.done), (300, 300));
}

crate::on_every_broker! {
    a_panic_is_told_with_its_message_and_place
    a_panic_anywhere_is_a_failed_attempt
    a_payload_that_panics_when_it_is_dropped_ends_nothing
    a_message_of_megabytes_is_cut_and_its_place_is_not
    hundreds_of_panics_at_once_end_no_worker
}
