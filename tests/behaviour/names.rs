//! A job whose name a worker does not know waits for one that does: a rolling deploy kills no job.

use std::time::Duration;

use jobq::broker::{Due, Entry};
use jobq::{At, Context, Envelope, Job, JobId, MissingState, Options, Perform, Reason};

use crate::fixture::{Fixture, Ledger, run_for_months};

const HOUR: Duration = Duration::from_secs(3600);

/// A job that only those workers know that register it.
#[derive(Job)]
#[job(name = "names.new_in_this_release")]
struct New {
    number: u32,
}

impl Perform for New {
    type Output = Result<(), MissingState>;

    async fn perform(self, ctx: Context) -> Self::Output {
        let (number, attempt) = (self.number, ctx.attempt());
        ctx.state::<Ledger>()?.write(format!("{number} {attempt}"));
        Ok(())
    }
}

/// Puts a job of an unknown name on `default`, enqueued and due so long ago.
async fn enqueue_unknown(fixture: &Fixture, enqueued: Duration, due: Option<Duration>) -> JobId {
    let broker = fixture.client.broker();
    let ago = |age: Duration| {
        let age = u64::try_from(age.as_millis()).unwrap();
        At::from_ms(broker.now().as_ms() - age)
    };
    let mut options = Options::default();
    options.due = due.map(ago);
    let id = JobId::new();
    let envelope = Envelope::encode(id, "names.unknown", &[0x80], ago(enqueued), &options);
    let entry = Entry {
        envelope,
        due: Due::Now,
    };
    let queue = fixture.queue("default");
    broker.enqueue(queue.name(), &[entry]).await.unwrap();
    id
}

async fn the_only_job(fixture: &Fixture) -> jobq::JobInfo {
    let queue = fixture.queue("default");
    support::eventually("the job to be delayed", async || {
        let mut jobs = queue.jobs(jobq::JobState::Delayed, 0, 10).await.unwrap();
        jobs.pop()
    })
    .await
}

async fn another_worker_runs_what_one_does_not_know(fixture: Fixture) {
    let handle = New { number: 7 }.enqueue(&fixture.client).await.unwrap();
    let old = fixture.calm_worker().build().unwrap().spawn();
    let delayed = the_only_job(&fixture).await;
    assert_eq!(delayed.id(), Some(handle.id()));
    assert_eq!(delayed.failures(), Some(0));
    assert_eq!(delayed.last_error(), None);
    // The two share the queue: whoever gets it, the new one runs it in the end.
    let new = fixture.calm_worker().register::<New>().build().unwrap();
    let new = new.spawn();
    fixture.ledger.wait_for("7 1", 1).await;
    support::eventually("the job to be done", async || {
        (new.stats().done == 1).then_some(())
    })
    .await;
    assert!(old.stats().snoozed >= 1);
    assert_eq!((old.stats().retried, old.stats().dead), (0, 0));
    old.shutdown().await;
    new.shutdown().await;
    let stats = fixture.queue("default").stats().await.unwrap();
    assert_eq!((stats.delayed, stats.ready, stats.dead), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn each_wait_is_twice_as_long_up_to_five_minutes() {
    let fixture = Fixture::memory().await;
    let begun = fixture.client.broker().now();
    enqueue_unknown(&fixture, Duration::ZERO, None).await;
    let worker = fixture.calm_worker().build().unwrap().spawn();
    let queue = fixture.queue("default");
    let mut due = 0;
    for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300] {
        due += seconds;
        let expected = begun.after(Duration::from_secs(due));
        let job = loop {
            let mut jobs = queue.jobs(jobq::JobState::Delayed, 0, 10).await.unwrap();
            match jobs.pop() {
                Some(job) if At::from(job.due().unwrap()) >= expected => break job,
                _ => tokio::time::sleep(Duration::from_millis(500)).await,
            }
        };
        let late = At::from(job.due().unwrap()).since(expected);
        assert!(
            late < Duration::from_millis(100),
            "wait of {seconds} s: {late:?}"
        );
        assert_eq!(job.failures(), Some(0));
    }
    worker.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn a_name_unknown_for_a_day_is_dead() {
    let fixture = Fixture::memory().await;
    let id = enqueue_unknown(&fixture, 24 * HOUR, None).await;
    let stats = fixture.run_for_months().await;
    assert_eq!((stats.dead, stats.snoozed), (1, 0));
    let dead = fixture.only_dead().await;
    assert_eq!((dead.id(), dead.reason()), (id, Reason::UnknownJob));
    assert_eq!(dead.attempts(), 0);
    assert_eq!(dead.name(), Some("names.unknown"));
}

#[tokio::test(start_paused = true)]
async fn a_name_unknown_for_less_than_a_day_is_not_dead_yet() {
    let fixture = Fixture::memory().await;
    let begun = fixture.client.broker().now();
    enqueue_unknown(&fixture, 24 * HOUR - HOUR / 2, None).await;
    let stats = fixture.run_for_months().await;
    assert_eq!(stats.dead, 1);
    assert!(stats.snoozed > 10, "{} waits", stats.snoozed);
    let waited = At::from(fixture.only_dead().await.died_at()).since(begun);
    let late = waited
        .checked_sub(HOUR / 2)
        .expect("it was not buried early");
    assert!(late <= Duration::from_secs(301), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn the_day_begins_when_the_job_is_due() {
    let fixture = Fixture::memory().await;
    enqueue_unknown(&fixture, 200 * HOUR, Some(24 * HOUR)).await;
    assert_eq!(fixture.run_for_months().await.snoozed, 0);
    enqueue_unknown(&fixture, 200 * HOUR, Some(24 * HOUR - 10 * HOUR / 3600)).await;
    let stats = fixture.run_for_months().await;
    assert_eq!(stats.dead, 1);
    assert!(stats.snoozed > 0);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_worker_that_knows_it_costs_a_job_nothing() {
    let fixture = Fixture::memory().await;
    New { number: 1 }.enqueue(&fixture.client).await.unwrap();
    let old = fixture.calm_worker().build().unwrap().spawn();
    tokio::time::sleep(HOUR).await;
    assert!(old.stats().snoozed > 10);
    old.shutdown().await;
    let new = fixture.calm_worker().register::<New>().build().unwrap();
    assert_eq!(run_for_months(&new).await.done, 1);
    assert_eq!(fixture.ledger.lines(), ["1 1"]);
}

crate::on_every_broker! {
    another_worker_runs_what_one_does_not_know
}
