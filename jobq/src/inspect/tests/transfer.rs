//! Moving jobs to another queue.

use super::*;
use crate::inspect::Transfer;

async fn numbers(queue: &Queue, state: JobState) -> Vec<u32> {
    let jobs = queue.jobs(state, 0, 1000).await.unwrap();
    let numbers = jobs.iter().map(|job| job.arguments::<Ping>().unwrap().n);
    numbers.collect()
}

/// The job at a place.
async fn at(queue: &Queue, state: JobState, place: u64) -> JobInfo {
    queue.jobs(state, place, 1).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_ready_job_moves_to_the_back_of_the_other_queue() {
    let (client, from) = client();
    let to = client.queue("slow").unwrap();
    Ping { n: 9 }.queue("slow").enqueue(&client).await.unwrap();
    for n in 0..3 {
        Ping { n }.retries(7).enqueue(&client).await.unwrap();
    }
    let job = at(&from, JobState::Ready, 1).await;
    let moved = from.transfer(JobState::Ready, &job, 1, &to).await.unwrap();
    assert_eq!(moved, Transfer::Moved);
    assert_eq!(numbers(&from, JobState::Ready).await, [0, 2]);
    assert_eq!(numbers(&to, JobState::Ready).await, [9, 1]);
    let there = at(&to, JobState::Ready, 1).await;
    assert_eq!(
        there.bytes(),
        job.bytes(),
        "its id and its options are kept"
    );
}

#[tokio::test]
async fn a_delayed_job_keeps_its_time() {
    let (client, from) = client();
    let to = client.queue("slow").unwrap();
    let hour = Duration::from_secs(3600);
    Ping { n: 1 }.delay(hour).enqueue(&client).await.unwrap();
    let job = at(&from, JobState::Delayed, 0).await;
    let moved = from
        .transfer(JobState::Delayed, &job, 0, &to)
        .await
        .unwrap();
    assert_eq!(moved, Transfer::Moved);
    assert_eq!(from.stats().await.unwrap().delayed, 0);
    assert_eq!(at(&to, JobState::Delayed, 0).await.due(), job.due());
}

#[tokio::test]
async fn a_dead_job_moves_as_if_it_had_never_failed() {
    let (client, from) = client();
    let to = client.queue("slow").unwrap();
    for n in 0..3 {
        Ping { n }.enqueue(&client).await.unwrap();
    }
    bury_all(&client, client.now()).await;
    let job = from.dead().list(1, 1).await.unwrap().remove(0);
    let moved = from.dead().transfer(&job, &to).await.unwrap();
    assert_eq!(moved, Transfer::Moved);
    assert_eq!(from.stats().await.unwrap().dead, 2);
    assert_eq!(at(&to, JobState::Ready, 0).await.failures(), Some(0));
    let again = from.dead().transfer(&job, &to).await.unwrap();
    assert_eq!(again, Transfer::Gone);
    assert_eq!(to.stats().await.unwrap().ready, 1);
}

#[tokio::test]
async fn a_job_that_is_not_at_its_place_any_more_is_left_alone() {
    let (client, from) = client();
    let to = client.queue("slow").unwrap();
    for n in 0..2 {
        Ping { n }.enqueue(&client).await.unwrap();
    }
    let job = at(&from, JobState::Ready, 1).await;
    claim(&client, &WorkerId::random(), 1, false).await;
    for place in [1, 7, u64::MAX - 1] {
        let moved = from.transfer(JobState::Ready, &job, place, &to).await;
        assert_eq!(moved.unwrap(), Transfer::Gone, "{place}");
    }
    assert_eq!(to.stats().await.unwrap().ready, 0);
    let moved = from.transfer(JobState::Ready, &job, 0, &to).await.unwrap();
    assert_eq!(moved, Transfer::Moved);
}

#[tokio::test]
async fn what_does_not_wait_is_refused() {
    let (client, from) = client();
    Ping { n: 1 }.enqueue(&client).await.unwrap();
    let job = at(&from, JobState::Ready, 0).await;
    for state in [JobState::InFlight, JobState::Dead] {
        let refused = from.transfer(state, &job, 0, &from).await.unwrap_err();
        let told = matches!(refused, InspectError::OwnedByWorkers | InspectError::Dead);
        assert!(told, "{refused}");
    }
}
