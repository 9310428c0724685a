mod dead;
mod transfer;

use std::time::Duration;

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

#[tokio::test(start_paused = true)]
async fn a_job_that_runs_now_waits_from_now_on() {
    let (client, queue) = client();
    Ping { n: 1 }.enqueue(&client).await.unwrap();
    let hour = Duration::from_secs(3600);
    let handle = Ping { n: 2 }
        .retries(7)
        .delay(hour)
        .enqueue(&client)
        .await
        .unwrap();
    assert!(queue.run_now(handle.id()).await.unwrap());
    assert!(!queue.run_now(handle.id()).await.unwrap(), "it is ready");
    tokio::time::advance(Duration::from_secs(5)).await;
    let stats = queue.stats().await.unwrap();
    assert_eq!((stats.ready, stats.delayed), (2, 0));
    assert_eq!(stats.oldest_ready_age, Some(Duration::from_secs(5)));
    let front = queue.jobs(JobState::Ready, 0, 1).await.unwrap().remove(0);
    assert_eq!(front.id(), Some(handle.id()));
    let options = front.envelope().unwrap().options().unwrap();
    assert_eq!(options.retries, Some(7));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_runs_now_keeps_its_failures() {
    let (client, queue) = client();
    let handle = Ping { n: 1 }.enqueue(&client).await.unwrap();
    let worker = WorkerId::random();
    let bytes = claim(&client, &worker, 1, false).await.remove(0);
    let mut options = Options::default();
    options.push_failure(client.now(), "once");
    let envelope = Envelope::decode(bytes).unwrap().rewrite(3, 1, &options);
    let delay = Duration::from_secs(60);
    settle(&client, &worker, vec![Action::Retry { delay, envelope }]).await;
    assert!(queue.run_now(handle.id()).await.unwrap());
    let front = queue.jobs(JobState::Ready, 0, 1).await.unwrap().remove(0);
    let envelope = front.envelope().unwrap();
    assert_eq!((envelope.failures(), envelope.crashes()), (3, 1));
    assert_eq!(front.last_error(), Some("once"));
}

#[tokio::test]
async fn what_this_build_cannot_read_runs_now_as_it_is() {
    let (client, queue) = client();
    let id = JobId::new();
    let mut newer =
        Envelope::encode(id, "ping", &[0x80], At::from_ms(1), &Options::default()).to_vec();
    newer[19] = 2;
    let entry = Entry {
        envelope: newer.clone().into(),
        due: Due::After(Duration::from_secs(60)),
    };
    let broker = client.broker();
    broker.enqueue(queue.name(), &[entry]).await.unwrap();
    assert!(queue.run_now(id).await.unwrap());
    let ready = queue.jobs(JobState::Ready, 0, 1).await.unwrap();
    assert_eq!(ready[0].bytes(), &newer);
}

#[tokio::test]
async fn what_workers_hold_cannot_be_purged() {
    let (client, queue) = client();
    Ping { n: 1 }.enqueue(&client).await.unwrap();
    claim(&client, &WorkerId::random(), 1, false).await;
    let error = queue.purge(JobState::InFlight).await.unwrap_err();
    assert!(matches!(error, InspectError::OwnedByWorkers), "{error:?}");
    assert!(error.to_string().contains("pause"), "{error}");
    assert_eq!(queue.stats().await.unwrap().in_flight, 1);
}
