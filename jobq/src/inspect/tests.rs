use bytes::Bytes;

use super::*;
use crate::broker::{
    Action, Claim, Claimed, DeadCaps, Due, Entry, Member, ReleaseTo, Settle, Settlement,
};
use crate::envelope::{DeadRecord, Envelope, Options, Reason};
use crate::id::{JobId, Token, WorkerId};
use crate::job::{Job, JobDefaults};

#[derive(serde::Serialize, serde::Deserialize)]
struct Ping {
    n: u32,
}

impl Job for Ping {
    const NAME: &'static str = "ping";
    const DEFAULTS: JobDefaults = JobDefaults::new();
}

fn client() -> (Client, Queue) {
    let client = Client::in_memory();
    let queue = client.queue("default").unwrap();
    (client, queue)
}

async fn enqueue_raw(client: &Client, bytes: &'static [u8]) {
    let envelope = Bytes::from_static(bytes);
    let due = Due::Now;
    let broker = client.broker();
    broker
        .enqueue(client.default_queue(), &[Entry { envelope, due }])
        .await
        .unwrap();
}

/// Claims up to `max` jobs for one worker, all under claim 1.
async fn claim(client: &Client, worker: &WorkerId, max: u32, suspect: bool) -> Vec<Bytes> {
    let member = Member {
        queue: client.default_queue().clone(),
        worker: worker.clone(),
        known: 0,
    };
    let claim = Claim {
        member,
        max,
        suspect,
    };
    match client.broker().claim(&claim).await.unwrap() {
        Claimed::Granted(grant) => grant.envelopes,
        Claimed::Reaped => panic!("a new worker is not reaped"),
    }
}

async fn settle(client: &Client, worker: &WorkerId, actions: Vec<Action>) {
    let tokens = (1..).map(|index| Token { claim: 1, index });
    let settlements = tokens.zip(actions);
    let settle = Settle {
        queue: client.default_queue().clone(),
        worker: worker.clone(),
        resent: false,
        caps: DeadCaps::default(),
        settlements: settlements
            .map(|(token, action)| Settlement { token, action })
            .collect(),
    };
    let settled = client.broker().settle(settle).await.unwrap();
    assert!(settled.accepted.iter().all(|accepted| *accepted));
}

/// Buries everything in ready, with one failure each.
async fn bury_all(client: &Client, died_at: At) {
    let worker = WorkerId::random();
    let envelopes = claim(client, &worker, 1000, false).await;
    let bury = envelopes.into_iter().map(|bytes| {
        let envelope = Envelope::decode(bytes.clone());
        let options = envelope
            .as_ref()
            .map_or(Options::default(), |e| e.options().unwrap());
        let mut options = options;
        let history = std::mem::take(&mut options.history);
        let record = DeadRecord {
            id: envelope
                .as_ref()
                .map_or(JobId::from_bytes([0; 16]), Envelope::id),
            died_at,
            reason: Reason::Exhausted,
            error: "down".into(),
            envelope: envelope.map_or(bytes, |e| e.rewrite(e.failures() + 1, 0, &options)),
            history,
        };
        Action::Bury {
            record: record.encode(),
        }
    });
    settle(client, &worker, bury.collect()).await;
}

#[tokio::test]
async fn an_unused_queue_has_zeros() {
    let (_, queue) = client();
    assert_eq!(queue.stats().await.unwrap(), QueueStats::default());
    for state in [
        JobState::Ready,
        JobState::Delayed,
        JobState::InFlight,
        JobState::Dead,
    ] {
        assert!(queue.jobs(state, 0, 10).await.unwrap().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn stats_count_every_place() {
    let (client, queue) = client();
    for n in 0..6 {
        Ping { n }.enqueue(&client).await.unwrap();
    }
    let due = client.now().after(Duration::from_secs(90));
    Ping { n: 6 }.at(due).enqueue(&client).await.unwrap();
    let worker = WorkerId::random();
    claim(&client, &worker, 3, false).await;
    let suspect = Action::Release {
        to: ReleaseTo::Suspects,
        envelope: None,
    };
    settle(&client, &worker, vec![suspect]).await;
    client
        .broker()
        .waiter(queue.name(), &worker)
        .wait(Duration::ZERO)
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(7)).await;
    let stats = queue.stats().await.unwrap();
    // Of six: one a suspect, two claimed, one handed over, two left.
    assert_eq!(
        (stats.ready, stats.in_flight, stats.delayed, stats.dead),
        (3, 3, 1, 0)
    );
    assert_eq!(stats.oldest_ready_age, Some(Duration::from_secs(7)));
    assert_eq!(stats.next_due, Some(due.timestamp()));
    assert!(!stats.paused);
    queue.pause().await.unwrap();
    queue.pause().await.unwrap();
    assert!(queue.stats().await.unwrap().paused);
    queue.resume().await.unwrap();
    assert!(!queue.stats().await.unwrap().paused);
}

#[tokio::test(start_paused = true)]
async fn the_age_of_a_delayed_job_begins_when_it_is_due() {
    let (client, queue) = client();
    Ping { n: 1 }
        .delay(Duration::from_secs(60))
        .enqueue(&client)
        .await
        .unwrap();
    tokio::time::advance(Duration::from_secs(65)).await;
    let worker = WorkerId::random();
    claim(&client, &worker, 0, false).await;
    let stats = queue.stats().await.unwrap();
    assert_eq!(
        (stats.ready, stats.oldest_ready_age),
        (1, Some(Duration::from_secs(5)))
    );
}

#[tokio::test]
async fn jobs_are_listed_page_by_page_with_what_is_no_envelope() {
    let (client, queue) = client();
    let first = Ping { n: 1 }.enqueue(&client).await.unwrap();
    enqueue_raw(&client, b"junk").await;
    let last = Ping { n: 2 }.enqueue(&client).await.unwrap();
    let jobs = queue.jobs(JobState::Ready, 0, u32::MAX).await.unwrap();
    let ids: Vec<_> = jobs.iter().map(JobInfo::id).collect();
    assert_eq!(ids, [Some(first.id()), None, Some(last.id())]);
    assert_eq!(jobs[0].name(), Some("ping"));
    assert_eq!(jobs[0].failures(), Some(0));
    assert!(jobs[0].enqueued_at().is_some());
    assert_eq!(
        (jobs[0].last_error(), jobs[0].due(), jobs[0].worker()),
        (None, None, None)
    );
    assert_eq!(jobs[1].bytes(), &b"junk"[..]);
    assert!(jobs[1].envelope().is_err() && jobs[1].name().is_none());
    let page = queue.jobs(JobState::Ready, 2, 1).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].id(), Some(last.id()));
    assert!(queue.jobs(JobState::Ready, 3, 1).await.unwrap().is_empty());
    assert!(queue.jobs(JobState::Ready, 0, 0).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_tells_its_worker_its_time_and_its_last_error() {
    let (client, queue) = client();
    let handle = Ping { n: 1 }.enqueue(&client).await.unwrap();
    let worker = WorkerId::random();
    let bytes = claim(&client, &worker, 1, false).await.remove(0);
    let running = queue.jobs(JobState::InFlight, 0, 10).await.unwrap();
    assert_eq!(running[0].worker(), Some(&worker));
    assert_eq!(running[0].id(), Some(handle.id()));

    let mut options = Options::default();
    options.push_failure(client.now(), "first");
    options.push_failure(client.now(), "second");
    let envelope = Envelope::decode(bytes).unwrap().rewrite(2, 0, &options);
    let delay = Duration::from_secs(5);
    settle(&client, &worker, vec![Action::Retry { delay, envelope }]).await;
    let waiting = queue.jobs(JobState::Delayed, 0, 10).await.unwrap();
    assert_eq!(
        waiting[0].due(),
        Some(client.now().after(delay).timestamp())
    );
    assert_eq!(waiting[0].failures(), Some(2));
    assert_eq!(waiting[0].last_error(), Some("second"));
}

#[tokio::test]
async fn the_dead_list_tells_what_happened() {
    let (client, queue) = client();
    let handle = Ping { n: 1 }.enqueue(&client).await.unwrap();
    let died_at = client.now();
    bury_all(&client, died_at).await;
    let dead = queue.dead().list(0, 10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].id(), dead[0].name()), (handle.id(), Some("ping")));
    assert_eq!(
        (dead[0].reason(), dead[0].error()),
        (Reason::Exhausted, "down")
    );
    assert_eq!(
        (dead[0].attempts(), dead[0].died_at()),
        (1, died_at.timestamp())
    );
    assert!(dead[0].history().is_empty());
    let jobs = queue.jobs(JobState::Dead, 0, 10).await.unwrap();
    assert_eq!(
        (jobs[0].id(), jobs[0].last_error()),
        (Some(handle.id()), Some("down"))
    );
}

#[tokio::test]
async fn what_has_given_up_tells_its_arguments_to_who_asks_for_them() {
    let (client, queue) = client();
    Ping { n: 41 }.enqueue(&client).await.unwrap();
    bury_all(&client, client.now()).await;
    let dead = queue.dead().list(0, 10).await.unwrap();
    assert_eq!(dead[0].arguments::<Ping>().unwrap().n, 41);
    let jobs = queue.jobs(JobState::Dead, 0, 10).await.unwrap();
    assert_eq!(jobs[0].arguments::<Ping>().unwrap().n, 41);
    let junk = DeadJob::new(Bytes::from_static(b"junk"));
    assert!(junk.arguments::<Ping>().is_err());
    for shown in [format!("{:?}", dead[0]), format!("{:?}", jobs[0])] {
        assert!(shown.contains("ping") && shown.contains("down"), "{shown}");
        assert!(!shown.contains("b\""), "raw bytes in {shown}");
    }
}

#[tokio::test]
async fn a_dead_job_runs_again_as_if_it_had_never_failed() {
    let (client, queue) = client();
    let first = Ping { n: 1 }.retries(7).enqueue(&client).await.unwrap();
    bury_all(&client, client.now()).await;
    let second = Ping { n: 2 }.enqueue(&client).await.unwrap();
    assert!(queue.dead().retry(first.id()).await.unwrap());
    assert!(!queue.dead().retry(first.id()).await.unwrap());
    assert!(queue.dead().list(0, 10).await.unwrap().is_empty());
    let ready = queue.jobs(JobState::Ready, 0, 10).await.unwrap();
    let ids: Vec<_> = ready.iter().map(JobInfo::id).collect();
    assert_eq!(ids, [Some(second.id()), Some(first.id())]);
    let envelope = ready[1].envelope().unwrap();
    assert_eq!((envelope.failures(), envelope.crashes()), (0, 0));
    let options = envelope.options().unwrap();
    assert_eq!(
        (options.retries, options.history, options.unknown),
        (Some(7), vec![], 0)
    );
    assert!(options.due.is_some());
}

#[tokio::test]
async fn a_dead_job_is_found_behind_many_others() {
    let (client, queue) = client();
    let first = Ping { n: 0 }.enqueue(&client).await.unwrap();
    bury_all(&client, client.now()).await;
    client
        .enqueue_all((1..350).map(|n| Ping { n }))
        .await
        .unwrap();
    bury_all(&client, client.now()).await;
    assert!(queue.dead().remove(first.id()).await.unwrap());
    assert!(!queue.dead().remove(first.id()).await.unwrap());
    assert!(!queue.dead().remove(JobId::new()).await.unwrap());
    assert_eq!(queue.stats().await.unwrap().dead, 349);
}

#[tokio::test]
async fn junk_goes_back_as_it_was() {
    let (client, queue) = client();
    enqueue_raw(&client, b"junk").await;
    bury_all(&client, client.now()).await;
    let dead = queue.dead().list(0, 10).await.unwrap();
    assert_eq!((dead[0].name(), dead[0].attempts()), (None, 0));
    assert_eq!(dead[0].bytes(), &b"junk"[..]);
    assert!(queue.dead().retry(dead[0].id()).await.unwrap());
    let ready = queue.jobs(JobState::Ready, 0, 10).await.unwrap();
    assert_eq!(ready[0].bytes(), &b"junk"[..]);
}

#[test]
fn a_record_that_cannot_be_read_is_shown() {
    let job = DeadJob::new(Bytes::from_static(b"\x95 rot"));
    assert_eq!(job.reason(), Reason::Undecodable);
    assert!(
        job.error().starts_with("not a dead record: "),
        "{}",
        job.error()
    );
    assert_eq!(job.bytes(), &b"\x95 rot"[..]);
}

#[tokio::test]
async fn a_queue_of_an_illegal_name_is_refused() {
    let error = Client::in_memory().queue("a b").unwrap_err();
    assert!(error.to_string().contains("\"a b\""), "{error}");
}

#[tokio::test]
async fn clients_on_one_broker_see_the_same_queues() {
    let (client, _) = client();
    assert!(client.queues().await.unwrap().is_empty());
    Ping { n: 1 }.queue("b").enqueue(&client).await.unwrap();
    Ping { n: 1 }.queue("a").enqueue(&client).await.unwrap();
    let names = client.clone().queues().await.unwrap();
    let names: Vec<_> = names.iter().map(QueueName::as_str).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(Client::in_memory().queues().await.unwrap().is_empty());
}
