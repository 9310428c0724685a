//! What no worker can read is dead, its bytes kept, and delays nobody.

use std::time::Duration;

use bytes::Bytes;
use jobq::broker::{Due, Entry};
use jobq::{At, DeadJob, Envelope, JobId, Options, Reason, State, job};

use crate::fixture::{Fixture, Ledger};
use crate::plain::Plain;

#[job(name = "undecodable.good")]
async fn good(ledger: State<Ledger>, number: u32) {
    ledger.write(number.to_string());
}

/// What is right but for the options, which the caller gives.
fn with_options(id: JobId, options: &[u8]) -> Vec<u8> {
    let args = [&[0x81, 0xa6][..], b"number", &[7]].concat();
    let none = Options::default();
    let envelope = Envelope::encode(id, "undecodable.good", &args, At::from_ms(1), &none);
    let front = envelope.strip_suffix(&[0x80]).expect("no options");
    [front, options].concat()
}

/// A map of one option.
fn option(key: &str, value: &[u8]) -> Vec<u8> {
    let len = u8::try_from(key.len()).unwrap();
    [&[0x81, 0xa0 | len][..], key.as_bytes(), value].concat()
}

/// A good job as version 2 of the format might have it.
fn of_version_2(id: JobId) -> Vec<u8> {
    let mut envelope = with_options(id, &[0x80]);
    assert_eq!(envelope[19], 1);
    envelope[19] = 2;
    envelope
}

/// Elements that are no envelope, and some that nearly are.
fn junk() -> Vec<Vec<u8>> {
    let whole = with_options(JobId::new(), &[0x80]);
    let mut junk = vec![
        b"hello".to_vec(),
        b"{\"id\": 7}".to_vec(),
        vec![0x98],
        vec![0xff; 1000],
        vec![0x91; 10_000],
        // An array of 2³²−1 elements, a bin of as many bytes.
        vec![0xdd, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
        vec![0x98, 0xc6, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0],
        whole[..whole.len() - 1].to_vec(),
        [&whole[..], b"x"].concat(),
        of_version_2(JobId::new()),
        with_options(JobId::new(), &option("retries", b"\xa4many")),
        with_options(JobId::new(), &option("backoff", &[0x80])),
        with_options(JobId::new(), &[0x90]),
    ];
    junk.extend((0..=255).map(|byte| vec![byte]));
    junk
}

async fn put(fixture: &Fixture, elements: impl IntoIterator<Item = Vec<u8>>) {
    let entry = |envelope: Vec<u8>| Entry {
        envelope: Bytes::from(envelope),
        due: Due::Now,
    };
    let entries: Vec<_> = elements.into_iter().map(entry).collect();
    let queue = fixture.queue("default");
    let broker = fixture.client.broker();
    broker.enqueue(queue.name(), &entries).await.unwrap();
}

/// The only dead job after this one was put on the queue.
async fn dead_of(fixture: &Fixture, element: Vec<u8>) -> DeadJob {
    put(fixture, [element.clone()]).await;
    let stats = fixture.run_until_idle().await;
    assert_eq!((stats.dead, stats.done, stats.retried), (1, 0, 0));
    let dead = fixture.dead().await.remove(0);
    assert_eq!(dead.reason(), Reason::Undecodable);
    assert_eq!(dead.attempts(), 0);
    assert_eq!(dead.bytes()[..], element[..], "the bytes are kept");
    dead
}

async fn junk_is_buried_and_delays_nobody(fixture: Fixture) {
    let junk = junk();
    for (n, piece) in (0..).zip(&junk) {
        put(&fixture, [piece.clone()]).await;
        let jobs = (n * 4..n * 4 + 4).map(good::new);
        fixture.client.enqueue_all(jobs).await.unwrap();
    }
    let stats = fixture.run_until_idle().await;
    let count = junk.len() as u64;
    assert!(count * 4 >= 1000);
    assert_eq!((stats.done, stats.dead), (count * 4, count));
    let mut ran: Vec<u64> = fixture
        .ledger
        .lines()
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    ran.sort_unstable();
    assert!(ran.into_iter().eq(0..count * 4));
    let dead = fixture.dead().await;
    assert!(dead.iter().all(|dead| dead.reason() == Reason::Undecodable));
    let mut kept: Vec<_> = dead.iter().map(|dead| dead.bytes().to_vec()).collect();
    let mut junk = junk;
    kept.sort_unstable();
    junk.sort_unstable();
    assert_eq!(kept, junk);
}

async fn what_is_no_envelope_is_told_and_has_no_id(fixture: Fixture) {
    let dead = dead_of(&fixture, b"hello".to_vec()).await;
    assert_eq!((dead.id(), dead.name()), (JobId::from_bytes([0; 16]), None));
    assert!(
        dead.error().contains("expected an envelope"),
        "{}",
        dead.error()
    );
}

async fn an_empty_element_is_buried(fixture: Fixture) {
    dead_of(&fixture, Vec::new()).await;
}

async fn a_newer_version_is_told_by_its_number(fixture: Fixture) {
    let dead = dead_of(&fixture, of_version_2(JobId::new())).await;
    assert!(dead.error().contains("version 2"), "{}", dead.error());
}

async fn a_job_with_options_that_do_not_fit_is_found_by_its_id(fixture: Fixture) {
    let id = JobId::new();
    let envelope = with_options(id, &option("retries", b"\xa4many"));
    let dead = dead_of(&fixture, envelope).await;
    assert_eq!((dead.id(), dead.name()), (id, Some("undecodable.good")));
    assert!(dead.error().contains("retries"), "{}", dead.error());
    assert!(fixture.queue("default").dead().remove(id).await.unwrap());
}

async fn a_job_whose_arguments_do_not_fit_is_found_by_its_id(fixture: Fixture) {
    let id = JobId::new();
    let args = [&[0x81, 0xa6][..], b"number", b"\xa5seven"].concat();
    let name = "undecodable.good";
    let envelope = Envelope::encode(id, name, &args, At::from_ms(1), &Options::default());
    let dead = dead_of(&fixture, envelope.to_vec()).await;
    assert_eq!((dead.id(), dead.name()), (id, Some(name)));
    let error = dead.error();
    assert!(
        error.contains("do not fit job `undecodable.good`"),
        "{error}"
    );
    assert!(fixture.ledger.lines().is_empty());
}

async fn arguments_that_are_no_map_are_buried(fixture: Fixture) {
    for args in [
        &b""[..],
        &[0xc0],
        &[0x91, 7],
        &[0x81],
        &[0x80, 0x80],
        &[0xdf; 5],
    ] {
        let name = "undecodable.good";
        let none = Options::default();
        let envelope = Envelope::encode(JobId::new(), name, args, At::from_ms(1), &none);
        dead_of(&fixture, envelope.to_vec()).await;
    }
    assert!(fixture.ledger.lines().is_empty());
}

crate::on_every_broker! {
    junk_is_buried_and_delays_nobody
    what_is_no_envelope_is_told_and_has_no_id
    an_empty_element_is_buried
    a_newer_version_is_told_by_its_number
    a_job_with_options_that_do_not_fit_is_found_by_its_id
    a_job_whose_arguments_do_not_fit_is_found_by_its_id
    arguments_that_are_no_map_are_buried
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_list_that_takes_nothing_does_not_fill_the_worker() {
    const JUNK: usize = 20_000;
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let (dead, junk) = (plain.key("broken", "dead"), fixture.queue("broken"));
    let _: () = plain.say(&format!("SET {dead} text")).await;
    let elements = (0..JUNK).map(|n| Entry {
        envelope: Bytes::from(format!("junk {n}")),
        due: Due::Now,
    });
    for entries in elements.collect::<Vec<_>>().chunks(1000) {
        let broker = fixture.client.broker();
        broker.enqueue(junk.name(), entries).await.unwrap();
    }
    // Runs after a time in which the worker could claim all of it.
    let marker = good::new(7).delay(Duration::from_secs(3));
    marker.enqueue(&fixture.client).await.unwrap();

    let worker = fixture.worker().queues(["broken", "default"]);
    let worker = worker.build().unwrap().spawn();
    fixture.ledger.wait_for("7", 1).await;
    // Some thousands may be in flight at that time, for what is refused is sent again in batches.
    let ready: usize = plain
        .say(&format!("LLEN {}", plain.key("broken", "ready")))
        .await;
    let _: () = plain.say(&format!("DEL {dead}")).await;
    support::eventually("all junk to be dead", async || {
        let stats = junk.stats().await.ok()?;
        (stats.ready == 0 && stats.in_flight == 0).then_some(())
    })
    .await;
    worker.shutdown().await;
    assert!(ready > JUNK / 2, "{ready}");
}
