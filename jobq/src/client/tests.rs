mod many;
mod named;
mod recorder;

use std::time::Duration;

use recorder::Recorder;
use serde::{Deserialize, Serialize, Serializer};

use super::*;
use crate::broker::{Due, JobState};
use crate::envelope::{Envelope, Options, decode_args};
use crate::error::{BrokerErrorKind, ConnectError};
use crate::job::JobDefaults;
use crate::retry::{Backoff, Jitter, LONGEST, Strategy};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    n: u32,
    text: String,
}

impl Job for Note {
    const NAME: &'static str = "note";
    const DEFAULTS: JobDefaults = JobDefaults::new();
}

fn note(n: u32) -> Note {
    let text = String::new();
    Note { n, text }
}

fn long(len: usize) -> Note {
    let text = "x".repeat(len);
    Note { n: 1, text }
}

fn recorded(recorder: Recorder) -> (Client, Arc<Recorder>) {
    let recorder = Arc::new(recorder);
    let client = Client::new(recorder.clone(), 1 << 20);
    (client, recorder)
}

/// The one envelope that was sent.
fn sent(recorder: &Recorder) -> (Envelope, Due) {
    let steps = recorder.steps();
    assert_eq!((steps.len(), steps[0].len()), (1, 1));
    let entry = steps[0][0].clone();
    (Envelope::decode(entry.envelope).unwrap(), entry.due)
}

#[tokio::test]
async fn a_job_is_sent_with_its_arguments_and_nothing_that_is_default() {
    let (client, recorder) = recorded(Recorder::default());
    let job = note(7)
        .retries(20)
        .timeout(Duration::from_secs(1800))
        .backoff(Strategy::Exponential);
    let handle = client.enqueue(job).await.unwrap();
    let (envelope, due) = sent(&recorder);
    assert_eq!(
        (envelope.id(), handle.queue(), due),
        (handle.id(), "default", Due::Now)
    );
    assert_eq!((envelope.name(), envelope.has_options()), ("note", false));
    assert_eq!(envelope.enqueued_at(), client.now());
    assert_eq!(decode_args::<Note>(envelope.args()).unwrap(), note(7));
}

#[tokio::test]
async fn what_a_call_says_travels_with_the_job() {
    let (client, recorder) = recorded(Recorder::default());
    let id = JobId::new();
    let backoff = Backoff::fixed(Duration::from_secs(1));
    let job = note(7)
        .id(id)
        .queue("vip")
        .retries(0)
        .timeout(None)
        .backoff(backoff);
    let handle = job.enqueue(&client).await.unwrap();
    assert_eq!((handle.id(), handle.queue()), (id, "vip"));
    let expected = Options {
        retries: Some(0),
        timeout: Some(None),
        backoff: Some(backoff),
        ..Options::default()
    };
    assert_eq!(sent(&recorder).0.options().unwrap(), expected);
}

#[tokio::test]
async fn a_delayed_job_carries_its_due_time() {
    let now = At::from_ms(1_700_000_000_000);
    let minute = Duration::from_secs(60);
    for (job, due, carried) in [
        (note(1).delay(minute), Due::After(minute), now.after(minute)),
        (
            note(1).delay(Duration::MAX),
            Due::After(LONGEST),
            now.after(LONGEST),
        ),
        (
            note(1).at(At::from_ms(5)),
            Due::At(At::from_ms(5)),
            At::from_ms(5),
        ),
        (
            note(1).at(At::from_ms(u64::MAX)),
            Due::At(At::LATEST_DUE),
            At::LATEST_DUE,
        ),
        (
            note(1).at(At::from_ms(5)).delay(minute),
            Due::After(minute),
            now.after(minute),
        ),
    ] {
        let (client, recorder) = recorded(Recorder::default());
        client.enqueue(job).await.unwrap();
        let (envelope, sent_due) = sent(&recorder);
        assert_eq!(sent_due, due);
        assert_eq!(envelope.options().unwrap().due, Some(carried));
    }
}

#[tokio::test]
async fn a_payload_at_the_limit_is_sent_and_one_byte_more_is_not() {
    let (client, recorder) = recorded(Recorder::default());
    client.enqueue(long(70_000)).await.unwrap();
    let frame = sent(&recorder).0.bytes().len() - 70_000;
    let client = Client::new(recorder.clone(), 100_000);
    client.enqueue(long(100_000 - frame)).await.unwrap();
    assert_eq!(recorder.steps()[1][0].envelope.len(), 100_000);
    let error = client.enqueue(long(100_001 - frame)).await.unwrap_err();
    assert!(matches!(
        error,
        EnqueueError::PayloadTooLarge {
            size: 100_001,
            limit: 100_000,
            ..
        }
    ));
    let text = "job `note` makes an envelope of 100001 bytes; the limit is 100000 (max_payload); store large data elsewhere and enqueue its key";
    assert_eq!(error.to_string(), text);
    assert_eq!(recorder.steps().len(), 2, "nothing of it was sent");
}

#[tokio::test]
async fn options_out_of_range_are_refused_by_name() {
    let fixed = Backoff::fixed(Duration::from_secs(5));
    for (job, text) in [
        (
            note(1).timeout(Duration::ZERO),
            "timeout is 0s; expected more than zero, or `None` for no limit",
        ),
        (
            note(1).backoff(fixed.max_delay(Duration::from_secs(4))),
            "base_delay is 5s; expected at most max_delay",
        ),
        (
            note(1).backoff(fixed.factor(0.0)),
            "factor is 0; expected a number above 0",
        ),
        (
            note(1).backoff(fixed.factor(f64::NAN)),
            "factor is NaN; expected a number above 0",
        ),
        (
            note(1).backoff(fixed.factor(f64::INFINITY)),
            "factor is inf; expected a number above 0",
        ),
        (
            note(1).backoff(fixed.jitter(Jitter::Fraction(1.5))),
            "jitter is 1.5; expected a fraction from 0 to 1",
        ),
        (
            note(1).backoff(fixed.jitter(Jitter::Fraction(f64::NAN))),
            "jitter is NaN; expected a fraction from 0 to 1",
        ),
    ] {
        let (client, recorder) = recorded(Recorder::default());
        let error = client.enqueue(job).await.unwrap_err();
        assert_eq!(error.to_string(), format!("job `note`: {text}"));
        assert!(recorder.steps().is_empty());
    }
}

#[tokio::test]
async fn a_queue_name_that_is_not_legal_is_refused() {
    let (client, recorder) = recorded(Recorder::default());
    let error = note(1).queue("no way").enqueue(&client).await.unwrap_err();
    assert!(
        matches!(error, EnqueueError::InvalidQueueName(_)),
        "{error}"
    );
    assert!(recorder.steps().is_empty());
}

#[tokio::test]
async fn a_job_name_that_no_worker_could_read_is_refused() {
    #[derive(Serialize, Deserialize)]
    struct Nameless {}
    impl Job for Nameless {
        const NAME: &'static str = "";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    let error = Nameless {}.enqueue(&Client::in_memory()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "job ``: name is \"\"; expected 1 to 512 bytes"
    );
}

#[tokio::test]
async fn arguments_that_cannot_be_written_are_refused() {
    #[derive(Deserialize)]
    struct Stubborn {}
    impl Serialize for Stubborn {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    impl Job for Stubborn {
        const NAME: &'static str = "stubborn";
        const DEFAULTS: JobDefaults = JobDefaults::new();
    }
    let error = Stubborn {}.enqueue(&Client::in_memory()).await.unwrap_err();
    let EnqueueError::Unserialisable { job, source } = error else {
        panic!("{error}");
    };
    assert_eq!(job, "stubborn");
    assert_eq!(source.to_string(), "never");
}

#[tokio::test]
async fn settings_out_of_range_are_refused_by_name() {
    let memory = || Client::builder("memory://");
    for (builder, text) in [
        (
            memory().timeout(Duration::from_millis(9)),
            "timeout is 9ms; expected 10 ms to 1 h",
        ),
        (
            memory().timeout(Duration::from_secs(3601)),
            "timeout is 3601s; expected 10 ms to 1 h",
        ),
        (
            memory().max_payload(1023),
            "max_payload is 1023 bytes; expected 1 KiB to 8 MiB",
        ),
        (
            memory().max_payload((8 << 20) + 1),
            "max_payload is 8388609 bytes; expected 1 KiB to 8 MiB",
        ),
    ] {
        let error = builder.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::InvalidSetting { .. }));
        assert_eq!(error.to_string(), text);
    }
    for builder in [
        memory()
            .timeout(Duration::from_millis(10))
            .max_payload(1024),
        memory()
            .timeout(Duration::from_secs(3600))
            .max_payload(8 << 20),
    ] {
        assert!(builder.connect().await.is_ok());
    }
}

#[tokio::test]
async fn a_namespace_that_no_server_would_get_is_refused_in_memory_too() {
    for builder in [
        Client::builder("memory://").namespace("a b"),
        Client::builder("memory://?namespace=a%20b"),
        Client::builder("memory://?namespace=a&namespace=b"),
        Client::builder("memory://?namespace=a&db=1"),
    ] {
        let connected = builder.clone().connect().await;
        assert!(connected.is_err(), "{builder:?}");
    }
    let builder = Client::builder("memory://?namespace=a");
    assert!(builder.namespace("b").connect().await.is_ok());
}

#[tokio::test]
async fn every_client_of_memory_has_queues_of_its_own() {
    let (one, other) = (
        connect("memory://").await.unwrap(),
        connect("memory://").await.unwrap(),
    );
    note(1).enqueue(&one).await.unwrap();
    assert_eq!(
        one.clone()
            .queue("default")
            .unwrap()
            .stats()
            .await
            .unwrap()
            .ready,
        1
    );
    assert_eq!(
        other.queue("default").unwrap().stats().await.unwrap().ready,
        0
    );
}

#[test]
fn debug_output_holds_no_password() {
    let builder = Client::builder("redis://user:hunter2@localhost/").namespace("shop");
    let text = format!("{builder:?} {:?}", Client::in_memory());
    assert!(text.contains("shop") && !text.contains("hunter2"), "{text}");
}
