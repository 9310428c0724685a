//! What a dead worker held is run by another: each job again, its crash counted, no attempt used.

use std::time::Instant;

use jobq::JobState;
use support::Record;
use support::jobs::{QUEUE, hold, note, panic};

use crate::fixture::{Fixture, LEASE};
use crate::plain::{Plain, envelope};
use crate::program::Program;

const JOBS: usize = 50;

async fn hold_in(fixture: &Fixture, record: &Record) -> Program {
    let program = Program::start(&fixture.url, &[]).await;
    let jobs = (0..JOBS).map(|n| hold::new(record.path(), format!("{n:02}")));
    fixture.client.enqueue_all(jobs).await.unwrap();
    record.wait_for("begin ", JOBS).await;
    program
}

/// That each began twice, on its first attempt both times, and was done once.
fn check_record(record: &Record) {
    let begun = record.after("begin ");
    for n in 0..JOBS {
        let key = format!("{n:02} ");
        let runs: Vec<_> = begun.iter().filter(|line| line.starts_with(&key)).collect();
        assert_eq!(runs.len(), 2, "{runs:?}");
        assert!(runs.iter().all(|line| line.ends_with(" 1")), "{runs:?}");
    }
    let mut ended = record.after("end ");
    ended.sort();
    assert_eq!(
        ended,
        (0..JOBS).map(|n| format!("{n:02}")).collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_takes_over_what_a_killed_process_held() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut program = hold_in(&fixture, &record).await;
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    program.kill();
    record.wait_for("begin ", 2 * JOBS).await;
    let running = fixture
        .queue(QUEUE)
        .jobs(JobState::InFlight, 0, 100)
        .await
        .unwrap();
    assert_eq!(running.len(), JOBS);
    for job in running {
        let envelope = job.envelope().unwrap();
        assert_eq!((envelope.failures(), envelope.crashes()), (0, 1));
    }
    record.write("go");
    record.wait_for("end ", JOBS).await;
    check_record(&record);
    note::enqueue(&fixture.client, record.path(), "new")
        .await
        .unwrap();
    record.wait_for("end new", 1).await;
    assert_eq!(worker.stats().adopted, JOBS as u64);
    worker.shutdown().await;
}

#[tokio::test]
async fn a_process_started_anew_takes_over_from_the_one_before() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut first = hold_in(&fixture, &record).await;
    first.kill();
    record.write("go");
    let mut second = Program::start(&fixture.url, &["--log", "debug"]).await;
    record.wait_for("end ", JOBS).await;
    check_record(&record);
    second.signal("TERM");
    assert_eq!(second.ended().await.code(), Some(0));
    let log = second.log();
    assert!(
        log.contains("done=50 retried=0 dead=0 discarded=0 cancelled=0 released=0"),
        "{log}"
    );
    let put_back = log
        .lines()
        .filter(|line| line.contains("outcome=\"adopted\""));
    let put_back: Vec<_> = put_back.collect();
    assert_eq!(put_back.len(), JOBS);
    assert!(
        put_back.iter().all(|line| line.contains("job.id=")),
        "{log}"
    );
    let mut plain = Plain::connect(&fixture).await;
    // The office of the dead timekeeper runs out by itself.
    support::eventually("nothing to be left", async || {
        plain.leftovers().await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_job_in_the_handoff_of_a_killed_process_runs_with_no_crash_counted() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut plain = Plain::connect(&fixture).await;
    let mut program = Program::start(&fixture.url, &[]).await;
    let mut jobs = 0;
    // A stopped process has its wait answered by the server, and cannot claim.
    support::eventually("a job in a handoff", async || {
        program.signal("CONT");
        record.wait_for("end ", jobs).await;
        plain.wait_for_idler().await;
        program.stop().await;
        note::enqueue(&fixture.client, record.path(), format!("{jobs}"))
            .await
            .unwrap();
        jobs += 1;
        let keys = plain.keys().await;
        keys.iter()
            .any(|key| key.contains(":handoff:"))
            .then_some(())
    })
    .await;
    program.kill();
    assert_eq!(record.after("end ").len(), jobs - 1);
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    record.wait_for("end ", jobs).await;
    assert_eq!(worker.stats().adopted, 0, "it never started there");
    worker.shutdown().await;
}

#[tokio::test]
async fn what_lies_in_flight_under_no_registered_worker_is_found() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut plain = Plain::connect(&fixture).await;
    let (in_flight, handoff) = (
        plain.key(QUEUE, "inflight:ghost"),
        plain.key(QUEUE, "handoff:ghoul"),
    );
    for (field, key) in [("7.1", "a"), ("7.2", "b"), ("no token", "c")] {
        let job = envelope(note::new(record.path(), key)).await;
        let _: () = plain
            .run(&[b"HSET", in_flight.as_bytes(), field.as_bytes(), &job])
            .await;
    }
    let job = envelope(note::new(record.path(), "d")).await;
    let _: () = plain.run(&[b"LPUSH", handoff.as_bytes(), &job]).await;
    let begun = Instant::now();
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    record.wait_for("end ", 4).await;
    // Where only the registration is lost, the owner has a lease to take back its own.
    assert!(begun.elapsed() >= LEASE, "{:?}", begun.elapsed());
    assert_eq!(worker.stats().adopted, 3);
    worker.shutdown().await;
    assert!(plain.leftovers().await.is_empty());
}

#[tokio::test]
async fn garbage_in_flight_is_buried_and_holds_nothing_up() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut plain = Plain::connect(&fixture).await;
    let workers = plain.key(QUEUE, "workers");
    let in_flight = plain.key(QUEUE, "inflight:dead");
    let _: () = plain.say(&format!("HSET {workers} dead 9")).await;
    let _: () = plain
        .say(&format!(
            "HSET {in_flight} 9.1 garbage 9.2 {}",
            "x".repeat(1000)
        ))
        .await;
    let job = envelope(note::new(record.path(), "good")).await;
    let _: () = plain
        .run(&[b"HSET", in_flight.as_bytes(), b"9.3", &job])
        .await;
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    record.wait_for("end good", 1).await;
    support::eventually("the garbage to be dead", async || {
        let stats = fixture.queue(QUEUE).stats().await.unwrap();
        (stats.dead == 2 && stats.in_flight == 0).then_some(())
    })
    .await;
    let dead = fixture.queue(QUEUE).dead().list(0, 10).await.unwrap();
    for job in &dead {
        assert_eq!(job.reason(), jobq::Reason::Undecodable);
    }
    note::enqueue(&fixture.client, record.path(), "new")
        .await
        .unwrap();
    record.wait_for("end new", 1).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn damaged_records_of_a_dead_worker_keep_nobody_from_the_others() {
    let (fixture, record) = (Fixture::redis().await, Record::new());
    let mut plain = Plain::connect(&fixture).await;
    let workers = plain.key(QUEUE, "workers");
    // Many, since the order in which the dead are found is the server's.
    for n in 0..20 {
        for (name, member) in [("member", true), ("stranger", false)] {
            let (good, damaged) = (format!("{name}-{n}"), format!("{name}-damaged-{n}"));
            if member {
                let _: () = plain
                    .say(&format!("HSET {workers} {good} 9 {damaged} 9"))
                    .await;
            }
            let in_flight = plain.key(QUEUE, &format!("inflight:{damaged}"));
            let _: () = plain.say(&format!("SET {in_flight} text")).await;
            let in_flight = plain.key(QUEUE, &format!("inflight:{good}"));
            let job = envelope(note::new(record.path(), good)).await;
            let words: [&[u8]; 4] = [b"HSET", in_flight.as_bytes(), b"9.1", &job];
            let _: () = plain.run(&words).await;
        }
    }
    let worker = fixture.worker().queues([QUEUE]).build().unwrap().spawn();
    record.wait_for("end ", 40).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn a_refused_outcome_of_another_queue_leaves_nothing_with_the_dead() {
    let fixture = Fixture::redis().await;
    let mut plain = Plain::connect(&fixture).await;
    let dead = plain.key("damaged", "dead");
    let _: () = plain.say(&format!("SET {dead} text")).await;
    panic::new("refused")
        .queue("damaged")
        .enqueue(&fixture.client)
        .await
        .unwrap();
    let worker = fixture
        .worker()
        .queues([QUEUE, "damaged"])
        .build()
        .unwrap()
        .spawn();
    support::eventually("the job to be claimed", async || {
        let keys = plain.keys().await;
        let claimed = |key: &String| key.contains("{damaged}:inflight:");
        keys.iter().any(claimed).then_some(())
    })
    .await;
    fixture.queue(QUEUE).pause().await.unwrap();
    // More than is judged and settled at once.
    let (in_flight, large) = (plain.key(QUEUE, "inflight:ghost"), vec![b'x'; 25 << 20]);
    for field in [b"7.1", b"7.2", b"7.3", b"7.4"] {
        let words: [&[u8]; 4] = [b"HSET", in_flight.as_bytes(), field, &large];
        let _: () = plain.run(&words).await;
    }
    support::eventually("all of it to be taken over", async || {
        let left: u64 = plain.say(&format!("EXISTS {in_flight}")).await;
        (left == 0).then_some(())
    })
    .await;
    let _: () = plain.say(&format!("DEL {dead}")).await;
    worker.shutdown().await;
}
