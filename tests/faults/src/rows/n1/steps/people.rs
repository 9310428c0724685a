//! What people and tools send.

use bytes::Bytes;
use jobq::broker::{Action, Due, Inspect as _, JobState, Requeue, TakeDead};
use jobq::{At, JobId};

use super::Step;
use crate::rows::n1::hand::Hand;

const ID: JobId = JobId::from_bytes([1; 16]);

const LATER: At = At::from_ms(1 << 45);

pub(super) fn steps() -> Vec<Step> {
    vec![
        Step::new(
            "pause",
            |hand| Box::pin(hand.put(&["ready"], Due::Now)),
            |hand| Box::pin(async { hand.far.pause(&hand.queue).await }),
        ),
        Step::new(
            "resume",
            |hand| Box::pin(paused(hand)),
            |hand| Box::pin(async { hand.far.resume(&hand.queue).await }),
        ),
        Step::new(
            "cancel",
            |hand| Box::pin(hand.put(&["ready"], Due::Now)),
            |hand| Box::pin(async { hand.far.cancel(&hand.queue, ID).await }),
        ),
        Step::new(
            "run now",
            |hand| Box::pin(hand.put(&["delayed", "delayed too"], Due::At(LATER))),
            |hand| {
                Box::pin(async {
                    let (delayed, job) = (Bytes::from_static(b"delayed"), requeued());
                    hand.far
                        .run_now(&hand.queue, &delayed, &job)
                        .await
                        .map(drop)
                })
            },
        ),
        Step::new(
            "withdraw",
            |hand| Box::pin(hand.put(&["one", "two"], Due::Now)),
            |hand| {
                Box::pin(async {
                    let (ready, one) = (JobState::Ready, Bytes::from_static(b"one"));
                    let taken = hand.far.withdraw(&hand.queue, ready, &one, 0);
                    taken.await.map(drop)
                })
            },
        ),
        Step::new(
            "take a dead job",
            |hand| Box::pin(two_dead(hand)),
            |hand| {
                Box::pin(async {
                    let take = TakeDead {
                        record: Bytes::from_static(b"dead"),
                        requeue: Some(requeued()),
                    };
                    hand.far.take_dead(&hand.queue, &[take], 1).await.map(drop)
                })
            },
        ),
        Step::new(
            "purge",
            |hand| Box::pin(hand.put(&["one", "two"], Due::Now)),
            |hand| {
                Box::pin(async {
                    let purged = hand.far.purge(&hand.queue, JobState::Ready).await;
                    purged.map(drop)
                })
            },
        ),
        Step::new(
            "stats",
            |hand| Box::pin(hand.put(&["one", "two"], Due::Now)),
            |hand| {
                Box::pin(async {
                    let stats = hand.far.stats(&hand.queue).await?;
                    assert_eq!(stats.ready, 2);
                    Ok(())
                })
            },
        ),
    ]
}

fn requeued() -> Requeue {
    Requeue {
        id: ID,
        envelope: Bytes::from_static(b"again"),
    }
}

async fn paused(hand: &mut Hand) {
    hand.put(&["ready"], Due::Now).await;
    let paused = hand.near.pause(&hand.queue).await;
    paused.expect("nobody cuts this way");
}

async fn two_dead(hand: &mut Hand) {
    let bury = |record: &'static str| Action::Bury {
        record: Bytes::from_static(record.as_bytes()),
    };
    hand.put(&["one", "two"], Due::Now).await;
    hand.join(2).await;
    hand.settle_near(vec![bury("dead"), bury("dead too")]).await;
}
