//! The dead list.

use super::*;

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

/// Buries so many jobs, which died an hour apart, the last one now.
async fn with_dead(client: &Client, count: u32) {
    for n in (0..count).rev() {
        Ping { n }.enqueue(client).await.unwrap();
        let ago = Duration::from_secs(3600 * u64::from(n));
        let now = client.now();
        bury_all(client, At::from_ms(now.as_ms() - ago.as_millis() as u64)).await;
    }
}

fn numbers(jobs: &[JobInfo]) -> Vec<u32> {
    let numbers = jobs.iter().map(|job| job.arguments::<Ping>().unwrap().n);
    numbers.collect()
}

#[tokio::test]
async fn all_that_is_dead_runs_again_the_oldest_first() {
    let (client, queue) = client();
    with_dead(&client, 60).await;
    Ping { n: 99 }.enqueue(&client).await.unwrap();
    assert_eq!(queue.dead().retry_all().await.unwrap(), 60);
    assert_eq!(queue.dead().retry_all().await.unwrap(), 0);
    let ready = queue.jobs(JobState::Ready, 0, 100).await.unwrap();
    let expected: Vec<u32> = std::iter::once(99).chain((0..60).rev()).collect();
    assert_eq!(numbers(&ready), expected);
    assert!(ready.iter().all(|job| job.failures() == Some(0)));
    assert_eq!(queue.stats().await.unwrap().dead, 0);
}

#[tokio::test]
async fn junk_goes_back_with_all_the_others() {
    let (client, queue) = client();
    with_dead(&client, 2).await;
    enqueue_raw(&client, b"junk").await;
    bury_all(&client, client.now()).await;
    assert_eq!(queue.dead().retry_all().await.unwrap(), 3);
    let ready = queue.jobs(JobState::Ready, 2, 1).await.unwrap();
    assert_eq!(ready[0].bytes(), &b"junk"[..]);
}

#[tokio::test(start_paused = true)]
async fn what_died_long_ago_is_purged_wherever_it_lies() {
    let (client, queue) = client();
    with_dead(&client, 60).await;
    // Buried late: it lies in front of younger ones.
    Ping { n: 777 }.enqueue(&client).await.unwrap();
    bury_all(&client, At::from_ms(1)).await;
    let dead = queue.dead();
    let purge = async |hours: u64| {
        let age = Duration::from_secs(3600 * hours);
        dead.purge_older_than(age).await.unwrap()
    };
    assert_eq!(purge(1 << 40).await, 0);
    assert_eq!(
        purge(30).await,
        31,
        "those of 30 hours and more, and the late one"
    );
    assert_eq!(purge(30).await, 0);
    let left = queue.jobs(JobState::Dead, 0, 100).await.unwrap();
    assert_eq!(numbers(&left), (0..30).collect::<Vec<_>>());
    assert_eq!(purge(0).await, 30, "zero is all there is");
    assert_eq!(queue.stats().await.unwrap().dead, 0);
}

#[tokio::test]
async fn what_does_not_tell_when_it_died_is_not_purged_by_its_age() {
    let (client, queue) = client();
    with_dead(&client, 1).await;
    enqueue_raw(&client, b"x").await;
    let worker = WorkerId::random();
    claim(&client, &worker, 1, false).await;
    let record = Bytes::from_static(b"\x95 rot");
    settle(&client, &worker, vec![Action::Bury { record }]).await;
    assert_eq!(
        queue.dead().purge_older_than(Duration::ZERO).await.unwrap(),
        1
    );
    let left = queue.dead().list(0, 10).await.unwrap();
    assert_eq!(left[0].bytes(), &b"\x95 rot"[..]);
    assert!(queue.dead().remove(left[0].id()).await.unwrap());
}

#[tokio::test]
async fn a_walk_sees_each_job_once_whatever_is_taken_of_it() {
    let (client, queue) = client();
    with_dead(&client, 103).await;
    let mut walk = queue.dead().walk().await.unwrap();
    let (mut seen, mut taken) = (Vec::new(), 0);
    loop {
        let page = walk.next_page().await.unwrap();
        if page.is_empty() {
            break;
        }
        let number = |job: &DeadJob| job.arguments::<Ping>().unwrap().n;
        seen.extend(page.iter().map(number));
        assert_eq!(walk.left(), 103 - seen.len() as u64);
        let some = |k: u32| page.iter().filter(move |job| number(job) % 3 == k).cloned();
        // In parts, as who keeps to a rate does.
        for job in some(0) {
            taken += walk.remove(&[job]).await.unwrap();
        }
        taken += walk.retry(&some(1).collect::<Vec<_>>()).await.unwrap();
    }
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..103));
    let stats = queue.stats().await.unwrap();
    assert_eq!((taken, stats.ready, stats.dead), (69, 34, 34));
    assert!(walk.next_page().await.unwrap().is_empty());
}

/// Somebody else takes some, so that there is room among those that were counted.
#[tokio::test]
async fn a_walk_leaves_out_what_it_put_back_and_has_died_again() {
    let (client, queue) = client();
    with_dead(&client, 60).await;
    let mut walk = queue.dead().walk().await.unwrap();
    let first = walk.next_page().await.unwrap();
    assert_eq!(walk.retry(&first).await.unwrap(), 25);
    let newest = queue.dead().list(0, 30).await.unwrap();
    for job in newest {
        assert!(queue.dead().remove(job.id()).await.unwrap());
    }
    // What was retried dies again.
    bury_all(&client, client.now()).await;
    let mut later = 0;
    loop {
        let page = walk.next_page().await.unwrap();
        if page.is_empty() {
            break;
        }
        later += walk.retry(&page).await.unwrap();
    }
    assert_eq!((later, queue.stats().await.unwrap().dead), (5, 25));
    assert_eq!(queue.dead().retry_all().await.unwrap(), 25);
}

#[tokio::test]
async fn a_walk_ends_where_others_have_taken_the_rest() {
    let (client, queue) = client();
    with_dead(&client, 60).await;
    let mut walk = queue.dead().walk().await.unwrap();
    let page = walk.next_page().await.unwrap();
    queue.purge(JobState::Dead).await.unwrap();
    assert_eq!(walk.retry(&page).await.unwrap(), 0);
    assert!(walk.next_page().await.unwrap().is_empty());
    assert_eq!((walk.left(), queue.stats().await.unwrap().ready), (0, 0));
}
