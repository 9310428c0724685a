//! Enqueueing.

use std::time::Duration;

use jobq::{BrokerError, JobId, job};

use super::Step;
use crate::rows::n1::hand::Hand;

const LATER: Duration = Duration::from_secs(3600);

#[job(name = "n1.cut")]
async fn cut(_number: u32) {}

pub(super) fn steps() -> Vec<Step> {
    vec![
        Step::new(
            "enqueue",
            |_| Box::pin(async {}),
            |hand| Box::pin(enqueue(hand, 1, None)),
        )
        .sent_once(),
        Step::new(
            "enqueue with a delay",
            |_| Box::pin(async {}),
            |hand| Box::pin(enqueue(hand, 1, Some(LATER))),
        )
        .sent_once(),
        Step::new(
            "enqueue many",
            |_| Box::pin(async {}),
            |hand| Box::pin(enqueue(hand, 3, None)),
        )
        .sent_once(),
        Step::new(
            "enqueue many, every other with a delay",
            |_| Box::pin(async {}),
            |hand| Box::pin(enqueue_mixed(hand)),
        )
        .sent_once(),
        Step::new(
            "enqueue with a delay, the script unknown",
            |hand| Box::pin(super::forget_scripts(hand)),
            |hand| Box::pin(enqueue(hand, 1, Some(LATER))),
        )
        .sent_once(),
    ]
}

async fn enqueue(hand: &mut Hand, jobs: u32, delay: Option<Duration>) -> Result<(), BrokerError> {
    let delays = vec![delay; usize::try_from(jobs).unwrap_or(0)];
    enqueue_each(hand, &delays).await
}

async fn enqueue_mixed(hand: &mut Hand) -> Result<(), BrokerError> {
    enqueue_each(hand, &[None, Some(LATER), None, Some(LATER)]).await
}

async fn enqueue_each(hand: &mut Hand, delays: &[Option<Duration>]) -> Result<(), BrokerError> {
    let ids: Vec<JobId> = delays.iter().map(|_| JobId::new()).collect();
    let jobs = ids.iter().zip(delays).map(|(&id, delay)| {
        let job = cut::new(1).id(id).queue(hand.queue.as_str());
        match delay {
            Some(delay) => job.delay(*delay),
            None => job,
        }
    });
    let producer = hand.producer();
    let answer = match jobs.len() {
        1 => {
            let mut jobs = jobs;
            let one = jobs.next().expect("there is one");
            producer.enqueue(one).await.map(|handle| vec![handle])
        }
        _ => producer.enqueue_all(jobs).await,
    };
    hand.note(&ids, answer)
}
